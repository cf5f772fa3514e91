//! The engine and what it is built on as a workspace of their own, with all tests in one
//! program beside the code: a changed line is compiled again with little else.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use toml::{Table, Value};

pub(super) const SOURCE: &str = "agent/safety/src";
const CRATES: [&str; 2] = ["agent/safety", "agent/units"];
/// Modules of `tests/it` that take seconds.
const LONG: [&str; 6] = ["allocation", "exhaustive", "invariants", "long", "storm", "storms"];
/// The tests reach the engine by the name that it has outside.
const TESTS: &str = "
#[cfg(test)]
extern crate self as flyball_safety;
#[cfg(test)]
#[path = \"../tests/it.rs\"]
mod doors;
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tests {
    Quick,
    All,
}

/// Makes the copy anew.
pub(super) fn make(root: &Path, copy: &Path, tests: Tests) -> Result<()> {
    for name in CRATES {
        let target = copy.join(name);
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        copy_folder(&root.join(name), &target)
            .with_context(|| format!("{name} can't be copied to {}", copy.display()))?;
    }
    fs::copy(root.join("Cargo.lock"), copy.join("Cargo.lock"))?;
    edit(&root.join("Cargo.toml"), &copy.join("Cargo.toml"), |text| workspace(&text))?;
    let manifest = copy.join("agent/safety/Cargo.toml");
    edit(&manifest, &manifest, |text| {
        Ok(text.replace("[package]\n", "[package]\nautotests = false\n"))
    })?;
    let library = copy.join(SOURCE).join("lib.rs");
    edit(&library, &library, |text| Ok(with_tests(&text)))?;
    if tests == Tests::Quick {
        let list = copy.join("agent/safety/tests/it.rs");
        edit(&list, &list, |text| Ok(quick(&text)))?;
    }
    Ok(())
}

fn edit(from: &Path, to: &Path, change: impl Fn(String) -> Result<String>) -> Result<()> {
    let text = fs::read_to_string(from).with_context(|| format!("{}", from.display()))?;
    fs::write(to, change(text)?).with_context(|| format!("{}", to.display()))
}

/// The same versions and rules with two members, and without what only debuggers need.
fn workspace(text: &str) -> Result<String> {
    let mut manifest: Table = text.parse().context("Cargo.toml does not parse")?;
    if let Some(workspace) = manifest.get_mut("workspace").and_then(Value::as_table_mut) {
        let members = CRATES.map(|name| Value::String(name.to_owned()));
        workspace.insert("members".to_owned(), Value::Array(members.to_vec()));
        workspace.remove("exclude");
    }
    let mut profile = Table::new();
    profile.insert("debug".to_owned(), Value::Boolean(false));
    let profiles = Table::from_iter([("dev".to_owned(), Value::Table(profile))]);
    manifest.insert("profile".to_owned(), Value::Table(profiles));
    Ok(manifest.to_string())
}

/// The tests use the standard library, which the engine itself does not.
fn with_tests(library: &str) -> String {
    library.replace("#![no_std]\n", "").replace("#![forbid(unsafe_code)]\n", "") + TESTS
}

fn quick(list: &str) -> String {
    let long = |line: &str| LONG.iter().any(|name| line.trim() == format!("mod {name};"));
    list.lines().filter(|line| !long(line)).flat_map(|line| [line, "\n"]).collect()
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_has_two_members_and_the_quick_one_none_of_the_long_tests() {
        let root = crate::workspace::root().unwrap();
        let folder = tempfile::tempdir().unwrap();
        make(&root, folder.path(), Tests::Quick).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let manifest: Table = read("Cargo.toml").parse().unwrap();
        let members = manifest["workspace"]["members"].as_array().unwrap();
        assert_eq!(members.len(), CRATES.len());
        assert!(read("agent/safety/Cargo.toml").contains("autotests = false"));
        assert!(!read("agent/safety/src/lib.rs").contains("no_std]"));
        let original = fs::read_to_string(root.join("agent/safety/tests/it.rs")).unwrap();
        let left_out = original.lines().count() - read("agent/safety/tests/it.rs").lines().count();
        assert_eq!(left_out, LONG.len(), "each of them is there, and named as it is here");
        make(&root, folder.path(), Tests::All).unwrap();
        assert_eq!(read("agent/safety/tests/it.rs"), original);
    }
}
