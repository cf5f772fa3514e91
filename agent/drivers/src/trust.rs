//! Whom a driver speaks TLS with, by rustls and ring: the trust that the configuration states and
//! no other.
//!
//! The certificate of a BMC or of an upsd is rarely one that a public authority signed: it is by
//! an authority that the file names, or it is one certificate that the file knows by its
//! fingerprint.

use flyball_driver_messages::{Fault, FaultKind, Trust};
use ring::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring as provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::sync::Arc;

/// The client's side of TLS for one address.
///
/// # Errors
/// Where the authority is no certificate.
pub(crate) fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, Fault> {
    let provider = Arc::new(provider::default_provider());
    let broken = |error: &dyn std::fmt::Display| {
        Fault::new(FaultKind::Misconfigured, format!("TLS can't be set up: {error}"))
    };
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Authority(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|error| broken(&error))?;
                roots.add(certificate).map_err(|error| broken(&error))?;
            }
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| broken(&error))?
        }
        Trust::Fingerprint(wanted) => {
            Arc::new(Pinned { wanted: Some(*wanted), provider: Arc::clone(&provider) })
        }
        Trust::Insecure => Arc::new(Pinned { wanted: None, provider: Arc::clone(&provider) }),
        Trust::Unstated => {
            let message = "an https address needs `ca`, `fingerprint` or `insecure = true`";
            return Err(Fault::new(FaultKind::Misconfigured, message));
        }
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(&error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Takes the one certificate with this fingerprint, or any where none is wanted. The handshake's
/// own signature is checked either way: who shows a certificate must hold its key.
#[derive(Debug)]
struct Pinned {
    wanted: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.wanted {
            Some(wanted) if digest(&SHA256, end_entity).as_ref() != wanted => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
