//! One job on a machine: the request down a stream of its own, the events up again.

use crate::ingest::stream::{End, Reader, write_job};
use flyball_link::Connection;
use flyball_protocol::message::{JobEvent, JobFailure, JobFailureKind, JobRequest};
use std::error::Error as _;
use std::time::Duration;
use tokio::sync::mpsc;

/// The agent opens no more streams for us than it allows; a job does not wait for long.
const OPEN_PATIENCE: Duration = Duration::from_secs(5);

/// Runs until the last event, or until nobody listens any more; then the stream is stopped,
/// which cancels the job on the machine.
pub(super) async fn run(
    connection: Connection,
    request: JobRequest,
    events: mpsc::Sender<JobEvent>,
) {
    let failure = tokio::select! {
        () = events.closed() => return,
        result = exchange(&connection, &request, &events) => match result {
            Ok(()) => return,
            Err(failure) => failure,
        },
    };
    // Where the listener has just gone, nobody is left to tell.
    let _ = events.send(JobEvent::Failed(failure)).await;
}

async fn exchange(
    connection: &Connection,
    request: &JobRequest,
    events: &mpsc::Sender<JobEvent>,
) -> Result<(), JobFailure> {
    let opened = tokio::time::timeout(OPEN_PATIENCE, connection.open_bi()).await;
    let (mut send, receive) = match opened {
        Ok(Ok(streams)) => streams,
        Ok(Err(_)) => return Err(unavailable("the machine's connection ended")),
        Err(_) => return Err(unavailable("the machine is busy with other jobs")),
    };
    write_job(&mut send, request).await.map_err(failure_of)?;
    send.finish();
    let mut reader = Reader::of_job(receive);
    while let Some(event) = reader.next::<JobEvent>().await.map_err(failure_of)? {
        let last = matches!(event, JobEvent::Done | JobEvent::Failed(_));
        if events.send(event).await.is_err() {
            reader.stop();
            return Ok(());
        }
        if last {
            return Ok(());
        }
    }
    Err(unavailable("the machine ended the job without a result"))
}

fn failure_of(end: End) -> JobFailure {
    match end {
        End::Lost => unavailable("the machine's connection ended"),
        End::Fault(fault) => {
            let source = fault.source().map(|source| format!(": {source}")).unwrap_or_default();
            let message = format!("{fault}{source}");
            JobFailure { kind: JobFailureKind::Internal, message, diagnostics: Vec::new() }
        }
    }
}

fn unavailable(message: &str) -> JobFailure {
    let kind = JobFailureKind::Unavailable;
    JobFailure { kind, message: message.into(), diagnostics: Vec::new() }
}
