//! Why a step was not run. It is no pass and no failure, and is said aloud.

use std::fmt::{self, Display, Formatter};

/// What this machine lacks, in words that say how it would get it.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

impl Display for Skip {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skip {}
