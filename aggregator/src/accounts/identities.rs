//! Accounts and who somebody is elsewhere: which account an identity of a provider opens, who gets
//! one at the first sign-in, and what roles the provider's claims give and take.
//!
//! The provider's word was checked before it comes here. A sign-in ends in a code, which the
//! browser that began it exchanges for a session as a password would give one.

use super::invitations::Invitation;
use super::registration::{Added, name_of};
use super::{Accounts, AccountsError, AuthDevice, NewUser, Origin, SignedIn, User, fields, secret};
use crate::access::{Caller, Credential, Role, SessionId, UserId};
use crate::audit::{AuditEntry, Decision};
use crate::config::OidcProvider;
use crate::config::oidc::Create;
use serde_json::json;
use uuid::Uuid;

/// How long a browser may take to exchange its code.
pub const CODE_TTL_MS: u64 = 60_000;
const PREFIX: &str = "fbo1.";

/// Who somebody is, as a provider says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignIdentity {
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub display_name: Option<String>,
    /// Has the provider asked for a second factor, as far as the configuration believes it?
    pub second_factor: bool,
    pub roles: Vec<WantedRole>,
}

/// A role that a claim gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRole {
    pub role: Role,
    /// By id or name; the account's own role where absent.
    pub organization: Option<String>,
}

/// An identity that is linked with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub id: Uuid,
    pub user: UserId,
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    pub created_at_ms: u64,
    pub last_used_at_ms: Option<u64>,
}

/// A sign-in that came back from its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInCode {
    pub hash: [u8; 32],
    pub browser_hash: [u8; 32],
    pub provider: String,
    pub user: UserId,
    pub second_factor: bool,
    pub expires_at_ms: u64,
}

/// What became of linking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    Linked,
    /// It was linked with this account before.
    Already,
    /// It is another account's.
    Taken,
}

impl Accounts {
    /// Lets an identity in: the account that it opens, made where the configuration says so, and a
    /// code that only the browser with that hash can exchange.
    ///
    /// # Errors
    /// Where it opens none, or the account is disabled.
    pub async fn admit(
        &self,
        provider: &OidcProvider,
        identity: &ForeignIdentity,
        browser_hash: [u8; 32],
        origin: &Origin,
    ) -> Result<String, AccountsError> {
        let admitted = self.account_of(provider, identity, origin).await;
        let user = match admitted {
            Ok(user) if user.active => user,
            Ok(user) => {
                self.turn_away(&user.email, identity, "inactive", origin).await?;
                return Err(AccountsError::Inactive);
            }
            Err(error) => {
                if let Some(reason) = reason(&error) {
                    // An address that nobody has verified here is no actor.
                    let who = format!("oidc:{}", identity.provider);
                    self.turn_away(&who, identity, reason, origin).await?;
                }
                return Err(error);
            }
        };
        let now_ms = self.clock.now_ms();
        self.store.use_identity(identity, now_ms).await?;
        self.take_up_roles(&user, identity, origin).await?;
        let (text, hash) = secret::issue(PREFIX).map_err(AccountsError::Random)?;
        let code = SignInCode {
            hash,
            browser_hash,
            provider: identity.provider.clone(),
            user: user.id,
            second_factor: identity.second_factor,
            expires_at_ms: now_ms + CODE_TTL_MS,
        };
        self.store.add_sign_in_code(&code, now_ms).await?;
        Ok(text)
    }

    /// Exchanges a code for a session. An account with a second factor is asked for it, unless the
    /// provider has.
    ///
    /// # Errors
    /// Where the code is not known, was used, has expired or is another browser's.
    pub async fn exchange_code(
        &self,
        text: &str,
        browser_hashes: &[[u8; 32]],
        device: AuthDevice,
        origin: Origin,
    ) -> Result<SignedIn, AccountsError> {
        let hash = secret::hash_of(text);
        let now_ms = self.clock.now_ms();
        let code = self.store.sign_in_code(&hash).await?;
        let code = code
            .filter(|code| {
                code.expires_at_ms > now_ms && browser_hashes.contains(&code.browser_hash)
            })
            .ok_or(AccountsError::UnknownSecret)?;
        if !self.store.use_sign_in_code(&hash).await? {
            return Err(AccountsError::UnknownSecret);
        }
        let user = self.store.user(code.user).await?.filter(|user| user.active);
        let user = user.ok_or(AccountsError::Inactive)?;
        if user.mfa_enabled && !code.second_factor {
            return self.challenge(&user, device).await;
        }
        let details = json!({ "provider": code.provider, "second_factor": code.second_factor });
        self.open_session_with(user, device, origin, details).await
    }

