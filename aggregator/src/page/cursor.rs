//! Cursors that a client hands back: signed, so that nobody makes up a place in a list, and bound
//! to who asked and for what, so that one is good for no other list.

use crate::store::{SigningKey, Store, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use std::fmt;
use std::sync::Arc;

/// What the key is stored under; replicas share it.
const PURPOSE: &str = "cursor";
const KID: &str = "cursor-1";
const MAC_BYTES: usize = 16;
/// No cursor of ours is longer.
const MAX_TEXT: usize = 512;

/// Signs and opens cursors.
#[derive(Clone)]
pub struct Cursors(Arc<hmac::Key>);

impl fmt::Debug for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursors")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    #[error("reading the key of cursors")]
    Store(#[from] StoreError),
    #[error("the system has no randomness")]
    Random(#[from] getrandom::Error),
    #[error("the store keeps no key of cursors")]
    NoKey,
}

impl Cursors {
    /// The key of `store`, made where there is none.
    ///
    /// # Errors
    /// Where the store or the randomness fails.
    pub async fn open(store: &Store, now_ms: u64) -> Result<Self, CursorError> {
        let mut keys = store.signing_keys(PURPOSE).await?;
        if keys.is_empty() {
            let mut secret = vec![0; 32];
            getrandom::fill(&mut secret)?;
            let key =
                SigningKey { kid: KID.into(), secret, created_at_ms: now_ms, retired_at_ms: None };
            let added = store.add_signing_key(PURPOSE, &key).await;
            keys = store.signing_keys(PURPOSE).await?;
            // Another replica may have been first; then its key is there.
            if keys.is_empty() {
                added?;
            }
        }
        let key = keys.first().ok_or(CursorError::NoKey)?;
        Ok(Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &key.secret))))
    }

    /// The text of `place` in the list that `bound` names.
    #[must_use]
    pub fn sign(&self, bound: &[u8], place: &str) -> String {
        let mut text = self.mac(bound, place.as_bytes()).to_vec();
        text.extend_from_slice(place.as_bytes());
        URL_SAFE_NO_PAD.encode(text)
    }

    /// The place, where this server gave `text` for the same list.
    #[must_use]
    pub fn open_text(&self, bound: &[u8], text: &str) -> Option<String> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (mac, place) = bytes.split_at_checked(MAC_BYTES)?;
        let own = self.mac(bound, place);
        let same: bool = subtle::ConstantTimeEq::ct_eq(own.as_slice(), mac).into();
        same.then(|| String::from_utf8(place.to_vec()).ok()).flatten()
    }

    fn mac(&self, bound: &[u8], place: &[u8]) -> [u8; MAC_BYTES] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(bound.len() as u64).to_be_bytes());
        context.update(bound);
        context.update(place);
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&context.sign().as_ref()[..MAC_BYTES]);
        mac
    }
}
