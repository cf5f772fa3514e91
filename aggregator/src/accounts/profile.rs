//! What people do with their own account: profile, password, devices, sessions.

use super::fields::ProfileChange;
use super::{Accounts, AccountsError, AuthDevice, Origin, SignIn, User};
use crate::access::{Caller, Credential, SessionId};
use crate::config::Place;
use serde_json::json;
use std::net::IpAddr;
use uuid::Uuid;

/// A browser or app that has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    pub id: Uuid,
    pub device: AuthDevice,
    pub is_trusted: bool,
    pub created_at_ms: u64,
    pub last_seen_at_ms: u64,
}

/// A sign-in that still stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    pub id: SessionId,
    pub address: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub device_name: Option<String>,
    pub device_kind: Option<String>,
    pub created_at_ms: u64,
    pub last_activity_at_ms: u64,
}

/// Which sessions of an account end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    All,
    One(SessionId),
    /// Those of every device but the one of this session.
    OtherDevices(SessionId),
    /// Those of the device.
    Device(Uuid),
}

impl Accounts {
    /// Changes the caller's own profile.
    ///
    /// # Errors
    /// Where a field is faulty.
    pub async fn change_profile(
        &self,
        by: &Caller,
        change: ProfileChange,
        origin: &Origin,
    ) -> Result<User, AccountsError> {
        let change = change.checked()?;
        let user = self.store.user(by.user).await?.ok_or(AccountsError::Missing)?;
        let details = json!({
            "display_name": change.display_name, "avatar_url": change.avatar_url,
            "locale": change.locale, "timezone": change.timezone,
        });
        let target = format!("user:{}", user.email);
        let entry = self.done(&by.email, "user.update", target, details, origin);
        self.store.change_profile(by.user, &change, &entry).await?;
        self.store.user(by.user).await?.ok_or(AccountsError::Missing)
    }

    /// Sets a new password and ends the sessions of every other device. A wrong present password
    /// counts as a failed sign-in.
    ///
    /// # Errors
    /// Where the present one is wrong or the new one is weak.
    pub async fn change_password(
        &self,
        by: &Caller,
        current: String,
        new: &str,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let weaknesses = self.passwords.weaknesses(new);
        if !weaknesses.is_empty() {
            return Err(AccountsError::WeakPassword(weaknesses));
        }
        self.confirm_password(by, current, origin).await?;
        let hash = self.passwords.hash(new).await?;
        let target = format!("user:{}", by.email);
        let entry = self.done(&by.email, "auth.password", target, json!({}), origin);
        let ended = self.store.change_password(by.user, &hash, ending(by), &entry).await?;
        self.forget_sessions(&ended);
        Ok(())
    }

    /// Asks for the password once more before something weighty.
    pub(super) async fn confirm_password(
        &self,
        by: &Caller,
        password: String,
        origin: &Origin,
    ) -> Result<User, AccountsError> {
        let user = self.store.user(by.user).await?.ok_or(AccountsError::Missing)?;
        let attempt = SignIn {
            email: user.email,
            password,
            code: None,
            device: AuthDevice::default(),
            origin: origin.clone(),
        };
        self.check_password(&attempt).await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn devices(&self, by: &Caller) -> Result<Vec<KnownDevice>, AccountsError> {
        Ok(self.store.auth_devices(by.user).await?)
    }

    /// Forgets a device and ends its sessions.
    ///
    /// # Errors
    /// Where the caller has no such device.
    pub async fn remove_device(
        &self,
        by: &Caller,
        id: Uuid,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let target = format!("auth-device:{id}");
        let entry = self.done(&by.email, "auth.device.remove", target, json!({}), origin);
        let ended = self.store.remove_auth_device(by.user, id, &entry).await?;
        self.forget_sessions(&ended.ok_or(AccountsError::Missing)?);
        Ok(())
    }

    /// # Errors
    /// Where the store fails.
    pub async fn open_sessions(&self, by: &Caller) -> Result<Vec<OpenSession>, AccountsError> {
        let since_ms = self.clock.now_ms().saturating_sub(super::REFRESH_TTL_MS);
        Ok(self.store.open_sessions(by.user, since_ms).await?)
    }

    /// # Errors
    /// Where the caller has no such session.
    pub async fn end_session(
        &self,
        by: &Caller,
        id: SessionId,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let target = format!("session:{id}");
        let entry = self.done(&by.email, "auth.session.end", target, json!({}), origin);
        let ended = self.store.end_sessions(by.user, Ending::One(id), &entry).await?;
        if ended.is_empty() {
            return Err(AccountsError::Missing);
        }
        self.forget_sessions(&ended);
        Ok(())
    }

    pub(super) fn forget_sessions(&self, ended: &[SessionId]) {
        for session in ended {
            self.standings.forget(Credential::Session(*session));
        }
    }

    /// Where an address is, as far as the configuration says.
    #[must_use]
    pub fn place(&self, address: IpAddr) -> Option<&Place> {
        self.settings.places.iter().find(|place| place.network.has(address))
    }
}

fn ending(by: &Caller) -> Ending {
    match by.credential {
        Credential::Session(session) => Ending::OtherDevices(session),
        Credential::ApiKey(_)
        | Credential::Password(_)
        | Credential::Local(_)
        | Credential::Nothing => Ending::All,
    }
}
