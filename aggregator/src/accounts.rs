//! Accounts and their sessions: who signs in, what a refresh token opens, when a session ends.
//!
//! A sign-in is a session and a family of refresh tokens, each good for one use; using one
//! twice ends the family. Passwords are argon2id, tokens are kept as hashes. Nothing here knows
//! HTTP; what a role may do stands in `access`.

mod local;
pub mod password;
mod refresh;
mod standing;

use crate::access::token::{AccessTokens, TokenError};
use crate::access::{Caller, Grants, Role, SessionId, UserId};
use crate::audit::{AuditEntry, Decision};
use crate::clock::Clock;
use crate::store::{SigningKey, Store, StoreError};
pub use local::LOCAL;
use password::{PasswordError, Passwords};
pub use refresh::RefreshToken;
use serde_json::{Value, json};
use standing::Standings;
use std::net::IpAddr;
use thiserror::Error;
use uuid::Uuid;

/// How long a refresh token holds.
pub const REFRESH_TTL_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// Wrong passwords in a row that lock an account, and for how long.
pub const MAX_FAILURES: u32 = 5;
pub const LOCK_MS: u64 = 15 * 60 * 1_000;
/// What the signing keys of access tokens are stored under.
const KEY_PURPOSE: &str = "access-token";

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
    pub active: bool,
    pub created_at_ms: u64,
    pub last_login_at_ms: Option<u64>,
}

/// An account with what its sign-in is judged by. Never leaves this module's callers.
#[derive(Clone)]
pub struct Credentials {
    pub user: User,
    pub password_hash: String,
    pub failures: u32,
    pub locked_until_ms: Option<u64>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, {} failures)", self.user.id, self.failures)
    }
}

/// The browser or app that signs in, as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    passwords: Passwords,
    tokens: AccessTokens,
    standings: Standings,
}

impl Accounts {
    /// Opens the accounts of `store`; makes the first signing key where there is none.
    ///
    /// # Errors
    /// Where the store fails or the system has no randomness.
    pub async fn open(store: Store, clock: Clock) -> Result<Self, AccountsError> {
        let mut keys = store.signing_keys(KEY_PURPOSE).await?;
        if keys.is_empty() {
            let mut secret = vec![0; 32];
            getrandom::fill(&mut secret).map_err(AccountsError::Random)?;
            let (kid, created_at_ms) = (clock.new_id().to_string(), clock.now_ms());
            let key = SigningKey { kid, secret, created_at_ms, retired_at_ms: None };
            store.add_signing_key(KEY_PURPOSE, &key).await?;
            keys = store.signing_keys(KEY_PURPOSE).await?;
        }
        let tokens = AccessTokens::new(keys, clock.clone());
        let passwords = Passwords::default();
        Ok(Self { store, clock, passwords, tokens, standings: Standings::default() })
    }

    /// Signs in: a new session with its first two tokens.
    ///
    /// # Errors
    /// Why not, in the words that the API gives.
    pub async fn sign_in(&self, attempt: SignIn) -> Result<SignedIn, AccountsError> {
        let now_ms = self.clock.now_ms();
        let known = self.store.credentials(&attempt.email).await?;
        if let Some(until_ms) = known.as_ref().and_then(|known| known.locked_until_ms)
            && until_ms > now_ms
        {
            self.note(&attempt, "auth.login", Decision::Refused, json!({ "reason": "locked" }))
                .await?;
            return Err(AccountsError::Locked { until_ms });
        }
        let hash = known.as_ref().map(|known| known.password_hash.as_str());
        let matches = self.passwords.matches(&attempt.password, hash).await?;
        let Some(known) = known.filter(|_| matches) else {
            return self.fail(&attempt, now_ms).await;
        };
        if !known.user.active {
            self.note(&attempt, "auth.login", Decision::Refused, json!({ "reason": "inactive" }))
                .await?;
            return Err(AccountsError::Inactive);
        }
        self.open_session(known.user, attempt, now_ms).await
    }

    async fn fail(&self, attempt: &SignIn, now_ms: u64) -> Result<SignedIn, AccountsError> {
        let locked =
            self.store.note_failed_sign_in(&attempt.email, MAX_FAILURES, now_ms, LOCK_MS).await?;
        let details = json!({ "reason": "invalid_credentials", "locked": locked });
        self.note(attempt, "auth.login", Decision::Refused, details).await?;
        Err(AccountsError::InvalidCredentials)
    }

    async fn open_session(
        &self,
        user: User,
        attempt: SignIn,
        now_ms: u64,
    ) -> Result<SignedIn, AccountsError> {
        let (plain, refresh) = RefreshToken::issue(now_ms).map_err(AccountsError::Random)?;
        let session = SessionId(self.clock.new_id());
        let entry = self.entry(&attempt, "auth.login", Decision::Allowed, json!({}));
        let new = NewSession {
            session,
            user: user.id,
            auth_device: self.clock.new_id(),
            device: attempt.device,
            origin: attempt.origin,
            refresh,
            at_ms: now_ms,
        };
        let auth_device = self.store.open_session(&new, &entry).await?;
        let access = self.access_token(&user, session)?;
        let user = User { last_login_at_ms: Some(now_ms), ..user };
        Ok(SignedIn { user, auth_device, tokens: TokenPair { access, refresh: plain } })
    }

