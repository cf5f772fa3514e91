//! What is proved by mail: that an address is one's own, and, where the password is lost, who one
//! is. A request for a letter is answered before anything is looked up, so that neither its words
//! nor its time tell whether there is an account.

use super::{Accounts, AccountsError, Origin, User, lockout, secret};
use crate::mail::{Mail, Outbox};
use crate::store::StoreError;
use serde_json::json;

pub const VERIFY_TTL_MS: u64 = 24 * 60 * 60 * 1_000;
pub const RESET_TTL_MS: u64 = 60 * 60 * 1_000;
const PREFIX: &str = "fbl1.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
}

impl Purpose {
    /// The store's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }

    const fn ttl_ms(self) -> u64 {
        match self {
            Self::VerifyEmail => VERIFY_TTL_MS,
            Self::ResetPassword => RESET_TTL_MS,
        }
    }

    fn letter(self, user: &User, token: &str) -> Mail {
        let (subject, ask) = match self {
            Self::VerifyEmail => (
                "Confirm your address",
                "To confirm that this address is yours, give Flyball this code within a day:",
            ),
            Self::ResetPassword => (
                "Set a new password",
                "Somebody asked to set a new password for this account. To do so, give Flyball \
                 this code within an hour:",
            ),
        };
        let text = format!(
            "Hello {},\n\n{ask}\n\n{token}\n\nIf you did not ask for this, nothing has to be \
             done.\n",
            user.display_name
        );
        Mail { to: user.email.clone(), subject: subject.into(), text }
    }
}

/// The way out for letters.
#[derive(Clone, Debug)]
pub struct Letters {
    outbox: Outbox,
    #[cfg(test)]
    pub(crate) sent: std::sync::Arc<std::sync::Mutex<Vec<Mail>>>,
}

impl Letters {
    pub(super) fn new(outbox: Outbox) -> Self {
        Self {
            outbox,
            #[cfg(test)]
            sent: std::sync::Arc::default(),
        }
    }

    /// The one place where letters leave the accounts. Where no mail is configured they wait, and
    /// are listed so.
    async fn deliver(&self, mail: Mail) -> Result<(), StoreError> {
        #[cfg(test)]
        self.sent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(mail.clone());
        self.outbox.queue(mail).await.map(drop)
    }
}

impl Accounts {
    /// Sends the account a token that proves its address.
    pub fn ask_to_verify(&self, user: &User) {
        let (accounts, user) = (self.clone(), user.clone());
        tokio::spawn(async move { accounts.write(&user, Purpose::VerifyEmail).await });
    }

    /// Sends whoever has an account under `email` a token that sets a new password.
    pub fn ask_for_reset(&self, email: String) {
        let accounts = self.clone();
        tokio::spawn(async move {
            match accounts.store.credentials(&email).await {
                Ok(Some(known)) if known.user.active => {
                    accounts.write(&known.user, Purpose::ResetPassword).await;
                }
                Ok(_) => {}
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "a letter can't be written");
                }
            }
        });
    }

    async fn write(&self, user: &User, purpose: Purpose) {
        let written = async {
            let (text, hash) = secret::issue(PREFIX).map_err(AccountsError::Random)?;
            let expires_at_ms = self.clock.now_ms() + purpose.ttl_ms();
            self.store.add_letter_token(&hash, user, purpose, expires_at_ms).await?;
            Ok::<_, AccountsError>(purpose.letter(user, &text))
        };
        match written.await {
            Ok(mail) => {
                if let Err(error) = self.letters.deliver(mail).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "a letter can't be queued");
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a letter can't be written");
            }
        }
    }

    /// The address that the token was sent to is its account's.
    ///
    /// # Errors
    /// Where the token does not hold, or the account has another address by now.
    pub async fn verify_email(&self, token: &str, origin: &Origin) -> Result<(), AccountsError> {
        let target = "user";
        let entry = self.done("system", "auth.verify-email", target.into(), json!({}), origin);
        let verified = self.store.verify_email(&secret::hash_of(token), &entry).await?;
        if verified { Ok(()) } else { Err(AccountsError::UnknownSecret) }
    }

    /// Sets a new password by a token and signs the account out everywhere.
    ///
    /// # Errors
    /// Where the token does not hold or the password is weak.
    pub async fn reset_password(
        &self,
        token: &str,
        new: &str,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let weaknesses = self.passwords.weaknesses(new);
        if !weaknesses.is_empty() {
            return Err(AccountsError::WeakPassword(weaknesses));
        }
        let hash = secret::hash_of(token);
        if !self.store.letter_holds(&hash, Purpose::ResetPassword, self.clock.now_ms()).await? {
            return Err(AccountsError::UnknownSecret);
        }
        let password_hash = self.passwords.hash(new).await?;
        let entry = self.done("system", "auth.password-reset", "user".into(), json!({}), origin);
        let reset = self.store.reset_password(&hash, &password_hash, &entry).await?;
        let (user, ended) = reset.ok_or(AccountsError::UnknownSecret)?;
        self.store.forget_failures(&lockout::address(&user.email)).await?;
        self.forget_sessions(&ended);
        Ok(())
    }

    /// The letters that were written, for tests that read them.
    #[cfg(test)]
    pub(crate) fn written(&self) -> Vec<Mail> {
        self.letters.sent.lock().unwrap().clone()
    }
}
