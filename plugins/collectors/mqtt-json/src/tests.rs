use crate::board::Board;
use crate::broker::{Broker, BrokerFault};
use crate::session::Session;
use crate::settings::{SCHEMA, Subscription};
use readings::{Absence, Failure, MAX_READINGS, News, Value};
use serde_json::{Value as Json, json};

fn subscription(settings: &Json) -> Result<Subscription, String> {
    let get = |key: &str| settings.get(key).map(Json::to_string);
    Subscription::parse(&get).map_err(|faults| faults.to_string())
}

fn rooms() -> Subscription {
    subscription(&json!({
        "broker": "mqtt://10.0.0.5", "topics": ["site/+/climate", "site/+/door"], "stale_after_s": 60,
        "readings": [
            { "name": "room.temperature", "unit": "Cel", "path": "/t", "topic": "site/+/climate",
              "labels": { "room": "{2}" } },
            { "name": "room.open", "path": "", "topic": "site/+/door", "labels": { "room": "{2}" } }
        ]
    }))
    .unwrap()
}

fn shown(board: &Board, now_ms: u64) -> Vec<(String, Value)> {
    let show = |it: readings::Reading| (format!("{} {}", it.name, it.labels[0].1), it.value);
    board.readings(&rooms(), now_ms).into_iter().map(show).collect()
}

fn message<'a>(topic: &'a str, payload: &'a str) -> (&'a str, &'a [u8]) {
    (topic, payload.as_bytes())
}

#[test]
fn messages_become_readings_with_labels_from_their_topics() {
    let mut board = Board::default();
    let warnings = board.take(
        &rooms(),
        [
            message("site/lab/climate", r#"{ "t": 21.5 }"#),
            message("site/attic/climate", r#"{ "t": "warm" }"#),
            message("site/lab/door", "true"),
        ],
        0,
    );
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(
        shown(&board, 0),
        [
            ("room.open lab".into(), Ok(1.0)),
            ("room.temperature attic".into(), Err(Absence::Malformed)),
            ("room.temperature lab".into(), Ok(21.5)),
        ]
    );
}

#[test]
fn a_reading_stands_until_it_is_stale_and_comes_back_with_the_next_message() {
    let mut board = Board::default();
    let take = |board: &mut Board, payload, now_ms| {
        board.take(&rooms(), [message("site/lab/climate", payload)], now_ms)
    };
    take(&mut board, r#"{ "t": 20 }"#, 1_000);
    assert_eq!(shown(&board, 61_000)[0].1, Ok(20.0));
    assert_eq!(shown(&board, 61_001)[0].1, Err(Absence::NotReady));
    take(&mut board, r#"{ "t": 22 }"#, 90_000);
    assert_eq!(shown(&board, 90_000)[0].1, Ok(22.0));
}

#[test]
fn a_message_that_is_no_json_is_named_and_the_reading_before_it_stands() {
    let mut board = Board::default();
    board.take(&rooms(), [message("site/lab/climate", r#"{ "t": 20 }"#)], 0);
    let warnings = board.take(&rooms(), [message("site/lab/climate", "21 degrees")], 1_000);
    assert_eq!(warnings, ["a message of site/lab/climate is no JSON"]);
    assert_eq!(shown(&board, 1_000)[0].1, Ok(20.0));
}

#[test]
fn a_flood_of_topics_is_held_to_the_bound_and_said() {
    let mut board = Board::default();
    let topics: Vec<String> = (0..5_000).map(|n| format!("site/{n}/climate")).collect();
    let warnings =
        board.take(&rooms(), topics.iter().map(|topic| message(topic, r#"{ "t": 1 }"#)), 0);
    assert_eq!(shown(&board, 0).len(), MAX_READINGS - 1);
    assert_eq!(warnings, ["3001 readings beyond the 1999 series taken; narrow `topics`"]);
    let junk = vec![message("site/lab/climate", "{"); 100];
    let warnings = board.take(&rooms(), junk, 0);
    assert_eq!(warnings.len(), 6);
    assert_eq!(warnings[5], "and 95 more messages are wrong");
}

#[test]
fn a_broker_is_host_and_port_and_its_login_is_only_for_the_agent() {
    let parse = |text| Broker::parse(text).map(|broker| broker.shown());
    assert_eq!(parse("mqtt://h"), Ok("mqtt://h:1883".into()));
    assert_eq!(parse("mqtts://h/"), Ok("mqtts://h:8883".into()));
    assert_eq!(parse("mqtt://[::1]:7"), Ok("mqtt://[::1]:7".into()));
    assert_eq!(parse("h:1883"), Err(BrokerFault::Scheme));
    assert_eq!(parse("mqtt://"), Err(BrokerFault::Host));
    assert_eq!(parse("mqtt://:1883"), Err(BrokerFault::Host));
    assert_eq!(parse("mqtt://[::1"), Err(BrokerFault::Host));
    assert_eq!(parse("mqtt://h:0"), Err(BrokerFault::Port));
    assert_eq!(parse("mqtt://h:99999"), Err(BrokerFault::Port));
    assert_eq!(parse("mqtt://me@h"), Err(BrokerFault::Login));
    let login = Some(("me".to_owned(), "p@ss:w/rd".to_owned()));
    let broker = Broker::parse("mqtt://h").unwrap().with_login(login);
    assert_eq!(broker.address(), "mqtt://me:p%40ss%3Aw%2Frd@h:1883");
    assert_eq!(format!("{broker:?}"), "Broker(mqtt://h:1883)");
}

#[test]
fn settings_that_are_wrong_are_all_named_at_once() {
    let fault = subscription(&json!({
        "broker": "tcp://h", "password": "x", "topics": ["a/#/b", 7], "stale_after_s": 0,
        "readings": [{ "name": "x", "path": "/a", "topic": "#x" }]
    }))
    .unwrap_err();
    for word in [
        "broker: a broker is mqtt://",
        "without a `username`",
        "topics[0]: `+`",
        "topics[1]: is no text",
        "stale_after_s: is a whole number",
        "readings[0]: `+`",
    ] {
        assert!(fault.contains(word), "{word}: {fault}");
    }
}

#[test]
fn the_schema_is_json_and_marks_what_is_secret() {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(schema["properties"]["password"]["writeOnly"], json!(true));
}

#[test]
fn a_broker_that_goes_away_leaves_readings_standing_until_they_are_stale() {
    let mut session = Session::new(rooms());
    let message = ("site/lab/door".to_owned(), b"1".to_vec());
    let (readings, news) = session.poll(Ok(vec![message]), 0);
    assert_eq!((readings[0].value, readings[1].value, news), (Ok(1.0), Ok(1.0), None));
    let away = || Err(Failure::new(Absence::Unreachable, "the broker is away"));
    let (readings, news) = session.poll(away(), 30_000);
    assert_eq!((readings[0].value, readings[1].value), (Ok(0.0), Ok(1.0)));
    assert!(matches!(news, Some(News::Warning(said)) if said.contains("the broker is away")));
    let (readings, news) = session.poll(away(), 61_000);
    assert_eq!((readings[0].value, readings[1].value), (Ok(0.0), Err(Absence::NotReady)));
    assert_eq!((readings.len(), news), (2, None));
}
