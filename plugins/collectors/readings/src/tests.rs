use super::*;
use serde_json::{Value as Json, json};

fn mapping(reading: Json) -> Result<Mapping, String> {
    let text = json!([reading]).to_string();
    let get = |key: &str| (key == "readings").then(|| text.clone());
    let mut settings = Settings::new(&get);
    let first = Mapping::all(&mut settings, Source::Topic).pop();
    settings.faults.or(first).map_err(|faults| faults.to_string())
}

/// What a mapping of this path makes of a document.
fn read(path: &str, document: &Json) -> Vec<Value> {
    let mapping = mapping(json!({ "name": "x", "path": path })).unwrap();
    mapping.read(document, &[]).into_iter().map(|reading| reading.value).collect()
}

#[test]
fn pointers_find_what_rfc_6901_says_they_do() {
    let document = json!({
        "foo": ["bar", 7], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6,
        " ": 7, "m~n": 8
    });
    for (pointer, value) in [
        ("/foo/1", 7.0),
        ("/", 0.0),
        ("/a~1b", 1.0),
        ("/c%d", 2.0),
        ("/e^f", 3.0),
        ("/g|h", 4.0),
        ("/i\\j", 5.0),
        ("/k\"l", 6.0),
        ("/ ", 7.0),
        ("/m~0n", 8.0),
    ] {
        assert_eq!(read(pointer, &document), [Ok(value)], "{pointer}");
    }
    assert_eq!(read("", &json!(21.5)), [Ok(21.5)]);
    assert_eq!(read("/~01", &json!({ "~1": 1 })), [Ok(1.0)]);
}

#[test]
fn what_is_no_pointer_is_refused_with_what_to_write() {
    for (path, said) in [
        ("temperature", "begins with `/`"),
        ("/a~", "`~0`"),
        ("/a~2", "`~0`"),
        (&"/a".repeat(33), "32 steps"),
    ] {
        let fault = mapping(json!({ "name": "x", "path": path })).unwrap_err();
        assert!(fault.contains(said) && fault.contains("readings[0]"), "{path}: {fault}");
    }
}

#[test]
fn what_is_not_there_or_no_number_is_absent_with_its_reason() {
    let document = json!({
        "null": null, "text": "warm", "list": [1], "object": {}, "number": "21.5 ", "true": true,
        "nan": "NaN", "infinite": "inf"
    });
    for (path, value) in [
        ("/gone", Err(Absence::Unsupported)),
        ("/list/1", Err(Absence::Unsupported)),
        ("/list/01", Err(Absence::Unsupported)),
        ("/list/-", Err(Absence::Unsupported)),
        ("/text/deeper", Err(Absence::Unsupported)),
        ("/object/*", Err(Absence::Unsupported)),
        ("/null", Err(Absence::NotReady)),
        ("/text", Err(Absence::Malformed)),
        ("/list", Err(Absence::Malformed)),
        ("/object", Err(Absence::Malformed)),
        ("/nan", Err(Absence::OutOfRange)),
        ("/infinite", Err(Absence::OutOfRange)),
        ("/number", Ok(21.5)),
        ("/true", Ok(1.0)),
        ("/list/0", Ok(1.0)),
    ] {
        assert_eq!(read(path, &document), [value], "{path}");
    }
}

#[test]
fn a_star_reads_every_element_and_labels_take_its_fields() {
    let mapping = mapping(json!({
        "name": "outlet.power", "unit": "W", "path": "/pdu/outlets/*/watts", "scale": 0.1,
        "labels": { "outlet": "{/name}", "place": "{1}-{#}", "site": "north {{1}}", "none": "{/gone}" }
    }))
    .unwrap();
    let document = json!({ "pdu": { "outlets": [
        { "name": "left", "watts": 1205 }, { "name": 7 }, { "name": "right", "watts": 10 }
    ] } });
    let readings = mapping.read(&document, &["rack3", "pdu"]);
    let shown: Vec<_> = readings
        .iter()
        .map(|reading| {
            let labels: Vec<_> = reading.labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
            (labels.join(" "), reading.value)
        })
        .collect();
    let label = |outlet: &str, at| format!("outlet={outlet} place=rack3-{at} site=north {{1}}");
    assert_eq!(
        shown,
        [
            (label("left", 0), Ok(120.5)),
            (label("7", 1), Err(Absence::Unsupported)),
            (label("right", 2), Ok(1.0)),
        ]
    );
}

#[test]
fn a_scale_and_an_offset_bring_a_value_to_its_unit() {
    let reading = json!({ "name": "x", "unit": "Cel", "path": "/f", "scale": 0.5, "offset": -16 });
    let values = mapping(reading).unwrap().read(&json!({ "f": 100 }), &[]);
    assert_eq!(values[0].value, Ok(34.0));
}

#[test]
fn settings_that_are_wrong_are_all_named_at_once() {
    let reading = json!({
        "name": "1st", "path": "x", "kind": "meter", "unit": 7, "scale": "ten", "colour": "red",
        "labels": { "a": "{", "b": "{x}", "c": 1 }
    });
    let fault = mapping(reading).unwrap_err();
    for word in ["1st", "begins with", "gauge or counter", "UCUM", "scale", "colour"] {
        assert!(fault.contains(word), "{word}: {fault}");
    }
    for word in ["\"a\"", "\"b\"", "\"c\""] {
        assert!(fault.contains(word), "{word}: {fault}");
    }
}

