use super::*;
use course::files::{Files, Memory};
use course::{Work, catalog};
use flyball_plugin::{Attribute, Error, ErrorKind, Item, Job, Step};
use packages::epub::{Book as Generated, package};
use packages::zip::Zip;
use serde_json::Value;
use std::rc::Rc;

fn files(bytes: Vec<u8>) -> Rc<dyn Files> {
    let mut memory = Memory::default();
    memory.0.insert("engines.epub".to_owned(), bytes);
    Rc::new(memory)
}

fn import(
    bytes: Vec<u8>,
    selection: &[&str],
    switches: &[(&str, &str)],
) -> Result<(Value, Vec<Item>), Error> {
    let selection: Vec<String> = selection.iter().map(|part| (*part).to_owned()).collect();
    let switches: Vec<Attribute> =
        switches.iter().map(|(key, value)| Attribute::new(*key, *value)).collect();
    let mut work = Work::<Book>::start(files(bytes), "engines", &selection, &switches)?;
    let (mut document, mut assets) = (Value::Null, Vec::new());
    loop {
        match work.next()? {
            Step::Item(item) if item.media_type == "application/umcf+json" => {
                document = serde_json::from_slice(&item.data).unwrap();
            }
            Step::Item(item) => assets.push(item),
            Step::Progress(_) => {}
            Step::Done => return Ok((document, assets)),
        }
    }
}

fn chapters_of(document: &Value) -> &Vec<Value> {
    document["content"][0]["children"].as_array().unwrap()
}

fn titles(nodes: &[Value]) -> Vec<&str> {
    nodes.iter().map(|node| node["title"].as_str().unwrap()).collect()
}

#[test]
fn chapters_come_in_the_order_of_the_spine_with_their_lessons() {
    for has_ncx_only in [false, true] {
        let bytes = package(&Generated { chapters: 3, has_ncx_only, ..Generated::default() });
        let (document, _) = import(bytes, &[], &[]).unwrap();
        let chapters = chapters_of(&document);
        assert_eq!(
            titles(chapters),
            ["Governors and Feedback", "Heat and Work", "Springs vs. Weights"]
        );
        let lessons = chapters[1]["children"].as_array().unwrap();
        assert_eq!(titles(lessons), ["2.1 Proof of Stability", "2.2 Applications of Flywheels"]);
        assert_eq!(lessons[0]["type"], "lesson");
    }
}

#[test]
fn the_books_own_data_are_kept() {
    let (document, _) = import(package(&Generated::default()), &[], &[]).unwrap();
    assert_eq!(document["title"], "Engines for Everyone");
    assert_eq!(document["rights"]["license"]["type"], "CC-BY-NC-3.0");
    assert_eq!(document["lifecycle"]["contributors"][0]["name"], "James Watt");
    assert_eq!(document["metadata"]["language"], "en");
    let attribution = document["rights"]["attributionRequirements"].as_str().unwrap();
    assert!(attribution.contains("CK-12 Foundation"), "{attribution}");
    assert_eq!(chapters_of(&document).len(), 10);
}

#[test]
fn defined_words_become_the_glossary() {
    let (document, _) = import(package(&Generated::default()), &[], &[]).unwrap();
    let terms = &chapters_of(&document)[0]["children"][0]["glossaryTerms"];
    assert_eq!(terms[0]["term"], "flywheel");
    assert_eq!(terms[0]["definition"], "A flywheel stores work.");
    assert_eq!(terms[1]["term"], "afflux");
    assert_eq!(terms[1]["definition"], "a flow towards something");
    let (without, _) =
        import(package(&Generated::default()), &[], &[("includeGlossary", "false")]).unwrap();
    assert!(!without.to_string().contains("glossaryTerms"));
}

#[test]
fn formulas_keep_their_words_and_pictures_go_along_once() {
    let (document, assets) = import(package(&Generated::default()), &[], &[]).unwrap();
    let media = &chapters_of(&document)[0]["children"][0]["media"]["embedded"];
    assert_eq!((&media[0]["type"], &media[0]["alt"]), (&"image".into(), &"A wheel".into()));
    assert_eq!(media[0]["caption"], "Wheel 1.");
    assert_eq!(media[1]["alt"], "E = m c^{2}");
    assert!(media[1]["mathml"].as_str().unwrap().contains("<msup>"));
    assert_eq!(media[2]["latex"], "\\frac{a}{b}");
    let ids: Vec<&str> = assets.iter().map(|asset| asset.id.as_str()).collect();
    assert_eq!(ids, ["oebps-images-wheel-png", "oebps-images-formula-png"]);
    assert_eq!(media[0]["id"], ids[0]);
    assert!(assets[0].data.starts_with(b"\x89PNG"));
    let (without, none) =
        import(package(&Generated::default()), &[], &[("includeMedia", "false")]).unwrap();
    assert!(none.is_empty() && !without.to_string().contains("embedded"));
}

