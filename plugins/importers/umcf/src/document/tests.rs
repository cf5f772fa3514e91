use super::*;
use crate::gzip::tests::packed;
use crate::switches::Switches;
use serde_json::json;

fn course() -> Value {
    json!({
        "umcf": "1.0.0",
        "id": { "value": "governors" },
        "title": "Governors",
        "version": { "number": "1" },
        "x-unknown": { "kept": [1, 2.50, null] },
        "content": [{
            "title": "All of it",
            "type": "curriculum",
            "children": [
                { "id": { "value": "balls" }, "title": "Balls", "transcript": {}, "assessments": [] },
                { "title": "Spindle", "children": [{ "title": "Sleeve", "transcript": {} }] },
            ],
        }],
    })
}

fn document() -> Document {
    read("governors.umcf", &serde_json::to_vec(&course()).unwrap()).unwrap()
}

fn value(document: &Document) -> Value {
    serde_json::from_slice(&document.to_bytes()).unwrap()
}

#[test]
fn a_document_goes_through_unchanged_down_to_its_numbers() {
    let text =
        br#"{"umcf":"1.0.0","n":1.50,"big":123456789012345678901234567890,"e":1e+3,"content":[]}"#;
    assert_eq!(read("x.umcf", text).unwrap().to_bytes(), text);
    assert_eq!(value(&document()), course());
}

#[test]
fn every_marker_is_taken_and_their_lack_is_a_warning_where_there_is_content() {
    for marker in [r#""formatIdentifier":"umcf""#, r#""umcf":"1.0.0""#, r#""umlcf":"1.0.0""#] {
        let text = format!("{{{marker},\"content\":[]}}");
        assert!(read("x.json", text.as_bytes()).is_ok(), "{marker}");
    }
    let bare = read("x.json", br#"{"content":[{}]}"#).unwrap();
    assert!(bare.warnings().iter().any(|warning| warning.contains("formatIdentifier")));
    assert_eq!(read("x.json", br#"{"a":1}"#).unwrap_err(), Fault::NotUmcf);
    assert_eq!(read("x.json", b"[]").unwrap_err(), Fault::NotAnObject);
}

#[test]
fn broken_json_names_its_line() {
    let fault = read("x.umcf", b"{\n \"umcf\": \"1\",\n oops\n}").unwrap_err();
    assert!(matches!(fault, Fault::Json { line: 3, column: 2, .. }), "{fault:?}");
}

#[test]
fn a_packed_document_is_the_same_document() {
    let bytes = packed(&serde_json::to_vec(&course()).unwrap());
    assert_eq!(value(&read("governors.umcfz", &bytes).unwrap()), course());
}

#[test]
fn a_bundle_gives_its_document_and_its_assets() {
    let bundle = json!({
        "manifest": course(),
        "assets": { "dot": "iVBORw0KGgo=", "bad": "***" },
        "metadata": {},
    });
    let read = read("b.umcfz", &packed(&serde_json::to_vec(&bundle).unwrap())).unwrap();
    assert_eq!(value(&read), course());
    assert!(read.warnings().iter().any(|warning| warning.contains("`bad`")));
    let assets = read.into_assets();
    assert_eq!(assets.len(), 1);
    assert_eq!((assets[0].id.as_str(), assets[0].media_type), ("dot", "image/png"));
}

#[test]
fn topics_are_the_children_of_an_only_root_and_have_an_id_either_way() {
    let ids: Vec<String> = document().topics().into_iter().map(|topic| topic.id).collect();
    assert_eq!(ids, ["balls", "topic-1"]);
    let flat = read("f.umcf", br#"{"umcf":"1","content":[{"id":"a"},{"id":"b"}]}"#).unwrap();
    assert_eq!(flat.topics().len(), 2);
}

#[test]
fn a_selection_keeps_those_topics_only_and_an_unknown_one_is_named() {
    let mut selected = document();
    selected.select(&["topic-1".into()]).unwrap();
    assert_eq!(value(&selected)["content"][0]["children"].as_array().unwrap().len(), 1);
    assert_eq!(value(&selected)["content"][0]["children"][0]["title"], "Spindle");
    assert_eq!(document().select(&["wheel".into()]), Err("wheel".into()));
}

#[test]
fn a_switch_that_is_off_leaves_its_part_out_at_every_depth() {
    let mut bare = document();
    let switches = [("includeTranscripts", "false"), ("includeAssessments", "true")];
    Switches::parse(switches.into_iter()).apply(&mut bare);
    let text = String::from_utf8(bare.to_bytes()).unwrap();
    assert!(!text.contains("transcript") && text.contains("assessments"), "{text}");
}

#[test]
fn a_switch_that_asks_for_something_unknown_is_named() {
    let switches = [("generateSpokenText", "true"), ("generateObjectives", "false")];
    let parsed = Switches::parse(switches.into_iter());
    assert_eq!(parsed.ignored().as_deref(), Some("generateSpokenText"));
}

#[test]
fn a_licence_without_derivatives_is_found() {
    for (licence, refused) in [
        (json!("CC-BY-ND-4.0"), true),
        (json!({ "type": "CC BY-NC-ND 4.0" }), true),
        (json!("CC-BY-NC-SA-4.0"), false),
        (json!("Standard"), false),
    ] {
        let text = json!({ "umcf": "1", "rights": { "license": licence }, "content": [] });
        let read = read("x.umcf", &serde_json::to_vec(&text).unwrap()).unwrap();
        assert_eq!(read.no_derivatives().is_some(), refused, "{text}");
    }
}
