//! Who asks something of a machine, by rank.

use serde::{Deserialize, Serialize};

/// Who proposes, the lower rank first. Numbered on the wire: the order is the rank, and stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// A schedule, a plugin, the fleet's own rules: nobody in person.
    Automation,
    /// An operator, through the aggregator.
    Remote,
    /// A person at the machine.
    Local,
}

impl Origin {
    pub const ALL: [Self; 3] = [Self::Automation, Self::Remote, Self::Local];

    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automation => "automation",
            Self::Remote => "remote",
            Self::Local => "local",
        }
    }
}
