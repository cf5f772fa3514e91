//! Accounts and their sessions: who signs in, what a refresh token opens, when a session ends.
//!
//! A sign-in is a session and a family of refresh tokens, each good for one use; using one
//! twice ends the family. Passwords are argon2id, tokens are kept as hashes. Nothing here knows
//! HTTP; what a role may do stands in `access`.

pub mod api_keys;
pub mod fields;
#[cfg(feature = "oidc")]
pub mod identities;
pub mod invitations;
pub mod letters;
mod local;
pub mod lockout;
pub mod mfa;
pub mod password;
pub mod people;
pub mod profile;
mod refresh;
pub mod registration;
pub(crate) mod secret;
mod signing_in;
mod signing_keys;
mod standing;
pub(crate) mod totp;

use crate::access::token::{AccessTokens, TokenError};
use crate::access::{Role, SessionId, UserId};
use crate::audit::{AuditEntry, Decision};
use crate::clock::Clock;
use crate::config::Auth;
use crate::mail::Outbox;
use crate::sealing::{Sealing, SealingError};
use crate::store::{Store, StoreError};
use fields::FieldFault;
pub use local::LOCAL;
use password::{PasswordError, Passwords};
pub use refresh::RefreshToken;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use signing_keys::SigningKeys;
pub use signing_keys::rotate as rotate_signing_keys;
use standing::Standings;
use std::net::IpAddr;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// How long a refresh token holds.
pub const REFRESH_TTL_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

#[derive(Debug, Error)]
pub enum AccountsError {
    #[error("wrong email or password")]
    InvalidCredentials,
    #[error("the account is disabled")]
    Inactive,
    #[error("the account is locked after too many failed attempts")]
    Locked { until_ms: u64 },
    #[error("the refresh token is not known")]
    UnknownToken,
    #[error("the token has expired")]
    TokenExpired,
    #[error("the refresh token was used before; every session of its family has ended")]
    TokenReused,
    #[error("the access token is not valid")]
    InvalidAccessToken,
    #[error("too many sign-ins are under way")]
    Busy,
    #[error("this server takes no new accounts")]
    RegistrationClosed,
    #[error("a new account needs an invitation here")]
    InvitationRequired,
    #[error("the invitation is not known, is used, was withdrawn or has expired")]
    UnknownInvitation,
    #[error("this is no address of the form name@example.org")]
    InvalidEmail,
    #[error("the address has an account already")]
    EmailExists,
    #[error("the password is too weak")]
    WeakPassword(Vec<&'static str>),
    #[error("a field is faulty")]
    Fields(Vec<FieldFault>),
    #[error("{0}")]
    NotYours(&'static str),
    #[error("there is no such thing")]
    Missing,
    #[error("it was changed since it was read")]
    Stale,
    #[error("this is the last active superuser")]
    LastSuperuser,
    #[error("{0}")]
    Conflict(&'static str),
    #[error("a second factor is asked for")]
    MfaRequired { challenge: String },
    #[error("the code is not right, or was used before")]
    WrongCode,
    #[error("the token is not known, was used or has expired")]
    UnknownSecret,
    #[error("nobody here is linked with this identity")]
    UnknownIdentity,
    #[error("the provider has not verified the address")]
    EmailUnverified,
    #[error("the address has an account here that is not linked with this identity")]
    IdentityUnlinked,
    #[error("the identity belongs to another account")]
    IdentityTaken,
    #[error("sealing a secret")]
    Sealing(#[from] SealingError),
    #[error("the system has no randomness")]
    Random(#[source] getrandom::Error),
    #[error("hashing")]
    Password(#[source] PasswordError),
    #[error("signing an access token")]
    Signing(#[source] TokenError),
    #[error("storing an account")]
    Store(#[from] StoreError),
}

impl From<PasswordError> for AccountsError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            error => Self::Password(error),
        }
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub email_verified: bool,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub locale: String,
    pub timezone: String,
    pub role: Role,
    /// Neither disabled nor deleted.
    pub active: bool,
    pub mfa_enabled: bool,
    pub created_at_ms: u64,
    pub last_login_at_ms: Option<u64>,
}

/// An account with what its sign-in is judged by. Never leaves this module's callers.
#[derive(Clone)]
pub struct Credentials {
    pub user: User,
    pub password_hash: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.user.id)
    }
}

/// The browser or app that signs in, as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthDevice {
    pub fingerprint: String,
    pub name: Option<String>,
    pub kind: Option<String>,
    pub model: Option<String>,
    pub os_version: Option<String>,
    pub app_version: Option<String>,
}

/// Where a request came from, for sessions and the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub address: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

/// One attempt to sign in.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub email: String,
    pub password: String,
    /// The second factor, where it comes along already.
    pub code: Option<String>,
    pub device: AuthDevice,
    pub origin: Origin,
}

/// The two tokens of a session, in plain text for the only time.
#[derive(Clone)]
pub struct TokenPair {
    pub access: String,
    pub refresh: String,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenPair")
    }
}

#[derive(Clone, Debug)]
pub struct SignedIn {
    pub user: User,
    pub auth_device: Uuid,
    pub tokens: TokenPair,
}

/// What one transaction writes when somebody signs in.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub session: SessionId,
    pub user: UserId,
    /// Used where the fingerprint is new for this account.
    pub auth_device: Uuid,
    pub device: AuthDevice,
    pub origin: Origin,
    pub refresh: RefreshToken,
    pub at_ms: u64,
}

