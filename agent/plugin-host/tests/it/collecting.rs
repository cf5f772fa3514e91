//! Collectors that ship, in the sandbox: what they ask for and what they make of it.

use crate::guests::{mqtt_json, prometheus};
use crate::scripted::{Collector, refused};
use flyball_plugin_messages::{Absence, Answer, Ask, FailureKind, Fetched, Message};

fn text(body: &'static str) -> impl Fn(&Ask) -> Answer {
    move |_| {
        Answer::Fetched(Fetched { status: 200, headers: Vec::new(), body: body.as_bytes().into() })
    }
}

#[test]
fn an_endpoint_is_fetched_and_its_series_are_absent_when_it_may_not_be() {
    let settings = [("endpoint", "\"http://10.0.0.7:9100/metrics\""), ("bearer_token", "\"t\"")];
    let mut collector = Collector::new(prometheus(), &settings);
    let readings = collector.poll(text("# TYPE t gauge\nnode_temp_celsius{chip=\"a\"} 47.5\n"));
    let readings = readings.unwrap();
    let Ask::Fetch(fetch) = collector.scripted.asks.take().remove(0) else { panic!() };
    assert_eq!(fetch.url, "http://10.0.0.7:9100/metrics");
    assert!(fetch.headers.contains(&("Authorization".into(), "Bearer t".into())));
    assert_eq!((readings[0].name.as_str(), readings[0].value), ("up", Ok(1.0)));
    assert_eq!((readings[1].unit.as_str(), readings[1].value), ("Cel", Ok(47.5)));
    // The session is the same: it knows what was there.
    let readings = collector.poll(refused).unwrap();
    assert_eq!(readings[0].value, Ok(0.0));
    assert_eq!(readings[1].value, Err(Absence::Unauthorised));
}

#[test]
fn settings_that_are_not_sound_fail_the_poll_with_what_to_mend() {
    let mut collector = Collector::new(prometheus(), &[("endpoint", "\"ftp://h/\"")]);
    let failure = collector.poll(text("")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidInput);
    assert!(failure.message.contains("endpoint: an address begins with http://"), "{failure:?}");
}

#[test]
fn messages_of_a_broker_become_readings_with_labels_of_their_topics() {
    let readings = r#"[{ "name": "room.temperature", "unit": "Cel", "path": "/t",
        "labels": { "room": "{2}" } }]"#;
    let mut collector = Collector::new(
        mqtt_json(),
        &[
            ("broker", "\"mqtt://10.0.0.5\""),
            ("topics", "[\"site/+/climate\"]"),
            ("readings", readings),
        ],
    );
    let answer = |ask: &Ask| match ask {
        Ask::Subscribe { broker, filters } => {
            assert_eq!((broker.as_str(), filters.len()), ("mqtt://10.0.0.5:1883", 1));
            Answer::Subscribed
        }
        _ => Answer::Taken(vec![Message {
            topic: "site/lab/climate".into(),
            payload: b"{ \"t\": 21.5 }".to_vec(),
        }]),
    };
    let readings = collector.poll(answer).unwrap();
    assert_eq!(readings[1].value, Ok(21.5));
    assert_eq!(readings[1].labels[0].value, "lab");
    // Nothing new: what stands is young enough.
    let readings = collector.poll(|_| Answer::Taken(Vec::new())).unwrap();
    assert_eq!(readings[1].value, Ok(21.5));
}
