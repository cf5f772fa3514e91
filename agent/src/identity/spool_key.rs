//! The key that the spool is sealed with, in the identity's file. It lives longer than any
//! certificate: a renewal carries it over.

use super::pem;
use crate::random;
use crate::spool::KEY_BYTES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const LABEL: &str = "FLYBALL SPOOL KEY";

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SpoolKey([u8; KEY_BYTES]);

impl std::fmt::Debug for SpoolKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpoolKey(..)")
    }
}

impl SpoolKey {
    pub(crate) fn make() -> Self {
        Self(random::bytes())
    }

    pub(crate) const fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(super) fn to_pem(&self) -> String {
        pem(LABEL, &self.0)
    }

    /// The key of an identity's text: none, one, or `Err` where it is damaged.
    pub(super) fn find(text: &[u8]) -> Result<Option<Self>, &'static str> {
        let text = String::from_utf8_lossy(text);
        let Some((_, rest)) = text.split_once(&format!("-----BEGIN {LABEL}-----")) else {
            return Ok(None);
        };
        let body = rest.split_once(&format!("-----END {LABEL}-----")).map(|(body, _)| body);
        let digits: String = body.ok_or("its spool key is cut")?.split_whitespace().collect();
        let bytes = STANDARD.decode(digits).map_err(|_| "its spool key is no key")?;
        let bytes = bytes.try_into().map_err(|_| "its spool key is no key")?;
        Ok(Some(Self(bytes)))
    }
}
