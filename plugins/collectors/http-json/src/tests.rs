use crate::document::{expected, read};
use crate::session::Session;
use crate::settings::{Endpoint, SCHEMA};
use readings::{Absence, MAX_READINGS, News, Response};
use serde_json::{Value as Json, json};

fn endpoint(settings: &Json) -> Result<Endpoint, String> {
    let get = |key: &str| settings.get(key).map(Json::to_string);
    Endpoint::parse(&get).map_err(|faults| faults.to_string())
}

fn pdu() -> Endpoint {
    endpoint(&json!({ "url": "http://10.0.0.9/status", "readings": [
        { "name": "pdu.voltage", "unit": "V", "path": "/mains/volts" },
        { "name": "pdu.energy", "unit": "J", "kind": "counter", "path": "/mains/kwh", "scale": 3.6e6 },
        { "name": "outlet.power", "unit": "W", "path": "/outlets/*/watts",
          "labels": { "outlet": "{/name}", "number": "{#}" } }
    ] }))
    .unwrap()
}

const STATUS: &[u8] = br#"{ "mains": { "volts": "231.5", "kwh": 2 },
    "outlets": [{ "name": "left", "watts": 120 }, { "name": "right", "watts": null }] }"#;

#[test]
fn a_document_gives_what_the_mapping_names() {
    let (readings, refused) = read(&pdu(), STATUS).unwrap();
    assert!(refused.is_empty());
    let shown: Vec<_> = readings
        .iter()
        .map(|it| {
            let labels: Vec<_> = it.labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
            (it.name.as_str(), labels.join(" "), it.unit.as_str(), it.value)
        })
        .collect();
    let label = |text: &str| text.to_owned();
    assert_eq!(
        shown,
        [
            ("pdu.voltage", label(""), "V", Ok(231.5)),
            ("pdu.energy", label(""), "J", Ok(7.2e6)),
            ("outlet.power", label("number=0 outlet=left"), "W", Ok(120.0)),
            ("outlet.power", label("number=1 outlet=right"), "W", Err(Absence::NotReady)),
        ]
    );
}

#[test]
fn an_answer_that_is_no_json_says_where() {
    for (body, place) in [
        (&b"<html>"[..], "line 1, column 1"),
        (b"", "line 1, column 0"),
        (b"{\n \"a\": 1,\n", "line 3, column 0"),
        (b"\xff", "line 1"),
    ] {
        let failure = read(&pdu(), body).unwrap_err();
        assert_eq!(failure.absence, Absence::Malformed);
        assert!(failure.why.contains(place), "{body:?}: {}", failure.why);
    }
    let deep = "[".repeat(100_000);
    assert_eq!(read(&pdu(), deep.as_bytes()).unwrap_err().absence, Absence::Malformed);
}

#[test]
fn an_endless_list_is_cut_at_the_bound() {
    let outlets: Vec<_> = (0..9_000).map(|n| json!({ "name": n, "watts": n })).collect();
    let body = json!({ "outlets": outlets }).to_string();
    let (readings, refused) = read(&pdu(), body.as_bytes()).unwrap();
    assert_eq!(readings.len(), MAX_READINGS);
    assert!(refused.to_string().contains("beyond the 2000"), "{refused}");
}

#[test]
fn what_is_expected_is_there_before_the_first_answer() {
    let names: Vec<_> = expected(&pdu()).into_iter().map(|reading| reading.name).collect();
    assert_eq!(names, ["pdu.voltage", "pdu.energy"]);
}

#[test]
fn settings_that_are_wrong_are_all_named_at_once() {
    let fault = endpoint(&json!({ "url": "10.0.0.9", "readings": [
        { "name": "x", "path": "/a", "labels": { "room": "{1}" } }, { "name": "y", "path": "b" },
        { "name": "z", "path": "/c", "topic": "a/#" }, 7
    ] }))
    .unwrap_err();
    for word in [
        "url: an address",
        "levels such as",
        "readings[1]: a path",
        "\"topic\"",
        "readings[3]: is no",
    ] {
        assert!(fault.contains(word), "{word}: {fault}");
    }
    let fault = endpoint(&json!({})).unwrap_err();
    assert!(fault.contains("url: is missing") && fault.contains("readings: is missing"), "{fault}");
}

#[test]
fn the_schema_is_json_and_marks_what_is_secret() {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    for secret in ["headers", "bearer_token"] {
        assert_eq!(schema["properties"][secret]["writeOnly"], json!(true), "{secret}");
    }
}

#[test]
fn an_address_that_does_not_answer_leaves_what_was_expected_absent() {
    let mut session = Session::new(pdu());
    let answer =
        |status, body: &[u8]| Ok(Response { status, headers: Vec::new(), body: body.to_vec() });
    let (readings, news) = session.poll(|_| answer(401, b""));
    let shown: Vec<_> = readings.iter().map(|it| (it.name.as_str(), it.value)).collect();
    let refused = Err(Absence::Unauthorised);
    assert_eq!(shown, [("up", Ok(0.0)), ("pdu.voltage", refused), ("pdu.energy", refused)]);
    let said = "http://10.0.0.9/status: it answers with status 401 instead of 200";
    assert_eq!(news, Some(News::Warning(said.into())));
    let (readings, news) = session.poll(|_| answer(200, STATUS));
    assert_eq!((readings.len(), readings[0].value), (5, Ok(1.0)));
    assert!(matches!(news, Some(News::Recovered(_))));
    let (readings, _) = session.poll(|_| answer(200, b"<html>"));
    assert!(readings[1..].iter().all(|it| it.value == Err(Absence::Malformed)));
    assert_eq!(readings.len(), 5);
}
