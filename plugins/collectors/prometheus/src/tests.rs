use crate::exposition::Exposition;
use crate::scrape::{Scrape, scrape};
use crate::session::Session;
use crate::settings::Endpoint;
use readings::{Absence, Failure, Kind, MAX_READINGS, News, Response, unfetched};
use serde_json::{Value as Json, json};

fn endpoint(settings: Json) -> Result<Endpoint, String> {
    let get = |key: &str| settings.get(key).map(Json::to_string);
    Endpoint::parse(&get).map_err(|faults| faults.to_string())
}

fn plain() -> Endpoint {
    endpoint(json!({ "endpoint": "http://h:9100/metrics" })).unwrap()
}

/// Name, labels, value, unit and kind, a line each.
fn shown(scrape: &Scrape) -> Vec<String> {
    let show = |reading: &readings::Reading| {
        let labels: Vec<_> = reading.labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let value = match reading.value {
            Ok(value) => value.to_string(),
            Err(why) => format!("{why:?}"),
        };
        let kind = match reading.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        format!("{}[{}] {value} {} {kind}", reading.name, labels.join(" "), reading.unit)
    };
    scrape.readings.iter().map(show).collect()
}

fn lines(text: &str) -> Vec<String> {
    shown(&scrape(&plain(), text, false))
}

#[test]
fn the_text_format_gives_every_sample_with_unit_and_kind() {
    let text = include_str!("../fixtures/text-0.0.4.txt");
    let scrape = scrape(&plain(), text, false);
    assert_eq!(
        shown(&scrape),
        [
            "gate_passes_total[outcome=open way=in] 1031 {count} counter",
            "gate_passes_total[outcome=shut way=in] 3 {count} counter",
            "file_age_seconds[error=gone:\n\"gate.log\" path=D:\\logs\\gate.log] 1500 s gauge",
            "room_load[] 12.47 1 gauge",
            "pump_gain[note=no flow] OutOfRange 1 gauge",
            "door_wait_seconds_bucket[le=0.05] 207 {count} counter",
            "door_wait_seconds_bucket[le=+Inf] 311 {count} counter",
            "door_wait_seconds_sum[] 96.5 s counter",
            "door_wait_seconds_count[] 311 {count} counter",
            "lift_wait_seconds[quantile=0.5] 4.5 s gauge",
            "lift_wait_seconds[quantile=0.99] OutOfRange s gauge",
            "lift_wait_seconds_sum[] 1250 s counter",
            "lift_wait_seconds_count[] 288 {count} counter",
            "node_hwmon_temp_celsius[chip=coretemp sensor=temp1] 47.5 Cel gauge",
            "node_network_receive_bytes_total[device=eth0] 300 By counter",
        ]
    );
    assert_eq!(scrape.warnings, Vec::<String>::new());
    assert_eq!(scrape.notes, ["2 samples have timestamps of their own, which are not used"]);
}

#[test]
fn open_metrics_gives_its_declared_units_and_leaves_exemplars_and_beginnings_out() {
    let text = include_str!("../fixtures/openmetrics.txt");
    let scrape = scrape(&plain(), text, true);
    assert_eq!(
        shown(&scrape),
        [
            "gate_wait_seconds_sum[gate=south way=in] 903.25 s counter",
            "gate_wait_seconds_count[gate=south way=in] 2017 {count} counter",
            "lamp_count[] 69 1 gauge",
            "process_cpu_seconds_total[] 4250 s counter",
            "room_light[room=lab] 320 lx gauge",
            "queue_length_bucket[le=10] 17 {count} counter",
            "queue_length_bucket[le=+Inf] 21 {count} counter",
            "build_info[version=1.2] 1 1 gauge",
            "door[door=open] 1 1 gauge",
        ]
    );
    assert_eq!(scrape.warnings, Vec::<String>::new());
}

#[test]
fn an_answer_of_open_metrics_without_its_end_may_be_cut_off() {
    let scrape = scrape(&plain(), "a 1\n", true);
    assert_eq!(shown(&scrape), ["a[] 1 1 gauge"]);
    assert_eq!(scrape.warnings, ["the answer has no `# EOF`: it may be cut off"]);
}

