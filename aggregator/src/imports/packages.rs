//! Packages of other formats: each source has a folder of its own below the operator's, and its
//! importer says what a package is. What it said is kept as long as the package is the same.

use super::folder::{self, Course, FolderError, Lecture, Resources};
use super::{Imports, ImportsError};
use crate::fleet::sessions::Target;
use crate::plugins::Ended;
use flyball_protocol::message::{
    CatalogEntry, Job, JobEvent, JobFailureKind, JobRequest, Part, PluginKind, PluginState,
};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) const MAX_KNOWN: u64 = 2_000;
/// Packages of one source; more are not listed.
const MAX_PACKAGES: usize = 500;
const DEADLINE_MS: u32 = 20_000;

/// A package as it lies there, and whether it was asked for its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    source: String,
    name: String,
    bytes: u64,
    changed: Option<SystemTime>,
    with_parts: bool,
}

fn stamps(folder: &Path, source: &str) -> Result<Vec<Stamp>, FolderError> {
    let own = folder.join(source);
    let names = folder::list(&own)?.into_iter().filter(|(_, kind)| kind.is_file() || kind.is_dir());
    let stamp = |(name, _): (String, _)| {
        let metadata = std::fs::symlink_metadata(own.join(&name)).ok()?;
        Some(Stamp {
            source: source.to_owned(),
            name,
            bytes: metadata.len(),
            changed: metadata.modified().ok(),
            with_parts: false,
        })
    };
    Ok(names.filter_map(stamp).take(MAX_PACKAGES).collect())
}

impl Imports {
    /// The courses of a source that its importer reads, by their packages' names.
    pub(super) async fn packages(&self, source: &str) -> Result<Vec<Course>, ImportsError> {
        let (folder, own) = (Arc::clone(&self.folder), source.to_owned());
        let listed = tokio::task::spawn_blocking(move || stamps(&folder, &own));
        let listed = listed.await.map_err(FolderError::Thread)??;
        let mut courses = Vec::new();
        for stamp in listed {
            if let Some(known) = self.known.get(&stamp) {
                courses.push((*known).clone());
                continue;
            }
            let course = self.peek(&stamp).await?;
            self.known.insert(stamp, Arc::new(course.clone()));
            courses.push(course);
        }
        Ok(courses)
    }

    /// What its importer says of a package; one that it can't read is shown with the reason.
    async fn peek(&self, stamp: &Stamp) -> Result<Course, ImportsError> {
        let bare = bare(&stamp.source, &stamp.name);
        let files = match folder::files(&self.folder, &bare).await {
            Ok(files) => files,
            Err(error @ (FolderError::Files | FolderError::Bytes | FolderError::Gone)) => {
                return Ok(Course { fault: Some(error.to_string()), ..bare });
            }
            Err(error) => return Err(error.into()),
        };
        let job = Job::Catalog { files, query: String::new(), page: 0 };
        let mut found = None;
        let asked = self.ask(&stamp.source, job, |event| {
            if let JobEvent::Entries { entries, .. } = event {
                found = entries.into_iter().next();
            }
        });
        if let Err(fault) = asked.await? {
            return Ok(Course { fault: Some(fault), ..bare });
        }
        Ok(match found {
            Some(entry) => told(bare, entry),
            None => {
                let fault = format!("{} is no package of {}", stamp.name, stamp.source);
                Course { fault: Some(fault), ..bare }
            }
        })
    }

    /// The same course with what it is made of.
    pub(super) async fn with_parts(
        &self,
        source: &str,
        course: Course,
    ) -> Result<Course, ImportsError> {
        let (folder, own) = (Arc::clone(&self.folder), source.to_owned());
        let listed = tokio::task::spawn_blocking(move || stamps(&folder, &own));
        let listed = listed.await.map_err(FolderError::Thread)??;
        let is_its = |stamp: &Stamp| course.name == format!("{source}/{}", stamp.name);
        let Some(stamp) = listed.into_iter().find(is_its) else { return Ok(course) };
        let stamp = Stamp { with_parts: true, ..stamp };
        if let Some(known) = self.known.get(&stamp) {
            return Ok((*known).clone());
        }
        let files = folder::files(&self.folder, &course).await?;
        let job = Job::Describe { files, item: course.id.clone() };
        let mut found = None;
        let asked = self.ask(source, job, |event| {
            if let JobEvent::Detail { entry, parts } = event {
                found = Some((entry, parts));
            }
        });
        if let Err(fault) = asked.await? {
            return Ok(Course { fault: Some(fault), ..course });
        }
        let Some((entry, parts)) = found else { return Ok(course) };
        let whole = told(course, entry);
        let whole = Course { lectures: parts.into_iter().map(lecture).collect(), ..whole };
        self.known.insert(stamp, Arc::new(whole.clone()));
        Ok(whole)
    }

