//! `new`: a project from a template, with everything that it needs beside the language's tools.

use crate::language::Language;
use crate::project;
use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use rust_embed::RustEmbed;
use std::path::{Path, PathBuf};

/// What the templates call the plugin.
const PLACEHOLDER: &str = "plugin-name";

#[derive(RustEmbed)]
#[folder = "../../../plugins/templates/rust"]
struct Rust;
#[derive(RustEmbed)]
#[folder = "../../../plugins/templates/rust-importer"]
struct RustImporter;
#[derive(RustEmbed)]
#[folder = "../../../plugins/templates/rust-collector"]
struct RustCollector;
#[derive(RustEmbed)]
#[folder = "../../../plugins/templates/javascript"]
struct Javascript;
#[derive(RustEmbed)]
#[folder = "../../../plugins/templates/python"]
struct Python;
#[derive(RustEmbed)]
#[folder = "../../../plugins/templates/c"]
struct C;
#[derive(RustEmbed)]
#[folder = "../../../plugins/sdk"]
struct Sdk;
#[derive(RustEmbed)]
#[folder = "../../../wit"]
struct Wit;

/// The guests' own workspace, which the SDK takes its edition and lints from.
const GUESTS_WORKSPACE: &str = include_str!("../../../../plugins/Cargo.toml");
/// The version of the interface that a project without the SDK is built against.
const WIT_VERSION: &str = "0.2";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Renderer,
    Importer,
    Collector,
}

