//! Secrets that this server has to read again, sealed for the store: a copy of the database alone
//! opens no second factor.

use ring::aead;
use std::fmt;

const NONCE_BYTES: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored secret can't be unsealed with this server's key")]
pub struct SealingError;

/// The key that seals; it lies in the state folder.
#[derive(Clone)]
pub struct Sealing([u8; 32]);

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing(..)")
    }
}

impl Sealing {
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    fn key(&self) -> Result<aead::LessSafeKey, SealingError> {
        let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &self.0);
        key.map(aead::LessSafeKey::new).map_err(|_| SealingError)
    }

    /// `secret` for the place that `of` names; it opens nowhere else.
    pub(super) fn seal(&self, of: &str, secret: &[u8]) -> Result<Vec<u8>, SealingError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealingError)?;
        let mut sealed = secret.to_vec();
        let unique = aead::Nonce::assume_unique_for_key(nonce);
        self.key()?
            .seal_in_place_append_tag(unique, aead::Aad::from(of.as_bytes()), &mut sealed)
            .map_err(|_| SealingError)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(super) fn open(&self, of: &str, sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or(SealingError)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealingError)?;
        let mut sealed = sealed.to_vec();
        let aad = aead::Aad::from(of.as_bytes());
        let open = self.key()?.open_in_place(nonce, aad, &mut sealed).map_err(|_| SealingError)?;
        Ok(open.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_with_its_key_and_at_its_place_only() {
        let sealing = Sealing::new([7; 32]);
        let sealed = sealing.seal("totp:1", b"secret").unwrap();
        assert_eq!(sealing.open("totp:1", &sealed).unwrap(), b"secret");
        assert_eq!(sealing.open("totp:2", &sealed), Err(SealingError));
        assert_eq!(Sealing::new([8; 32]).open("totp:1", &sealed), Err(SealingError));
        assert_eq!(sealing.open("totp:1", b"short"), Err(SealingError));
    }
}
