//! Who is asking, and what they may do. Roles and rights stand here; passwords and sessions are
//! `accounts`' matter, and what a right guards is the caller's.

#[cfg(feature = "oidc")]
mod signatures;
pub mod token;

use flyball_protocol::command::DeviceId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// What an account is for, the least first: each may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// One's own account and what one sent oneself, and content.
    User,
    Viewer,
    Operator,
    OrgAdmin,
    Superuser,
}

impl Role {
    pub const ALL: [Self; 5] =
        [Self::User, Self::Viewer, Self::Operator, Self::OrgAdmin, Self::Superuser];

    /// The word of the API and of the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::OrgAdmin => "org_admin",
            Self::Superuser => "superuser",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    #[must_use]
    pub fn may(self, right: Right) -> bool {
        self >= right.least()
    }
}

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// One's own account; content and pictures; report how one's own application fares.
    Use,
    /// See machines and events.
    Read,
    /// Change what machines do, and import content.
    Act,
    /// An organization's people, sites and devices.
    Manage,
    /// The server itself, and what belongs to no organization.
    Administer,
}

impl Right {
    pub const ALL: [Self; 5] = [Self::Use, Self::Read, Self::Act, Self::Manage, Self::Administer];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Read => "read",
            Self::Act => "act",
            Self::Manage => "manage",
            Self::Administer => "administer",
        }
    }

    /// What it is to use it on a device.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Use | Self::Read => "read",
            Self::Act => "command",
            Self::Manage => "manage",
            Self::Administer => "administer",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.name() == name)
    }

    /// The least role that has it.
    #[must_use]
    pub const fn least(self) -> Role {
        match self {
            Self::Use => Role::User,
            Self::Read => Role::Viewer,
            Self::Act => Role::Operator,
            Self::Manage => Role::OrgAdmin,
            Self::Administer => Role::Superuser,
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

id!(
    /// A key that a program signs in with.
    ApiKeyId
);

id!(
    /// A tenant: people, sites and machines that belong together.
    OrganizationId
);
id!(
    /// A place of an organization with an address.
    SiteId
);
id!(
    /// A building, room or rack of a site.
    LocationId
);
id!(
    /// Devices that were put together, by name or by their labels.
    GroupId
);

/// What a role beside the account's own is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    Organization(OrganizationId),
    Site(SiteId),
    Location(LocationId),
    Group(GroupId),
    Device(DeviceId),
}

impl Scope {
    /// The word of the API and of the store.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Organization(_) => "organization",
            Self::Site(_) => "site",
            Self::Location(_) => "location",
            Self::Group(_) => "group",
            Self::Device(_) => "device",
        }
    }

    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::Organization(OrganizationId(id))
            | Self::Site(SiteId(id))
            | Self::Location(LocationId(id))
            | Self::Group(GroupId(id))
            | Self::Device(DeviceId(id)) => id,
        }
    }

    #[must_use]
    pub fn parse(kind: &str, id: Uuid) -> Option<Self> {
        Some(match kind {
            "organization" => Self::Organization(OrganizationId(id)),
            "site" => Self::Site(SiteId(id)),
            "location" => Self::Location(LocationId(id)),
            "group" => Self::Group(GroupId(id)),
            "device" => Self::Device(DeviceId(id)),
            _ => return None,
        })
    }
}

/// A role over one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    pub role: Role,
    pub scope: Scope,
}

/// All that an account may: its own role, whose scope is everything (but for `user`, whose scope
/// is what is its own), and roles over narrower scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    pub role: Role,
    pub bound: Arc<[Grant]>,
}

impl Grants {
    /// A role without narrower ones.
    #[must_use]
    pub fn of(role: Role) -> Self {
        Self { role, bound: Arc::default() }
    }