    /// Has the source's importer do something, and hears what it says. What it can't do with these
    /// files is theirs, and the inner error; an importer that is not there is the outer one.
    async fn ask(
        &self,
        source: &str,
        job: Job,
        mut hear: impl FnMut(JobEvent),
    ) -> Result<Result<(), String>, ImportsError> {
        let failed = |reason: String| ImportsError::Importer { origin: source.into(), reason };
        let choices = self.plugins.choices().await?;
        let ready = self.sessions.plugins().into_iter().find(|(_, plugin)| {
            plugin.kind == PluginKind::Importer
                && plugin.state == PluginState::Ready
                && choices.is_enabled(&plugin.id)
                && plugin.handles.iter().any(|handle| handle == source)
        });
        let (device, plugin) =
            ready.ok_or_else(|| failed("no connected machine has it ready".into()))?;
        let since = self.plugins.stopwatch();
        let count = |ended| self.plugins.usage().count(&plugin.id, ended, since.elapsed());
        let order = JobRequest { deadline_ms: DEADLINE_MS, plugin: plugin.id.clone(), job };
        let events = self.sessions.run_job(Target::Device(device), order);
        let mut events = events.map_err(|error| failed(error.to_string()))?;
        while let Some(event) = events.next().await {
            match event {
                JobEvent::Failed(failure) if failure.kind == JobFailureKind::Unavailable => {
                    count(Ended::Failed);
                    return Err(failed(failure.message));
                }
                JobEvent::Failed(failure) => {
                    count(failure.kind.into());
                    return Ok(Err(failure.message));
                }
                event => hear(event),
            }
        }
        count(Ended::Done);
        Ok(Ok(()))
    }
}

fn bare(source: &str, name: &str) -> Course {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    Course {
        id: stem.to_owned(),
        title: stem.to_owned(),
        description: String::new(),
        instructor: String::new(),
        subject: String::new(),
        level: "medium".into(),
        language: "en".into(),
        duration_s: 0,
        licence: None,
        lectures: Vec::new(),
        features: Vec::new(),
        attribution: None,
        resources: Resources::default(),
        fault: None,
        name: format!("{source}/{name}"),
        is_package: true,
    }
}

fn told(bare: Course, entry: CatalogEntry) -> Course {
    let find = |name: &str| {
        let found = entry.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    let count = |name: &str| {
        find(&format!("resources.{name}")).and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let refused = find("can_import").is_some_and(|text| text == "false");
    let licence = find("licence");
    let fault = find("fault").or_else(|| match (&licence, refused) {
        (Some(licence), true) => Some(format!("the licence {licence} allows no derivatives")),
        (None, true) => Some("its importer says that it can't be imported".to_owned()),
        (_, false) => None,
    });
    Course {
        instructor: find("instructor").unwrap_or_default(),
        subject: find("subject").unwrap_or_default(),
        level: find("level").unwrap_or(bare.level),
        language: find("language").unwrap_or(bare.language),
        features: find("features")
            .map(|text| text.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
        attribution: find("attribution"),
        resources: Resources {
            assignments: count("assignments"),
            exams: count("exams"),
            reading_materials: count("reading_materials"),
        },
        fault,
        licence,
        id: entry.id,
        title: if entry.title.is_empty() { bare.title } else { entry.title },
        description: entry.description,
        ..bare
    }
}

fn lecture(part: Part) -> Lecture {
    let is = |name: &str| part.attributes.iter().any(|(key, value)| key == name && value == "true");
    let minutes = part.attributes.iter().find(|(key, _)| key == "duration_s");
    Lecture {
        duration_s: minutes.and_then(|(_, text)| text.parse().ok()).unwrap_or(0),
        has_transcript: is("has_transcript"),
        has_video: is("has_video"),
        has_notes: is("has_notes"),
        id: part.id,
        title: part.title,
    }
}
