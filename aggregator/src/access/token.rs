//! Access tokens: JSON Web Tokens that this aggregator signs and nobody else.
//!
//! HS256, issuer, audience and key id are pinned; a token that names anything else is refused
//! before its signature is looked at. Expiry is judged by the caller's clock, never by the
//! library's. Signing is done by ring through the library's provider hook, so that no other
//! algorithm signs here; those that identity providers sign with can only be checked.

use super::{Role, SessionId, UserId};
use crate::clock::Clock;
use crate::store::SigningKey;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, new_error};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use serde::{Deserialize, Serialize};
use signature::{Signer, Verifier};
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;

/// How long an access token holds.
pub const ACCESS_TTL_MS: u64 = 15 * 60 * 1_000;
/// How long a retired key still checks: the longest token, and a minute for servers that have not
/// heard of it yet.
const RETIRED_TTL_MS: u64 = ACCESS_TTL_MS + 60_000;
const AUDIENCE: &str = "flyball-api";
const ISSUER: &str = "flyball";
/// A token of ours is a fraction of this.
const MAX_TOKEN_BYTES: usize = 4096;

#[derive(Debug, Error)]
pub enum TokenError {
    #[error("the token is not one of this server's")]
    Invalid,
    #[error("the token has expired")]
    Expired,
    #[error("signing the token failed")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// Unix seconds.
    iat: u64,
    exp: u64,
    pub sub: UserId,
    pub sid: SessionId,
    pub email: String,
    pub role: Role,
}

impl Claims {
    #[must_use]
    pub const fn expires_at_ms(&self) -> u64 {
        self.exp * 1_000
    }
}

/// The keys that sign and check access tokens; the newest that is not retired signs.
#[derive(Clone, Debug)]
pub struct AccessTokens {
    /// Read by every request, replaced where they have changed.
    keys: Arc<RwLock<Arc<[SigningKey]>>>,
    clock: Clock,
}

impl AccessTokens {
    /// `keys` from the newest to the oldest; there is at least one.
    #[must_use]
    pub fn new(keys: Vec<SigningKey>, clock: Clock) -> Self {
        install();
        Self { keys: Arc::new(RwLock::new(keys.into())), clock }
    }

    /// Signs with the newest of `keys` from now on.
    pub fn replace(&self, keys: Vec<SigningKey>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
    }

