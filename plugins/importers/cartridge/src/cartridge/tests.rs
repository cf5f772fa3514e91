use super::*;
use course::files::{Files, Memory};
use course::{Work, catalog};
use flyball_plugin::{Attribute, Error, ErrorKind, Item as Given, Job, Step};
use packages::cartridge::{Cartridge as Generated, package, qti21_item};
use packages::zip::Zip;
use serde_json::{Value, json};
use std::rc::Rc;

fn files(bytes: Vec<u8>) -> Rc<dyn Files> {
    let mut memory = Memory::default();
    memory.0.insert("engines.imscc".to_owned(), bytes);
    Rc::new(memory)
}

fn import(
    bytes: Vec<u8>,
    selection: &[&str],
    switches: &[(&str, &str)],
) -> Result<(Value, Vec<Given>), Error> {
    let selection: Vec<String> = selection.iter().map(|part| (*part).to_owned()).collect();
    let switches: Vec<Attribute> =
        switches.iter().map(|(key, value)| Attribute::new(*key, *value)).collect();
    let mut work = Work::<Cartridge>::start(files(bytes), "engines", &selection, &switches)?;
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

fn units(document: &Value) -> &Vec<Value> {
    document["content"][0]["children"].as_array().unwrap()
}

#[test]
fn every_version_of_a_cartridge_gives_its_units_with_what_stands_in_them() {
    for version in ["1.0", "1.1", "1.2", "1.3"] {
        let bytes = package(&Generated { version, units: 10, ..Generated::default() });
        let (document, assets) = import(bytes, &[], &[]).unwrap();
        assert_eq!(document["title"], "Engines in Units");
        assert_eq!(document["rights"]["license"]["type"], "CC-BY-SA-4.0");
        let units = units(&document);
        assert_eq!(units.len(), 10, "{version}");
        assert_eq!(
            (&units[1]["title"], &units[1]["type"]),
            (&json!("Unit 2: Heat and Work"), &json!("unit"))
        );
        let lesson = &units[1]["children"][0];
        assert_eq!(lesson["title"], "Heat and Work");
        assert_eq!(lesson["glossaryTerms"][0]["term"], "valve");
        assert_eq!(lesson["media"]["embedded"][0]["alt"], "A wheel");
        let link = &units[1]["children"][2]["resources"][0];
        assert_eq!(link["url"], "https://example.org/governors");
        assert_eq!(assets.len(), 1);
    }
}

#[test]
fn questions_have_their_choices_answers_and_feedback() {
    let (document, _) = import(package(&Generated::default()), &[], &[]).unwrap();
    let quiz = &units(&document)[0]["children"][1]["assessments"];
    let one = &quiz[0];
    assert_eq!((&one["type"], &one["prompt"]), (&json!("choice"), &json!("What keeps the speed?")));
    assert_eq!(one["correctResponse"], json!(["a"]));
    assert_eq!(one["choices"][0], json!({ "id": "a", "text": "A governor", "correct": true }));
    assert_eq!(one["choices"][1]["feedback"], "Not that one.");
    assert_eq!(one["choices"][2]["text"], "A spring");
    assert_eq!(one["feedback"]["correct"]["text"], "Well done.");
    assert_eq!(one["feedback"]["incorrect"]["text"], "Look again.");
    assert_eq!(one["scoring"]["maxScore"], 2.0);
    assert_eq!(
        (&quiz[1]["type"], &quiz[1]["correctResponse"]),
        (&json!("multiple_choice"), &json!(["a", "c"]))
    );
    assert_eq!(
        (&quiz[2]["type"], &quiz[2]["correctResponse"]),
        (&json!("true_false"), &json!(["true"]))
    );
    assert_eq!(
        (&quiz[3]["type"], &quiz[3]["correctResponse"]),
        (&json!("text_entry"), &json!(["steam"]))
    );
    assert_eq!(quiz[4]["type"], "text_entry");
    assert!(quiz[4].get("choices").is_none() && quiz[4].get("correctResponse").is_none());
}

#[test]
fn a_question_of_the_newer_kind_is_read_too() {
    let manifest = "<manifest><resources><resource identifier='q' type='imsqti_item_xmlv2p1' href='q.xml'/></resources></manifest>";
    let mut zip = Zip::default();
    zip.file("imsmanifest.xml", manifest);
    zip.file("q.xml", qti21_item());
    let (document, _) = import(zip.finish(), &[], &[]).unwrap();
    let question = &units(&document)[0]["assessments"][0];
    assert_eq!(question["prompt"], "Think of an engine. What limits its speed?");
    assert_eq!(question["correctResponse"], json!(["B"]));
    assert_eq!(question["choices"][1]["text"], "Its governor");
}

#[test]
fn selection_and_switches_are_honoured() {
    let (document, _) = import(package(&Generated::default()), &["u3"], &[]).unwrap();
    assert_eq!(units(&document).len(), 1);
    assert_eq!(units(&document)[0]["title"], "Unit 3: Springs vs. Weights");
    let off = [("includeAssessments", "false"), ("includeTranscripts", "false")];
    let (bare, _) = import(package(&Generated::default()), &[], &off).unwrap();
    assert!(!bare.to_string().contains("assessments") && !bare.to_string().contains("segments"));
    let refused = import(package(&Generated::default()), &["u99"], &[]).err().unwrap();
    assert!(refused.message.contains("u99"));
}

#[test]
fn a_catalogue_counts_what_a_cartridge_has() {
    let files = files(package(&Generated::default()));
    let page = catalog::page::<Cartridge>(&files, "engines", 0);
    let told = |key: &str| flyball_plugin::attribute(&page.courses[0].attributes, key);
    assert_eq!(told("features"), Some("lecture_notes exams"));
    assert_eq!(told("resources.exams"), Some("10"));
    let detail = catalog::detail::<Cartridge>(&files, "engines").unwrap();
    let has = flyball_plugin::attribute(&detail.parts[0].attributes, "has_assessments");
    assert_eq!(has, Some("true"));
}

#[test]
fn a_licence_without_derivatives_is_refused() {
    let rights = "Licensed under CC BY-ND 4.0";
    let refused = import(package(&Generated { rights, ..Generated::default() }), &[], &[]).err();
    assert_eq!(refused.unwrap().kind, ErrorKind::Denied);
}

fn cartridge(manifest: &str, quiz: &str) -> Vec<u8> {
    let mut zip = Zip::default();
    zip.file("imsmanifest.xml", manifest);
    zip.file("q.xml", quiz);
    zip.file("inner.zip", b"PK");
    zip.file("p.html", "<p>Text.</p>");
    zip.finish()
}

const MANIFEST: &str = "<manifest><organizations><organization><item identifier='a' identifierref='q'><title>Q</title></item><item identifier='b' identifierref='z'><title>Z</title></item><item identifier='c' identifierref='p'><title>P</title></item></organization></organizations><resources><resource identifier='q' type='imsqti_xmlv1p2/imscc_xmlv1p1/assessment'><file href='q.xml'/></resource><resource identifier='z' type='webcontent' href='inner.zip'/><resource identifier='p' type='webcontent' href='p.html'/></resources></manifest>";

#[test]
fn an_archive_in_an_archive_is_not_opened_and_a_broken_quiz_does_not_end_the_import() {
    let (document, _) = import(cartridge(MANIFEST, "<questestinterop><item>"), &[], &[]).unwrap();
    assert_eq!(units(&document).len(), 1);
    let warnings = document["extensions"]["flyball.import"]["warnings"].to_string();
    assert!(warnings.contains("inner.zip: archives within a package are not opened"));
    assert!(warnings.contains("q.xml: line 1"), "{warnings}");
}

#[test]
fn hostile_cartridges_are_stopped_with_the_file_named() {
    use packages::hostile::{deep, entity_bomb, entity_theft};
    let quiz = "<questestinterop/>";
    let items = format!("{}{}", "<item>".repeat(40), "</item>".repeat(40));
    let nested = format!(
        "<manifest><organizations><organization>{items}</organization></organizations></manifest>"
    );
    for (bytes, named, kind) in [
        (cartridge(&entity_bomb("manifest"), quiz), "imsmanifest.xml", ErrorKind::InvalidInput),
        (cartridge(&entity_theft("manifest"), quiz), "imsmanifest.xml", ErrorKind::InvalidInput),
        (cartridge(&deep("manifest", 5_000), quiz), "imsmanifest.xml", ErrorKind::Limit),
        (cartridge(&nested, quiz), "imsmanifest.xml", ErrorKind::Limit),
        (cartridge(MANIFEST, &entity_bomb("questestinterop")), "q.xml", ErrorKind::InvalidInput),
        (cartridge(MANIFEST, &deep("questestinterop", 5_000)), "q.xml", ErrorKind::Limit),
    ] {
        let refused = import(bytes, &[], &[]).err().unwrap();
        assert_eq!(refused.kind, kind, "{}", refused.message);
        assert!(refused.message.contains(named), "{named}: {}", refused.message);
    }
    for (name, bytes) in packages::hostile::archives("imsmanifest.xml") {
        assert!(import(bytes, &[], &[]).is_err(), "{name}");
    }
}
