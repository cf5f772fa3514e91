//! The compiler as a program.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

use flyball_plugin_messages::frame::{Decoder, MAX_REPORT_BYTES};
use flyball_plugin_messages::{CompileFault, Report};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

fn compile(component: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flyball-compiler"))
        .arg("--component")
        .arg(component)
        .output()
        .unwrap()
}

fn report(bytes: &[u8]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plugin.wasm");
    std::fs::write(&path, bytes).unwrap();
    let output = compile(&path);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut decoder = Decoder::new(MAX_REPORT_BYTES);
    decoder.push(&output.stdout);
    decoder.decode().unwrap().unwrap_or_else(|| panic!("{} bytes", output.stdout.len()))
}

#[test]
fn a_file_that_is_no_component_is_rejected_in_the_report() {
    assert_eq!(report(b"\0asm\x01\0\0\0"), Report::Rejected(CompileFault::CoreModule));
    assert!(matches!(report(b"GIF89a"), Report::Rejected(CompileFault::NotWasm(_))));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = compile(Path::new("/nowhere/plugin.wasm"));
    assert!(!output.status.success());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("/nowhere/plugin.wasm"), "{words}");
}

/// Loops within loops with five hundred locals in each: small to write, endless to compile.
#[test]
#[ignore = "takes its minute of processor time, by design"]
fn a_component_that_is_endless_to_compile_ends_with_the_child() {
    let mut function = String::from("(func (export \"f\")");
    for local in 0..500 {
        write!(function, "(local $l{local} i64)").unwrap();
    }
    for depth in 0..900 {
        write!(function, "(loop $d{depth} ").unwrap();
        for local in 0..40 {
            let from = (local * 7 + depth) % 500;
            write!(
                function,
                "(local.set $l{local} (i64.add (local.get $l{from}) (local.get $l{local})))"
            )
            .unwrap();
        }
    }
    for depth in (0..900).rev() {
        write!(function, "(br_if $d{depth} (i32.wrap_i64 (local.get $l{})))) ", depth % 500)
            .unwrap();
    }
    function.push(')');
    let bomb = format!(
        "(component (core module $m {function}) (core instance (instantiate $m)) (instance $i) \
         (export \"flyball:plugin/rendering@0.1.0\" (instance $i)))"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.wasm");
    std::fs::write(&path, wat::parse_str(bomb).unwrap()).unwrap();
    let output = compile(&path);
    // Killed at its limit, or rejected before: either way it has ended.
    assert!(!output.status.success() || !output.stdout.is_empty());
}
