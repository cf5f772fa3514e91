//! An import's item that is too large to hold: it is handed over in pieces.

use crate::bindings::flyball::plugin::blobs as host;
use crate::{Attribute, Error};
use std::io;

/// An item that is being written. One that is dropped before [`Blob::finish`] does not exist.
#[derive(Debug)]
pub struct Blob(host::Blob);

impl Blob {
    #[must_use]
    pub fn new(id: &str, title: &str, media_type: &str, attributes: &[Attribute]) -> Self {
        Self(host::Blob::new(id, title, media_type, attributes))
    }

    /// # Errors
    /// Where the host takes no more of it.
    pub fn write(&self, piece: &[u8]) -> Result<(), Error> {
        self.0.write(piece)
    }

    /// # Errors
    /// Where the host does not keep it.
    pub fn finish(self) -> Result<(), Error> {
        self.0.finish()
    }
}

impl io::Write for Blob {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.write(piece).map_err(|error| io::Error::other(error.message))?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
