//! Whom the agent believes where it speaks TLS for a plugin: the authorities of this machine.

use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// Read once: a certificate that the machine takes up later needs a restart.
///
/// # Errors
/// Where there is no suite for TLS.
pub(super) fn machines() -> Result<Arc<ClientConfig>, rustls::Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (taken, refused) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(taken, refused, unreadable = found.errors.len(), "the machine's authorities");
    believing(roots)
}

pub(super) fn believing(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
