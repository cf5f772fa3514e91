//! Files that somebody else sent.

use crate::desk::{Desk, component};
use std::fmt::Write as _;

#[track_caller]
fn refused(bytes: &[u8], reason: &str) {
    let desk = Desk::new();
    desk.write("theirs.wasm", bytes);
    for word in ["inspect", "test", "bench", "pack"] {
        let said = desk.plugin(&[word, "theirs.wasm"]).and_failed();
        assert!(said.contains(reason), "{word}: {said}");
        assert!(said.starts_with("error: ") && said.lines().count() <= 2, "{word}: {said}");
    }
}

#[test]
fn a_file_that_is_no_plugin_is_named_by_every_word() {
    refused(b"", "it is empty");
    refused(b"#!/bin/sh\n", "is not WebAssembly");
    refused(b"\0asm\x01\0\0\0", "core module");
    let whole = component("misbehaving");
    refused(&whole[..whole.len() / 2], "cut off or damaged");
    let wasi = r#"(component
        (import "wasi:filesystem/types@0.2.0" (instance))
        (instance $i) (export "flyball:plugin/rendering@0.1.0" (instance $i)))"#;
    refused(&wat::parse_str(wasi).unwrap(), "wasi:filesystem/types@0.2.0");
}

#[test]
fn a_strangers_words_do_not_steer_the_terminal() {
    let plain = b"Does what its source says";
    let mut theirs = component("misbehaving");
    let place = theirs.windows(plain.len()).position(|words| words == plain).unwrap();
    theirs[place..place + 4].copy_from_slice(b"\x1b[2J");
    theirs[place + 5] = b'\n';
    let desk = Desk::new();
    desk.write("theirs.wasm", theirs);
    let said = desk.plugin(&["inspect", "theirs.wasm"]).and_went_well();
    assert!(said.contains("what              [2J"), "{said}");
    assert!(!said.contains('\x1b') && said.lines().all(|line| line.len() > 17), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named_with_what_makes_it() {
    let said = Desk::new().plugin(&["test"]).and_failed();
    assert!(said.contains("build/plugin.wasm can't be read; `flyball plugin build`"), "{said}");
}

/// Loops within loops with five hundred locals in each: small to write, endless to compile.
#[test]
#[ignore = "takes its minute of processor time, by design"]
fn a_component_that_is_endless_to_compile_ends_with_the_child() {
    let mut function = String::from("(func (export \"f\")");
    for local in 0..500 {
        write!(function, "(local $l{local} i64)").unwrap();
    }
    for depth in 0..3_000 {
        write!(function, "(loop $d{depth} ").unwrap();
        for local in 0..60 {
            let from = (local * 7 + depth) % 500;
            let sum = format!("(i64.add (local.get $l{from}) (local.get $l{local}))");
            write!(function, "(local.set $l{local} {sum})").unwrap();
        }
    }
    for depth in (0..3_000).rev() {
        let until = format!("(i32.wrap_i64 (local.get $l{}))", depth % 500);
        write!(function, "(br_if $d{depth} {until})) ").unwrap();
    }
    function.push(')');
    let bomb = format!(
        "(component (core module $m {function}) (core instance (instantiate $m)) (instance $i) \
         (export \"flyball:plugin/rendering@0.1.0\" (instance $i)))"
    );
    let desk = Desk::new();
    desk.write("theirs.wasm", wat::parse_str(bomb).unwrap());
    let said = desk.plugin(&["inspect", "theirs.wasm"]).and_failed();
    assert!(said.contains("can't be compiled within the compiler's limits"), "{said}");
}
