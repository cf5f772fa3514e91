//! Signatures of others, by their public keys: what ring adds to [`super::token`]'s provider so that
//! identity providers' tokens can be judged. Nothing is signed with any of these.

use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature::{self as schemes, RsaPublicKeyComponents, UnparsedPublicKey};
use signature::Verifier;

/// Checks one token; the key is copied, as it is used once.
struct Asymmetric {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    Rsa { n: Vec<u8>, e: Vec<u8>, parameters: &'static schemes::RsaParameters },
    Bytes { key: Vec<u8>, form: &'static dyn schemes::VerificationAlgorithm },
}

/// # Errors
/// Where the algorithm is none of these, or the key is not of its kind.
pub(super) fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if key.family() != algorithm.family() {
        return Err(new_error(ErrorKind::InvalidAlgorithm));
    }
    let rsa = |parameters| match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            Ok(Key::Rsa { n: n.clone(), e: e.clone(), parameters })
        }
        DecodingKeyKind::SecretOrDer(_) => Err(new_error(ErrorKind::InvalidKeyFormat)),
    };
    let bytes = |form| Ok(Key::Bytes { key: key.try_get_as_bytes()?.to_vec(), form });
    let key = match algorithm {
        Algorithm::RS256 => rsa(&schemes::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => rsa(&schemes::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => rsa(&schemes::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => rsa(&schemes::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => rsa(&schemes::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => rsa(&schemes::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => bytes(&schemes::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => bytes(&schemes::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => bytes(&schemes::ED25519),
        _ => Err(new_error(ErrorKind::InvalidAlgorithm)),
    }?;
    Ok(Box::new(Asymmetric { algorithm, key }))
}

impl Verifier<Vec<u8>> for Asymmetric {
    fn verify(
        &self,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> std::result::Result<(), signature::Error> {
        let judged = match &self.key {
            Key::Rsa { n, e, parameters } => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            Key::Bytes { key, form } => {
                UnparsedPublicKey::new(*form, key).verify(message, signature)
            }
        };
        judged.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Asymmetric {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
