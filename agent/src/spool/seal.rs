//! Entries sealed at rest, where the operator asks for it: XChaCha20-Poly1305 with the key of the
//! agent's identity, each under a random nonce and bound to its number.

use crate::random;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use flyball_protocol::sync::Seq;

pub(crate) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// What a sealed body is longer than a plain one.
pub(super) const OVERHEAD_BYTES: usize = NONCE_BYTES + TAG_BYTES;
/// Sealed beside the entries: shows whether this key is the one. No entry has its number.
const PROOF: (Seq, &[u8]) = (Seq(0), b"flyball spool");

#[derive(Clone)]
pub(crate) struct Seal {
    cipher: XChaCha20Poly1305,
    /// New entries are sealed. Old ones are opened whether or not.
    writes: bool,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("writes", &self.writes).finish_non_exhaustive()
    }
}

impl Seal {
    pub(crate) fn new(key: &[u8; KEY_BYTES], writes: bool) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&(*key).into()), writes }
    }

    pub(super) const fn writes(&self) -> bool {
        self.writes
    }

    /// `None` only where memory is short.
    pub(super) fn seal(&self, seq: Seq, body: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_BYTES] = random::bytes();
        let payload = Payload { msg: body, aad: &seq.0.to_be_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// `None` where the bytes were changed, or sealed with another key.
    pub(super) fn open(&self, seq: Seq, bytes: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: &seq.0.to_be_bytes() };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()
    }

    pub(super) fn proof(&self) -> Option<Vec<u8>> {
        self.seal(PROOF.0, PROOF.1)
    }

    pub(super) fn proves(&self, proof: &[u8]) -> bool {
        self.open(PROOF.0, proof).as_deref() == Some(PROOF.1)
    }
}
