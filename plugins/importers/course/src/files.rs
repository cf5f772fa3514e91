//! The files of an import, wherever they are.

use crate::fault::Fault;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;

/// Files by their path, read in pieces, so that none has to fit into memory.
pub trait Files: Debug {
    /// Paths and sizes in bytes.
    fn list(&self) -> Vec<(String, u64)>;

    /// At most `length` bytes from `offset`; fewer at the end, none past it.
    ///
    /// # Errors
    /// Where there is no such file.
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Fault>;
}

/// What the host hands in.
#[derive(Clone, Copy, Debug)]
pub struct Host;

#[must_use]
pub fn host() -> Rc<dyn Files> {
    Rc::new(Host)
}

impl Files for Host {
    fn list(&self) -> Vec<(String, u64)> {
        let entries = flyball_plugin::files::list().into_iter();
        entries.map(|entry| (entry.path, entry.size)).collect()
    }

    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Fault> {
        use flyball_plugin::generated::importer::flyball::plugin::files;
        files::read(path, offset, length)
            .map_err(|error| Fault::Read { path: path.to_owned(), message: error.message })
    }
}

/// Files that are in memory already.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Files for Memory {
    fn list(&self) -> Vec<(String, u64)> {
        self.0.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect()
    }

    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Fault> {
        let bytes = self.0.get(path).ok_or_else(|| Fault::Read {
            path: path.to_owned(),
            message: "there is no such file".to_owned(),
        })?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(length as usize).min(bytes.len());
        Ok(bytes[start..end].to_vec())
    }
}
