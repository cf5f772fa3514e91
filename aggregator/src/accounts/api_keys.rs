//! Keys with which programs sign in. A key may at most what its owner may, and stands as long as
//! its owner does.

use super::{Accounts, AccountsError, Origin, fields, secret};
use crate::access::{ApiKeyId, Caller, Credential, Right, UserId};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const PREFIX: &str = "fb_";
/// Of a key's text, what tells it from others in a list.
const START: usize = 10;
/// Keys of one account that stand.
pub const MAX_KEYS: u32 = 50;
/// Past it, everything is asked anew.
const CAPACITY: usize = 10_000;
const MAX_TEXT: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub user: UserId,
    pub name: String,
    /// How its text begins.
    pub start: String,
    /// The most that it may.
    pub scope: Right,
    pub created_at_ms: u64,
    pub expires_at_ms: Option<u64>,
    pub last_used_at_ms: Option<u64>,
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOwner {
    pub id: ApiKeyId,
    pub user: UserId,
    pub email: String,
    pub expires_at_ms: Option<u64>,
}

/// The owners of keys that were asked for lately. Who a key belongs to never changes; whether it
/// stands is `standing`'s matter. Shared under a lock by every request; no await happens while it
/// is held.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Arc<Mutex<HashMap<[u8; 32], KeyOwner>>>);

impl Keys {
    fn known(&self, hash: &[u8; 32]) -> Option<KeyOwner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    fn learn(&self, hash: [u8; 32], owner: KeyOwner) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.len() >= CAPACITY {
            owners.clear();
        }
        owners.insert(hash, owner);
    }

    /// Somebody's address has changed.
    pub(super) fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Accounts {
    /// Makes a key for the caller; its text is nowhere afterwards.
    ///
    /// # Errors
    /// Where the caller may not that much themselves, has too many keys, or a field is faulty.
    pub async fn add_api_key(
        &self,
        by: &Caller,
        name: String,
        scopes: &[Right],
        ttl_ms: Option<u64>,
        origin: &Origin,
    ) -> Result<(ApiKey, String), AccountsError> {
        if !fields::is_name(&name) {
            return Err(super::fault("name", "has 1 to 200 characters, none of them a control"));
        }
        // Each right holds those before it.
        let Some(scope) = scopes.iter().copied().max_by_key(|right| right.least()) else {
            return Err(super::fault("scopes", "names at least one right"));
        };
        if !by.grants.may(scope) {
            return Err(AccountsError::NotYours("a key may not more than its owner"));
        }
        let (text, hash) = secret::issue(PREFIX).map_err(AccountsError::Random)?;
        let now_ms = self.clock.now_ms();
        let key = ApiKey {
            id: ApiKeyId(self.clock.new_id()),
            user: by.user,
            name,
            start: text.chars().take(START).collect(),
            scope,
            created_at_ms: now_ms,
            expires_at_ms: ttl_ms.map(|ttl_ms| now_ms.saturating_add(ttl_ms)),
            last_used_at_ms: None,
        };
        let details = json!({ "name": key.name, "scope": scope.name() });
        let target = format!("api-key:{}", key.id);
        let entry = self.done(&by.email, "auth.api-key.create", target, details, origin);
        if !self.store.add_api_key(&key, &hash, MAX_KEYS, &entry).await? {
            return Err(AccountsError::Conflict("an account has at most 50 keys; delete one"));
        }
        Ok((key, text))
    }

    /// # Errors
    /// Where the store fails.
    pub async fn api_keys(&self, by: &Caller) -> Result<Vec<ApiKey>, AccountsError> {
        Ok(self.store.api_keys(by.user).await?)
    }

    /// # Errors
    /// Where the caller has no such key.
    pub async fn revoke_api_key(
        &self,
        by: &Caller,
        id: ApiKeyId,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let target = format!("api-key:{id}");
        let entry = self.done(&by.email, "auth.api-key.revoke", target, json!({}), origin);
        if !self.store.revoke_api_key(by.user, id, &entry).await? {
            return Err(AccountsError::Missing);
        }
        self.standings.forget(Credential::ApiKey(id));
        Ok(())
    }

    /// Who a key speaks for, while it stands.
    ///
    /// # Errors
    /// Where it is not known, was revoked or has expired, or its owner is disabled.
    pub async fn caller_by_key(&self, text: &str) -> Result<Caller, AccountsError> {
        if !text.starts_with(PREFIX) || text.len() > MAX_TEXT {
            return Err(AccountsError::InvalidAccessToken);
        }
        let hash = secret::hash_of(text);
        let owner = match self.keys.known(&hash) {
            Some(owner) => owner,
            None => {
                let owner = self.store.api_key_owner(&hash).await?;
                let owner = owner.ok_or(AccountsError::InvalidAccessToken)?;
                self.keys.learn(hash, owner.clone());
                owner
            }
        };
        let expires_at_ms = owner.expires_at_ms.unwrap_or(u64::MAX);
        if expires_at_ms <= self.clock.now_ms() {
            return Err(AccountsError::TokenExpired);
        }
        let credential = Credential::ApiKey(owner.id);
        let grants = self.standing(credential).await?.ok_or(AccountsError::InvalidAccessToken)?;
        Ok(Caller { user: owner.user, email: owner.email, grants, credential, expires_at_ms })
    }
}
