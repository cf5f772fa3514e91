//! An importer as a stranger built it when 0.1 was the newest: it is never changed again, and every
//! later host has to run it.

#![expect(unsafe_code, reason = "the generated bindings are made of it")]

wit_bindgen::generate!({ path: "../../../../wit/0.1", world: "importer" });

use exports::flyball::plugin::importing::{
    Course, Detail, Guest, GuestJob, Item, Job, Page, Part, Progress, Step,
};
use flyball::plugin::files;
use flyball::plugin::log::{self, Level};
use flyball::plugin::types::{Attribute, Error, Manifest};
use std::cell::Cell;

struct Plugin;
export!(Plugin);

struct Copying(Cell<usize>);

impl Guest for Plugin {
    type Job = Copying;

    fn describe() -> Manifest {
        Manifest {
            id: "v0-1-importer".into(),
            name: "An importer of 0.1".into(),
            version: "1.0.0".into(),
            author: "Flyball contributors".into(),
            licence: "MIT OR Apache-2.0".into(),
            description: "Gives back its files".into(),
            handles: vec!["copy".into()],
            attributes: Vec::new(),
        }
    }

    fn catalog(_query: String, _page: u32) -> Result<Page, Error> {
        Ok(Page { courses: vec![course()], total: 1 })
    }

    fn describe_course(_id: String) -> Result<Detail, Error> {
        let part = |entry: files::Entry| Part {
            id: entry.path.clone(),
            title: entry.path,
            attributes: Vec::new(),
        };
        Ok(Detail { course: course(), parts: files::list().into_iter().map(part).collect() })
    }

    fn start(
        _id: String,
        _selection: Vec<String>,
        _switches: Vec<Attribute>,
    ) -> Result<Job, Error> {
        log::write(Level::Info, "copying");
        Ok(Job::new(Copying(Cell::new(0))))
    }
}

impl GuestJob for Copying {
    /// A progress and an item for each file, in turn.
    fn next(&self) -> Result<Step, Error> {
        let (step, files) = (self.0.get(), files::list());
        self.0.set(step + 1);
        let Some(file) = files.get(step / 2) else {
            return Ok(Step::Done);
        };
        if step % 2 == 0 {
            return Ok(Step::Progress(Progress {
                done: step as u64 / 2,
                total: Some(files.len() as u64),
                note: file.path.clone(),
            }));
        }
        Ok(Step::Item(Item {
            id: file.path.clone(),
            title: file.path.clone(),
            media_type: "text/plain".into(),
            data: files::read(&file.path, 0, u32::MAX)?,
            attributes: Vec::new(),
        }))
    }
}

fn course() -> Course {
    Course {
        id: "all".into(),
        title: "All files".into(),
        description: String::new(),
        attributes: Vec::new(),
    }
}