impl Kind {
    /// What a plugin of the name is.
    fn of(self, name: &str) -> String {
        match self {
            Self::Renderer => format!("{name} is a renderer of the format `{name}`"),
            Self::Importer => format!("{name} is an importer of the source `{name}`"),
            Self::Collector => format!("{name} is a collector"),
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The plugin's id and format, and its folder: a-z, 0-9 and `-`
    name: String,
    #[arg(long)]
    language: Language,
    #[arg(long, default_value = "renderer")]
    kind: Kind,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    check_name(&options.name)?;
    let folder = PathBuf::from(&options.name);
    ensure!(!folder.exists(), "{} exists already; choose another name", folder.display());
    for (path, bytes) in files(options.language, options.kind)? {
        let bytes = named(bytes, &options.name);
        let file = folder.join(path);
        project::make_folder(file.parent().unwrap_or(&folder))?;
        project::write(&file, &bytes)?;
    }
    println!("{}. Next:\n", options.kind.of(&options.name));
    println!("    cd {}", options.name);
    println!("    flyball plugin build\n    flyball plugin test\n");
    println!("{}/README.md says what build needs and what the files are.", options.name);
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    let letter = |b: u8| b.is_ascii_lowercase();
    let sound = name.bytes().next().is_some_and(letter)
        && name.len() <= 48
        && name.bytes().all(|b| letter(b) || b.is_ascii_digit() || b == b'-')
        && !name.ends_with('-');
    ensure!(sound, "{name:?} is no name for a plugin: 1 to 48 of a-z, 0-9 and `-`, a letter first");
    ensure!(
        !["build", "core", "flyball-plugin", "std", "test"].contains(&name),
        "{name:?} is taken by Rust or by the SDK; choose another name"
    );
    Ok(())
}

type Files = Vec<(PathBuf, Vec<u8>)>;

fn files(language: Language, kind: Kind) -> Result<Files> {
    let mut files = match (language, kind) {
        (Language::Rust, Kind::Renderer) => embedded::<Rust>("", |_| true),
        (Language::Rust, Kind::Importer) => embedded::<RustImporter>("", |_| true),
        (Language::Rust, Kind::Collector) => embedded::<RustCollector>("", |_| true),
        (Language::Javascript, Kind::Renderer) => embedded::<Javascript>("", |_| true),
        (Language::Python, Kind::Renderer) => embedded::<Python>("", |_| true),
        (Language::C, Kind::Renderer) => embedded::<C>("", |_| true),
        (_, Kind::Importer | Kind::Collector) => {
            bail!("importers and collectors are begun in Rust: take --language rust")
        }
    };
    match language {
        Language::Rust => {
            files.extend(embedded::<Sdk>("flyball/plugins/sdk", |_| true));
            files.extend(embedded::<Wit>("flyball/wit", |_| true));
            files.push(("flyball/plugins/Cargo.toml".into(), sdk_workspace()?.into_bytes()));
        }
        Language::Javascript | Language::Python | Language::C => {
            let prefix = format!("{WIT_VERSION}/");
            let wit = embedded::<Wit>("", |path| path.starts_with(&prefix));
            files.extend(wit.into_iter().map(|(path, bytes)| {
                let inner = path.strip_prefix(WIT_VERSION).unwrap_or(&path);
                (Path::new("wit").join(inner), bytes)
            }));
        }
    }
    if files.is_empty() {
        bail!("this build of flyball has no templates in it");
    }
    Ok(files)
}

fn embedded<E: RustEmbed>(below: &str, wanted: impl Fn(&str) -> bool) -> Files {
    E::iter()
        .filter(|path| wanted(path))
        .filter_map(|path| {
            let file = E::get(&path)?;
            Some((Path::new(below).join(&*path), file.data.into_owned()))
        })
        .collect()
}

/// A workspace around the SDK alone, with what the SDK inherits.
fn sdk_workspace() -> Result<String> {
    let guests: toml::Table =
        GUESTS_WORKSPACE.parse().context("the embedded plugins/Cargo.toml is no TOML")?;
    let mut workspace = toml::Table::new();
    workspace.insert("resolver".into(), "3".into());
    workspace.insert("members".into(), vec!["sdk"].into());
    for inherited in ["package", "lints"] {
        let value = guests.get("workspace").and_then(|guests| guests.get(inherited));
        let value = value.context("the embedded plugins/Cargo.toml has no workspace")?;
        workspace.insert(inherited.into(), value.clone());
    }
    let mut manifest = toml::Table::new();
    manifest.insert("workspace".into(), workspace.into());
    Ok(toml::to_string(&manifest)?)
}

/// Files that are no text are left as they are.
fn named(bytes: Vec<u8>, name: &str) -> Vec<u8> {
    match String::from_utf8(bytes) {
        Ok(text) => text.replace(PLACEHOLDER, name).into_bytes(),
        Err(binary) => binary.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_of_cargo_npm_and_the_host_alike() {
        for sound in ["bars", "b", "bar-chart-2"] {
            assert!(check_name(sound).is_ok(), "{sound}");
        }
        for wrong in ["", "Bars", "2d", "-x", "x-", "a b", "../x", "a_b", "std", &"x".repeat(49)] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_template_has_its_sources_its_interface_its_cases_and_a_readme() {
        for language in Language::value_variants() {
            let files = files(*language, Kind::Renderer).unwrap();
            let has = |end: &str| files.iter().any(|(path, _)| path.ends_with(end));
            for end in ["README.md", "tests/three-bars/expect.json", "renderer.wit"] {
                assert!(has(end), "{language:?}: {end}");
            }
        }
    }

    #[test]
    fn importers_and_collectors_are_begun_in_rust_and_other_languages_say_so() {
        for (kind, case) in
            [(Kind::Importer, "tests/two-files"), (Kind::Collector, "tests/two-lines")]
        {
            let files = files(Language::Rust, kind).unwrap();
            let expected = Path::new(case).join("expect.json");
            assert!(files.iter().any(|(path, _)| *path == expected), "{kind:?}");
            let refused = super::files(Language::C, kind).unwrap_err().to_string();
            assert!(refused.contains("--language rust"), "{refused}");
        }
    }

    #[test]
    fn the_sdk_finds_what_it_inherits() {
        let manifest: toml::Table = sdk_workspace().unwrap().parse().unwrap();
        assert!(manifest["workspace"]["package"]["edition"].is_str());
        assert!(manifest["workspace"]["lints"]["rust"].is_table());
    }
}
