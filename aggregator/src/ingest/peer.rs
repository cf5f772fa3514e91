//! One connection from its handshake to its close: who it is, what it may do, and the one log
//! line where it is refused.

use crate::app::App;
use crate::fleet::DeviceId;
use crate::ingest::committer::Submission;
use crate::ingest::fault::Fault;
use crate::ingest::stream::End;
use crate::ingest::{enrol, session};
use flyball_protocol::message::{ALPN_ENROL, close};
use quinn::crypto::rustls::HandshakeData;
use quinn::{Connection, Incoming};
use rustls_pki_types::CertificateDer;
use std::error::Error;
use std::time::Duration;
use tokio::sync::mpsc;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// No close reason is longer on the wire.
const MAX_REASON_BYTES: usize = 200;

pub(super) async fn serve(app: &App, incoming: Incoming, commits: mpsc::Sender<Submission>) {
    let address = incoming.remote_address();
    let connection = match tokio::time::timeout(HANDSHAKE_PATIENCE, incoming).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            app.metrics.refused("handshake");
            let error = &error as &dyn Error;
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
        Ok(()) => connection.close(close::DONE.into(), b"done"),
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
    let id = identify(connection)?;
    *device = Some(id);
    session::serve(app, connection, id, commits).await
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
    connection.close(fault.code().into(), reason.as_bytes());
}

fn is_enrolment(connection: &Connection) -> bool {
    let data = connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
    data.is_some_and(|data| data.protocol.as_deref() == Some(ALPN_ENROL))
}

/// The device that the verified certificate names, in its subject and its URI alike.
fn identify(connection: &Connection) -> Result<DeviceId, Fault> {
    let identity = connection.peer_identity().ok_or(Fault::NoCertificate)?;
    let chain =
        identity.downcast::<Vec<CertificateDer<'static>>>().map_err(|_| Fault::Certificate)?;
    let leaf = chain.first().ok_or(Fault::NoCertificate)?;
    device_of(leaf).ok_or(Fault::Certificate)
}

fn device_of(certificate: &[u8]) -> Option<DeviceId> {
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
    named.then_some(device)
}
