//! A course of a folder's text files: a topic for each, a segment for each paragraph.

use flyball_plugin::{
    Attribute, Course, Detail, Error, ErrorKind, Importer, Item, Job, Manifest, Page, Part,
    Progress, Step, files,
};
use serde_json::{Value, json};
use std::collections::VecDeque;

struct Texts;
flyball_plugin::importer!(Texts);

/// The only course of a folder.
const COURSE: &str = "texts";

fn texts() -> Vec<String> {
    let mut paths: Vec<String> = files::list().into_iter().map(|file| file.path).collect();
    paths.retain(|path| path.ends_with(".txt"));
    paths.sort();
    paths
}

fn course() -> Course {
    Course {
        id: COURSE.into(),
        title: "Texts".into(),
        description: "Every text of the folder".into(),
        attributes: Vec::new(),
    }
}

impl Importer for Texts {
    type Job = Import;

    fn describe() -> Manifest {
        Manifest {
            id: "plugin-name".into(),
            name: "plugin-name".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "You".into(),
            licence: "MIT".into(),
            description: "A course of text files".into(),
            handles: vec!["plugin-name".into()],
            attributes: Vec::new(),
        }
    }

    fn catalog(query: &str, page: u32) -> Result<Page, Error> {
        let found = page == 0 && !texts().is_empty() && "texts".contains(&query.to_lowercase());
        let courses: Vec<Course> = found.then(course).into_iter().collect();
        Ok(Page { total: courses.len() as u32, courses })
    }

    fn describe_course(_id: &str) -> Result<Detail, Error> {
        let part = |path: String| Part {
            id: path.clone(),
            title: path,
            attributes: Vec::new(),
        };
        Ok(Detail { course: course(), parts: texts().into_iter().map(part).collect() })
    }

    fn start(_id: &str, selection: &[String], _: &[Attribute]) -> Result<Import, Error> {
        let mut left: VecDeque<String> = texts().into();
        left.retain(|path| selection.is_empty() || selection.contains(path));
        if left.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "there is no text file in it"));
        }
        Ok(Import { total: left.len() as u64, left, topics: Vec::new(), done: false })
    }
}

/// One file in each step: between two of them the host may end the import.
struct Import {
    left: VecDeque<String>,
    total: u64,
    topics: Vec<Value>,
    done: bool,
}

impl Job for Import {
    fn next(&mut self) -> Result<Step, Error> {
        let Some(path) = self.left.pop_front() else {
            if std::mem::replace(&mut self.done, true) {
                return Ok(Step::Done);
            }
            return Ok(Step::Item(document(std::mem::take(&mut self.topics))));
        };
        let text = String::from_utf8_lossy(&files::read(&path)?).into_owned();
        self.topics.push(topic(self.topics.len(), &path, &text));
        let done = self.topics.len() as u64;
        Ok(Step::Progress(Progress { done, total: Some(self.total), note: path }))
    }
}

fn topic(number: usize, path: &str, text: &str) -> Value {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|one| !one.is_empty());
    let segment = |(number, text): (usize, &str)| {
        json!({ "id": format!("segment-{number}"), "type": "explanation", "content": text })
    };
    json!({
        "id": { "value": format!("topic-{number}") },
        "title": path.trim_end_matches(".txt"),
        "type": "topic",
        "orderIndex": number,
        "transcript": { "segments": paragraphs.enumerate().map(segment).collect::<Vec<_>>() },
    })
}

fn document(topics: Vec<Value>) -> Item {
    let root = json!({
        "umcf": "1.0.0",
        "formatIdentifier": "umcf",
        "id": { "catalog": "plugin-name", "value": COURSE },
        "title": "Texts",
        "version": { "number": "1.0.0" },
        "content": [{
            "id": { "value": "texts-curriculum" },
            "title": "Texts",
            "type": "curriculum",
            "children": topics,
        }],
    });
    Item {
        id: COURSE.into(),
        title: "Texts".into(),
        media_type: "application/umcf+json".into(),
        data: root.to_string().into_bytes(),
        attributes: Vec::new(),
    }
}
