//! Everything that a plugin can do to cost more than it was granted. Each ends at its own
//! limit, says which one that was, and leaves the host as it found it.

use crate::guests::{failure, misbehaving};
use flyball_plugin_messages::{Event, FailureKind, Request};
use std::time::Instant;

const DEADLINE_MS: u32 = 2_000;

/// The resident memory of this process.
pub(crate) fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// Runs the attack and then an honest call.
fn attacked(attack: &str, deadline_ms: u32) -> (FailureKind, String) {
    let failure = failure(misbehaving().render(attack, deadline_ms));
    let honest = misbehaving().render("hello", DEADLINE_MS);
    assert!(
        matches!(&honest[..], [Event::Image(image), Event::Done] if image.data == b"hello"),
        "after {attack}: {honest:?}"
    );
    (failure.kind, failure.message)
}

fn stopped_at(attack: &str, limit: &str) {
    let (kind, message) = attacked(attack, DEADLINE_MS);
    assert_eq!(kind, FailureKind::Limit, "{attack}: {message}");
    assert!(message.starts_with(limit), "{attack}: {message}");
}

#[test]
fn a_plugin_that_spins_is_stopped_at_its_deadline() {
    misbehaving();
    #[expect(clippy::disallowed_methods, reason = "the test measures what a deadline is worth")]
    let start = Instant::now();
    let (kind, message) = attacked("spin", 100);
    assert_eq!((kind, message.as_str()), (FailureKind::Limit, "time: it was stopped after 100 ms"));
    // The machine may be busy; a plugin without a bound would never come back at all.
    assert!(start.elapsed().as_millis() < 5_000, "{:?}", start.elapsed());
}

#[test]
fn a_plugin_that_eats_memory_is_stopped_at_64_mib() {
    misbehaving();
    let before = resident_mib();
    stopped_at("eat", "memory");
    assert!(resident_mib() < before + 96, "from {before} to {} MiB", resident_mib());
}

#[test]
fn a_plugin_that_recurses_is_stopped_at_its_stack() {
    stopped_at("recurse", "stack");
}

#[test]
fn a_plugin_that_panics_is_said_to_have_and_its_words_are_kept() {
    let (kind, message) = attacked("panic", DEADLINE_MS);
    assert_eq!(kind, FailureKind::Trapped);
    assert!(message.contains("asked to"), "{message}");
}

#[test]
fn a_plugin_that_floods_the_log_is_stopped_at_its_quota() {
    stopped_at("log", "log");
    stopped_at("long-line", "log");
}

#[test]
fn a_plugin_that_gives_back_too_much_is_stopped() {
    stopped_at("large-output", "lifting");
}

#[test]
fn lifting_one_string_three_thousand_times_costs_the_host_no_more_than_its_bound() {
    misbehaving();
    let before = resident_mib();
    let lift = Request::Validate { format: "misbehave".into(), source: "lift".into() };
    let failure = failure(misbehaving().call(lift, DEADLINE_MS));
    assert_eq!(failure.kind, FailureKind::Limit, "{}", failure.message);
    assert!(failure.message.starts_with("lifting"), "{}", failure.message);
    assert!(resident_mib() < before + 128, "from {before} to {} MiB", resident_mib());
}

#[test]
fn a_hundred_thousand_diagnostics_are_cut_to_what_an_editor_shows() {
    let many = Request::Validate { format: "misbehave".into(), source: "many-diagnostics".into() };
    let events = misbehaving().call(many, 10_000);
    assert!(
        matches!(&events[..], [Event::Diagnostics(found), Event::Done] if found.len() == 200),
        "{}",
        events.len()
    );
}

#[test]
fn an_error_of_the_plugin_itself_comes_through_as_it_was_said() {
    let (kind, message) = attacked("error", DEADLINE_MS);
    assert_eq!((kind, message.as_str()), (FailureKind::Upstream, "asked to"));
    let invalid = failure(misbehaving().render("invalid", DEADLINE_MS));
    assert_eq!(invalid.kind, FailureKind::InvalidInput);
    assert_eq!((invalid.diagnostics[0].line, invalid.diagnostics[0].column), (3, 7));
}

#[test]
fn a_renderer_is_not_asked_to_import() {
    let import = Request::Catalog { files: Vec::new(), query: String::new(), page: 0 };
    let refused = failure(misbehaving().call(import, DEADLINE_MS));
    assert_eq!(refused.kind, FailureKind::Unsupported);
}
