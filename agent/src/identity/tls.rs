//! TLS as the two conversations need it: 1.3 only, ring, one authority, no fallback.

use super::verifier::PinnedAuthority;
use super::{EnrolmentToken, Identity};
use flyball_protocol::message::{ALPN, ALPN_ENROL};
use quinn::crypto::rustls::NoInitialCipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::PrivateKeyDer;
use std::sync::Arc;

/// The name that every aggregator's certificate carries, whatever its address.
pub(crate) const SERVER_NAME: &str = "flyball-aggregator";

#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("the TLS library lacks version 1.3")]
    Version(#[source] rustls::Error),
    #[error("the authority's certificate cannot be trusted")]
    Authority(#[source] rustls::Error),
    #[error("this machine's certificate or key cannot be used")]
    Certificate(#[source] rustls::Error),
    #[error("the TLS library lacks QUIC's first cipher suite")]
    Suite(#[from] NoInitialCipherSuite),
}

/// For a machine with a token: the authority is known by its pin alone.
pub(crate) fn enrolling_client(token: &EnrolmentToken) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let verifier = PinnedAuthority::new(token.pin(), Arc::clone(&provider));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Version)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_ENROL.to_vec()];
    Ok(config)
}

/// For an enrolled machine: mutual, against the authority of its enrolment.
pub(crate) fn enrolled_client(identity: &Identity) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(identity.authority.clone()).map_err(TlsError::Authority)?;
    let key = PrivateKeyDer::Pkcs8(identity.key.clone_key());
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Version)?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![identity.certificate.clone()], key)
        .map_err(TlsError::Certificate)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
