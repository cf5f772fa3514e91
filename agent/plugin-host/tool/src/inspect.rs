//! `inspect`: everything that a component says of itself, and what it is signed with.

use crate::anatomy::{Anatomy, CustomSections};
use crate::project::{self, Component};
use crate::sandbox::{Meter, compile};
use crate::say;
use crate::signature::{self, Beside};
use anyhow::{Context as _, Result};
use flyball_plugin_messages::Manifest;
use serde::Serialize;
use serde_json::Value;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    component: Component,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What a plugin is, in the words of the API.
#[derive(Debug, Serialize)]
pub(crate) struct Description {
    pub(crate) id: String,
    name: String,
    pub(crate) version: String,
    author: String,
    licence: String,
    description: String,
    handles: Vec<String>,
    world: &'static str,
    wit: String,
    imports: Vec<String>,
    wants: Vec<String>,
    settings_schema: Option<Value>,
    attributes: Vec<(String, String)>,
    bytes: u64,
    pub(crate) sha256: String,
}

impl Description {
    pub(crate) fn of(component: &[u8], anatomy: &Anatomy, manifest: &Manifest) -> Result<Self> {
        let others = manifest.attributes.iter().filter(|one| one.key != WANTS && one.key != SCHEMA);
        Ok(Self {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            author: manifest.author.clone(),
            licence: manifest.licence.clone(),
            description: manifest.description.clone(),
            handles: manifest.handles.clone(),
            world: anatomy.world_name(),
            wit: anatomy.wit.clone(),
            imports: anatomy.imports.clone(),
            wants: wants(manifest),
            settings_schema: settings_schema(manifest)?,
            attributes: others.map(|one| (one.key.clone(), one.value.clone())).collect(),
            bytes: component.len() as u64,
            sha256: project::sha256(component),
        })
    }
}

/// The manifest's keys that have a meaning of their own.
const WANTS: &str = "wants";
const SCHEMA: &str = "settings-schema";

pub(crate) fn wants(manifest: &Manifest) -> Vec<String> {
    let wants = manifest.attributes.iter().filter(|one| one.key == WANTS);
    wants.map(|one| one.value.clone()).collect()
}

fn settings_schema(manifest: &Manifest) -> Result<Option<Value>> {
    let schema = manifest.attributes.iter().find(|one| one.key == SCHEMA);
    schema
        .map(|schema| serde_json::from_str(&schema.value))
        .transpose()
        .context("the manifest's settings-schema is no JSON")
}

#[derive(Serialize)]
struct Inspection {
    #[serde(flatten)]
    description: Description,
    exports: Vec<String>,
    core_modules: usize,
    custom_sections: Vec<CustomSections>,
    signature: Option<Beside>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let file = &options.component.file;
    let bytes = project::read(file)?;
    let anatomy = Anatomy::of(&bytes)?;
    let compiled = compile(&bytes, Meter::Off)?;
    let inspection = Inspection {
        description: Description::of(&bytes, &anatomy, &compiled.manifest)?,
        signature: signature::beside(file)?,
        exports: anatomy.exports,
        core_modules: anatomy.core_modules,
        custom_sections: anatomy.custom_sections,
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&inspection)?);
    } else {
        print(&inspection);
    }
    Ok(())
}

fn print(inspection: &Inspection) {
    let it = &inspection.description;
    let line = |name: &str, value: &str| {
        println!("{name:<16} {}", say::plain(value).replace('\n', " "));
    };
    let list = |name: &str, values: &[String]| match values {
        [] => line(name, "nothing"),
        _ => line(name, &values.join(", ")),
    };
    line("plugin", &format!("{} {} ({})", it.id, it.version, it.name));
    line("by", &format!("{}, {}", it.author, it.licence));
    line("what", &it.description);
    line("world", &format!("{} of {}", it.world, it.wit));
    list("handles", &it.handles);
    list("imports", &it.imports);
    list("exports", &inspection.exports);
    list("wants", &it.wants);
    match &it.settings_schema {
        Some(schema) => line("settings", &schema.to_string()),
        None => line("settings", "none"),
    }
    for (key, value) in &it.attributes {
        line("attribute", &format!("{key}: {value}"));
    }
    line("size", &format!("{} bytes, {} core modules", it.bytes, inspection.core_modules));
    line("sha256", &it.sha256);
    for section in &inspection.custom_sections {
        let CustomSections { name, count, bytes } = section;
        line("custom section", &format!("{name}: {bytes} bytes in {count}"));
    }
    match &inspection.signature {
        Some(beside) => {
            line("signature", &format!("{}, key {}, not checked", beside.file, beside.key_id));
            line("", &beside.trusted_comment);
        }
        None => line("signature", "none beside it"),
    }
}
