//! A provider's public keys.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// A provider has a handful.
const MAX_KEYS: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Key {
    kid: Option<String>,
    algorithms: &'static [Algorithm],
    /// The only one that it is for, where it says so.
    only: Option<Algorithm>,
    pub(super) decoding: DecodingKey,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<Key>);

impl Keys {
    /// Those of a JWK set that check signatures; what is not known here is left out.
    pub(super) fn parse(set: &Value) -> Self {
        let keys = set["keys"].as_array().into_iter().flatten().take(MAX_KEYS);
        Self(keys.filter_map(|key| Key::parse(key.clone())).collect())
    }

    /// The keys that a token of this header may be signed with.
    pub(super) fn of<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a Key> {
        self.0.iter().filter(move |key| {
            (kid.is_none() || key.kid.as_deref() == kid)
                && key.algorithms.contains(&algorithm)
                && key.only.is_none_or(|only| only == algorithm)
        })
    }
}

impl Key {
    fn parse(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        if matches!(&jwk.common.public_key_use, Some(used) if *used != PublicKeyUse::Signature) {
            return None;
        }
        let algorithms: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                &[Algorithm::EdDSA]
            }
            // A secret among public keys is none.
            _ => return None,
        };
        let only = match jwk.common.key_algorithm {
            Some(name) => Some(name.to_string().parse().ok()?),
            None => None,
        };
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { kid: jwk.common.key_id, algorithms, only, decoding })
    }
}