    /// Links an identity with the account of somebody who is signed in, as long as they are.
    ///
    /// # Errors
    /// Where it is another account's, or the session has ended meanwhile.
    pub async fn link_identity(
        &self,
        user: UserId,
        session: SessionId,
        identity: &ForeignIdentity,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        if self.standing(Credential::Session(session)).await?.is_none() {
            return Err(AccountsError::InvalidAccessToken);
        }
        let user = self.store.user(user).await?.filter(|user| user.active);
        let user = user.ok_or(AccountsError::Inactive)?;
        let entry = self.identity_entry(&user.email, "identity.link", &user, identity, origin);
        match self.store.link_identity(&self.linked(&user, identity), &entry).await? {
            Linked::Linked | Linked::Already => Ok(()),
            Linked::Taken => Err(AccountsError::IdentityTaken),
        }
    }

    /// # Errors
    /// Where the store fails.
    pub async fn identities(&self, by: &Caller) -> Result<Vec<Identity>, AccountsError> {
        Ok(self.store.identities(by.user).await?)
    }

    /// Parts the caller's account from one of its identities. What the provider's claims gave goes
    /// with the last one of that provider.
    ///
    /// # Errors
    /// Where there is none, or nothing else opens the account.
    pub async fn unlink_identity(
        &self,
        by: &Caller,
        id: Uuid,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let own = self.store.identities(by.user).await?;
        let identity = own.iter().find(|own| own.id == id).ok_or(AccountsError::Missing)?;
        let user = self.store.user(by.user).await?.ok_or(AccountsError::Missing)?;
        if own.len() == 1 && !self.has_password(&user).await? {
            return Err(AccountsError::Conflict(
                "nothing else opens the account; set a password first",
            ));
        }
        let target = format!("user:{}", user.email);
        let details = json!({ "provider": identity.provider, "subject": identity.subject });
        let entry = self.done(&by.email, "identity.unlink", target, details, origin);
        if !self.store.unlink_identity(by.user, id, &entry).await? {
            return Err(AccountsError::Missing);
        }
        if own.iter().filter(|own| own.provider == identity.provider).count() == 1 {
            let entry = self.done(&by.email, "role.take", String::new(), json!({}), origin);
            self.store.take_up_roles(&user, &identity.provider, &[], &entry).await?;
            self.standings.forget_all();
        }
        Ok(())
    }

    async fn has_password(&self, user: &User) -> Result<bool, AccountsError> {
        let credentials = self.store.credentials(&user.email).await?;
        Ok(credentials.is_some_and(|known| !known.password_hash.is_empty()))
    }

    async fn account_of(
        &self,
        provider: &OidcProvider,
        identity: &ForeignIdentity,
        origin: &Origin,
    ) -> Result<User, AccountsError> {
        if let Some(user) = self.store.user_of_identity(identity).await? {
            return Ok(user);
        }
        let Some(email) = &identity.email else { return Err(AccountsError::UnknownIdentity) };
        if !identity.email_verified {
            return Err(AccountsError::EmailUnverified);
        }
        let Some(known) = self.store.credentials(email).await? else {
            return self.make_account(provider, identity, email, origin).await;
        };
        let user = known.user;
        // Somebody else may have made an account with an address that they never had.
        if !(provider.link_verified_email && user.email_verified) {
            return Err(AccountsError::IdentityUnlinked);
        }
        if user.active {
            let entry = self.identity_entry(&user.email, "identity.link", &user, identity, origin);
            let linked = self.store.link_identity(&self.linked(&user, identity), &entry).await?;
            if linked == Linked::Taken {
                return Err(AccountsError::IdentityTaken);
            }
        }
        Ok(user)
    }

