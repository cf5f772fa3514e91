//! A case of a plugin's tests: what goes in, and what is to come out.
//!
//! A folder below `tests/` is one case. A renderer's holds `source.txt` (or `source.` and any
//! other ending) and, where the plain call is not meant, `request.json`. An importer's holds the
//! folder `files`. `settings.json` is what an operator has set, `outside.json` what the agent answers
//! where the plugin asks it. `expect.json` says what comes out, and a file `picture.svg` is the
//! whole picture.

mod expectation;
mod outcome;
pub(crate) mod script;

pub(crate) use expectation::Expectation;
pub(crate) use outcome::Seen;

use crate::project;
use anyhow::{Context as _, Result, bail, ensure};
use flyball_plugin_messages::{Attribute, Context, File, Manifest, Render, Request, World};
use script::Line;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a call has when the case does not say: the aggregator's own for renderers.
const DEADLINE_MS: u32 = 15_000;
const LONGEST_DEADLINE_MS: u32 = 600_000;
const MOST_CASES: usize = 1000;
const MOST_POLLS: u32 = 100;
/// A source or a file of an import.
const INPUT_BYTES: u64 = 32 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) request: Request,
    /// How often it is made, one after another; the last is looked at.
    pub(crate) times: u32,
    pub(crate) deadline_ms: u32,
    pub(crate) context: Context,
    pub(crate) script: Vec<Line>,
}

/// `request.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// The first that the plugin handles where it is absent.
    format: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    options: BTreeMap<String, String>,
    /// The course of an import.
    course: Option<String>,
    selection: Vec<String>,
    deadline_ms: Option<u32>,
    /// Of a collector's session; one where it is absent.
    polls: Option<u32>,
    /// Of randomness.
    seed: Option<u64>,
}

/// Every case of the project, by name.
pub(crate) fn all(tests: &Path, manifest: &Manifest, world: World) -> Result<Vec<Case>> {
    let entries = std::fs::read_dir(tests)
        .with_context(|| format!("{} can't be read; a case is a folder in it", tests.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let folder = entry?.path();
        if folder.is_dir() {
            folders.push(folder);
        }
    }
    folders.sort();
    ensure!(!folders.is_empty(), "{} holds no case; a case is a folder in it", tests.display());
    ensure!(
        folders.len() <= MOST_CASES,
        "{} holds {} cases, at most {MOST_CASES} are run",
        tests.display(),
        folders.len()
    );
    folders.into_iter().map(|folder| Case::read(folder, manifest, world)).collect()
}

impl Case {
    fn read(folder: PathBuf, manifest: &Manifest, world: World) -> Result<Self> {
        let asked: Asked = json(&folder.join("request.json"))?.unwrap_or_default();
        let deadline_ms = asked.deadline_ms.unwrap_or(DEADLINE_MS);
        ensure!(
            (1..=LONGEST_DEADLINE_MS).contains(&deadline_ms),
            "{}: deadline_ms is {deadline_ms}, 1 to {LONGEST_DEADLINE_MS} are allowed",
            folder.display()
        );
        let times = asked.polls.unwrap_or(1);
        ensure!(
            (1..=MOST_POLLS).contains(&times) && (times == 1 || world == World::Collector),
            "{}: polls is {times}; a collector's are 1 to {MOST_POLLS}, others have none",
            folder.display()
        );
        let settings: serde_json::Map<String, serde_json::Value> =
            json(&folder.join("settings.json"))?.unwrap_or_default();
        let settings = settings.into_iter().map(|(key, value)| (key, value.to_string())).collect();
        let context = Context { settings, seed: asked.seed };
        let script = script::read(&folder)?;
        let options =
            asked.options.into_iter().map(|(key, value)| Attribute { key, value }).collect();
        let request = match world {
            World::Renderer => Request::Render(Render {
                format: match asked.format.or_else(|| manifest.handles.first().cloned()) {
                    Some(format) => format,
                    None => bail!("the plugin handles no format"),
                },
                source: source(&folder)?,
                width: asked.width,
                height: asked.height,
                options,
            }),
            World::Importer => Request::Import {
                files: files(&folder.join("files"))?,
                id: asked.course.with_context(|| {
                    format!("{}/request.json names no course", folder.display())
                })?,
                selection: asked.selection,
                switches: options,
            },
            World::Collector => Request::Poll,
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, folder, request, times, deadline_ms, context, script })
    }

    /// What the validation of the same source would be asked; an import has none.
    pub(crate) fn validation(&self) -> Option<Request> {
        match &self.request {
            Request::Render(render) => Some(Request::Validate {
                format: render.format.clone(),
                source: render.source.clone(),
            }),
            _ => None,
        }
    }

    pub(crate) fn expectation(&self) -> Result<Option<Expectation>> {
        json(&self.folder.join(expectation::FILE))
    }
}

/// `None` where there is no such file.
fn json<T: serde::de::DeserializeOwned>(file: &Path) -> Result<Option<T>> {
    if !file.exists() {
        return Ok(None);
    }
    let text = text(file)?;
    serde_json::from_str(&text)
        .map(Some)
        .with_context(|| format!("{} is not right", file.display()))
}

fn source(folder: &Path) -> Result<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && path.file_stem().is_some_and(|stem| stem == "source") {
            found.push(path);
        }
    }
    match &found[..] {
        [one] => text(one),
        [] => bail!("{} has no source.txt", folder.display()),
        [..] => bail!("{} has {} sources, keep one", folder.display(), found.len()),
    }
}

fn text(file: &Path) -> Result<String> {
    let bytes = bounded(file)?;
    String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", file.display()))
}

fn bounded(file: &Path) -> Result<Vec<u8>> {
    let size = file.metadata().with_context(|| format!("{} can't be read", file.display()))?.len();
    ensure!(size <= INPUT_BYTES, "{} has {size} bytes, at most {INPUT_BYTES} fit", file.display());
    project::read(file)
}

/// Everything below `folder`, as an import is given it.
fn files(folder: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(place) = open.pop() {
        let entries = std::fs::read_dir(&place)
            .with_context(|| format!("{} can't be read", place.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let inner = path.strip_prefix(folder).unwrap_or(&path);
            files.push(File { path: inner.display().to_string(), bytes: bounded(&path)? });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let bytes: u64 = files.iter().map(|file| file.bytes.len() as u64).sum();
    ensure!(bytes <= INPUT_BYTES, "{} holds {bytes} bytes, {INPUT_BYTES} fit", folder.display());
    Ok(files)
}