    /// May it anywhere?
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.everywhere(right) || self.bound.iter().any(|grant| grant.role.may(right))
    }

    /// May it whatever it is about?
    #[must_use]
    pub fn everywhere(&self, right: Right) -> bool {
        self.role.may(right)
    }

    /// The same within `right` and what is less than it.
    #[must_use]
    pub fn within(&self, right: Right) -> Self {
        let most = right.least();
        let bound = self.bound.iter().map(|grant| Grant { role: grant.role.min(most), ..*grant });
        Self { role: self.role.min(most), bound: bound.collect() }
    }

    /// May it give somebody `role` over `scope`, which lies in `organization`? Nobody gives more
    /// than what is one's own; what every account is, anybody who manages may give.
    #[must_use]
    pub fn may_give(&self, role: Role, scope: Option<Scope>, within: Option<Scope>) -> bool {
        if self.everywhere(Right::Manage) {
            return role <= self.role;
        }
        let Some(scope) = scope else { return role == Role::User && self.may(Right::Manage) };
        self.bound.iter().any(|grant| {
            grant.role.may(Right::Manage)
                && role <= grant.role
                && (grant.scope == scope || Some(grant.scope) == within)
        })
    }

    /// The narrower scopes in which it may.
    pub fn scopes(&self, right: Right) -> impl Iterator<Item = Scope> + Clone + '_ {
        self.bound.iter().filter(move |grant| grant.role.may(right)).map(|grant| grant.scope)
    }
}

/// What a caller has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An access token of a session.
    Session(SessionId),
    ApiKey(ApiKeyId),
    /// The password itself, with every request (HTTP Basic).
    Password(UserId),
    /// The kernel's word on who is at the other end of a socket of this machine.
    Local(UserId),
    /// Nothing: the configuration lets it in.
    Nothing,
}

/// The account behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    pub email: String,
    pub grants: Grants,
    pub credential: Credential,
    /// When the credential ends, Unix milliseconds.
    pub expires_at_ms: u64,
}

impl Caller {
    /// Whose things of no organization they see: all (`None`), or what they sent themselves.
    #[must_use]
    pub fn only_own(&self) -> Option<UserId> {
        (!self.grants.everywhere(Right::Read)).then_some(self.user)
    }

    /// What a dangerous operation is bound to: it is confirmed with the credential that it was
    /// asked for with.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        match self.credential {
            Credential::Session(session) => session,
            Credential::ApiKey(ApiKeyId(id))
            | Credential::Password(UserId(id))
            | Credential::Local(UserId(id)) => SessionId(id),
            Credential::Nothing => SessionId(Uuid::nil()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_those_before_it_may_and_one_thing_more() {
        for (least, role) in Role::ALL.into_iter().enumerate() {
            for (asked, right) in Right::ALL.into_iter().enumerate() {
                assert_eq!(role.may(right), asked <= least, "{} {}", role.name(), right.name());
            }
        }
    }

    #[test]
    fn a_role_survives_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("root"), None);
    }

    #[test]
    fn nobody_gives_more_than_what_is_theirs() {
        let site = Some(Scope::Site(SiteId(Uuid::from_u128(1))));
        let own = Scope::Organization(OrganizationId(Uuid::from_u128(2)));
        let foreign = Scope::Organization(OrganizationId(Uuid::from_u128(3)));
        let grant = Grant { role: Role::OrgAdmin, scope: own };
        let manager = Grants { role: Role::User, bound: [grant].into() };
        assert!(manager.may_give(Role::OrgAdmin, Some(own), Some(own)));
        assert!(manager.may_give(Role::Operator, site, Some(own)));
        assert!(manager.may_give(Role::User, None, None));
        assert!(!manager.may_give(Role::Superuser, Some(own), Some(own)));
        assert!(!manager.may_give(Role::Viewer, site, Some(foreign)));
        assert!(!manager.may_give(Role::Viewer, None, None));
        assert!(!Grants::of(Role::OrgAdmin).may_give(Role::Superuser, None, None));
        assert!(Grants::of(Role::Superuser).may_give(Role::Superuser, None, None));
        assert!(!Grants::of(Role::Operator).may_give(Role::User, None, None));
        assert!(!manager.within(Right::Read).may(Right::Act));
    }

    #[test]
    fn a_bound_role_gives_its_right_somewhere_and_not_everywhere() {
        let scope = Scope::Site(SiteId(Uuid::from_u128(1)));
        let grant = Grant { role: Role::Operator, scope };
        let grants = Grants { role: Role::User, bound: [grant].into() };
        assert!(grants.may(Right::Act) && !grants.everywhere(Right::Read));
        assert!(!grants.may(Right::Manage));
        assert_eq!(grants.scopes(Right::Read).collect::<Vec<_>>(), [scope]);
        assert_eq!(Scope::parse(scope.kind(), scope.id()), Some(scope));
    }
}