    fn keys(&self) -> Arc<[SigningKey]> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A token for one session.
    ///
    /// # Errors
    /// Where there is no key to sign with.
    pub fn issue(
        &self,
        user: UserId,
        email: &str,
        role: Role,
        session: SessionId,
    ) -> Result<String, TokenError> {
        let keys = self.keys();
        let Some(key) = keys.iter().find(|key| key.retired_at_ms.is_none()) else {
            return Err(TokenError::Signing(new_error(ErrorKind::InvalidKeyFormat)));
        };
        let now_s = self.clock.now_ms() / 1_000;
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            iat: now_s,
            exp: now_s + ACCESS_TTL_MS / 1_000,
            sub: user,
            sid: session,
            email: email.into(),
            role,
        };
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key.secret))
            .map_err(TokenError::Signing)
    }

    /// What `token` says, where it is ours and holds.
    ///
    /// # Errors
    /// [`TokenError::Expired`] where it was ours once, [`TokenError::Invalid`] for all else.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let kid = header.kid.ok_or(TokenError::Invalid)?;
        let keys = self.keys();
        let key = keys.iter().find(|key| key.kid == kid).ok_or(TokenError::Invalid)?;
        let now_ms = self.clock.now_ms();
        if key.retired_at_ms.is_some_and(|at_ms| at_ms + RETIRED_TTL_MS <= now_ms) {
            return Err(TokenError::Invalid);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_exp = false;
        let decoding = DecodingKey::from_secret(&key.secret);
        let claims = jsonwebtoken::decode::<Claims>(token, &decoding, &validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        if claims.expires_at_ms() <= self.clock.now_ms() {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }
}

/// Installs the library's provider, before a token is made or judged.
pub(crate) fn install() {
    // A second installation finds the same provider, in tests for instance.
    let _already_installed = PROVIDER.install_default();
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes())))),
        _ => Err(new_error(ErrorKind::InvalidAlgorithm)),
    },
    verifier_factory: |algorithm, key| match algorithm {
        // A public key is no secret, whatever a token's header says.
        Algorithm::HS256 if key.family() == AlgorithmFamily::Hmac => {
            Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.try_get_as_bytes()?))))
        }
        #[cfg(feature = "oidc")]
        algorithm => super::signatures::verifier(*algorithm, key),
        #[cfg(not(feature = "oidc"))]
        _ => Err(new_error(ErrorKind::InvalidAlgorithm)),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(hmac::Key);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use std::time::Duration;
    use uuid::Uuid;

    fn key(kid: &str, byte: u8) -> SigningKey {
        let secret = vec![byte; 32];
        SigningKey { kid: kid.into(), secret, created_at_ms: 0, retired_at_ms: None }
    }

    fn tokens(keys: Vec<SigningKey>) -> (AccessTokens, Clock) {
        let clock = Clock::manual(1_800_000_000_000);
        (AccessTokens::new(keys, clock.clone()), clock)
    }

    fn issue(tokens: &AccessTokens) -> String {
        let (user, session) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        tokens.issue(user, "a@example.org", Role::Viewer, session).unwrap()
    }

    #[test]
    fn a_token_says_what_it_was_issued_for() {
        let (tokens, _) = tokens(vec![key("k1", 7)]);
        let claims = tokens.verify(&issue(&tokens)).unwrap();
        assert_eq!(claims.sub, UserId(Uuid::from_u128(1)));
        assert_eq!(claims.role, Role::Viewer);
        assert_eq!(claims.expires_at_ms(), 1_800_000_000_000 + ACCESS_TTL_MS);
    }

    #[test]
    fn a_token_ends_after_fifteen_minutes() {
        let (tokens, clock) = tokens(vec![key("k1", 7)]);
        let token = issue(&tokens);
        clock.advance(Duration::from_millis(ACCESS_TTL_MS - 1));
        assert!(tokens.verify(&token).is_ok());
        clock.advance(Duration::from_millis(1));
        assert!(matches!(tokens.verify(&token), Err(TokenError::Expired)));
    }

    #[test]
    fn a_retired_key_still_checks_and_an_unknown_one_does_not() {
        let (old, _) = tokens(vec![key("k1", 7)]);
        let token = issue(&old);
        let (rotated, _) = tokens(vec![key("k2", 8), key("k1", 7)]);
        assert!(rotated.verify(&token).is_ok());
        let (foreign, _) = tokens(vec![key("k1", 9)]);
        assert!(matches!(foreign.verify(&token), Err(TokenError::Invalid)));
        let (unknown, _) = tokens(vec![key("k3", 7)]);
        assert!(matches!(unknown.verify(&token), Err(TokenError::Invalid)));
    }

    #[test]
    fn a_retired_key_ends_with_the_last_token_that_it_signed() {
        let (tokens, clock) = tokens(vec![key("k1", 7)]);
        clock.advance(Duration::from_secs(10));
        let token = issue(&tokens);
        let retired = SigningKey { retired_at_ms: Some(clock.now_ms()), ..key("k1", 7) };
        tokens.replace(vec![key("k2", 8), retired.clone()]);
        assert!(tokens.verify(&token).is_ok());
        clock.advance(Duration::from_millis(RETIRED_TTL_MS));
        let forged = AccessTokens::new(vec![key("k1", 7)], clock.clone());
        assert!(matches!(tokens.verify(&issue(&forged)), Err(TokenError::Invalid)));
    }

    #[test]
    fn another_audience_issuer_or_algorithm_is_refused() {
        let (tokens, clock) = tokens(vec![key("k1", 7)]);
        let sign = |header: serde_json::Value, change: &dyn Fn(&mut serde_json::Value)| {
            let token = issue(&tokens);
            let payload = token.split('.').nth(1).unwrap();
            let mut claims: serde_json::Value =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
            change(&mut claims);
            let [header, claims] =
                [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
            let body = format!("{header}.{claims}");
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), body.as_bytes());
            format!("{body}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
        };
        let hs256 = serde_json::json!({ "alg": "HS256", "typ": "JWT", "kid": "k1" });
        assert!(tokens.verify(&sign(hs256.clone(), &|_| {})).is_ok());
        let late = clock.now_ms() / 1_000 - 1;
        let refused = [
            sign(hs256.clone(), &|claims| claims["aud"] = "another-api".into()),
            sign(hs256.clone(), &|claims| claims["iss"] = "another".into()),
            sign(hs256.clone(), &|claims| claims["exp"] = late.into()),
            sign(hs256.clone(), &|claims| claims["exp"] = serde_json::Value::Null),
            sign(hs256, &|claims| claims["role"] = "root".into()),
            sign(serde_json::json!({ "alg": "none", "kid": "k1" }), &|_| {}),
            sign(serde_json::json!({ "alg": "HS512", "kid": "k1" }), &|_| {}),
            sign(serde_json::json!({ "alg": "RS256", "kid": "k1" }), &|_| {}),
            sign(serde_json::json!({ "alg": "HS256", "kid": "../k1" }), &|_| {}),
            sign(serde_json::json!({ "alg": "HS256" }), &|_| {}),
        ];
        for token in refused {
            assert!(tokens.verify(&token).is_err(), "{token}");
        }
    }

    #[test]
    fn an_unsigned_or_changed_token_is_refused() {
        let (tokens, _) = tokens(vec![key("k1", 7)]);
        let token = issue(&tokens);
        let (body, _) = token.rsplit_once('.').unwrap();
        let none = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ";
        let payload = body.split_once('.').unwrap().1;
        for forged in [
            format!("{body}."),
            format!("{none}.{payload}."),
            format!("{body}.AAAA"),
            "x".repeat(10_000),
            String::new(),
        ] {
            assert!(matches!(tokens.verify(&forged), Err(TokenError::Invalid)), "{forged}");
        }
    }
}