#[test]
fn wrong_lines_are_named_by_their_number_and_the_others_stand() {
    let text = "good 1\n9bad 1\nno_value\n\nnot_a_number x\nunclosed{a=\"b} 1\nescape{a=\"\\t\"} 1\n\
                twice{a=\"1\",a=\"2\"} 1\nparted{a=\"1\" b=\"2\"} 1\nstamp 1 noon\nrest 1 2 3\n\
                # TYPE t thermometer\ngood2{a=\"1\",} 2\n";
    let scrape = scrape(&plain(), text, false);
    assert_eq!(shown(&scrape), ["good[] 1 1 gauge", "good2[a=1] 2 1 gauge"]);
    assert_eq!(
        scrape.warnings,
        [
            "line 2: it begins with no metric's name",
            "line 3: it has no value",
            "line 5: \"x\" is no number",
            "line 6: a label's value has no closing quote",
            "line 7: \\t is none of \\\\, \\\" and \\n",
            "line 8: the label a is there twice",
            "line 9: labels are parted by , and end with }",
            "line 10: \"noon\" is no timestamp",
            "line 11: \"3\" stands behind its end",
            "line 12: \"thermometer\" is no type of a metric",
        ]
    );
}

#[test]
fn many_wrong_lines_are_counted() {
    let scrape = scrape(&plain(), &"?\n".repeat(500), false);
    assert_eq!(scrape.warnings.len(), 11);
    assert_eq!(scrape.warnings[10], "and 490 more lines are wrong");
}

#[test]
fn more_series_than_are_taken_are_said_and_the_first_stay() {
    let text: String = (0..5_000).map(|n| format!("m{{n=\"{n}\"}} {n}\n")).collect();
    let scrape = scrape(&plain(), &text, false);
    assert_eq!(scrape.readings.len(), MAX_READINGS - 1);
    assert_eq!(scrape.warnings, ["3001 samples beyond the 1999 taken; narrow `match`"]);
}

#[test]
fn bounds_hold_for_lines_labels_and_their_lengths() {
    let many: String = (0..31).map(|n| format!("l{n}=\"v\",")).collect();
    let text = format!(
        "a{{{many}}} 1\nb{{l=\"{}\"}} 1\nc{{l=\"{}\"}} 1\n",
        "x".repeat(600),
        "x".repeat(20_000)
    );
    let scrape = scrape(&plain(), &text, false);
    assert!(scrape.readings.is_empty());
    let said = scrape.warnings.join("\n");
    assert!(said.contains("line 1: it has more than 30 labels"), "{said}");
    assert!(said.contains("a text of b has 600 bytes"), "{said}");
    assert!(said.contains("line 3: it has 20009 bytes, at most 16384 are read"), "{said}");
    let exposition = Exposition::parse(&"# a comment\n".repeat(60_000), |_| true);
    assert_eq!(exposition.faults[0].to_string(), "line 50001: only 50000 lines are read");
}

#[test]
fn units_come_from_the_ends_of_names() {
    for (name, unit) in [
        ("node_memory_MemFree_bytes", "By"),
        ("node_cpu_seconds_total", "s"),
        ("node_cooling_ratio", "1"),
        ("battery_charge_percent", "%"),
        ("ups_input_volts", "V"),
        ("fan_rpm", "{rpm}"),
        ("net_bytes_per_second", "By/s"),
        ("requests_per_second", "{count}/s"),
        ("node_load1", "1"),
        ("errors_total", "{count}"),
        ("total", "1"),
        ("_total", "{count}"),
        ("_per_second", "{count}/s"),
    ] {
        let line = &lines(&format!("{name} 1\n"))[0];
        assert!(line.contains(&format!(" {unit} ")), "{name}: {line}");
    }
}

#[test]
fn only_names_with_the_beginnings_are_taken() {
    let endpoint =
        endpoint(json!({ "endpoint": "http://h/", "match": ["node_cpu", "up"] })).unwrap();
    let scrape = scrape(&endpoint, "node_cpu_x 1\nnode_mem 1\nup 1\n", false);
    assert_eq!(shown(&scrape), ["node_cpu_x[] 1 1 gauge", "up[] 1 1 gauge"]);
}

#[test]
fn labels_are_renamed_set_and_left_out_in_order() {
    let endpoint = endpoint(json!({ "endpoint": "http://h/", "relabel": [
        { "label": "instance", "to": "host" },
        { "label": "site", "value": "north" },
        { "label": "pod", "drop": true },
        { "label": "gone", "to": "nowhere" }
    ] }))
    .unwrap();
    let text =
        "m{instance=\"a\",pod=\"p1\",host=\"old\",empty=\"\"} 1\nm{instance=\"a\",pod=\"p2\"} 2\n";
    let scrape = scrape(&endpoint, text, false);
    assert_eq!(shown(&scrape), ["m[host=a site=north] 1 1 gauge"]);
    assert_eq!(scrape.warnings, ["left out: m is there twice with the same labels"]);
}