#[test]
fn an_array_beyond_the_bound_is_cut_and_said() {
    let mapping = mapping(json!({
        "name": "x", "path": "/*", "labels": { "n": "{#}" }
    }))
    .unwrap();
    let document = json!(vec![1; 5_000]);
    let mut refused = Refused::default();
    let held = refused.hold(mapping.read(&document, &[]));
    assert_eq!(held.len(), MAX_READINGS);
    assert!(refused.to_string().contains("beyond the 2000 series"), "{refused}");
}

#[test]
fn readings_that_stand_for_the_same_series_are_taken_once() {
    let mapping = mapping(json!({ "name": "x", "path": "/*" })).unwrap();
    let mut refused = Refused::default();
    let held = refused.hold(mapping.read(&json!([1, 2, 3]), &[]));
    assert_eq!(held.len(), 1);
    assert_eq!(refused.count(), 2);
    assert!(refused.to_string().contains("x is there twice"), "{refused}");
}

#[test]
fn headers_are_taken_and_a_line_break_in_one_is_not() {
    let get = |key: &str| match key {
        "headers" => Some(json!({ "X-Key": "abc", "Bad": "a\r\nHost: b" }).to_string()),
        "bearer_token" => Some("\"t0ken\"".into()),
        _ => None,
    };
    let mut settings = Settings::new(&get);
    let headers = settings.headers();
    assert_eq!(headers[0], ("X-Key".into(), "abc".into()));
    assert_eq!(headers[1], ("Authorization".into(), "Bearer t0ken".into()));
    let said = settings.faults.to_string();
    assert!(said.contains("\"Bad\"") && !said.contains("Host"), "{said}");
}

#[test]
fn addresses_are_checked_and_shown_without_their_query() {
    let shown = |text| Address::parse(text).map(|address| address.shown().to_owned());
    assert_eq!(shown("http://h:9100/metrics?key=1"), Ok("http://h:9100/metrics".into()));
    assert_eq!(shown("HTTPS://[::1]/"), Ok("HTTPS://[::1]/".into()));
    assert_eq!(shown("h:9100/metrics"), Err(AddressFault::Scheme));
    assert_eq!(shown("file:///etc/passwd"), Err(AddressFault::Scheme));
    assert_eq!(shown("http:///metrics"), Err(AddressFault::Host));
    assert_eq!(shown("http://me:word@h/"), Err(AddressFault::Login));
    assert_eq!(shown("http://h/a b"), Err(AddressFault::Characters));
}

#[test]
fn filters_fit_topics_as_brokers_have_it() {
    let fits = |filter: &str, topic: &str| Filter::parse(filter).unwrap().fits(topic);
    for (filter, topic) in [
        ("a/b", "a/b"),
        ("a/+", "a/b"),
        ("+/+", "/b"),
        ("a/#", "a"),
        ("a/#", "a/b/c"),
        ("#", "a/b"),
        ("$SYS/#", "$SYS/uptime"),
    ] {
        assert!(fits(filter, topic), "{filter} {topic}");
    }
    for (filter, topic) in
        [("a/b", "a"), ("a/+", "a"), ("a/+", "a/b/c"), ("#", "$SYS/uptime"), ("+/x", "$a/x")]
    {
        assert!(!fits(filter, topic), "{filter} {topic}");
    }
    for (filter, fault) in [
        ("", FilterFault::Length),
        ("a/#/b", FilterFault::Wildcard),
        ("a+", FilterFault::Wildcard),
        ("a\0", FilterFault::Null),
    ] {
        assert_eq!(Filter::parse(filter), Err(fault), "{filter:?}");
    }
}

#[test]
fn a_source_that_fails_leaves_what_is_known_absent_and_is_told_once() {
    let reading = |value| Reading {
        name: "x".into(),
        unit: "1".into(),
        kind: Kind::Gauge,
        labels: Vec::new(),
        value,
    };
    let mut watched = Watched::new("http://h/");
    let (readings, news) = watched.settle(Ok(vec![reading(Ok(7.0))]), &[]);
    assert_eq!((readings[0].value, readings[1].value, news), (Ok(1.0), Ok(7.0), None));
    let failed = || check_status(401).map(|()| Vec::new());
    let (readings, news) = watched.settle(failed(), &[]);
    assert_eq!((readings[0].value, readings[1].value), (Ok(0.0), Err(Absence::Unauthorised)));
    let said = "http://h/: it answers with status 401 instead of 200";
    assert_eq!(news, Some(News::Warning(said.into())));
    assert_eq!(watched.settle(failed(), &[]).1, None);
    let (readings, news) = watched.settle(Ok(vec![reading(Ok(8.0))]), &[]);
    assert_eq!(readings[1].value, Ok(8.0));
    assert_eq!(news, Some(News::Recovered("http://h/: everything is read again".into())));
}
