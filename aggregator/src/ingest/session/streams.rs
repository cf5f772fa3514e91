//! The tasks that read a session's streams. Each hands over whole messages and nothing else;
//! they end with the session.

use crate::ingest::fault::Fault;
use crate::ingest::stream::{End, Reader};
use flyball_link::{Connection, ReadError, RecvStream, SendStream};
use flyball_protocol::message::{ControlUp, LaneUp, StreamKind};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

/// Tells the lanes of one session apart, in the order of their opening.
pub(super) type LaneId = u64;

/// What the session's task is handed.
pub(super) enum Input {
    Control(ControlUp),
    ControlEnded,
    LaneOpened(LaneId, SendStream),
    Lane(LaneUp),
    LaneEnded(LaneId),
    /// The connection is over, or the peer did what it must not.
    Ended(End),
}

/// Ends its task when it is dropped.
pub(super) struct Readers(AbortHandle);

impl Drop for Readers {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads control and every lane that the agent opens.
pub(super) fn read(
    connection: Connection,
    control: Reader,
    inputs: mpsc::Sender<Input>,
) -> Readers {
    Readers(tokio::spawn(accept(connection, control, inputs)).abort_handle())
}

/// Owns the readers' tasks, so that they end with it. How many there are is bounded by the
/// streams that the transport lets the agent open.
async fn accept(connection: Connection, control: Reader, inputs: mpsc::Sender<Input>) {
    let mut readers = JoinSet::new();
    readers.spawn(report(read_control(control, inputs.clone()), inputs.clone()));
    for lane in 0.. {
        let accepted = tokio::select! {
            accepted = connection.accept_bi() => accepted,
            Some(_) = readers.join_next() => continue,
        };
        let Ok((send, receive)) = accepted else {
            // The session may have ended first; then nobody needs to know.
            let _ = inputs.send(Input::Ended(End::Lost)).await;
            return;
        };
        readers.spawn(report(read_lane(lane, send, receive, inputs.clone()), inputs.clone()));
    }
}

async fn report(reader: impl Future<Output = Result<(), End>>, inputs: mpsc::Sender<Input>) {
    if let Err(end) = reader.await {
        // As above.
        let _ = inputs.send(Input::Ended(end)).await;
    }
}

async fn read_control(mut reader: Reader, inputs: mpsc::Sender<Input>) -> Result<(), End> {
    while let Some(message) = reader.next().await? {
        deliver(&inputs, Input::Control(message)).await?;
    }
    deliver(&inputs, Input::ControlEnded).await
}

async fn read_lane(
    lane: LaneId,
    send: SendStream,
    mut receive: RecvStream,
    inputs: mpsc::Sender<Input>,
) -> Result<(), End> {
    let mut kind = [0];
    receive.read_exact(&mut kind).await.map_err(|error| match error {
        ReadError::Finished => End::Fault(Fault::Torn),
        ReadError::Reset(_) | ReadError::Closed | ReadError::Connection(_) => End::Lost,
    })?;
    match StreamKind::from_byte(kind[0]) {
        Some(StreamKind::Fresh | StreamKind::Backfill) => {}
        Some(StreamKind::Control) | None => return Err(Fault::StreamKind(kind[0]).into()),
    }
    deliver(&inputs, Input::LaneOpened(lane, send)).await?;
    let mut reader = Reader::new(receive);
    while let Some(message) = reader.next().await? {
        deliver(&inputs, Input::Lane(message)).await?;
    }
    deliver(&inputs, Input::LaneEnded(lane)).await
}

async fn deliver(inputs: &mpsc::Sender<Input>, input: Input) -> Result<(), End> {
    inputs.send(input).await.map_err(|_| End::Lost)
}
