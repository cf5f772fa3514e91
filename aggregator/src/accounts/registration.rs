//! Making an account for oneself.

use super::fields::{self, ProfileChange};
use super::invitations::Invitation;
use super::{Accounts, AccountsError, AuthDevice, NewUser, Origin, SignedIn, User, secret};
use crate::access::{Role, Scope, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Who may make an account for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMode {
    Open,
    Invited,
    Closed,
}

/// Somebody who asks for an account.
#[derive(Clone, Debug)]
pub struct Registration {
    pub email: String,
    pub password: String,
    pub display_name: Option<String>,
    pub invitation: Option<String>,
    pub device: AuthDevice,
    pub origin: Origin,
}

/// What became of a new account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    Added,
    EmailExists,
    /// Somebody else was faster with the same invitation.
    InvitationUsed,
}

impl Accounts {
    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// Where this server takes none, the invitation does not hold, or a field is faulty.
    pub async fn register(
        &self,
        mode: RegistrationMode,
        asked: Registration,
    ) -> Result<SignedIn, AccountsError> {
        let invitation = match (mode, &asked.invitation) {
            (RegistrationMode::Closed, _) => return Err(AccountsError::RegistrationClosed),
            (RegistrationMode::Invited, None) => return Err(AccountsError::InvitationRequired),
            (RegistrationMode::Open, None) => None,
            (_, Some(text)) => Some(self.standing_invitation(text).await?),
        };
        let email = fields::email(&asked.email)?;
        let weaknesses = self.passwords.weaknesses(&asked.password);
        if !weaknesses.is_empty() {
            return Err(AccountsError::WeakPassword(weaknesses));
        }
        let profile = ProfileChange { display_name: asked.display_name, ..Default::default() };
        let profile = profile.checked()?;
        let meant = invitation.as_ref().and_then(|invitation| invitation.email.as_ref());
        if meant.is_some_and(|meant| *meant != email) {
            return Err(AccountsError::UnknownInvitation);
        }
        let password_hash = self.passwords.hash(&asked.password).await?;
        let role = match &invitation {
            Some(Invitation { role, scope: None, .. }) => *role,
            Some(_) | None => Role::User,
        };
        let user = User {
            id: UserId(self.clock.new_id()),
            display_name: profile.display_name.unwrap_or_else(|| name_of(&email)),
            email,
            email_verified: meant.is_some(),
            avatar_url: None,
            locale: fields::DEFAULT_LOCALE.into(),
            timezone: fields::DEFAULT_TIMEZONE.into(),
            role,
            active: true,
            mfa_enabled: false,
            created_at_ms: self.clock.now_ms(),
            last_login_at_ms: None,
        };
        let details =
            json!({ "role": role.name(), "invitation": invitation.as_ref().map(|i| i.id) });
        let target = format!("user:{}", user.email);
        let entry = self.done(&user.email, "auth.register", target, details, &asked.origin);
        let created_by = invitation.as_ref().map(|invitation| invitation.created_by);
        let new = NewUser { user: user.clone(), password_hash, created_by };
        match self.store.register(&new, invitation.as_ref(), &entry).await? {
            Added::Added => {}
            Added::EmailExists => return Err(AccountsError::EmailExists),
            Added::InvitationUsed => return Err(AccountsError::UnknownInvitation),
        }
        if !user.email_verified {
            self.ask_to_verify(&user);
        }
        self.open_session(user, asked.device, asked.origin).await
    }

    /// The invitation that `text` opens, while who gave it may still give what it holds.
    async fn standing_invitation(&self, text: &str) -> Result<Invitation, AccountsError> {
        let invitation = self.store.invitation_by_secret(&secret::hash_of(text)).await?;
        let invitation = invitation
            .filter(|invitation| invitation.is_open(self.clock.now_ms()))
            .ok_or(AccountsError::UnknownInvitation)?;
        if !self.may_still_be_given(&invitation).await? {
            return Err(AccountsError::UnknownInvitation);
        }
        Ok(invitation)
    }

    /// May who gave it still give what it holds?
    pub(super) async fn may_still_be_given(
        &self,
        invitation: &Invitation,
    ) -> Result<bool, AccountsError> {
        let grants = self.store.user_grants(invitation.created_by).await?;
        let within = match invitation.scope {
            Some(scope) => self.store.organization_of(scope).await?.map(Scope::Organization),
            None => None,
        };
        let may = |grants: &crate::access::Grants| {
            grants.may_give(invitation.role, invitation.scope, within)
        };
        Ok(grants.as_ref().is_some_and(may))
    }
}

/// What somebody is called who did not say.
pub(super) fn name_of(email: &str) -> String {
    email.split('@').next().unwrap_or(email).into()
}
