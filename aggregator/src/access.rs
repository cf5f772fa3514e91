//! Who is asking, and what they may do. Roles and rights stand here; passwords and sessions are
//! `accounts`' matter, and what a right guards is the caller's.

pub mod token;

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// What an account is for. Its scope is everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Superuser,
    Viewer,
}

impl Role {
    pub const ALL: [Self; 2] = [Self::Superuser, Self::Viewer];

    /// The word of the API and of the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Superuser => "superuser",
            Self::Viewer => "viewer",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        match (self, right) {
            (Self::Superuser, _) | (Self::Viewer, Right::Read) => true,
            (Self::Viewer, Right::Act | Right::Administer) => false,
        }
    }
}

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// See machines, content and events; draw pictures; report how one's own application fares.
    Read,
    /// Change what machines do, and import content.
    Act,
    /// Enrolment tokens and the audit trail.
    Administer,
}

impl Right {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
            Self::Administer => "administer",
        }
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// An account.
    UserId
);
id!(
    /// One sign-in: the family of refresh tokens that came of it.
    SessionId
);

/// The account behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    pub email: String,
    pub role: Role,
    pub session: SessionId,
    /// When the access token ends, Unix milliseconds.
    pub expires_at_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_reads_and_does_nothing_else() {
        let rights = [Right::Read, Right::Act, Right::Administer];
        assert_eq!(rights.map(|right| Role::Viewer.may(right)), [true, false, false]);
        assert_eq!(rights.map(|right| Role::Superuser.may(right)), [true, true, true]);
    }

    #[test]
    fn a_role_survives_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("root"), None);
    }
}
