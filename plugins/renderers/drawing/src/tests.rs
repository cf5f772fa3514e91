//! Places, sizes and roots as a renderer meets them.

use crate::{Bounds, MAX_PIXELS, Pixels, Place, Root, Size};

fn root(text: &str) -> Root<'_> {
    Root::find(text).unwrap_or_else(|| panic!("no root in {text}"))
}

fn measured(text: &str) -> Option<(f64, f64)> {
    root(text).size().map(|size| (size.width(), size.height()))
}

#[test]
fn places_count_characters_and_not_bytes() {
    let source = "über\nä€x";
    assert_eq!(Place::of_byte(source, 0), Place { line: 1, column: 1 });
    let x = source.find('x').unwrap();
    assert_eq!(Place::of_byte(source, x), Place { line: 2, column: 3 });
    assert_eq!(Place::of_byte(source, x - 1), Place { line: 2, column: 2 }, "inside the euro");
    assert_eq!(Place::of_byte(source, 999), Place { line: 2, column: 4 });
    assert_eq!(Place::end_of("a\nbc\n\n"), Place { line: 2, column: 3 });
}

#[test]
fn a_drawing_fits_its_page_in_its_own_proportions() {
    let size = Size::new(200.0, 100.0).unwrap();
    let fitted = |width, height| Bounds { width, height }.fit(size);
    assert_eq!(fitted(None, None), Pixels { width: 200, height: 100 });
    assert_eq!(fitted(Some(400), None), Pixels { width: 400, height: 200 });
    assert_eq!(fitted(Some(400), Some(50)), Pixels { width: 100, height: 50 });
    assert_eq!(fitted(Some(u32::MAX), None), Pixels { width: MAX_PIXELS, height: 8_192 });
    assert_eq!(fitted(Some(0), None), Pixels { width: 1, height: 1 });
    assert_eq!(Size::new(f64::NAN, 1.0), None);
}

#[test]
fn the_size_comes_from_lengths_or_from_the_view() {
    assert_eq!(measured("<svg width='2in' height='72pt'/>"), Some((192.0, 96.0)));
    assert_eq!(measured("<svg viewBox='0 0 30,40'></svg>"), Some((30.0, 40.0)));
    assert_eq!(measured("<svg width='100%' viewBox='-5 -5 30 40'/>"), Some((30.0, 40.0)));
    assert_eq!(measured("<svg width='60' viewBox='0 0 30 40'/>"), Some((60.0, 80.0)));
    assert_eq!(measured("<svg width='1e2px' height='5'/>"), Some((100.0, 5.0)));
    assert_eq!(measured("<svg width='60'/>"), None);
}

#[test]
fn the_root_is_found_behind_comments_and_a_declaration() {
    let text = "<?xml version='1.0'?><!-- <svg> --><!DOCTYPE svg>\n<svg width='1' height='2'/>";
    assert_eq!(measured(text), Some((1.0, 2.0)));
    for broken in ["", "<g/>", "<svg width=1>", "<svg width='1'", "<svgs a='1'/>"] {
        assert!(Root::find(broken).is_none(), "{broken}");
    }
}

#[test]
fn a_resized_drawing_keeps_what_else_its_root_says() {
    let text =
        "<svg id=\"a\" width=\"10\" height=\"20\" style=\"max-width: 5px; color: red\"><g/></svg>";
    let resized = root(text).resized(Pixels { width: 20, height: 40 }, Some("#000")).unwrap();
    assert_eq!(
        resized,
        "<svg id=\"a\" style=\"color: red\" width=\"20\" height=\"40\" viewBox=\"0 0 10 20\">\
         <rect x=\"-10\" y=\"-20\" width=\"30\" height=\"60\" fill=\"#000\"/><g/></svg>"
    );
}