#[test]
fn settings_that_are_wrong_are_all_named_at_once() {
    let fault = endpoint(json!({
        "endpoint": "ftp://h/", "match": [1], "headers": { "a b": "c" }, "bearer_token": 7,
        "relabel": [{ "label": "x" }]
    }))
    .unwrap_err();
    for word in ["http://", "list of texts", "\"a b\"", "bearer_token: is no text", "relabel[0]"] {
        assert!(fault.contains(word), "{word}: {fault}");
    }
    assert_eq!(endpoint(json!({})).unwrap_err(), "endpoint: is missing");
}

#[test]
fn the_schema_is_json_and_marks_what_is_secret() {
    let schema: Json = serde_json::from_str(crate::settings::SCHEMA).unwrap();
    for secret in ["headers", "bearer_token"] {
        assert_eq!(schema["properties"][secret]["writeOnly"], json!(true), "{secret}");
    }
}

/// A sequence of numbers that is the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

#[test]
fn any_text_is_taken_without_a_panic() {
    let pieces = [
        "a",
        "_b:c",
        "{",
        "}",
        "\"",
        "\\",
        "\\n",
        "=",
        ",",
        " ",
        "\t",
        "#",
        "# TYPE ",
        "# UNIT a ",
        "# EOF",
        "1",
        "NaN",
        "+Inf",
        "-",
        "e9",
        "\n",
        "\r",
        "\u{0}",
        "é",
        "\u{1F600}",
        "_total",
        "_per_",
        "_bucket",
        "counter",
        "histogram",
        "0x1p3",
    ];
    let mut numbers = Numbers(7);
    for _ in 0..20_000 {
        let count = numbers.below(40);
        let text: String = (0..count).map(|_| pieces[numbers.below(pieces.len())]).collect();
        let scrape = scrape(&plain(), &text, numbers.below(2) == 0);
        for reading in scrape.readings {
            assert!(
                reading.value.is_ok_and(f64::is_finite)
                    || reading.value == Err(Absence::OutOfRange)
            );
        }
    }
}

#[test]
fn a_sound_exposition_that_is_damaged_anywhere_is_taken_without_a_panic() {
    let mut numbers = Numbers(11);
    for sound in
        [include_str!("../fixtures/text-0.0.4.txt"), include_str!("../fixtures/openmetrics.txt")]
    {
        let whole = lines(sound).len();
        for _ in 0..4_000 {
            let mut bytes = sound.as_bytes().to_vec();
            for _ in 0..=numbers.below(6) {
                let at = numbers.below(bytes.len());
                bytes[at] = u8::try_from(numbers.below(128)).unwrap();
            }
            assert!(lines(&String::from_utf8_lossy(&bytes)).len() <= whole + 6);
        }
    }
}

fn answer(status: u16, kind: &str, body: &str) -> Result<Response, Failure> {
    let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
    Ok(Response { status, headers, body: body.into() })
}

#[test]
fn an_endpoint_that_goes_away_leaves_its_series_absent_with_the_reason() {
    let settings = json!({ "endpoint": "http://h/metrics?k=s3cret", "bearer_token": "t0ken" });
    let mut session = Session::new(endpoint(settings).unwrap());
    let polled = session.poll(|request| {
        assert_eq!(request.url, "http://h/metrics?k=s3cret");
        assert!(request.headers.contains(&("Authorization".into(), "Bearer t0ken".into())));
        assert!(request.headers[0].1.starts_with("application/openmetrics-text;"));
        answer(200, "text/plain; version=0.0.4", "load 0.5 1790000000000\n")
    });
    assert_eq!(polled.readings[0].name, "up");
    assert_eq!(polled.readings[0].labels, [("source".into(), "http://h/metrics".into())]);
    assert_eq!(polled.readings[1].value, Ok(0.5));
    assert_eq!((polled.news, polled.notes.len()), (None, 1));
    for (answer, absence, said) in [
        (answer(503, "", ""), Absence::Unreachable, "status 503"),
        (answer(403, "", ""), Absence::Unauthorised, "status 403"),
        (answer(200, "text/html", "<html>"), Absence::Malformed, "page of HTML"),
        (Err(unfetched(true, "not granted")), Absence::Unauthorised, "not granted"),
        (Err(unfetched(false, "no answer")), Absence::Unreachable, "no answer"),
    ] {
        let polled = session.poll(|_| answer);
        assert_eq!(polled.readings[0].value, Ok(0.0));
        assert_eq!(polled.readings[1].value, Err(absence));
        let Some(News::Warning(told)) = polled.news else { panic!("{said}") };
        assert!(told.contains(said) && !told.contains("s3cret"), "{told}");
    }
    let polled = session.poll(|_| answer(200, "text/plain", "load 0.7 1790000000000\n"));
    assert_eq!(polled.readings[1].value, Ok(0.7));
    assert!(matches!(polled.news, Some(News::Recovered(_))));
    assert!(polled.notes.is_empty());
}
