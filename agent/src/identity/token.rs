//! The enrolment token, `fbt1.<secret>.<pin>`: a one-time secret and the SHA-256 of the
//! authority's certificate, so that the machine knows whom it shows the secret to.

use sha2::{Digest, Sha256};

const VERSION: &str = "fbt1";
/// Far above any token that an aggregator makes.
const MAX_LENGTH: usize = 512;

#[derive(Clone)]
pub(crate) struct EnrolmentToken {
    text: String,
    pin: AuthorityPin,
}

/// The SHA-256 of the authority's certificate, DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AuthorityPin([u8; 32]);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token is not of the form fbt1.SECRET.PIN; copy all of what the aggregator prints")]
    Form,
    #[error("the token is of version `{0}`, this agent knows fbt1; use a newer agent")]
    Version(String),
    #[error("the token's pin is not 64 hexadecimal digits; copy all of what the aggregator prints")]
    Pin,
}

impl EnrolmentToken {
    pub(crate) fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let parts: Vec<&str> = text.split('.').collect();
        let &[version, secret, pin] = parts.as_slice() else {
            return Err(TokenError::Form);
        };
        if version != VERSION {
            return Err(TokenError::Version(version.chars().take(16).collect()));
        }
        if secret.is_empty() || text.len() > MAX_LENGTH {
            return Err(TokenError::Form);
        }
        let pin = AuthorityPin::from_hex(pin).ok_or(TokenError::Pin)?;
        Ok(Self { text: text.to_owned(), pin })
    }

    /// The whole text, as the aggregator wants it back.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn pin(&self) -> AuthorityPin {
        self.pin
    }
}

impl AuthorityPin {
    fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let mut pin = [0; 32];
        for (byte, digits) in pin.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(pin))
    }

    /// Is this the certificate that was pinned?
    pub(crate) fn matches(&self, der: &[u8]) -> bool {
        Sha256::digest(der).as_slice() == self.0
    }
}

impl core::fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("EnrolmentToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of the empty string.
    const PIN: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_token_gives_its_pin_and_its_text() {
        let text = format!("fbt1.c2VjcmV0.{PIN}");
        let token = EnrolmentToken::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(token.text(), text);
        assert!(token.pin().matches(b""));
        assert!(!token.pin().matches(b"x"));
    }

    #[test]
    fn what_is_no_token_says_why() {
        let fault = |text: &str| EnrolmentToken::parse(text).unwrap_err();
        assert_eq!(fault(""), TokenError::Form);
        assert_eq!(fault("fbt1.c2VjcmV0"), TokenError::Form);
        assert_eq!(fault(&format!("fbt1..{PIN}")), TokenError::Form);
        assert_eq!(fault(&format!("fbt1.{}.{PIN}", "a".repeat(600))), TokenError::Form);
        assert_eq!(fault(&format!("fbt2.c2VjcmV0.{PIN}")), TokenError::Version("fbt2".into()));
        assert_eq!(fault("fbt1.c2VjcmV0.00"), TokenError::Pin);
        assert_eq!(fault(&format!("fbt1.c2VjcmV0.+{}", &PIN[1..])), TokenError::Pin);
    }
}
