//! An importer that keeps and asks without end.

use crate::attacks::resident_mib;
use crate::guests::hoarding;
use crate::scripted::{Scripted, refused};
use flyball_plugin_host::Outside;
use flyball_plugin_messages::{Answer, Ask, Context, Event, Failure, FailureKind, Request};
use std::rc::Rc;

fn import(attack: &str) -> Request {
    Request::Import {
        files: Vec::new(),
        id: attack.into(),
        selection: Vec::new(),
        switches: Vec::new(),
    }
}

fn imported(
    attack: &str,
    answer: impl Fn(&Ask) -> Answer + 'static,
) -> (Rc<Scripted>, Result<Vec<Event>, Failure>) {
    let scripted = Scripted::new(answer);
    let outside: Rc<dyn Outside> = Rc::clone(&scripted) as Rc<dyn Outside>;
    hoarding().plugin().call(import(attack), Context::default(), 5_000, &outside);
    let mut events = scripted.events.take();
    let ended = match events.pop() {
        Some(Event::Failed(failure)) => Err(failure),
        _ => Ok(events),
    };
    (scripted, ended)
}

fn stopped_at(attack: &str, limit: &str) {
    hoarding();
    let before = resident_mib();
    let failure = imported(attack, refused).1.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Limit, "{attack}: {failure:?}");
    assert!(failure.message.starts_with(limit), "{attack}: {failure:?}");
    let after = resident_mib();
    assert!(after < before + 128, "{attack}: from {before} to {after} MiB");
}

#[test]
fn an_item_of_pieces_is_one_item_and_what_is_not_finished_is_none() {
    let events = imported("pieces", refused).1.unwrap();
    let [Event::Item(item)] = &events[..] else { panic!("{} events", events.len()) };
    assert_eq!((item.id.as_str(), item.data.len()), ("whole", 3 * 1024 * 1024));
    assert_eq!(item.attributes[0].key, "attack");
}

#[test]
fn pieces_without_end_are_stopped_however_they_are_cut() {
    for attack in [
        "pieces-without-end",
        "items-of-pieces-without-end",
        "dropped-pieces-without-end",
        "names-without-end",
        "empty-items-without-end",
    ] {
        stopped_at(attack, "output");
    }
}

#[test]
fn a_seventeenth_open_item_is_refused() {
    stopped_at("open-without-end", "items: it writes more than 16 at once");
}

#[test]
fn titles_count_as_what_they_weigh() {
    stopped_at("large-titles", "output");
}

#[test]
fn progress_without_end_is_passed_on_ten_times_a_second() {
    let (scripted, ended) = imported("report-without-end", |_| Answer::Progress { go_on: true });
    assert_eq!(ended.unwrap_err().kind, FailureKind::Limit);
    let asked = scripted.asks.take().len();
    assert!((2..=51).contains(&asked), "{asked} reports in five seconds");
}
