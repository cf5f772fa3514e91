//! Is an ID token a provider's word on who is there? OpenID Connect Core 1.0, section 3.1.3.7.
//! Time is an argument, and keys are what the caller has of them.

use super::keys::Keys;
use jsonwebtoken::{Algorithm, Validation};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

/// Groups of a large company fit in.
const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// What two clocks may differ by.
const SKEW_S: u64 = 60;
const MAX_SUBJECT: usize = 255;

/// What may sign one: no secret, and never nothing.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Why it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    #[error("it is no signed token")]
    Malformed,
    #[error("its algorithm is not one that is taken here")]
    Algorithm,
    #[error("it is signed with a key that the provider does not publish")]
    UnknownKey,
    #[error("its signature does not hold")]
    Signature,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for another audience")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it is of a time that has not come")]
    NotYet,
    #[error("it belongs to another sign-in")]
    Nonce,
    #[error("it names nobody")]
    Subject,
}

impl TokenRefusal {
    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::Nonce => "nonce",
            Self::Subject => "subject",
        }
    }
}

/// What a token of this sign-in says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now_ms: u64,
}

pub(super) type Claims = Map<String, Value>;

/// The claims of `token`, where it holds.
pub(super) fn verify(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<Claims, TokenRefusal> {
    let claims = signed(token, keys)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(TokenRefusal::Issuer);
    }
    if !is_for(&claims, expected.client_id) {
        return Err(TokenRefusal::Audience);
    }
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64).map(|s| s as u64);
    let now_s = expected.now_ms / 1_000;
    if seconds("exp").is_none_or(|exp| exp.saturating_add(SKEW_S) <= now_s) {
        return Err(TokenRefusal::Expired);
    }
    let is_early = |name| seconds(name).is_some_and(|s| s > now_s + SKEW_S);
    if seconds("iat").is_none() || is_early("iat") || is_early("nbf") {
        return Err(TokenRefusal::NotYet);
    }
    let nonce = text("nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(TokenRefusal::Nonce);
    }
    if !text("sub").is_some_and(|sub| (1..=MAX_SUBJECT).contains(&sub.len())) {
        return Err(TokenRefusal::Subject);
    }
    Ok(claims)
}

fn signed(token: &str, keys: &Keys) -> Result<Claims, TokenRefusal> {
    if token.len() > MAX_TOKEN_BYTES || token.split('.').count() != 3 {
        return Err(TokenRefusal::Malformed);
    }
    // `none`, and words that nobody knows, are no algorithms to the library.
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenRefusal::Algorithm)?;
    if !ALGORITHMS.contains(&header.alg) || header.crit.is_some() {
        return Err(TokenRefusal::Algorithm);
    }
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let mut refusal = TokenRefusal::UnknownKey;
    for key in keys.of(header.kid.as_deref(), header.alg) {
        match jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation) {
            Ok(decoded) => return Ok(decoded.claims),
            Err(_) => refusal = TokenRefusal::Signature,
        }
    }
    Err(refusal)
}

/// Among several audiences only the one that is named as the authorized party is meant.
fn is_for(claims: &Claims, client_id: &str) -> bool {
    let party = claims.get("azp");
    let named = party.is_some_and(|azp| azp.as_str() == Some(client_id));
    match claims.get("aud") {
        Some(Value::String(one)) => one == client_id && (party.is_none() || named),
        Some(Value::Array(all)) => {
            let among = all.iter().any(|one| one.as_str() == Some(client_id));
            among && (named || (party.is_none() && all.len() == 1))
        }
        _ => false,
    }
}
