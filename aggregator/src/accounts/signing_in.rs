//! Signing in and out, refreshing, and who a request speaks for.

use super::profile::Ending;
use super::{
    Accounts, AccountsError, AuthDevice, NewSession, Origin, RefreshToken, Rotation, SignIn,
    SignedIn, TokenPair, User, lockout,
};
use crate::access::token::{ACCESS_TTL_MS, TokenError};
use crate::access::{Caller, Credential, Grants, SessionId};
use crate::audit::{AuditEntry, Decision};
use crate::store::StoreError;
use serde_json::{Value, json};

impl Accounts {
    /// Signs in: a new session with its first two tokens.
    ///
    /// # Errors
    /// Why not, in the words that the API gives.
    pub async fn sign_in(&self, attempt: SignIn) -> Result<SignedIn, AccountsError> {
        let user = self.check_password(&attempt).await?;
        if user.mfa_enabled {
            let Some(code) = attempt.code.clone() else {
                return self.challenge(&user, attempt.device).await;
            };
            self.check_code(&user, &code, &attempt.origin).await?;
        }
        self.open_session(user, attempt.device, attempt.origin).await
    }

    /// Whose password it is. What is answered tells nothing of whether the address has an
    /// account: addresses without one are locked by failures too.
    pub(super) async fn check_password(&self, attempt: &SignIn) -> Result<User, AccountsError> {
        self.refuse_locked(&attempt.email, &attempt.origin).await?;
        let known = self.store.credentials(&attempt.email).await?;
        let hash = known.as_ref().map(|known| known.password_hash.as_str());
        // Who came by a provider has no password.
        let hash = hash.filter(|hash| !hash.is_empty());
        let matches = self.passwords.matches(&attempt.password, hash).await?;
        let Some(known) = known.filter(|_| matches) else {
            self.count_failure(&attempt.email, "invalid_credentials", &attempt.origin).await?;
            return Err(AccountsError::InvalidCredentials);
        };
        if !known.user.active {
            self.refuse(&attempt.email, "inactive", &attempt.origin).await?;
            return Err(AccountsError::Inactive);
        }
        if self.passwords.is_outdated(&known.password_hash) {
            let hash = self.passwords.hash(&attempt.password).await?;
            self.store.rehash_password(known.user.id, &known.password_hash, &hash).await?;
        }
        Ok(known.user)
    }

    pub(super) async fn open_session(
        &self,
        user: User,
        device: AuthDevice,
        origin: Origin,
    ) -> Result<SignedIn, AccountsError> {
        self.open_session_with(user, device, origin, json!({})).await
    }

    /// The same, with what the audit trail says of how it came.
    pub(super) async fn open_session_with(
        &self,
        user: User,
        device: AuthDevice,
        origin: Origin,
        details: Value,
    ) -> Result<SignedIn, AccountsError> {
        let now_ms = self.clock.now_ms();
        let (plain, refresh) = RefreshToken::issue(now_ms).map_err(AccountsError::Random)?;
        let session = SessionId(self.clock.new_id());
        let target = format!("user:{}", user.email);
        let entry = self.done(&user.email, "auth.login", target, details, &origin);
        let new = NewSession {
            session,
            user: user.id,
            auth_device: self.clock.new_id(),
            device,
            origin,
            refresh,
            at_ms: now_ms,
        };
        let auth_device = self.store.open_session(&new, &entry).await?;
        self.store.forget_failures(&lockout::address(&user.email)).await?;
        let access = self.access_token(&user, session).await?;
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
                Ok(TokenPair { access: self.access_token(&user, session).await?, refresh: plain })
            }
            Rotation::Reused { session, email } => {
                self.standings.forget(Credential::Session(session));
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
        let Some((user, session)) = self.store.session_of_refresh(&presented).await? else {
            return Ok(());
        };
        let only = if all_devices { Ending::All } else { Ending::One(session) };
        self.leave(&user, only, origin).await
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
        let only = match caller.credential {
            _ if all_devices => Ending::All,
            Credential::Session(session) => Ending::One(session),
            _ => return Err(AccountsError::NotYours("an API key has no session to end")),
        };
        self.leave(&user, only, origin).await
    }

    async fn leave(
        &self,
        user: &User,
        which: Ending,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let target = format!("user:{}", user.id);
        let details = json!({ "all_devices": which == Ending::All });
        let entry = self.done(&user.email, "auth.logout", target, details, origin);
        let ended = self.store.end_sessions(user.id, which, &entry).await?;
        self.forget_sessions(&ended);
        Ok(())
    }

    /// Who an access token speaks for, while its session stands. A session that was ended
    /// elsewhere is noticed within `standing::FRESH`.
    ///
    /// # Errors
    /// Where the token is not ours, has expired, or its session has ended.
    pub async fn caller(&self, access_token: &str) -> Result<Caller, AccountsError> {
        self.keep_signing_keys_fresh().await?;
        let claims = self.tokens.verify(access_token).map_err(|error| match error {
            TokenError::Expired => AccountsError::TokenExpired,
            TokenError::Invalid | TokenError::Signing(_) => AccountsError::InvalidAccessToken,
        })?;
        let expires_at_ms = claims.expires_at_ms();
        let credential = Credential::Session(claims.sid);
        let grants = self.standing(credential).await?.ok_or(AccountsError::InvalidAccessToken)?;
        Ok(Caller { user: claims.sub, email: claims.email, grants, credential, expires_at_ms })
    }

    /// Who a name and a password speak for, without a session. A second factor can't be given
    /// this way, so an account that has one is refused.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub async fn caller_by_password(
        &self,
        email: String,
        password: String,
        origin: Origin,
    ) -> Result<Caller, AccountsError> {
        let device = AuthDevice::default();
        let attempt = SignIn { email, password, code: None, device, origin };
        let user = self.check_password(&attempt).await?;
        if user.mfa_enabled {
            return Err(AccountsError::NotYours("this account signs in with a second factor"));
        }
        let credential = Credential::Password(user.id);
        let grants = self.standing(credential).await?.ok_or(AccountsError::Inactive)?;
        let expires_at_ms = self.clock.now_ms() + ACCESS_TTL_MS;
        Ok(Caller { user: user.id, email: user.email, grants, credential, expires_at_ms })
    }

    /// Does the caller's credential still stand, with the same rights?
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn still_stands(&self, caller: &Caller) -> Result<bool, AccountsError> {
        // Without an account there is nothing that could end.
        if caller.credential == Credential::Nothing {
            return Ok(true);
        }
        Ok(self.standing(caller.credential).await?.as_ref() == Some(&caller.grants))
    }

    pub(super) async fn standing(
        &self,
        credential: Credential,
    ) -> Result<Option<Grants>, StoreError> {
        let now_ms = self.clock.now_ms();
        if let Some(known) = self.standings.known(credential, now_ms) {
            return Ok(known);
        }
        let grants = match credential {
            Credential::Session(session) => self.store.session_grants(session).await?,
            Credential::ApiKey(key) => self.store.api_key_grants(key, now_ms).await?,
            Credential::Password(user) | Credential::Local(user) => {
                self.store.user_grants(user).await?
            }
            Credential::Nothing => None,
        };
        self.standings.learn(credential, grants.clone(), now_ms);
        Ok(grants)
    }

    async fn access_token(&self, user: &User, session: SessionId) -> Result<String, AccountsError> {
        self.keep_signing_keys_fresh().await?;
        self.tokens.issue(user.id, &user.email, user.role, session).map_err(AccountsError::Signing)
    }
}
