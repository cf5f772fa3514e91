//! A stranger's path: with nothing but `plugins/README.md` to a signed renderer, in each language.
//!
//! What comes out stays in the target folder, in `plugins-of-strangers/<language>`: the packed
//! component, its signature and the public key, for the tests that install it.

use crate::desk::{Desk, is_there, target};
use crate::readme;
use std::path::Path;

struct Language {
    heading: &'static str,
    /// The project's folder in the README, which is the plugin's id as well.
    id: &'static str,
    /// The programs that have to be there, and what `cargo xtask test` installs them from.
    needs: &'static [(&'static str, &'static str)],
}

const RUST: Language = Language { heading: "Rust", id: "bars", needs: &[("cargo", "rustup")] };
const JAVASCRIPT: Language = Language {
    heading: "JavaScript",
    id: "bars-js",
    needs: &[("node", "Debian's nodejs"), ("componentize-qjs", "npm")],
};
const PYTHON: Language =
    Language { heading: "Python", id: "bars-py", needs: &[("componentize-py", "PyPI")] };
const C: Language = Language { heading: "C", id: "bars-c", needs: &[("clang", "Debian's clang")] };

#[test]
fn a_stranger_who_writes_rust_has_a_signed_renderer() {
    follow(&RUST);
}

#[test]
fn a_stranger_who_writes_javascript_has_a_signed_renderer() {
    follow(&JAVASCRIPT);
}

#[test]
fn a_stranger_who_writes_python_has_a_signed_renderer() {
    follow(&PYTHON);
}

#[test]
fn a_stranger_who_writes_c_has_a_signed_renderer() {
    follow(&C);
}

#[test]
fn a_stranger_who_writes_rust_has_an_importer_and_a_collector() {
    if !tools_are_there(&RUST) {
        return;
    }
    for (heading, words) in [
        ("An importer", &["2 passed, 0 failed", "flyball:plugin/files@0.2.0"][..]),
        (
            "A collector",
            &[
                "3 passed, 0 failed",
                "flyball:plugin/http@0.2.0",
                "flyball:plugin/settings@0.2.0",
                "wants http:*",
                "asked GET http://10.0.0.7/page",
            ],
        ),
    ] {
        let said = Desk::new().shell(&readme::commands_of_kind(heading)).and_went_well();
        for word in words {
            assert!(said.contains(word), "{heading}: {word}\n{said}");
        }
    }
}

fn follow(language: &Language) {
    if !tools_are_there(language) {
        return;
    }
    let desk = Desk::new();
    let said = desk.shell(&readme::commands(language.heading)).and_went_well();
    assert!(said.contains("2 passed, 0 failed"), "{said}");
    let file = format!("{id}/build/{id}-0.1.0.wasm", id = language.id);
    let signed = format!("id={} version=0.1.0 sha256=", language.id);
    assert!(said.contains(&signed), "{said}");
    let imports = said.lines().filter(|line| line.starts_with("imports")).collect::<Vec<_>>();
    assert!(imports.len() == 2 && !imports.concat().contains("wasi"), "{imports:?}");
    if is_there("minisign") {
        let public = format!("{}/me.pub", language.id);
        let judged = desk.shell(&format!("minisign -Vm {file} -p {public}")).and_went_well();
        assert!(judged.contains(&signed), "{judged}");
    } else {
        missing("minisign", "Debian's minisign");
    }
    keep(&desk.path().join(language.id), language.id);
}

/// `false` where something is missing, which is said by name. Where `cargo xtask test` promises
/// it, its absence is a failure.
fn tools_are_there(language: &Language) -> bool {
    let mut all = true;
    for (program, source) in language.needs {
        if !is_there(program) {
            missing(program, source);
            all = false;
        }
    }
    all
}

fn missing(program: &str, source: &str) {
    let words = format!("{program} is missing; `cargo xtask test` installs it from {source}");
    assert!(std::env::var_os("CI").is_none(), "{words}");
    eprintln!("SKIPPED: {words}");
}

/// Leaves what was made where a later test finds it.
fn keep(project: &Path, id: &str) {
    let kept = target().join("plugins-of-strangers").join(id);
    std::fs::create_dir_all(&kept).unwrap();
    for name in
        [format!("{id}-0.1.0.wasm"), format!("{id}-0.1.0.wasm.minisig"), format!("{id}-0.1.0.json")]
    {
        std::fs::copy(project.join("build").join(&name), kept.join(&name)).unwrap();
    }
    std::fs::copy(project.join("me.pub"), kept.join("me.pub")).unwrap();
}

#[test]
fn the_readme_the_templates_and_the_tool_pin_the_same_versions() {
    for (language, folder, pin) in [
        ("JavaScript", "javascript", "componentize-qjs@0.4.5"),
        ("Python", "python", "componentize-py==0.25.1"),
    ] {
        assert!(readme::tools(language).contains(pin), "plugins/README.md: {pin}");
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../plugins/templates");
        let template = std::fs::read_to_string(templates.join(folder).join("README.md")).unwrap();
        assert!(template.contains(pin), "{folder}/README.md: {pin}");
        let desk = Desk::new();
        desk.plugin(&["new", "x", "--language", folder]).and_went_well();
        let said =
            desk.shell("cd x && PATH=$(dirname $(command -v flyball)) && flyball plugin build");
        let said = said.and_failed();
        assert!(said.contains(pin), "{said}");
    }
}
