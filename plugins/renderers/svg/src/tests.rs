//! SVG in, SVG of a size and faults out.

use crate::fault::Fault;
use crate::picture::{MAX_SOURCE_BYTES, check, resize};
use drawing::{Bounds, Pixels, Place};

fn fault(source: &str) -> Fault {
    check(source).expect_err(source)
}

fn place(line: u32, column: u32) -> Place {
    Place { line, column }
}

#[test]
fn a_picture_comes_through_as_it_is_but_for_its_size() {
    let source = "<?xml version=\"1.0\"?>\n<!-- a --><svg xmlns=\"http://www.w3.org/2000/svg\" \
                  width=\"10\" height=\"20\"><g>a &amp; b &#252;<![CDATA[<x>]]></g></svg>\n";
    let bounds = Bounds { width: Some(100), height: Some(100) };
    let picture = resize(source, bounds).unwrap();
    assert_eq!(picture.pixels, Pixels { width: 50, height: 100 });
    let same = source
        .replace("width=\"10\" height=\"20\"", "width=\"50\" height=\"100\" viewBox=\"0 0 10 20\"");
    assert_eq!(picture.svg, same);
}

#[test]
fn the_size_may_come_from_the_view_and_the_view_stays() {
    let picture = resize("\u{feff}<svg viewBox='5 5 30 40'/>", Bounds::default()).unwrap();
    assert_eq!(picture.pixels, Pixels { width: 30, height: 40 });
    assert!(picture.svg.starts_with("<svg viewBox=\"5 5 30 40\""), "{}", picture.svg);
}

#[test]
fn what_is_no_well_formed_xml_is_said_with_its_place() {
    let broken = fault("<svg width='1' height='1'>\n  <g>\n  </h>\n</svg>");
    assert!(
        matches!(&broken, Fault::Xml { place, .. } if *place == Place { line: 3, column: 3 }),
        "{broken:?}"
    );
    assert_eq!(
        fault("<svg width='1' height='1'>\n <g>\n"),
        Fault::Unclosed { place: place(2, 2), element: "g".into() }
    );
    assert!(matches!(fault("<svg width='1' width='2'/>"), Fault::Xml { .. }));
    assert!(matches!(fault("<svg width=1 height='1'/>"), Fault::Xml { .. }));
    assert!(matches!(fault("<svg width='1' height='1'"), Fault::Xml { .. }));
}

#[test]
fn what_is_no_svg_is_refused() {
    assert_eq!(fault(""), Fault::Root { place: place(1, 1) });
    assert_eq!(fault("\n <html/>"), Fault::Root { place: place(2, 2) });
    assert_eq!(fault("digraph { a -> b }"), Fault::Root { place: place(1, 1) });
    let two = "<svg width='1' height='1'/>\n<svg width='1' height='1'/>";
    assert_eq!(fault(two), Fault::Root { place: place(2, 1) });
}

#[test]
fn document_types_and_entities_are_refused() {
    let bomb = "<!DOCTYPE svg [<!ENTITY a 'aaaa'>]><svg width='1' height='1'>&a;</svg>";
    assert_eq!(fault(bomb), Fault::DocumentType { place: place(1, 1) });
    let entity = "<svg width='1' height='1'>\n&nbsp;</svg>";
    assert_eq!(fault(entity), Fault::Entity { place: place(2, 1), name: "nbsp".into() });
}

#[test]
fn a_picture_without_a_size_is_refused_with_what_to_do() {
    let unsized_picture = fault("<!-- x -->\n<svg><g/></svg>");
    assert_eq!(unsized_picture, Fault::Size { place: place(2, 1) });
    assert!(unsized_picture.to_string().contains("viewBox"));
    for size in ["0", "-5", "NaN", "inf", "1e999"] {
        assert!(matches!(fault(&format!("<svg width='{size}' height='1'/>")), Fault::Size { .. }));
    }
}

#[test]
fn deep_and_large_pictures_are_refused() {
    let deep = format!("<svg width='1' height='1'>{}", "<g>".repeat(5_000));
    assert!(matches!(fault(&deep), Fault::Depth { .. }));
    assert!(matches!(fault(&" ".repeat(MAX_SOURCE_BYTES + 1)), Fault::Bytes(_)));
}
