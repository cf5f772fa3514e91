//! The agents' side over QUIC: enrolment, sessions, and the commit of what they send.

use crate::app::App;
use std::net::SocketAddr;

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("listening for agents on udp {address}")]
    Bind {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
}

/// The listening side, bound and not yet serving.
#[derive(Debug)]
pub struct Ingest {
    address: SocketAddr,
}

impl Ingest {
    /// # Errors
    /// Where the address is taken.
    pub fn bind(app: &App) -> Result<Self, IngestError> {
        Ok(Self { address: app.config.ingest })
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process shuts down.
    pub async fn serve(self, app: App) {
        app.shutdown.subscribe().wait().await;
    }
}

impl IngestError {
    /// The socket's own error, where it is one.
    #[must_use]
    pub const fn bind_error(&self) -> Option<&std::io::Error> {
        match self {
            Self::Bind { source, .. } => Some(source),
        }
    }
}
