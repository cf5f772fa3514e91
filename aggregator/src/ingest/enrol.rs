//! One enrolment: one request, one answer, and the connection is over.

use crate::app::App;
use crate::enrolment::EnrolError;
use crate::ingest::fault::Fault;
use crate::ingest::stream::{End, Reader, write};
use flyball_link::Connection;
use flyball_protocol::message::{EnrolRefusal, EnrolReply, EnrolRequest};
use std::time::Duration;

/// From the handshake to the request.
const PATIENCE: Duration = Duration::from_secs(10);
/// From the answer to the peer's own close.
const FAREWELL: Duration = Duration::from_secs(5);

pub(super) async fn serve(app: &App, connection: &Connection) -> Result<(), End> {
    let accepted = tokio::time::timeout(PATIENCE, connection.accept_bi()).await;
    let (mut send, receive) = match accepted {
        Ok(Ok(streams)) => streams,
        Ok(Err(_)) => return Err(End::Lost),
        Err(_) => return Err(Fault::Silent(PATIENCE).into()),
    };
    let mut reader = Reader::new(receive);
    let request: EnrolRequest =
        reader.next_within(PATIENCE).await?.ok_or(End::Fault(Fault::Opening))?;
    let hostname = request.machine.hostname.clone();
    let reply = app.enrolment.enrol(request).await.map_err(|error| match error {
        EnrolError::Store(error) => Fault::Store(error),
    })?;
    let address = connection.remote_address();
    match &reply {
        EnrolReply::Enrolled { device, .. } => {
            tracing::info!(%device, hostname, %address, "device enrolled");
        }
        EnrolReply::Refused(refusal) => {
            app.metrics.refused(label(refusal));
            tracing::warn!(hostname, %address, ?refusal, "enrolment refused");
        }
    }
    write(&mut send, &reply).await?;
    // The peer closes once it has read the answer; closing first could overtake it.
    send.finish();
    let _ = tokio::time::timeout(FAREWELL, connection.closed()).await;
    Ok(())
}

const fn label(refusal: &EnrolRefusal) -> &'static str {
    match refusal {
        EnrolRefusal::UnknownToken => "unknown_token",
        EnrolRefusal::UsedToken => "used_token",
        EnrolRefusal::ExpiredToken => "expired_token",
        EnrolRefusal::BadRequest(_) => "bad_enrolment",
    }
}
