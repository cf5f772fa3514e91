//! RFC 7617: e-mail and password with every request, where that is allowed and nobody on the way
//! can read it.
//!
//! A password is slow to check on purpose. One that was right is remembered for a few seconds, by
//! a print that only this process can make, so that a script's next request costs nothing; what is
//! checked counts against the address before it is checked.

use super::Api;
use super::auth::Identity;
use super::error::ErrorCode;
use super::extract::CameFrom;
use crate::access::Caller;
use crate::accounts::AccountsError;
use crate::http::listener::Secure;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// No `Authorization: Basic` of ours is longer.
const MAX_BYTES: usize = 1_024;
/// A changed password ends what its predecessor opened within five seconds, as any revocation.
const REMEMBERED: Duration = Duration::from_secs(4);
const MOST: u64 = 1_000;

/// Callers whose passwords were right a moment ago.
#[derive(Clone)]
pub(crate) struct Basic {
    callers: Cache<[u8; 32], Caller>,
    salt: [u8; 32],
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Basic")
    }
}

impl Basic {
    /// Where the system has no randomness nobody is remembered.
    pub(crate) fn new() -> Self {
        let mut salt = [0; 32];
        let most = if getrandom::fill(&mut salt).is_ok() { MOST } else { 0 };
        let callers = Cache::builder().max_capacity(most).time_to_live(REMEMBERED).build();
        Self { callers, salt }
    }

    fn print(&self, text: &str) -> [u8; 32] {
        let digest = Sha256::new().chain_update(self.salt).chain_update(text);
        digest.finalize().into()
    }
}

/// Who `text` is, or the answer to one who tries too often.
pub(super) async fn judge(
    api: &Api,
    parts: &mut Parts,
    text: &str,
) -> Result<Identity, Box<Response>> {
    let allowed = api.app.config.auth.basic && parts.extensions.get::<Secure>().is_some();
    if !allowed {
        return Ok(Identity::Refused(ErrorCode::BasicRefused));
    }
    let print = api.basic.print(text);
    if let Some(caller) = api.basic.callers.get(&print)
        && matches!(api.app.accounts.still_stands(&caller).await, Ok(true))
    {
        return Ok(Identity::Known(caller));
    }
    let decoded = (text.len() <= MAX_BYTES).then(|| STANDARD.decode(text).ok()).flatten();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|decoded| decoded.split_once(':'));
    let Some((email, password)) = pair.filter(|(email, _)| !email.contains(char::is_control))
    else {
        return Ok(Identity::Refused(ErrorCode::InvalidCredentials));
    };
    super::limits::before_a_password(api, &parts.extensions).await?;
    let Ok(CameFrom(origin)) = CameFrom::from_request_parts(parts, api).await else {
        return Ok(Identity::Unknown);
    };
    let accounts = &api.app.accounts;
    Ok(match accounts.caller_by_password(email.into(), password.into(), origin).await {
        Ok(caller) => {
            api.basic.callers.insert(print, caller.clone());
            Identity::Known(caller)
        }
        Err(AccountsError::Busy | AccountsError::Store(_)) => Identity::Unknown,
        Err(AccountsError::Locked { .. }) => Identity::Refused(ErrorCode::AccountLocked),
        Err(AccountsError::NotYours(_)) => Identity::Refused(ErrorCode::BasicRefused),
        Err(_) => Identity::Refused(ErrorCode::InvalidCredentials),
    })
}