    async fn make_account(
        &self,
        provider: &OidcProvider,
        identity: &ForeignIdentity,
        email: &str,
        origin: &Origin,
    ) -> Result<User, AccountsError> {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        let invitation = match provider.create {
            Create::Never => return Err(AccountsError::UnknownIdentity),
            Create::Invited => {
                let standing = self.invitation_for(email).await?;
                Some(standing.ok_or(AccountsError::InvitationRequired)?)
            }
            Create::Anyone => {
                let is_own = |own: &String| own.eq_ignore_ascii_case(domain);
                if !provider.domains.iter().any(is_own) {
                    return Err(AccountsError::UnknownIdentity);
                }
                None
            }
        };
        let role = match &invitation {
            Some(Invitation { role, scope: None, .. }) => *role,
            Some(_) | None => Role::User,
        };
        let user = User {
            id: UserId(self.clock.new_id()),
            display_name: identity.display_name.clone().unwrap_or_else(|| name_of(email)),
            email: email.to_owned(),
            email_verified: true,
            avatar_url: None,
            locale: fields::DEFAULT_LOCALE.into(),
            timezone: fields::DEFAULT_TIMEZONE.into(),
            role,
            active: true,
            mfa_enabled: false,
            created_at_ms: self.clock.now_ms(),
            last_login_at_ms: None,
        };
        let mut entry = self.identity_entry(email, "auth.register", &user, identity, origin);
        entry.details["role"] = role.name().into();
        entry.details["invitation"] = json!(invitation.as_ref().map(|invitation| invitation.id));
        let created_by = invitation.as_ref().map(|invitation| invitation.created_by);
        // No password opens it until its owner sets one by a letter.
        let new = NewUser { user: user.clone(), password_hash: String::new(), created_by };
        let linked = self.linked(&user, identity);
        let added = self.store.register_linked(&new, invitation.as_ref(), &linked, &entry);
        match added.await? {
            Added::Added => Ok(user),
            // Two windows of the same person: the other one was faster.
            Added::EmailExists => {
                let other = self.store.user_of_identity(identity).await?;
                other.ok_or(AccountsError::IdentityUnlinked)
            }
            Added::InvitationUsed => Err(AccountsError::UnknownInvitation),
        }
    }

    /// An open invitation for that very address.
    async fn invitation_for(&self, email: &str) -> Result<Option<Invitation>, AccountsError> {
        for invitation in self.store.invitations_for(email, self.clock.now_ms()).await? {
            if self.may_still_be_given(&invitation).await? {
                return Ok(Some(invitation));
            }
        }
        Ok(None)
    }

    async fn take_up_roles(
        &self,
        user: &User,
        identity: &ForeignIdentity,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let actor = format!("oidc:{}", identity.provider);
        let entry = self.done(&actor, "role.give", String::new(), json!({}), origin);
        let (provider, wanted) = (&identity.provider, &identity.roles);
        if self.store.take_up_roles(user, provider, wanted, &entry).await? {
            self.standings.forget_all();
        }
        Ok(())
    }

    fn linked(&self, user: &User, identity: &ForeignIdentity) -> Identity {
        Identity {
            id: self.clock.new_id(),
            user: user.id,
            provider: identity.provider.clone(),
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            email: identity.email.clone(),
            created_at_ms: self.clock.now_ms(),
            last_used_at_ms: None,
        }
    }

    fn identity_entry(
        &self,
        actor: &str,
        action: &str,
        user: &User,
        identity: &ForeignIdentity,
        origin: &Origin,
    ) -> AuditEntry {
        let details = json!({ "provider": identity.provider, "subject": identity.subject });
        self.done(actor, action, format!("user:{}", user.email), details, origin)
    }

    /// Notes that what came from a provider was refused before anybody was named.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn refuse_provider(
        &self,
        provider: &str,
        reason: &str,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let actor = format!("oidc:{provider}");
        let details = json!({ "provider": provider, "reason": reason });
        let entry = self.done(&actor, "auth.login", actor.clone(), details, origin);
        let entry = AuditEntry { decision: Decision::Refused, ..entry };
        Ok(self.store.add_audit(&entry).await?)
    }

    async fn turn_away(
        &self,
        actor: &str,
        identity: &ForeignIdentity,
        reason: &str,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let details = json!({
            "provider": identity.provider, "subject": identity.subject,
            "email": identity.email, "reason": reason,
        });
        let entry = self.done(actor, "auth.login", format!("user:{actor}"), details, origin);
        let entry = AuditEntry { decision: Decision::Refused, ..entry };
        Ok(self.store.add_audit(&entry).await?)
    }
}

/// The word of the audit trail, where somebody was turned away.
const fn reason(error: &AccountsError) -> Option<&'static str> {
    match error {
        AccountsError::UnknownIdentity => Some("unknown_identity"),
        AccountsError::EmailUnverified => Some("email_unverified"),
        AccountsError::IdentityUnlinked => Some("identity_unlinked"),
        AccountsError::IdentityTaken => Some("identity_taken"),
        AccountsError::InvitationRequired => Some("invitation_required"),
        _ => None,
    }
}
