//! A fresh key and the request to have it certified.

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ED25519};
use rustls_pki_types::PrivatePkcs8KeyDer;

/// The private half stays here until the certificate comes.
pub(crate) struct KeyRequest {
    pub(crate) key: PrivatePkcs8KeyDer<'static>,
    /// PKCS#10, DER.
    pub(crate) csr: Vec<u8>,
}

impl std::fmt::Debug for KeyRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyRequest(..)")
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("no key could be made")]
    Key(#[source] rcgen::Error),
    #[error("the certificate request could not be signed")]
    Sign(#[source] rcgen::Error),
}

impl KeyRequest {
    /// Makes an Ed25519 key. The aggregator gives subject and names; the request's are a hint.
    pub(crate) fn make(name: &str) -> Result<Self, RequestError> {
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(RequestError::Key)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        let csr = params.serialize_request(&key).map_err(RequestError::Sign)?;
        Ok(Self { csr: csr.der().to_vec(), key: PrivatePkcs8KeyDer::from(key.serialize_der()) })
    }
}
