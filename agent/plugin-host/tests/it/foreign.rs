//! Files that are no plugin of ours are refused with what they are.

use crate::guests::component;
use flyball_plugin_host::compile::compile;
use flyball_plugin_host::inspect::inspect;
use flyball_plugin_messages::{CompileFault, Report, World};

fn fault(file: &[u8]) -> CompileFault {
    match compile(file).0 {
        Report::Rejected(fault) => fault,
        compiled @ Report::Compiled { .. } => panic!("it compiled: {compiled:?}"),
    }
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[test]
fn other_files_are_named() {
    assert!(matches!(fault(b""), CompileFault::NotWasm(what) if what.contains("empty")));
    assert!(
        matches!(fault(b"#!/bin/sh\n"), CompileFault::NotWasm(what) if what.contains("#!/bin"))
    );
    assert_eq!(fault(&wat("(module)")), CompileFault::CoreModule);
    assert_eq!(fault(&wat("(component)")), CompileFault::ForeignWorld("nothing".into()));
    assert!(matches!(fault(b"\0asm\x09\0\x09\0"), CompileFault::Malformed(_)));
}

#[test]
fn a_compiled_plugin_is_not_taken_for_a_component() {
    let (Report::Compiled { code_bytes, .. }, code) = compile(&component("misbehaving")) else {
        panic!()
    };
    assert_eq!(code_bytes, code.len() as u64);
    assert_eq!(fault(&code), CompileFault::Precompiled);
}

#[test]
fn a_component_that_is_cut_off_anywhere_is_refused_without_a_panic() {
    let whole = component("misbehaving");
    assert_eq!(inspect(&whole), Ok(World::Renderer));
    for length in (0..whole.len()).step_by(97) {
        assert!(inspect(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
}

#[test]
fn a_component_of_another_world_lists_what_it_exports() {
    let foreign = wat(r#"(component (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))"#);
    assert!(
        matches!(fault(&foreign), CompileFault::ForeignWorld(what) if what.contains("wasi:cli"))
    );
}

#[test]
fn another_version_of_our_package_is_named_with_what_is_spoken() {
    let newer =
        r#"(component (instance $i) (export "flyball:plugin/rendering@9.0.0" (instance $i)))"#;
    let CompileFault::Version { found, spoken } = fault(&wat(newer)) else { panic!() };
    assert_eq!(
        (found.as_str(), spoken.as_str()),
        ("flyball:plugin@9.0.0", "flyball:plugin@0.2.0, flyball:plugin@0.1.0")
    );
}

#[test]
fn an_import_that_no_world_has_is_named_with_a_hint() {
    let wasi = r#"(component
        (import "wasi:filesystem/types@0.2.0" (instance))
        (instance $i) (export "flyball:plugin/rendering@0.1.0" (instance $i)))"#;
    let CompileFault::UnknownImport { import, hint, .. } = fault(&wat(wasi)) else { panic!() };
    assert_eq!(import, "wasi:filesystem/types@0.2.0");
    assert!(hint.contains("WASI"), "{hint}");
    let files = r#"(component
        (import "flyball:plugin/files@0.1.0" (instance))
        (instance $i) (export "flyball:plugin/rendering@0.1.0" (instance $i)))"#;
    assert!(matches!(fault(&wat(files)), CompileFault::UnknownImport { .. }), "not for renderers");
}

#[test]
fn an_interface_of_the_right_name_without_its_functions_is_a_mismatch() {
    let hollow =
        r#"(component (instance $i) (export "flyball:plugin/rendering@0.1.0" (instance $i)))"#;
    assert!(matches!(fault(&wat(hollow)), CompileFault::TypeMismatch(_)));
}

#[test]
fn a_component_that_is_both_is_refused() {
    let both = r#"(component (instance $i)
        (export "flyball:plugin/rendering@0.1.0" (instance $i))
        (export "flyball:plugin/importing@0.1.0" (instance $i)))"#;
    assert_eq!(fault(&wat(both)), CompileFault::TwoWorlds);
}

#[test]
fn an_appetite_above_the_limits_is_refused_before_anything_runs() {
    let hungry = r#"(component
        (core module $m (memory 2000)) (core instance (instantiate $m))
        (instance $i) (export "flyball:plugin/rendering@0.1.0" (instance $i)))"#;
    assert!(
        matches!(fault(&wat(hungry)), CompileFault::TooHungry(what) if what.contains("125 MiB"))
    );
}
