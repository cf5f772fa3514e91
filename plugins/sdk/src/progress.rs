//! How far a long call is, where it has no step of its own to say so.

use crate::bindings::flyball::plugin::progress as host;
use crate::{Error, ErrorKind};

/// # Errors
/// Kind `cancelled` where nobody waits any more: give it back with `?`.
pub fn report(done: u64, total: Option<u64>, note: &str) -> Result<(), Error> {
    if host::report(done, total, note) {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Cancelled, "nobody waits for it any more"))
    }
}
