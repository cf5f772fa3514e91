//! An address of HTTP as an operator wrote it: checked as far as it can be without asking anybody,
//! and shown without its secrets.

const MAX_BYTES: usize = 2_048;

#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFault {
    Scheme,
    Host,
    Characters,
    Length,
    /// A name or password before the host: those belong into `headers` or `bearer_token`.
    Login,
}

impl core::fmt::Display for AddressFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Scheme => f.write_str("an address begins with http:// or https://"),
            Self::Host => f.write_str("the address names no host"),
            Self::Characters => f.write_str("the address has a space or a control character"),
            Self::Length => write!(f, "an address has at most {MAX_BYTES} bytes"),
            Self::Login => f.write_str(
                "the address holds a login; give it in `headers` or `bearer_token` instead",
            ),
        }
    }
}

impl Address {
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        if text.len() > MAX_BYTES {
            return Err(AddressFault::Length);
        }
        if text.chars().any(|char| char.is_control() || char.is_whitespace()) {
            return Err(AddressFault::Characters);
        }
        let (scheme, rest) = text.split_once("://").ok_or(AddressFault::Scheme)?;
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(AddressFault::Scheme);
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(AddressFault::Login);
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(AddressFault::Host);
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole of it, for the request.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the query, which may hold a key.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.0.split(['?', '#']).next().unwrap_or_default()
    }
}

impl core::fmt::Debug for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Address({})", self.shown())
    }
}
