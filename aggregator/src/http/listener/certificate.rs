//! The certificate that the API shows: of files, or of the internal authority. It is read again
//! when the files change and made anew before it ends; connections that are there stay.

use crate::app::App;
use crate::authority::AuthorityError;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A certificate of the internal authority lives three times as long.
const RENEW_AFTER_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("reading the certificate {path}")]
    Certificate {
        path: PathBuf,
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    #[error("reading the key {path}")]
    Key {
        path: PathBuf,
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    #[error("the certificate {0} holds no certificate")]
    Empty(PathBuf),
    #[error("the key does not belong to the certificate, or is of no known kind")]
    Pair(#[source] rustls::Error),
    #[error("making a certificate of the internal authority")]
    Authority(#[from] AuthorityError),
}

/// The certificate that is shown now. Behind a lock because handshakes of all threads read what
/// one task exchanges; it is held for the length of a clone.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    shown: Arc<RwLock<Arc<CertifiedKey>>>,
    files: Option<(PathBuf, PathBuf)>,
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Keys {
    /// What the configuration names; `None` where it names no TLS.
    pub(crate) fn open(app: &App) -> Result<Option<Self>, TlsError> {
        let tls = &app.config.tls;
        let files = tls.cert.clone().zip(tls.key.clone());
        if files.is_none() && !tls.internal {
            return Ok(None);
        }
        let key = load(app, files.as_ref())?;
        Ok(Some(Self { shown: Arc::new(RwLock::new(Arc::new(key))), files }))
    }

    /// HTTP/2 and HTTP/1.1 over TLS 1.2 and 1.3.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// Looks for changes until the process shuts down.
    pub(crate) async fn keep_fresh(self, app: App) {
        let mut stop = app.shutdown.subscribe();
        let mut known = self.print().await;
        let mut made_at_ms = app.clock.now_ms();
        loop {
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let print = self.print().await;
            let now_ms = app.clock.now_ms();
            let due = match self.files {
                Some(_) => print != known,
                None => now_ms.saturating_sub(made_at_ms) > RENEW_AFTER_MS,
            };
            if !due {
                continue;
            }
            (known, made_at_ms) = (print, now_ms);
            match load(&app, self.files.as_ref()) {
                Ok(key) => {
                    *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                    tracing::info!("the API shows a new certificate");
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the new certificate is no good, the old one stays");
                }
            }
        }
    }

    /// What tells one state of the files from another.
    async fn print(&self) -> Option<[Vec<u8>; 2]> {
        let (certificate, key) = self.files.as_ref()?;
        Some([tokio::fs::read(certificate).await.ok()?, tokio::fs::read(key).await.ok()?])
    }
}

fn load(app: &App, files: Option<&(PathBuf, PathBuf)>) -> Result<CertifiedKey, TlsError> {
    let (chain, key) = match files {
        Some((certificate, key)) => read(certificate, key)?,
        None => {
            let identity = app.authority.web_identity(
                &names(app),
                &[app.config.api.ip()],
                app.clock.now_ms(),
            )?;
            (identity.chain, identity.key)
        }
    };
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(TlsError::Pair)
}

/// The name that people use, where the configuration says it and it is no address.
fn names(app: &App) -> Vec<String> {
    let url = app.config.public_url.as_deref().unwrap_or_default();
    let uri: Option<axum::http::Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(|uri| uri.host());
    host.filter(|host| host.parse::<IpAddr>().is_err()).map(str::to_owned).into_iter().collect()
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(certificate: &Path, key: &Path) -> Result<Pair, TlsError> {
    let fault = |source| TlsError::Certificate { path: certificate.to_owned(), source };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .map_err(fault)?
        .collect::<Result<_, _>>()
        .map_err(fault)?;
    if chain.is_empty() {
        return Err(TlsError::Empty(certificate.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|source| TlsError::Key { path: key.to_owned(), source })?;
    Ok((chain, key))
}
