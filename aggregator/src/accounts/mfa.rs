//! The second factor: codes of an app, and recovery codes for when it is lost. Each code is good
//! for one use, and wrong ones count as wrong passwords do.

use super::{Accounts, AccountsError, AuthDevice, Origin, SignedIn, User, secret, totp};
use crate::access::{Caller, UserId};
use serde_json::json;

/// How long a sign-in waits for its code.
pub const CHALLENGE_TTL_MS: u64 = 5 * 60 * 1_000;
pub const RECOVERY_CODES: usize = 10;
const PREFIX: &str = "fbm1.";
const RECOVERY_BYTES: usize = 10;

/// What an app needs to give codes.
#[derive(Clone)]
pub struct Enrolment {
    pub secret: String,
    pub uri: String,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment(..)")
    }
}

/// What an account has of a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factors {
    pub totp_since_ms: Option<u64>,
    pub recovery_codes_left: u32,
}

/// A sealed secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTotp {
    pub sealed: Vec<u8>,
    pub since_ms: Option<u64>,
}

/// A sign-in that waits for its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub user: User,
    pub device: AuthDevice,
    pub expires_at_ms: u64,
}

impl Accounts {
    /// # Errors
    /// Where the store fails.
    pub async fn factors(&self, by: &Caller) -> Result<Factors, AccountsError> {
        Ok(self.store.factors(by.user).await?)
    }

