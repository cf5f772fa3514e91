//! Beginning and building, where something is not as it should be.

use crate::desk::Desk;

#[test]
fn a_folder_that_exists_is_left_alone() {
    let desk = Desk::new();
    desk.write("bars/mine.txt", "mine");
    let said = desk.plugin(&["new", "bars", "--language", "c"]).and_failed();
    assert!(said.contains("bars exists already"), "{said}");
    assert_eq!(std::fs::read_dir(desk.path().join("bars")).unwrap().count(), 1);
}

#[test]
fn a_name_that_is_a_path_makes_nothing() {
    let desk = Desk::new();
    let said = desk.plugin(&["new", "../bars", "--language", "c"]).and_failed();
    assert!(said.contains("a-z, 0-9 and `-`"), "{said}");
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_without_a_project_is_told_what_one_holds() {
    let desk = Desk::new();
    let said = desk.plugin(&["build"]).and_failed();
    assert!(said.contains("Cargo.toml") && said.contains("flyball plugin new"), "{said}");
}

#[test]
fn a_project_of_two_languages_is_asked_for_one() {
    let desk = Desk::new();
    desk.write("plugin.js", "");
    desk.write("plugin.c", "");
    let said = desk.plugin(&["build"]).and_failed();
    assert!(said.contains("plugin.js and plugin.c"), "{said}");
}

#[test]
fn a_plugin_is_named_everywhere_in_its_project() {
    let desk = Desk::new();
    for language in ["rust", "javascript", "python", "c"] {
        desk.plugin(&["new", language, "--language", language]).and_went_well();
        let said = desk.shell(&format!("grep -rl plugin-name {language} || true")).and_went_well();
        assert_eq!(said, "", "{language}");
    }
}