    /// Exchanges a refresh token for a new pair.
    ///
    /// # Errors
    /// Where the token is unknown, used, revoked or past its time.
    pub async fn refresh(&self, token: &str, origin: &Origin) -> Result<TokenPair, AccountsError> {
        let now_ms = self.clock.now_ms();
        let presented = RefreshToken::hash_of(token);
        let (plain, next) = RefreshToken::issue(now_ms).map_err(AccountsError::Random)?;
        match self.store.rotate_refresh(&presented, &next, now_ms).await? {
            Rotation::Rotated { user, session } => {
                Ok(TokenPair { access: self.access_token(&user, session)?, refresh: plain })
            }
            Rotation::Reused { session, email } => {
                self.standings.forget(session);
                tracing::warn!(%session, email, "a refresh token was used twice, family revoked");
                self.store
                    .add_audit(&AuditEntry {
                        at_ms: now_ms,
                        actor: email,
                        action: "auth.refresh".into(),
                        target: format!("session:{session}"),
                        decision: Decision::Refused,
                        details: json!({ "reason": "token_reused" }),
                        request_id: origin.request_id.clone(),
                        ..AuditEntry::default()
                    })
                    .await?;
                Err(AccountsError::TokenReused)
            }
            Rotation::Unknown | Rotation::Revoked => Err(AccountsError::UnknownToken),
            Rotation::Expired => Err(AccountsError::TokenExpired),
            Rotation::Inactive => Err(AccountsError::Inactive),
        }
    }

    /// Ends the session of a refresh token, or every session of its account. A token that is
    /// not known is signed out already.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn sign_out(
        &self,
        token: &str,
        all_devices: bool,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let presented = RefreshToken::hash_of(token);
        let now_ms = self.clock.now_ms();
        let Some((user, session)) = self.store.session_of_refresh(&presented).await? else {
            return Ok(());
        };
        let only = (!all_devices).then_some(session);
        self.end_sessions(&user, only, now_ms, origin).await
    }

    /// Ends the caller's own session, or every session of the account.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn sign_out_caller(
        &self,
        caller: &Caller,
        all_devices: bool,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let Some(user) = self.store.user(caller.user).await? else { return Ok(()) };
        let only = (!all_devices).then_some(caller.session);
        self.end_sessions(&user, only, self.clock.now_ms(), origin).await
    }

    async fn end_sessions(
        &self,
        user: &User,
        only: Option<SessionId>,
        now_ms: u64,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let entry = AuditEntry {
            at_ms: now_ms,
            actor: user.email.clone(),
            action: "auth.logout".into(),
            target: format!("user:{}", user.id),
            decision: Decision::Allowed,
            details: json!({ "all_devices": only.is_none() }),
            request_id: origin.request_id.clone(),
            ..AuditEntry::default()
        };
        for session in self.store.end_sessions(user.id, only, now_ms, &entry).await? {
            self.standings.forget(session);
        }
        Ok(())
    }

    /// # Errors
    /// Where the store fails.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.store.user(id).await
    }

    /// Who an access token speaks for, while its session stands. A session that was ended
    /// elsewhere is noticed within `standing::FRESH`.
    ///
    /// # Errors
    /// Where the token is not ours, has expired, or its session has ended.
    pub async fn caller(&self, access_token: &str) -> Result<Caller, AccountsError> {
        let claims = self.tokens.verify(access_token).map_err(|error| match error {
            TokenError::Expired => AccountsError::TokenExpired,
            TokenError::Invalid | TokenError::Signing(_) => AccountsError::InvalidAccessToken,
        })?;
        let expires_at_ms = claims.expires_at_ms();
        let grants = self.standing(claims.sid).await?.ok_or(AccountsError::InvalidAccessToken)?;
        let (user, session) = (claims.sub, claims.sid);
        Ok(Caller { user, email: claims.email, grants, session, expires_at_ms })
    }

    /// Does the caller's session still stand, with the same rights?
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn still_stands(&self, caller: &Caller) -> Result<bool, AccountsError> {
        // Without an account there is no session that could end.
        if caller.session.0.is_nil() {
            return Ok(true);
        }
        if local::is_local(caller) {
            return self.still_local(caller).await;
        }
        Ok(self.standing(caller.session).await?.as_ref() == Some(&caller.grants))
    }

    /// What an account may has changed: sessions are asked for anew.
    pub fn reconsider(&self) {
        self.standings.forget_all();
    }

    async fn standing(&self, session: SessionId) -> Result<Option<Grants>, StoreError> {
        let now_ms = self.clock.now_ms();
        if let Some(known) = self.standings.known(session, now_ms) {
            return Ok(known);
        }
        let grants = self.store.session_grants(session).await?;
        self.standings.learn(session, grants.clone(), now_ms);
        Ok(grants)
    }

    fn access_token(&self, user: &User, session: SessionId) -> Result<String, AccountsError> {
        self.tokens.issue(user.id, &user.email, user.role, session).map_err(AccountsError::Signing)
    }

    fn entry(
        &self,
        attempt: &SignIn,
        action: &str,
        decision: Decision,
        mut details: Value,
    ) -> AuditEntry {
        details["address"] = attempt.origin.address.map(|address| address.to_string()).into();
        AuditEntry {
            at_ms: self.clock.now_ms(),
            actor: attempt.email.clone(),
            action: action.into(),
            target: format!("user:{}", attempt.email),
            decision,
            details,
            request_id: attempt.origin.request_id.clone(),
            ..AuditEntry::default()
        }
    }

    async fn note(
        &self,
        attempt: &SignIn,
        action: &str,
        decision: Decision,
        details: Value,
    ) -> Result<(), StoreError> {
        self.store.add_audit(&self.entry(attempt, action, decision, details)).await
    }
}

/// One account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub user: User,
    pub password_hash: String,
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
    let created = store.add_user(&NewUser { user, password_hash }, &entry).await?;
    Ok(created.then_some(id))
}
