//! `test` and `bench` on a component that does what its source says.

use crate::desk::{Desk, component};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("build/plugin.wasm", component("misbehaving"));
    desk
}

#[test]
fn what_differs_is_said_line_by_line() {
    let desk = desk();
    desk.write("tests/fault/source.txt", "invalid");
    desk.write(
        "tests/fault/expect.json",
        r#"{"ok": false, "kind": "unsupported", "message": "never",
            "diagnostics": [{"severity": "error", "code": "asked", "line": 3, "column": 6}]}"#,
    );
    desk.write("tests/words/source.txt", "some words");
    desk.write("tests/words/expect.json", r#"{"ok": true, "width": 2, "contains": ["other"]}"#);
    let said = desk.plugin(&["test"]).and_failed();
    for line in [
        r#"the kind: expected "unsupported", got "invalid-input""#,
        r#"the message: expected "never" in it, got "asked to""#,
        "diagnostic 1: expected error `asked` at 3:6, got error `asked` at 3:7",
        "render finds error `asked` at 3:7, validate finds nothing wrong",
        "the width: expected 2, got 1",
        r#"the picture does not contain "other"; it is 10 bytes and begins "some words""#,
        "0 passed, 2 failed",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
}

#[test]
fn a_plugin_is_stopped_at_the_limits_of_production_and_the_next_case_runs() {
    let desk = desk();
    for (name, source, message) in [
        ("1-eats", "eat", "memory: it asked for more than 64 MiB"),
        ("2-spins", "spin", "time: it was stopped after 200 ms"),
        ("3-floods", "log", "log: it wrote more than 64 KiB"),
        ("4-recurses", "recurse", "stack"),
    ] {
        desk.write(&format!("tests/{name}/source.txt"), source);
        desk.write(&format!("tests/{name}/request.json"), r#"{"deadline_ms": 200}"#);
        let expect = format!(r#"{{"ok": false, "kind": "limit", "message": "{message}"}}"#);
        desk.write(&format!("tests/{name}/expect.json"), expect);
    }
    desk.write("tests/5-panics/source.txt", "panic");
    let panics = r#"{"ok": false, "kind": "trapped", "message": "asked to"}"#;
    desk.write("tests/5-panics/expect.json", panics);
    desk.write("tests/6-works/source.txt", "words");
    desk.write("tests/6-works/expect.json", r#"{"ok": true, "contains": ["words"]}"#);
    let said = desk.plugin(&["test"]).text;
    // Its validation spins as well, and that is a failure of its own.
    assert!(said.contains("FAIL  2-spins"), "{said}");
    assert!(said.contains("validate fails: time: it was stopped after 200 ms"), "{said}");
    assert!(said.contains("5 passed, 1 failed"), "{said}");
    assert!(said.contains("log error: panic: "), "{said}");
}

#[test]
fn what_was_blessed_is_expected_from_then_on() {
    let desk = desk();
    desk.write("tests/words/source.txt", "words");
    let said = desk.plugin(&["test"]).and_failed();
    assert!(said.contains("there is no expect.json; `--bless` records one"), "{said}");
    desk.plugin(&["test", "--bless"]).and_went_well();
    assert_eq!(desk.text("tests/words/picture.bin"), "words");
    desk.plugin(&["test"]).and_went_well();
    desk.write("tests/words/picture.bin", "wordy");
    let said = desk.plugin(&["test"]).and_failed();
    assert!(said.contains(r#"from byte 4 on expected "y", got "s""#), "{said}");
}

#[test]
fn a_case_with_an_unknown_word_is_refused_with_its_file() {
    let desk = desk();
    desk.write("tests/words/source.txt", "words");
    desk.write("tests/words/expect.json", r#"{"okay": true}"#);
    let said = desk.plugin(&["test"]).and_failed();
    assert!(said.contains("tests/words/expect.json is not right"), "{said}");
    assert!(said.contains("okay"), "{said}");
}

#[test]
fn the_fuel_of_a_call_is_the_same_every_time() {
    let desk = desk();
    desk.write("tests/words/source.txt", "words");
    let fuel = || {
        let said = desk.plugin(&["bench", "--calls", "3"]).and_went_well();
        let line = said.lines().find(|line| line.starts_with("words")).unwrap();
        line.split_whitespace().next_back().unwrap().to_owned()
    };
    let first = fuel();
    assert!(first.replace(',', "").parse::<u64>().unwrap() > 100, "{first}");
    assert_eq!(fuel(), first);
}

#[test]
fn an_importer_is_tried_on_a_folder_of_files() {
    let desk = Desk::new();
    desk.write("build/plugin.wasm", component("umcf"));
    desk.write("tests/waves/files/waves/01-waves.md", "# Waves\n\nA wave moves.\n");
    desk.write("tests/waves/request.json", r#"{"course": "waves"}"#);
    desk.write("tests/waves/expect.json", r#"{"ok": true, "items": ["waves", "more"]}"#);
    let said = desk.plugin(&["test"]).and_failed();
    assert!(said.contains(r#"items: expected ["waves", "more"], got ["waves"]"#), "{said}");
    desk.plugin(&["test", "--bless"]).and_went_well();
    desk.plugin(&["test"]).and_went_well();
}
