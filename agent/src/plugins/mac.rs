//! HMAC-SHA-256 (RFC 2104), with which the agent knows its own compiled code again.

use crate::files;
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::Path;

pub(super) const MAC_BYTES: usize = 32;
const BLOCK_BYTES: usize = 64;

/// A key that never leaves this machine's state folder.
pub(super) struct Key([u8; BLOCK_BYTES]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// The key in `path`; a new one where there is none or it is damaged, which makes every
    /// entry under the old one worthless.
    pub(super) fn load_or_make(path: &Path) -> io::Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) if bytes.len() == MAC_BYTES => return Ok(Self::from_bytes(&bytes)),
            Ok(_) => {
                tracing::warn!(path = %path.display(), "the plugin key is damaged; making anew")
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut bytes = [0; MAC_BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        files::replace(path, &bytes)?;
        Ok(Self::from_bytes(&bytes))
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let mut key = [0; BLOCK_BYTES];
        key[..bytes.len()].copy_from_slice(bytes);
        Self(key)
    }

    /// The MAC of `parts`, each with its length, so that no two lists of parts look the same.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> [u8; MAC_BYTES] {
        let mut inner = Sha256::new().chain_update(self.pad(0x36));
        for part in parts {
            inner.update((part.len() as u64).to_le_bytes());
            inner.update(part);
        }
        let outer = Sha256::new().chain_update(self.pad(0x5c)).chain_update(inner.finalize());
        outer.finalize().into()
    }

    fn pad(&self, byte: u8) -> [u8; BLOCK_BYTES] {
        self.0.map(|key| key ^ byte)
    }
}

/// Takes as long wherever the first difference is.
pub(super) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_is_hmac_sha_256_of_the_framed_parts() {
        // Computed with Python's hmac module: key 00..1f, message 3 as u64 and "fan".
        let key = Key::from_bytes(&(0..32).collect::<Vec<u8>>());
        let hex: String = key.mac(&[b"fan"]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "4a5f97e91775965ae86623fdadfd6324fbcbb8179678a16b1dadeff00856a4d8");
    }

    #[test]
    fn parts_are_not_run_together() {
        let key = Key::from_bytes(&[7; 32]);
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
        assert!(equal(b"abc", b"abc") && !equal(b"abc", b"abd") && !equal(b"abc", b"ab"));
    }
}
