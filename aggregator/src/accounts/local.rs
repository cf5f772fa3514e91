//! Accounts of the host's own users, who are known by the kernel's word and need no token.

use super::{Accounts, AccountsError, create_user};
use crate::access::{Caller, Grants, Role, SessionId, UserId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The account of root and of the aggregator's own user. Nobody knows its password.
pub const LOCAL: &str = "local@localhost";

/// The session of such a caller is its account's: it has no token that could be taken from it.
pub(super) fn is_local(caller: &Caller) -> bool {
    caller.session.0 == caller.user.0
}

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
        let Some(grants) = self.local_grants(user.id).await? else { return Ok(None) };
        Ok(Some(Caller {
            user: user.id,
            email: user.email,
            grants,
            session: SessionId(user.id.0),
            expires_at_ms: u64::MAX,
        }))
    }

    pub(super) async fn still_local(&self, caller: &Caller) -> Result<bool, AccountsError> {
        Ok(self.local_grants(caller.user).await?.as_ref() == Some(&caller.grants))
    }

    async fn local_grants(&self, user: UserId) -> Result<Option<Grants>, AccountsError> {
        let Some(user) = self.store.user(user).await?.filter(|user| user.active) else {
            return Ok(None);
        };
        let bound = self.store.bound_roles(user.id).await?.into();
        Ok(Some(Grants { role: user.role, bound }))
    }
}