    /// A secret for the caller's app. It counts once a code of it was shown.
    ///
    /// # Errors
    /// Where the account has a second factor already.
    pub async fn begin_totp(
        &self,
        by: &Caller,
        origin: &Origin,
    ) -> Result<Enrolment, AccountsError> {
        let mut secret = [0; totp::SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(AccountsError::Random)?;
        let sealed = self.sealing.seal(&place(by.user), &secret)?;
        let target = format!("user:{}", by.email);
        let entry = self.done(&by.email, "auth.mfa.begin", target, json!({}), origin);
        if !self.store.begin_totp(by.user, &sealed, &entry).await? {
            return Err(AccountsError::Conflict("the account has a second factor already"));
        }
        Ok(Enrolment { secret: totp::base32(&secret), uri: totp::uri(&by.email, &secret) })
    }

    /// The app has it: from now on sign-ins ask for a code. The recovery codes come back for the
    /// only time.
    ///
    /// # Errors
    /// Where nothing was begun or the code is not right.
    pub async fn confirm_totp(
        &self,
        by: &Caller,
        code: &str,
        origin: &Origin,
    ) -> Result<Vec<String>, AccountsError> {
        let nothing = AccountsError::Conflict("no second factor was begun; begin it first");
        let Some(stored) = self.store.totp(by.user).await? else { return Err(nothing) };
        if stored.since_ms.is_some() {
            return Err(AccountsError::Conflict("the account has a second factor already"));
        }
        let secret = self.sealing.open_sealed(&place(by.user), &stored.sealed)?;
        let now_ms = self.clock.now_ms();
        let step = totp::matching_step(&secret, code, now_ms).ok_or(AccountsError::WrongCode)?;
        let (texts, hashes) = recovery_codes(by.user)?;
        let target = format!("user:{}", by.email);
        let entry = self.done(&by.email, "auth.mfa.confirm", target, json!({}), origin);
        if !self.store.confirm_totp(by.user, &stored.sealed, step, &hashes, &entry).await? {
            return Err(nothing);
        }
        Ok(texts)
    }

    /// Takes the second factor off.
    ///
    /// # Errors
    /// Where the password is wrong or there is none.
    pub async fn remove_totp(
        &self,
        by: &Caller,
        password: String,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        self.confirm_password(by, password, origin).await?;
        let target = format!("user:{}", by.email);
        let entry = self.done(&by.email, "auth.mfa.remove", target, json!({}), origin);
        if !self.store.remove_totp(by.user, &entry).await? {
            return Err(AccountsError::Missing);
        }
        Ok(())
    }

    /// New recovery codes in place of the old ones.
    ///
    /// # Errors
    /// Where the password is wrong or there is no second factor.
    pub async fn renew_recovery_codes(
        &self,
        by: &Caller,
        password: String,
        origin: &Origin,
    ) -> Result<Vec<String>, AccountsError> {
        let user = self.confirm_password(by, password, origin).await?;
        if !user.mfa_enabled {
            return Err(AccountsError::Conflict("the account has no second factor"));
        }
        let (texts, hashes) = recovery_codes(by.user)?;
        let target = format!("user:{}", by.email);
        let entry = self.done(&by.email, "auth.mfa.recovery-codes", target, json!({}), origin);
        self.store.replace_recovery_codes(by.user, &hashes, &entry).await?;
        Ok(texts)
    }

    /// The first factor was right: what is left is the code.
    pub(super) async fn challenge(
        &self,
        user: &User,
        device: AuthDevice,
    ) -> Result<SignedIn, AccountsError> {
        let (text, hash) = secret::issue(PREFIX).map_err(AccountsError::Random)?;
        let now_ms = self.clock.now_ms();
        let challenge =
            Challenge { user: user.clone(), device, expires_at_ms: now_ms + CHALLENGE_TTL_MS };
        self.store.add_challenge(&hash, &challenge, now_ms).await?;
        Err(AccountsError::MfaRequired { challenge: text })
    }

    /// Finishes a sign-in with a code of the app or a recovery code.
    ///
    /// # Errors
    /// Where the challenge does not hold, the code is wrong or was used, or the account is locked.
    pub async fn answer_challenge(
        &self,
        text: &str,
        code: &str,
        origin: Origin,
    ) -> Result<SignedIn, AccountsError> {
        let hash = secret::hash_of(text);
        let challenge = self.store.challenge(&hash).await?;
        let challenge = challenge
            .filter(|challenge| challenge.expires_at_ms > self.clock.now_ms())
            .ok_or(AccountsError::UnknownSecret)?;
        if !challenge.user.active {
            return Err(AccountsError::Inactive);
        }
        self.refuse_locked(&challenge.user.email, &origin).await?;
        self.check_code(&challenge.user, code, &origin).await?;
        if !self.store.use_challenge(&hash).await? {
            return Err(AccountsError::UnknownSecret);
        }
        self.open_session(challenge.user, challenge.device, origin).await
    }

    pub(super) async fn check_code(
        &self,
        user: &User,
        code: &str,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        if self.is_right(user.id, code).await? {
            return Ok(());
        }
        self.count_failure(&user.email, "wrong_code", origin).await?;
        Err(AccountsError::WrongCode)
    }

    async fn is_right(&self, user: UserId, code: &str) -> Result<bool, AccountsError> {
        let code = code.trim();
        if code.len() != 6 {
            let hash = recovery_hash(user, code);
            return Ok(self.store.use_recovery_code(user, &hash, self.clock.now_ms()).await?);
        }
        let Some(stored) = self.store.totp(user).await? else { return Ok(false) };
        let secret = self.sealing.open_sealed(&place(user), &stored.sealed)?;
        match totp::matching_step(&secret, code, self.clock.now_ms()) {
            Some(step) => Ok(self.store.use_totp_step(user, step).await?),
            None => Ok(false),
        }
    }
}

/// What a secret is sealed for.
fn place(user: UserId) -> String {
    format!("users.totp_secret:{user}")
}

fn recovery_codes(user: UserId) -> Result<(Vec<String>, Vec<[u8; 32]>), AccountsError> {
    let mut texts = Vec::new();
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0; RECOVERY_BYTES];
        getrandom::fill(&mut bytes).map_err(AccountsError::Random)?;
        let text = totp::base32(&bytes).to_lowercase();
        let parts: Vec<&str> =
            (0..text.len()).step_by(4).filter_map(|at| text.get(at..at + 4)).collect();
        texts.push(parts.join("-"));
    }
    let hashes = texts.iter().map(|text| recovery_hash(user, text)).collect();
    Ok((texts, hashes))
}

/// Eighty random bits need no slow hash; the account keeps equal ones apart.
fn recovery_hash(user: UserId, code: &str) -> [u8; 32] {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    secret::hash_of(&format!("recovery:{user}:{}", code.to_lowercase()))
}
