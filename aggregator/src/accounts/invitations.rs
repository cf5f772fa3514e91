//! Invitations: one-time secrets with which somebody makes an account, and the role that it gets.

use super::{Accounts, AccountsError, Origin, fields, secret};
use crate::access::{Caller, Right, Role, Scope, UserId};
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use serde_json::json;
use uuid::Uuid;

const PREFIX: &str = "fbi1.";
pub const DEFAULT_TTL_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
pub const MAX_TTL_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
const MIN_TTL_MS: u64 = 60 * 1_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: Uuid,
    /// The only address that may use it; anybody's where absent.
    pub email: Option<String>,
    pub role: Role,
    /// What the role is bound to; the account's own role where absent.
    pub scope: Option<Scope>,
    pub created_at_ms: u64,
    pub created_by: UserId,
    pub expires_at_ms: u64,
    pub accepted_at_ms: Option<u64>,
    pub accepted_by: Option<UserId>,
    pub revoked_at_ms: Option<u64>,
}

impl Invitation {
    #[must_use]
    pub fn is_open(&self, now_ms: u64) -> bool {
        self.accepted_at_ms.is_none() && self.revoked_at_ms.is_none() && self.expires_at_ms > now_ms
    }
}

/// What an invitation is to hold.
#[derive(Clone, Debug)]
pub struct Offer {
    pub email: Option<String>,
    pub role: Role,
    pub scope: Option<Scope>,
    pub ttl_ms: u64,
}

impl Accounts {
    /// Makes an invitation; its text is nowhere afterwards.
    ///
    /// # Errors
    /// Where the caller may not give that much, or a field is faulty.
    pub async fn invite(
        &self,
        by: &Caller,
        offer: Offer,
        origin: &Origin,
    ) -> Result<(Invitation, String), AccountsError> {
        if !(MIN_TTL_MS..=MAX_TTL_MS).contains(&offer.ttl_ms) {
            return Err(super::fault("ttl_seconds", "is 60 to 2592000, thirty days"));
        }
        let email = offer.email.map(|email| fields::email(&email)).transpose()?;
        let narrow = offer.scope.is_some_and(|scope| !matches!(scope, Scope::Organization(_)));
        if narrow && offer.role.may(Right::Manage)
            || offer.scope.is_some() && offer.role == Role::Superuser
        {
            let message = "org_admin is given over an organization, superuser over everything";
            return Err(super::fault("role", message));
        }
        let within = match offer.scope {
            Some(scope) => self.store.organization_of(scope).await?.map(Scope::Organization),
            None => None,
        };
        let may = |role| by.grants.may_give(role, offer.scope, within);
        // A scope that is not theirs may as well not be there.
        if offer.scope.is_some() && (within.is_none() || !may(Role::User)) {
            return Err(super::fault("scope", "names nothing that is there"));
        }
        if !may(offer.role) {
            return Err(AccountsError::NotYours("nobody gives more than what is their own"));
        }
        let (text, hash) = secret::issue(PREFIX).map_err(AccountsError::Random)?;
        let now_ms = self.clock.now_ms();
        let invitation = Invitation {
            id: self.clock.new_id(),
            email,
            role: offer.role,
            scope: offer.scope,
            created_at_ms: now_ms,
            created_by: by.user,
            expires_at_ms: now_ms + offer.ttl_ms,
            accepted_at_ms: None,
            accepted_by: None,
            revoked_at_ms: None,
        };
        let details = json!({
            "email": invitation.email, "role": offer.role.name(),
            "scope": offer.scope.map(|scope| format!("{}:{}", scope.kind(), scope.id())),
        });
        let target = format!("invitation:{}", invitation.id);
        let entry = self.done(&by.email, "invitation.create", target, details, origin);
        self.store.add_invitation(&invitation, &hash, &entry).await?;
        Ok((invitation, text))
    }

    /// Those that the caller may see: their own, or all where they manage everything.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn invitations(
        &self,
        by: &Caller,
        listing: &Listing,
        page: PageRequest,
    ) -> Result<Page<Invitation>, AccountsError> {
        Ok(self.store.invitations(whose(by), listing, page, self.clock.now_ms()).await?)
    }

    /// # Errors
    /// Where there is none that the caller may see.
    pub async fn invitation(&self, by: &Caller, id: Uuid) -> Result<Invitation, AccountsError> {
        self.store.invitation(id, whose(by)).await?.ok_or(AccountsError::Missing)
    }

    /// Withdraws an invitation that nobody has used.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn withdraw_invitation(
        &self,
        by: &Caller,
        id: Uuid,
        origin: &Origin,
    ) -> Result<Invitation, AccountsError> {
        let target = format!("invitation:{id}");
        let entry = self.done(&by.email, "invitation.withdraw", target, json!({}), origin);
        let done = self.store.withdraw_invitation(id, whose(by), &entry).await?;
        if !done {
            return Err(AccountsError::Missing);
        }
        self.invitation(by, id).await
    }
}

fn whose(by: &Caller) -> Option<UserId> {
    (!by.grants.everywhere(Right::Manage)).then_some(by.user)
}
