//! Whole messages over one stream, in both directions.

use crate::ingest::fault::Fault;
use flyball_link::{ReadError, RecvStream, SendStream};
use flyball_protocol::frame::{self, Decoder, MAX_JOB_FRAME_BYTES};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// The largest piece that is read at once.
const PIECE_BYTES: usize = 64 * 1024;
/// A peer that takes nothing for so long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// The files of a large package over a slow line.
const JOB_PATIENCE: Duration = Duration::from_secs(120);

/// What ends a stream's messages.
#[derive(Debug)]
pub(super) enum End {
    /// The connection is over; there is nobody left to tell.
    Lost,
    Fault(Fault),
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

pub(super) struct Reader {
    stream: RecvStream,
    decoder: Decoder,
}

impl Reader {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self { stream, decoder: Decoder::new() }
    }

    /// Of a job's stream, whose frames may be larger.
    pub(super) const fn of_job(stream: RecvStream) -> Self {
        Self { stream, decoder: Decoder::within(MAX_JOB_FRAME_BYTES) }
    }

    /// The next message; `None` where the peer has finished between two frames.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, End> {
        loop {
            if let Some(message) = self.decoder.next_message().map_err(Fault::Frame)? {
                return Ok(Some(message));
            }
            match self.stream.read_chunk(PIECE_BYTES).await {
                Ok(Some(chunk)) => self.decoder.push(&chunk),
                Ok(None) if self.decoder.is_torn() => return Err(Fault::Torn.into()),
                Ok(None) => return Ok(None),
                Err(ReadError::Reset(_)) => return Err(Fault::Torn.into()),
                Err(ReadError::Connection(_) | ReadError::Closed | ReadError::Finished) => {
                    return Err(End::Lost);
                }
            }
        }
    }

    /// The next message, within `patience`.
    pub(super) async fn next_within<T: DeserializeOwned>(
        &mut self,
        patience: Duration,
    ) -> Result<Option<T>, End> {
        tokio::time::timeout(patience, self.next())
            .await
            .unwrap_or(Err(End::Fault(Fault::Silent(patience))))
    }

    /// Tells the peer to stop sending.
    pub(super) fn stop(mut self) {
        self.stream.stop(0);
    }
}

/// Writes one message as a frame.
pub(super) async fn write<T: Serialize>(stream: &mut SendStream, message: &T) -> Result<(), End> {
    let frame = frame::encode(message).map_err(Fault::Frame)?;
    write_frame(stream, &frame, WRITE_PATIENCE).await
}

/// Writes the order of a job, which may hold the files of a package.
pub(super) async fn write_job<T: Serialize>(
    stream: &mut SendStream,
    message: &T,
) -> Result<(), End> {
    let frame = frame::encode_within(message, MAX_JOB_FRAME_BYTES).map_err(Fault::Frame)?;
    write_frame(stream, &frame, JOB_PATIENCE).await
}

async fn write_frame(stream: &mut SendStream, frame: &[u8], patience: Duration) -> Result<(), End> {
    match tokio::time::timeout(patience, stream.write_all(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Lost),
        Err(_) => Err(Fault::Deaf(patience).into()),
    }
}
