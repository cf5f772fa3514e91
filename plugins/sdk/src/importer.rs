//! The world `importer` as two traits.

use crate::{Attribute, Error, Manifest};
use std::cell::RefCell;

pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/0.2",
        world: "importer",
        pub_export_macro: true,
        export_macro_name: "export_importer",
        default_bindings_module: "flyball_plugin::generated::importer",
    });
}

use bindings::exports::flyball::plugin::importing as exported;
pub use bindings::flyball::plugin::files::Entry;
pub use exported::{Course, Detail, Item, Page, Part, Progress, Step};

/// Files to UMCF documents.
pub trait Importer: 'static {
    type Job: Job;

    fn describe() -> Manifest;

    /// Pages count from 0 and hold at most 50 courses.
    ///
    /// # Errors
    /// Where the files can't be read at all.
    fn catalog(query: &str, page: u32) -> Result<Page, Error>;

    /// # Errors
    /// Where there is no such course.
    fn describe_course(id: &str) -> Result<Detail, Error>;

    /// # Errors
    /// Where there is no such course or the selection names parts that it has not.
    fn start(id: &str, selection: &[String], switches: &[Attribute]) -> Result<Self::Job, Error>;
}

/// An import on its way. Between two steps the host may drop it, which is the cancel.
pub trait Job: 'static {
    /// # Errors
    /// An error ends the job.
    fn next(&mut self) -> Result<Step, Error>;
}

/// The files that this import was given.
pub mod files {
    use super::bindings::flyball::plugin::files as host;
    use super::{Entry, Error};

    const CHUNK_BYTES: u32 = 1024 * 1024;

    #[must_use]
    pub fn list() -> Vec<Entry> {
        host::list()
    }

    /// A whole file.
    ///
    /// # Errors
    /// Where there is no such file.
    pub fn read(path: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        loop {
            let chunk = host::read(path, bytes.len() as u64, CHUNK_BYTES)?;
            if chunk.is_empty() {
                return Ok(bytes);
            }
            bytes.extend_from_slice(&chunk);
        }
    }
}

/// The exported resource around a plugin's job.
#[doc(hidden)]
#[derive(Debug)]
pub struct JobResource<J>(RefCell<J>);

impl<J: Job> exported::GuestJob for JobResource<J> {
    fn next(&self) -> Result<Step, Error> {
        self.0.borrow_mut().next()
    }
}

impl<T: Importer> exported::Guest for T {
    type Job = JobResource<T::Job>;

    fn describe() -> Manifest {
        crate::panic::install();
        T::describe()
    }

    fn catalog(query: String, page: u32) -> Result<Page, Error> {
        crate::panic::install();
        T::catalog(&query, page)
    }

    fn describe_course(id: String) -> Result<Detail, Error> {
        crate::panic::install();
        T::describe_course(&id)
    }

    fn start(
        id: String,
        selection: Vec<String>,
        switches: Vec<Attribute>,
    ) -> Result<exported::Job, Error> {
        crate::panic::install();
        let job = T::start(&id, &selection, &switches)?;
        Ok(exported::Job::new(JobResource(RefCell::new(job))))
    }
}

/// Makes a component of the type, which implements [`Importer`].
#[macro_export]
macro_rules! importer {
    ($plugin:ident) => {
        $crate::generated::importer::export_importer!($plugin with_types_in $crate::generated::importer);
    };
}
