//! Accounts of the host's own users, who are known by the kernel's word and need no token.

use super::{Accounts, AccountsError, create_user};
use crate::access::{Caller, Credential, Role};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The account of root and of the aggregator's own user. Nobody knows its password.
pub const LOCAL: &str = "local@localhost";

impl Accounts {
    /// Makes [`LOCAL`] where it is not there; one that exists keeps its role.
    ///
    /// # Errors
    /// Where the store fails or the system has no randomness.
    pub async fn ensure_local(&self) -> Result<(), AccountsError> {
        if self.store.credentials(LOCAL).await?.is_some() {
            return Ok(());
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(AccountsError::Random)?;
        let password = URL_SAFE_NO_PAD.encode(secret);
        create_user(&self.store, &self.clock, LOCAL, &password, Role::Superuser).await?;
        Ok(())
    }

    /// The account as a caller without a token; `None` where it is unknown or disabled.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn local_caller(&self, email: &str) -> Result<Option<Caller>, AccountsError> {
        let Some(known) = self.store.credentials(email).await? else { return Ok(None) };
        let user = known.user;
        let Some(grants) = self.store.user_grants(user.id).await? else { return Ok(None) };
        Ok(Some(Caller {
            user: user.id,
            email: user.email,
            grants,
            credential: Credential::Local(user.id),
            expires_at_ms: u64::MAX,
        }))
    }
}
