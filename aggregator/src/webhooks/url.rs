//! A receiver's address.

use super::MAX_URL;
use super::guard::{Forbidden, Guard};
use std::net::IpAddr;

/// An address of HTTP or HTTPS with a host, without a user and without a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    pub(super) fn read(text: &str, guard: &Guard) -> Result<Self, UrlError> {
        let strange = |c: char| c.is_control() || c.is_whitespace() || c == '\\' || c == '#';
        if text.len() > MAX_URL || text.chars().any(strange) {
            return Err(UrlError::Form);
        }
        let uri: ureq::http::Uri = text.parse().map_err(|_| UrlError::Form)?;
        let authority = uri.authority().ok_or(UrlError::Form)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::User);
        }
        let host = authority.host();
        if !matches!(uri.scheme_str(), Some("http" | "https")) || host.is_empty() {
            return Err(UrlError::Form);
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            guard.admit(address)?;
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    #[error("has to be an address such as https://example.org/hook, of at most {MAX_URL} bytes")]
    Form,
    #[error("may hold no user and no password: sign in by the signature")]
    User,
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
}