/// What became of a refresh token that was presented.
#[derive(Clone, Debug)]
pub enum Rotation {
    Rotated {
        user: User,
        session: SessionId,
    },
    Unknown,
    Expired,
    /// It was used before: the family is revoked now.
    Reused {
        session: SessionId,
        email: String,
    },
    /// The session was ended.
    Revoked,
    Inactive,
}

#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    clock: Clock,
    settings: Arc<Auth>,
    passwords: Passwords,
    tokens: AccessTokens,
    signing_keys: SigningKeys,
    standings: Standings,
    keys: api_keys::Keys,
    sealing: Sealing,
    letters: letters::Letters,
}

impl Accounts {
    /// Opens the accounts of `store`; makes the first signing key where there is none.
    ///
    /// # Errors
    /// Where the store fails or the system has no randomness.
    pub async fn open(
        store: Store,
        clock: Clock,
        settings: Auth,
        sealing: Sealing,
        outbox: Outbox,
    ) -> Result<Self, AccountsError> {
        let tokens = signing_keys::open(&store, &clock).await?;
        Ok(Self {
            signing_keys: SigningKeys::read_at(clock.now_ms()),
            passwords: Passwords::new(settings.hashing),
            settings: Arc::new(settings),
            tokens,
            standings: Standings::default(),
            keys: api_keys::Keys::default(),
            sealing,
            letters: letters::Letters::new(outbox),
            store,
            clock,
        })
    }

    /// # Errors
    /// Where the store fails.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.store.user(id).await
    }

    /// What an account may has changed: sessions are asked for anew.
    pub fn reconsider(&self) {
        self.standings.forget_all();
    }

    /// An entry of the audit trail for what `by` did.
    fn done(
        &self,
        by: &str,
        action: &str,
        target: String,
        details: Value,
        origin: &Origin,
    ) -> AuditEntry {
        AuditEntry {
            at_ms: self.clock.now_ms(),
            actor: by.into(),
            action: action.into(),
            target,
            decision: Decision::Allowed,
            details,
            request_id: origin.request_id.clone(),
            address: origin.address,
            ..AuditEntry::default()
        }
    }
}

/// What an authenticator app shows at `now_ms` for the secret that was typed into it.
#[cfg(test)]
pub(crate) fn code_of_app(secret: &str, now_ms: u64) -> String {
    totp::code_now(&totp::from_base32(secret), now_ms)
}

fn fault(field: &'static str, message: &'static str) -> AccountsError {
    AccountsError::Fields(vec![FieldFault { field, message }])
}

/// One account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub user: User,
    pub password_hash: String,
    /// `None`: the server itself.
    pub created_by: Option<UserId>,
}

/// Creates the first superuser. An account that exists is left as it is, its password too.
///
/// # Errors
/// Where the store or hashing fails.
pub async fn create_superuser(
    store: &Store,
    clock: &Clock,
    email: &str,
    password: &str,
) -> Result<(), AccountsError> {
    create_user(store, clock, email, password, Role::Superuser).await.map(|_| ())
}

/// Creates an account; `None` where the address has one already.
///
/// # Errors
/// Where the store or hashing fails.
pub async fn create_user(
    store: &Store,
    clock: &Clock,
    email: &str,
    password: &str,
    role: Role,
) -> Result<Option<UserId>, AccountsError> {
    if store.credentials(email).await?.is_some() {
        return Ok(None);
    }
    let password_hash = Passwords::default().hash(password).await?;
    let user = User {
        id: UserId(clock.new_id()),
        email: email.to_lowercase(),
        email_verified: true,
        display_name: email.split('@').next().unwrap_or(email).into(),
        avatar_url: None,
        locale: "en-US".into(),
        timezone: "UTC".into(),
        role,
        active: true,
        mfa_enabled: false,
        created_at_ms: clock.now_ms(),
        last_login_at_ms: None,
    };
    let id = user.id;
    let entry = AuditEntry {
        at_ms: clock.now_ms(),
        actor: "system".into(),
        action: "user.create".into(),
        target: format!("user:{}", user.email),
        decision: Decision::Allowed,
        details: json!({ "role": role.name() }),
        ..AuditEntry::default()
    };
    let created =
        store.add_user(&NewUser { user, password_hash, created_by: None }, &entry).await?;
    Ok(created.then_some(id))
}
