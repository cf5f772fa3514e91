//! Which version of the messages two peers speak with each other.
//!
//! The agent offers a range in its greeting, the aggregator chooses the greatest that both have.
//! Either side may be the older: an agent is upgraded when its machine allows it.

/// The versions that this build speaks.
pub const MIN_VERSION: u8 = 1;
pub const CURRENT_VERSION: u8 = 1;

/// A range of versions, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub min: u8,
    pub max: u8,
}

/// Why two peers can't speak with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// They have none in common: one of them has to be upgraded.
    #[error("versions {} to {} are offered, {} to {} are spoken here", theirs.min, theirs.max, own.min, own.max)]
    Apart { own: Versions, theirs: Versions },
    /// The aggregator chose one that was not offered.
    #[error("version {chosen} was chosen, {} to {} were offered", own.min, own.max)]
    NotOffered { own: Versions, chosen: u8 },
}

impl Versions {
    /// Of this build.
    pub const OWN: Self = Self { min: MIN_VERSION, max: CURRENT_VERSION };

    /// The aggregator's choice: the greatest that both speak.
    ///
    /// # Errors
    /// Where there is none.
    pub const fn agree(self, theirs: Self) -> Result<u8, VersionError> {
        let max = if self.max < theirs.max { self.max } else { theirs.max };
        let min = if self.min > theirs.min { self.min } else { theirs.min };
        if theirs.min <= theirs.max && min <= max {
            Ok(max)
        } else {
            Err(VersionError::Apart { own: self, theirs })
        }
    }

    /// The agent's look at what was chosen.
    ///
    /// # Errors
    /// Where it was not offered.
    pub const fn accept(self, chosen: u8) -> Result<u8, VersionError> {
        if self.min <= chosen && chosen <= self.max {
            Ok(chosen)
        } else {
            Err(VersionError::NotOffered { own: self, chosen })
        }
    }
}