#[test]
fn spoken_text_says_a_formula_in_words() {
    let on = [("generateSpokenText", "true")];
    let (document, _) = import(package(&Generated::default()), &[], &on).unwrap();
    let media = &chapters_of(&document)[0]["children"][0]["media"]["embedded"];
    assert_eq!(media[1]["semanticMeaning"]["spokenForm"], "E equals m c squared");
    assert_eq!(media[2]["semanticMeaning"]["spokenForm"], "a over b");
}

#[test]
fn review_questions_become_questions_where_they_are_wanted() {
    let (document, _) = import(package(&Generated::default()), &[], &[]).unwrap();
    let questions = &chapters_of(&document)[0]["children"][0]["assessments"];
    assert_eq!(questions[0]["prompt"], "What does a governor do?");
    assert_eq!(questions[1]["type"], "text_entry");
    let off = [("includeAssignments", "false")];
    let (without, _) = import(package(&Generated::default()), &[], &off).unwrap();
    assert!(!without.to_string().contains("What does a governor do?"));
}

#[test]
fn a_selection_imports_those_chapters_only() {
    let (document, _) = import(package(&Generated::default()), &["c9997"], &[]).unwrap();
    assert_eq!(titles(chapters_of(&document)), ["Springs vs. Weights"]);
    let detail = catalog::detail::<Book>(&files(package(&Generated::default())), "x").unwrap();
    assert_eq!(detail.parts[2].id, "c9997");
    assert!(import(package(&Generated::default()), &["c1"], &[]).is_err());
}

#[test]
fn a_licence_without_derivatives_is_refused() {
    let rights = "Creative Commons Attribution-NoDerivatives 4.0";
    let refused = import(package(&Generated { rights, ..Generated::default() }), &[], &[]).err();
    assert_eq!(refused.unwrap().kind, ErrorKind::Denied);
}

fn book(opf: &str, page: &str) -> Vec<u8> {
    let mut zip = Zip::default();
    zip.file(
        "META-INF/container.xml",
        "<container><rootfiles><rootfile full-path='b.opf'/></rootfiles></container>",
    );
    zip.file("b.opf", opf);
    zip.file("p.xhtml", page);
    zip.finish()
}

const OPF: &str = "<package><metadata><title>B</title></metadata><manifest><item id='p' href='p.xhtml'/></manifest><spine><itemref idref='p'/></spine></package>";

#[test]
fn a_book_without_contents_has_those_of_its_spine() {
    let (document, _) = import(book(OPF, "<h1>Alone</h1><p>Text.</p>"), &[], &[]).unwrap();
    assert_eq!(titles(chapters_of(&document)), ["Alone"]);
}

#[test]
fn hostile_books_are_stopped_with_the_file_named() {
    use packages::hostile::{deep, entity_bomb, entity_theft};
    let page = "<p>Text.</p>";
    for (bytes, named, kind) in [
        (book(&entity_bomb("package"), page), "b.opf", ErrorKind::InvalidInput),
        (book(&entity_theft("package"), page), "b.opf", ErrorKind::InvalidInput),
        (book(&deep("package", 5_000), page), "b.opf", ErrorKind::Limit),
        (book("<package><oops></package>", page), "b.opf: line 1", ErrorKind::InvalidInput),
        (book(OPF, &entity_bomb("html")), "p.xhtml", ErrorKind::InvalidInput),
        (book(OPF, &deep("html", 5_000)), "p.xhtml", ErrorKind::Limit),
    ] {
        let refused = import(bytes, &[], &[]).err().unwrap();
        assert_eq!(refused.kind, kind, "{}", refused.message);
        assert!(refused.message.contains(named), "{named}: {}", refused.message);
    }
    for (name, bytes) in packages::hostile::archives("META-INF/container.xml") {
        assert!(import(bytes, &[], &[]).is_err(), "{name}");
    }
}

#[test]
fn a_book_that_is_locked_is_refused_and_one_with_hidden_fonts_is_not() {
    for (algorithm, is_read) in [
        ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", false),
        ("http://www.idpf.org/2008/embedding", true),
    ] {
        let mut zip = Zip::default();
        let lock = format!(
            "<encryption><EncryptedData><EncryptionMethod Algorithm='{algorithm}'/></EncryptedData></encryption>"
        );
        zip.file("META-INF/encryption.xml", lock);
        zip.file("META-INF/container.xml", "<container><rootfile full-path='b.opf'/></container>");
        zip.file("b.opf", OPF);
        zip.file("p.xhtml", "<p>Text.</p>");
        let result = import(zip.finish(), &[], &[]);
        assert_eq!(result.is_ok(), is_read, "{algorithm}");
        if let Err(refused) = result {
            assert_eq!(refused.kind, ErrorKind::Unsupported);
        }
    }
}
