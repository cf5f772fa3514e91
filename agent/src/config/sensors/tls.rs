//! Whom the agent believes when it speaks TLS with a broker or a sensor, and who it says it is.
//! The files are read with the configuration, so that a wrong one is a fault of it, and not of
//! the first connection.

use super::Faults;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A client's side of TLS 1.2 or 1.3. There is no trust but in the file that was named.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsTable {
    /// PEM: who may sign the other side's certificate.
    ca_file: PathBuf,
    /// PEM: what this machine shows, and its key. Both or neither.
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

impl TlsTable {
    pub(super) fn check(self, table: &str, faults: &mut Faults) -> Option<Tls> {
        match self.client() {
            Ok(tls) => Some(tls),
            Err(fault) => {
                faults.say(format!("[{table}]: {fault}"));
                None
            }
        }
    }

    fn client(self) -> Result<Tls, String> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca_file)? {
            roots.add(certificate).map_err(|error| {
                format!("{} has a certificate that is none: {error}", self.ca_file.display())
            })?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots);
        let config = match (self.certificate_file, self.key_file) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates(&certificate)?;
                let private = PrivateKeyDer::from_pem_file(&key)
                    .map_err(|error| format!("{} is no PEM key: {error}", key.display()))?;
                builder.with_client_auth_cert(chain, private).map_err(|error| {
                    format!("{} and {} don't fit: {error}", certificate.display(), key.display())
                })?
            }
            (Some(_), None) | (None, Some(_)) => {
                return Err("certificate_file and key_file come together".into());
            }
        };
        Ok(Tls(Arc::new(config)))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error| format!("{} is no PEM certificate: {error}", path.display());
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if found.is_empty() {
        return Err(format!("{} holds no PEM certificate", path.display()));
    }
    Ok(found)
}
