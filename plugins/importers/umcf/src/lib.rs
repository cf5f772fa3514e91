//! UMCF documents, plain and packed, and folders of Markdown, to UMCF.
//!
//! A UMCF document goes through unchanged, unknown keys and all, except for what the caller's
//! selection and switches leave out. A Markdown folder becomes a new document. Nothing here
//! invents content: what is not in the files is not in the result.

mod course;
mod document;
mod gzip;
mod markdown;
mod switches;

use course::{Course, Source};
use document::Document;
use flyball_plugin::{
    Attribute, Detail, Entry, Error, ErrorKind, Importer, Item, Job, Level, Manifest, Page, Part,
    Progress, Step, files, log,
};
use std::collections::VecDeque;
use switches::Switches;

const PAGE: usize = 50;
const MEDIA_TYPE: &str = "application/umcf+json";

struct Umcf;
flyball_plugin::importer!(Umcf);

impl Importer for Umcf {
    type Job = Import;

    fn describe() -> Manifest {
        Manifest {
            id: "umcf".into(),
            name: "UMCF and Markdown".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "UMCF documents (.umcf, .umcfz, .json) and folders of Markdown".into(),
            handles: vec!["umcf".into(), "markdown".into()],
            attributes: vec![Attribute::new("switches", switches::KNOWN.join(" "))],
        }
    }

    fn catalog(query: &str, page: u32) -> Result<Page, Error> {
        let query = query.to_lowercase();
        let mut matching = Vec::new();
        for course in courses() {
            let listed = match document(&course) {
                Ok(document) => listed(&course, &document),
                Err(fault) => broken(&course, &fault),
            };
            let text = format!("{} {} {}", listed.id, listed.title, listed.description);
            if text.to_lowercase().contains(&query) {
                matching.push(listed);
            }
        }
        let total = u32::try_from(matching.len()).unwrap_or(u32::MAX);
        let skipped = (page as usize).saturating_mul(PAGE);
        Ok(Page { courses: matching.into_iter().skip(skipped).take(PAGE).collect(), total })
    }

    fn describe_course(id: &str) -> Result<Detail, Error> {
        let course = find(id)?;
        let document = document(&course)?;
        let part = |topic: document::Topic| Part {
            id: topic.id,
            title: topic.title,
            attributes: Vec::new(),
        };
        let parts = document.topics().into_iter().map(part).collect();
        Ok(Detail { course: listed(&course, &document), parts })
    }

    fn start(id: &str, selection: &[String], switches: &[Attribute]) -> Result<Import, Error> {
        let pairs = switches.iter().map(|switch| (switch.key.as_str(), switch.value.as_str()));
        Ok(Import {
            course: find(id)?,
            selection: selection.to_vec(),
            switches: Switches::parse(pairs),
            items: VecDeque::new(),
            stage: Stage::Read,
        })
    }
}

/// One import on its way.
struct Import {
    course: Course,
    selection: Vec<String>,
    switches: Switches,
    items: VecDeque<Item>,
    stage: Stage,
}

enum Stage {
    Read,
    Give { total: u64 },
    Done,
}

impl Job for Import {
    fn next(&mut self) -> Result<Step, Error> {
        match self.stage {
            Stage::Read => {
                let total = self.read()?;
                self.stage = Stage::Give { total };
                Ok(progress(0, total, "read"))
            }
            Stage::Give { total } => match self.items.pop_front() {
                Some(item) => Ok(Step::Item(item)),
                None => {
                    self.stage = Stage::Done;
                    Ok(progress(total, total, "given"))
                }
            },
            Stage::Done => Ok(Step::Done),
        }
    }
}

impl Import {
    fn read(&mut self) -> Result<u64, Error> {
        let mut document = document(&self.course)?;
        if let Some(licence) = document.no_derivatives() {
            let message =
                format!("the licence `{licence}` allows no derived work, such as an import");
            return Err(Error::new(ErrorKind::Denied, message));
        }
        for warning in document.warnings() {
            log(Level::Warn, &format!("{}: {warning}", self.course.id));
        }
        if let Some(ignored) = self.switches.ignored() {
            log(Level::Warn, &format!("switches that this importer does not know: {ignored}"));
        }
        document.select(&self.selection).map_err(|unknown| {
            let message = format!("the course has no part `{unknown}`");
            Error::new(ErrorKind::InvalidInput, message)
        })?;
        self.switches.apply(&mut document);
        let warnings = document.warnings().join("\n");
        self.items.push_back(Item {
            id: self.course.id.clone(),
            title: document.title(),
            media_type: MEDIA_TYPE.into(),
            data: document.to_bytes(),
            attributes: vec![Attribute::new("warnings", warnings)],
        });
        for asset in document.into_assets() {
            self.items.push_back(Item {
                title: asset.id.clone(),
                id: asset.id,
                media_type: asset.media_type.into(),
                data: asset.bytes,
                attributes: vec![Attribute::new("document", self.course.id.clone())],
            });
        }
        Ok(self.items.len() as u64)
    }
}

fn progress(done: u64, total: u64, note: &str) -> Step {
    Step::Progress(Progress { done, total: Some(total), note: note.into() })
}

fn courses() -> Vec<Course> {
    course::courses(files::list().into_iter().map(|Entry { path, .. }| path).collect())
}

fn find(id: &str) -> Result<Course, Error> {
    let known = courses();
    course::find(known, id).ok_or_else(|| {
        Error::new(ErrorKind::InvalidInput, format!("there is no course `{id}` in these files"))
    })
}

fn document(course: &Course) -> Result<Document, Error> {
    let fault = |path: &str, fault: document::Fault| {
        let place = fault.diagnostic();
        Error::invalid(format!("{path}: {fault}"), vec![place])
    };
    match &course.source {
        Source::Document(path) => {
            document::read(path, &files::read(path)?).map_err(|wrong| fault(path, wrong))
        }
        Source::Markdown(paths) => {
            let read = |path: &String| Ok((path.clone(), files::read(path)?));
            let texts = paths.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
            markdown::document(&course.id, &texts).map_err(|wrong| fault(&course.id, wrong))
        }
    }
}

fn listed(course: &Course, document: &Document) -> flyball_plugin::Course {
    flyball_plugin::Course {
        id: course.id.clone(),
        title: document.title(),
        description: document.description(),
        attributes: vec![
            Attribute::new("source", course.source.name()),
            Attribute::new("topic_count", document.topics().len().to_string()),
            Attribute::new("warnings", document.warnings().len().to_string()),
        ],
    }
}

/// A file that can't be imported is shown with its reason rather than hidden.
fn broken(course: &Course, fault: &Error) -> flyball_plugin::Course {
    flyball_plugin::Course {
        id: course.id.clone(),
        title: course.id.clone(),
        description: String::new(),
        attributes: vec![
            Attribute::new("source", course.source.name()),
            Attribute::new("fault", fault.message.clone()),
        ],
    }
}
