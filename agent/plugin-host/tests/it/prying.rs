//! A collector that reaches for what it may not, and hands over more than it may.

use crate::guests::prying;
use crate::scripted::{Collector, refused};
use flyball_plugin_messages::{
    Absence, Answer, Ask, Failure, FailureKind, Fetched, Reading, ReadingKind,
};

fn collector(attack: &str) -> Collector {
    let attack = format!("\"{attack}\"");
    Collector::new(prying(), &[("attack", &attack), ("url", "\"http://h/\""), ("token", "\"t\"")])
}

fn fetched(bytes: usize) -> Answer {
    Answer::Fetched(Fetched { status: 200, headers: Vec::new(), body: vec![b'x'; bytes] })
}

/// The attack ends at that limit, and the plugin can be polled again.
fn stopped_at(attack: &str, limit: &str, answer: impl Fn(&Ask) -> Answer + 'static) -> usize {
    let mut prying = collector(attack);
    let failure = prying.poll(answer).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Limit, "{attack}: {failure:?}");
    assert!(failure.message.starts_with(limit), "{attack}: {failure:?}");
    let asked = prying.scripted.asks.take().len();
    let again = collector("quiet").poll(refused).unwrap();
    assert_eq!(again.len(), 1, "after {attack}");
    asked
}

#[test]
fn whoever_describes_a_plugin_is_led_nowhere_by_it() {
    let said = prying().manifest.attributes.iter().find(|it| it.key == "fetched-while-described");
    assert_eq!(said.unwrap().value, "nothing outside can be reached here");
}

#[test]
fn what_is_denied_is_said_to_the_plugin_and_nothing_comes_of_it() {
    for attack in ["fetch", "subscribe"] {
        let failure = collector(attack).poll(refused).unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Denied, "not granted"));
    }
}

#[test]
fn requests_without_end_are_stopped_by_their_number_and_by_their_size() {
    assert_eq!(
        stopped_at("fetch-without-end", "asking: it asked the agent more than 256 times", refused),
        256
    );
    let asked = stopped_at("fetch-without-end", "asking: its requests and their answers", |_| {
        fetched(8 * 1024 * 1024)
    });
    assert_eq!(asked, 16);
}

#[test]
fn a_request_that_is_too_large_never_leaves_the_sandbox() {
    let too_large = "asking: it asked for a request of more than 8 MiB";
    assert_eq!(stopped_at("fetch-large", too_large, |_| panic!("it left")), 0);
    assert_eq!(stopped_at("fetch-header", too_large, |_| panic!("it left")), 0);
    assert_eq!(stopped_at("filters", too_large, |_| panic!("it left")), 0);
}

#[test]
fn a_request_waits_no_longer_than_its_call_may() {
    let mut prying = collector("fetch");
    let readings = prying.poll(|_| fetched(1)).unwrap();
    assert_eq!(readings[0].value, Ok(200.0));
    let Ask::Fetch(fetch) = prying.scripted.asks.take().remove(0) else { panic!() };
    assert!(fetch.timeout_ms <= 2_000, "{fetch:?}");
    let mut prying = collector("fetch-without-end");
    drop(prying.poll(|ask| {
        let Ask::Fetch(fetch) = ask else { panic!() };
        assert!(fetch.timeout_ms <= 5_000, "{fetch:?}");
        refused(ask)
    }));
}

#[test]
fn an_answer_to_another_question_is_no_answer() {
    let failure = collector("fetch").poll(|_| Answer::Subscribed).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Internal);
    assert_eq!(failure.message, "the agent answered another question");
}

#[test]
fn a_plugin_sees_its_own_settings_and_no_others() {
    let readings = collector("settings").poll(refused).unwrap();
    let names: Vec<&str> = readings.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["attack", "url", "token"]);
    // `token` is its own; the three other names lead nowhere.
    let readings = collector("settings-of-another").poll(refused).unwrap();
    assert_eq!(readings[0].value, Ok(1.0));
}

#[test]
fn more_readings_labels_and_letters_than_anybody_reads_are_refused() {
    stopped_at("readings", "readings: one poll gave more than 10000", refused);
    stopped_at("many-labels", "readings: one of them has more than 64 labels", refused);
    let long = "readings: a name, a unit or a label has more than 1024 bytes";
    stopped_at("long-name", long, refused);
    stopped_at("long-label", long, refused);
}

#[test]
fn what_a_plugin_says_of_a_fault_is_cut() {
    let failure = collector("long-error").poll(refused).unwrap_err();
    assert_eq!((failure.kind, failure.message.len()), (FailureKind::Upstream, 4_096));
}

#[test]
fn randomness_is_given_by_the_handful_and_again_the_same_for_the_same_seed() {
    stopped_at("random", "randomness: it asked for more than 64 KiB at once", refused);
    let settings = [("attack", "\"random-number\"")];
    let number = |seed| {
        Collector::seeded(prying(), &settings, Some(seed)).poll(refused).unwrap()[0].value.unwrap()
    };
    assert_eq!(number(7).to_bits(), number(7).to_bits());
    assert_ne!(number(7).to_bits(), number(8).to_bits());
}

#[test]
fn a_session_is_opened_anew_after_a_panic() {
    let mut prying = collector("panic");
    for _ in 0..2 {
        let Failure { kind, message, .. } = prying.poll(refused).unwrap_err();
        assert_eq!(kind, FailureKind::Trapped);
        assert!(message.contains("asked to"), "{message}");
    }
}

#[test]
fn a_number_that_is_none_comes_through_as_it_is() {
    let [Reading { kind: ReadingKind::Gauge, value, .. }] =
        &collector("nan").poll(refused).unwrap()[..]
    else {
        panic!()
    };
    assert!(value.is_ok_and(f64::is_nan) || *value == Err(Absence::OutOfRange));
}
