//! A certificate authority as the aggregator keeps one.

use crate::identity::{Identity, KeyRequest, SERVER_NAME};
use flyball_protocol::command::DeviceId;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType,
    IsCa, KeyPair, SanType,
};
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::{
    CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, PrivatePkcs8KeyDer,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// A token that pins this authority.
    pub(crate) fn token(&self) -> String {
        let pin = Sha256::digest(self.certificate());
        let hex: String = pin.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("fbt1.c2VjcmV0.{hex}")
    }

    /// The certificate for a request, valid for 30 days around now.
    pub(crate) fn certify(&self, csr: &[u8], device: DeviceId) -> CertificateDer<'static> {
        self.sign(csr, device, None)
    }

    fn sign(
        &self,
        csr: &[u8],
        device: DeviceId,
        life_ms: Option<(u64, u64)>,
    ) -> CertificateDer<'static> {
        let der = CertificateSigningRequestDer::from(csr.to_vec());
        let mut request = CertificateSigningRequestParams::from_der(&der).unwrap();
        let params = &mut request.params;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, device.to_string());
        let uri = format!("flyball:device:{device}").try_into().unwrap();
        params.subject_alt_names = vec![SanType::URI(uri)];
        if let Some((from_ms, to_ms)) = life_ms {
            let epoch = rcgen::date_time_ymd(1970, 1, 1);
            params.not_before = epoch + Duration::from_millis(from_ms);
            params.not_after = epoch + Duration::from_millis(to_ms);
        }
        request.signed_by(&self.issuer).unwrap().der().clone()
    }

    pub(crate) fn identity(&self) -> Identity {
        let device = DeviceId(uuid::Uuid::new_v4());
        let request = KeyRequest::make("test").unwrap();
        let certificate = self.certify(&request.csr, device);
        Identity::new(request.key, certificate, self.certificate()).unwrap()
    }

    /// One whose certificate counts from `from_ms` for `life_ms`.
    pub(crate) fn identity_since(&self, from_ms: u64, life_ms: u64) -> Identity {
        let device = DeviceId(uuid::Uuid::new_v4());
        let request = KeyRequest::make("test").unwrap();
        let life_ms = Some((from_ms, from_ms + life_ms));
        let certificate = self.sign(&request.csr, device, life_ms);
        Identity::new(request.key, certificate, self.certificate()).unwrap()
    }

    /// What an aggregator of this authority listens with.
    pub(crate) fn server(&self, alpn: &[u8], mutual: bool) -> rustls::ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![SERVER_NAME.to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap();
        let builder = if mutual {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = builder.with_single_cert(vec![leaf, self.certificate()], key).unwrap();
        config.alpn_protocols = vec![alpn.to_vec()];
        config
    }
}
