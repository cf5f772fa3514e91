//! Where and how the API listens.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The API on a Unix socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ipc {
    /// The socket's file, below `STATE` where it is relative; there is none where absent.
    pub path: Option<PathBuf>,
    /// Who may connect besides root and the user that the aggregator runs as.
    pub allow: Vec<IpcPeer>,
}

/// A user of the host and the account whose rights it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IpcPeer {
    pub uid: u32,
    /// The account's e-mail address.
    pub user: String,
}

/// How much and how long the API's listener bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listener {
    /// Connections at a time; the next one waits until one ends.
    pub max_connections: u32,
    /// How long the head of a request may take, and a connection may wait for its next one.
    pub head_patience_ms: u64,
    /// How long a body may pause.
    pub body_patience_ms: u64,
}

impl Default for Listener {
    fn default() -> Self {
        Self { max_connections: 8_192, head_patience_ms: 15_000, body_patience_ms: 10_000 }
    }
}

/// HTTPS for the API; plain where nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The certificate and what stands between it and its authority, as PEM. It is read again
    /// when it changes.
    pub cert: Option<PathBuf>,
    /// Its key, as PEM.
    pub key: Option<PathBuf>,
    /// A certificate of this server's own authority instead, made and renewed by itself.
    pub internal: bool,
    /// A plain listener that sends everybody to HTTPS.
    pub redirect: Option<SocketAddr>,
}

impl Tls {
    /// What the API speaks, in words.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match (&self.cert, self.internal) {
            (Some(_), _) => "https with a certificate of files",
            (None, true) => "https with a certificate of the internal authority",
            (None, false) => "http",
        }
    }

    pub(super) fn fault(&self) -> Option<&'static str> {
        let given = self.cert.is_some() || self.internal;
        if self.cert.is_some() != self.key.is_some() {
            Some("tls.cert and tls.key belong together: name both or none")
        } else if self.cert.is_some() && self.internal {
            Some(
                "tls.internal makes a certificate of its own: leave it out, or tls.cert and tls.key",
            )
        } else if self.redirect.is_some() && !given {
            Some("tls.redirect leads to HTTPS: name tls.cert and tls.key, or tls.internal")
        } else {
            None
        }
    }
}
