//! Framed messages on a stream: whole ones come out, and what is torn, too large or not a
//! message is an error with the close code that says so.

use flyball_link::{ConnectionError, ReadError, RecvStream, SendStream, WriteError};
use flyball_protocol::frame::{self, Decoder, FrameError, MAX_JOB_FRAME_BYTES};
use flyball_protocol::message::{StreamKind, close};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::pin::Pin;

/// What one read may bring: with it the decoder holds a frame and this at most.
const CHUNK_BYTES: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("the connection is lost")]
    Connection(#[source] ConnectionError),
    #[error("the stream cannot be read")]
    Read(#[source] ReadError),
    #[error("the stream cannot be written")]
    Write(#[source] WriteError),
    #[error("the peer sent a bad frame")]
    Frame(#[source] FrameError),
    #[error("the message cannot be sent")]
    Encode(#[source] FrameError),
    #[error("the stream ended within a frame")]
    Torn,
    #[error("the stream ended where a message was due")]
    Ended,
}

impl WireError {
    /// The code to close the connection with, where the peer broke the protocol.
    pub(crate) fn close_code(&self) -> Option<u32> {
        match self {
            Self::Frame(FrameError::TooLarge(_)) => Some(close::FRAME_TOO_LARGE),
            Self::Frame(_) | Self::Torn => Some(close::MALFORMED),
            Self::Connection(_)
            | Self::Read(_)
            | Self::Write(_)
            | Self::Encode(_)
            | Self::Ended => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct FrameReader {
    stream: RecvStream,
    decoder: Decoder,
}

impl FrameReader {
    pub(crate) fn new(stream: impl Into<RecvStream>) -> Self {
        Self { stream: stream.into(), decoder: Decoder::new() }
    }

    /// Of a job's stream, whose frames may be larger.
    pub(crate) fn of_job(stream: impl Into<RecvStream>) -> Self {
        Self { stream: stream.into(), decoder: Decoder::within(MAX_JOB_FRAME_BYTES) }
    }

    /// The next message, `None` where the stream ended between two.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, WireError> {
        loop {
            if let Some(message) = self.decoder.next_message().map_err(WireError::Frame)? {
                return Ok(Some(message));
            }
            match self.stream.read_chunk(CHUNK_BYTES).await.map_err(WireError::Read)? {
                Some(chunk) => self.decoder.push(&chunk),
                None if self.decoder.is_torn() => return Err(WireError::Torn),
                None => return Ok(None),
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct FrameWriter {
    stream: SendStream,
}

impl FrameWriter {
    pub(crate) fn new(stream: impl Into<SendStream>) -> Self {
        Self { stream: stream.into() }
    }

    /// Says what the stream is for, as its first byte. Control goes before blocks, and new blocks
    /// before old ones.
    pub(crate) async fn begin(stream: SendStream, kind: StreamKind) -> Result<Self, WireError> {
        stream.set_priority(match kind {
            StreamKind::Control => 2,
            StreamKind::Fresh => 1,
            StreamKind::Backfill => 0,
        });
        let mut writer = Self::new(stream);
        writer.send_bytes(&[kind as u8]).await?;
        Ok(writer)
    }

    pub(crate) async fn send<T: Serialize>(&mut self, message: &T) -> Result<(), WireError> {
        let bytes = frame::encode(message).map_err(WireError::Encode)?;
        self.send_bytes(&bytes).await
    }

    /// The same on a job's stream, whose frames may be larger.
    pub(crate) async fn send_of_job<T: Serialize>(&mut self, message: &T) -> Result<(), WireError> {
        let bytes =
            frame::encode_within(message, MAX_JOB_FRAME_BYTES).map_err(WireError::Encode)?;
        self.send_bytes(&bytes).await
    }

    /// A frame that is encoded already.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.stream.write_all(bytes).await.map_err(WireError::Write)
    }

    /// Nothing more will come; what was written still arrives.
    pub(crate) fn finish(&mut self) {
        self.stream.finish();
    }

    /// Ends the stream with what was wrong with its other half.
    pub(crate) fn reset(mut self, error: &WireError) {
        let code = error.close_code().unwrap_or(close::REFUSED);
        self.stream.reset(code);
    }

    /// Ready once the peer no longer wants what is written here.
    pub(crate) fn stopped(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.stream.stopped()
    }

    #[cfg(test)]
    pub(crate) fn into_inner(self) -> SendStream {
        self.stream
    }
}
