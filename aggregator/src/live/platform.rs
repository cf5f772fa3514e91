//! What applications sent and how the server fares, as it is told to whoever may hear it.

use crate::access::UserId;
use crate::app::platform::Stats;
use crate::applications::Report;
use crate::clients::Turned;
use crate::fleet::DeviceId;
use crate::idle::Turn;
use crate::logs::KeptEntry;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Whose it is; `None` is for those alone who may see everything.
    pub sender: Option<UserId>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Log(Box<KeptEntry>),
    Metrics(Box<Report>),
    Client(Box<Turned>),
    LogsCleared {
        count: u64,
    },
    Stats(Stats),
    Idle(Box<Turn>),
    /// Somebody decided of a plugin.
    Plugin {
        id: String,
        enabled: bool,
    },
    /// A curriculum came, changed or went.
    Content {
        turn: ContentTurn,
        id: String,
        title: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentTurn {
    Imported,
    Updated,
    Deleted,
    Archived,
    Unarchived,
}

impl Told {
    /// The device that it is about, where it is about one.
    #[must_use]
    pub fn device(&self) -> Option<DeviceId> {
        match &self.what {
            What::Idle(turn) => Some(turn.device),
            What::Log(_)
            | What::Metrics(_)
            | What::Client(_)
            | What::LogsCleared { .. }
            | What::Stats(_)
            | What::Plugin { .. }
            | What::Content { .. } => None,
        }
    }

    /// Is it about what everybody may read?
    const fn is_everybodys(&self) -> bool {
        matches!(self.what, What::Content { .. } | What::Plugin { .. })
    }
}

/// Whose things a subscriber hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    All,
    Of(UserId),
}

impl Audience {
    #[must_use]
    pub fn hears(self, told: &Told) -> bool {
        match self {
            Self::All => true,
            // Of a device whoever sees it hears, which is judged besides.
            Self::Of(user) => {
                told.sender == Some(user) || told.device().is_some() || told.is_everybodys()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn one_hears_ones_own_and_not_what_is_everybodys() {
        let [one, other] = [1, 2].map(|id| UserId(Uuid::from_u128(id)));
        let told = |sender| Told { sender, what: What::LogsCleared { count: 1 } };
        for (audience, sender, hears) in [
            (Audience::All, None, true),
            (Audience::All, Some(one), true),
            (Audience::Of(one), Some(one), true),
            (Audience::Of(one), Some(other), false),
            (Audience::Of(one), None, false),
        ] {
            assert_eq!(audience.hears(&told(sender)), hears, "{audience:?} {sender:?}");
        }
    }
}
