//! Keys, signatures and packages.

use crate::desk::{Desk, component, is_there};
use std::os::unix::fs::PermissionsExt as _;

const PACKED: &str = "build/misbehaving-0.1.0.wasm";

/// A packed plugin.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("build/plugin.wasm", component("misbehaving"));
    desk.plugin(&["pack"]).and_went_well();
    desk
}

fn signed() -> Desk {
    let desk = desk();
    desk.plugin(&["keygen", "me", "--no-password"]).and_went_well();
    desk.plugin(&["sign", PACKED, "--key", "me.key"]).and_went_well();
    desk
}

#[test]
fn a_package_is_named_by_id_and_version_and_described_beside() {
    let desk = desk();
    let described = desk.text("build/misbehaving-0.1.0.json");
    let described: serde_json::Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["id"], "misbehaving");
    assert_eq!(described["world"], "renderer");
    assert_eq!(described["bytes"], desk.read(PACKED).len());
    let said = desk.plugin(&["inspect", PACKED, "--json"]).and_went_well();
    let inspected: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(inspected["sha256"], described["sha256"]);
    assert_eq!(inspected["signature"], serde_json::Value::Null);
    let sections = inspected["custom_sections"].as_array().unwrap();
    assert!(sections.iter().all(|section| section["name"] != "name"), "{sections:?}");
}

#[test]
fn a_secret_key_is_its_owners_alone_and_is_not_replaced() {
    let desk = signed();
    let mode = desk.path().join("me.key").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = desk.text("me.key");
    let said = desk.plugin(&["keygen", "me", "--no-password"]).and_failed();
    assert!(said.contains("me.key exists already"), "{said}");
    assert_eq!(desk.text("me.key"), before);
}

#[test]
fn a_signature_holds_for_one_component_and_one_key() {
    let desk = signed();
    let key = desk.text("me.pub").lines().nth(1).unwrap().to_owned();
    desk.plugin(&["verify", PACKED, "--public", &key]).and_went_well();
    desk.plugin(&["keygen", "other", "--no-password"]).and_went_well();
    let said = desk.plugin(&["verify", PACKED, "--public", "other.pub"]).and_failed();
    assert!(said.contains("is not signed with this key"), "{said}");
    let mut changed = desk.read(PACKED);
    *changed.last_mut().unwrap() ^= 1;
    desk.write(PACKED, changed);
    let said = desk.plugin(&["verify", PACKED, "--public", "me.pub"]).and_failed();
    assert!(said.contains("is not signed with this key"), "{said}");
}

#[test]
fn a_good_signature_that_names_another_plugin_is_refused() {
    if !is_there("minisign") {
        eprintln!("SKIPPED: minisign is missing; `cargo xtask test` installs it");
        return;
    }
    let desk = signed();
    let words = "id=misbehaving version=0.1.0 sha256=00";
    desk.shell(&format!("minisign -S -W -s me.key -m {PACKED} -t '{words}'")).and_went_well();
    let said = desk.plugin(&["verify", PACKED, "--public", "me.pub"]).and_failed();
    assert!(said.contains("names another plugin: id=misbehaving"), "{said}");
}

#[test]
fn a_component_that_was_changed_after_packing_is_not_signed() {
    let desk = desk();
    desk.plugin(&["keygen", "me", "--no-password"]).and_went_well();
    let mut changed = desk.read(PACKED);
    // One more custom section: a component still, and another one.
    changed.extend([0, 2, 1, b'x']);
    desk.write(PACKED, changed);
    let said = desk.plugin(&["sign", PACKED, "--key", "me.key"]).and_failed();
    assert!(said.contains("pack it again"), "{said}");
}

#[test]
fn a_locked_key_opens_with_its_password_alone() {
    let desk = desk();
    desk.write("password", "correct horse\n");
    desk.write("wrong", "battery staple\n");
    let with = |file| ["--password-file", file];
    desk.plugin(&[&["keygen", "me"][..], &with("password")].concat()).and_went_well();
    let sign = ["sign", PACKED, "--key", "me.key"];
    let said = desk.plugin(&[&sign[..], &with("wrong")].concat()).and_failed();
    assert!(said.contains("me.key can't be opened"), "{said}");
    let said = desk.plugin(&[&sign[..], &["--no-password"]].concat()).and_failed();
    assert!(said.contains("me.key can't be opened"), "{said}");
    desk.plugin(&[&sign[..], &with("password")].concat()).and_went_well();
    desk.plugin(&["verify", PACKED, "--public", "me.pub"]).and_went_well();
}
