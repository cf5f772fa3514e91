//! One connection from its handshake to its close: who it is, what it may do, and the one log
//! line where it is refused.

use crate::app::App;
use crate::authority::hex;
use crate::fleet::DeviceId;
use crate::ingest::committer::Submission;
use crate::ingest::fault::Fault;
use crate::ingest::stream::End;
use crate::ingest::transport::TCP_KEEPING;
use crate::ingest::{enrol, session};
use flyball_link::Connection;
use flyball_protocol::message::{ALPN_ENROL, close};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// No close reason is longer on the wire.
const MAX_REASON_BYTES: usize = 200;

/// Somebody who wants in, by either way.
pub(super) enum Caller {
    Quic(quinn::Incoming),
    Tcp(TcpStream, SocketAddr, Arc<rustls::ServerConfig>),
}

impl Caller {
    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Quic(incoming) => incoming.remote_address(),
            Self::Tcp(_, address, _) => *address,
        }
    }

    /// Turns the caller away before anything is spent on it.
    pub(super) fn refuse(self) {
        match self {
            Self::Quic(incoming) => incoming.refuse(),
            // Closing the socket says enough.
            Self::Tcp(socket, ..) => drop(socket),
        }
    }

    async fn handshake(self) -> Result<Connection, Box<dyn Error + Send + Sync>> {
        match self {
            Self::Quic(incoming) => Ok(incoming.await?.into()),
            Self::Tcp(socket, address, tls) => {
                Ok(flyball_link::accept(socket, address, tls, TCP_KEEPING).await?)
            }
        }
    }
}

pub(super) async fn serve(app: &App, caller: Caller, commits: mpsc::Sender<Submission>) {
    let address = caller.address();
    let connection = match tokio::time::timeout(HANDSHAKE_PATIENCE, caller.handshake()).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            app.metrics.refused("handshake");
            let error = &*error as &dyn Error;
            tracing::warn!(%address, error, "peer refused at the handshake");
            return;
        }
        Err(_) => {
            app.metrics.refused("handshake");
            tracing::warn!(%address, "peer refused: its handshake takes too long");
            return;
        }
    };
    let mut device = None;
    let ended = converse(app, &connection, commits, &mut device).await;
    match ended {
        Ok(()) => connection.close(close::DONE, b"done"),
        Err(End::Lost) => {}
        Err(End::Fault(fault)) => refuse(app, &connection, device, &fault),
    }
}

async fn converse(
    app: &App,
    connection: &Connection,
    commits: mpsc::Sender<Submission>,
    device: &mut Option<DeviceId>,
) -> Result<(), End> {
    if is_enrolment(connection) {
        return enrol::serve(app, connection).await;
    }
    let shown = identify(connection)?;
    *device = Some(shown.device);
    session::serve(app, connection, &shown, commits).await
}

/// The log line, the counter and the close code of one refusal.
fn refuse(app: &App, connection: &Connection, device: Option<DeviceId>, fault: &Fault) {
    let address = connection.remote_address();
    let device = device.map(|device| device.to_string());
    app.metrics.refused(fault.label());
    tracing::warn!(
        device,
        %address,
        reason = fault.label(),
        error = fault as &dyn Error,
        "peer refused"
    );
    let mut reason = fault.to_string();
    let end = reason.floor_char_boundary(MAX_REASON_BYTES);
    reason.truncate(end);
    connection.close(fault.code(), reason.as_bytes());
}

fn is_enrolment(connection: &Connection) -> bool {
    connection.protocol().as_deref() == Some(ALPN_ENROL)
}

/// What of a verified certificate counts here.
pub(super) struct Certificate {
    pub(super) device: DeviceId,
    /// Hexadecimal.
    pub(super) serial: String,
    pub(super) not_after_ms: u64,
}

/// The device that the verified certificate names, in its subject and its URI alike.
fn identify(connection: &Connection) -> Result<Certificate, Fault> {
    let leaf = connection.peer_certificate().ok_or(Fault::NoCertificate)?;
    certificate_of(&leaf).ok_or(Fault::Certificate)
}

fn certificate_of(certificate: &[u8]) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    let device: DeviceId = name.parse().ok()?;
    let uri = format!("flyball:device:{device}");
    let names = certificate.subject_alternative_name().ok()??;
    let named = names
        .value
        .general_names
        .iter()
        .any(|name| matches!(name, GeneralName::URI(found) if *found == uri));
    let serial = hex(certificate.raw_serial());
    let not_after = certificate.validity().not_after.timestamp();
    let not_after_ms = u64::try_from(not_after).ok()?.saturating_mul(1000);
    named.then_some(Certificate { device, serial, not_after_ms })
}
