//! The socket to the runner.

use flyball_plugin_messages::frame::{Decoder, FrameError, MAX_FRAME_BYTES, encode};
use flyball_plugin_messages::{FromRunner, ToRunner, VERSION};
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// The runner reads at all times; one that does not is broken.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub(super) enum RunnerError {
    #[error("the runner can't be reached")]
    Connect(#[source] io::Error),
    #[error("the runner's socket can't be used")]
    Socket(#[source] io::Error),
    #[error("the runner ended the connection")]
    Ended,
    #[error("the runner does not answer")]
    Silent,
    #[error("the runner can't be understood")]
    Frame(#[source] FrameError),
    #[error("the runner speaks version {0}, this agent {VERSION}: upgrade both")]
    Version(u16),
}

#[derive(Debug)]
pub(super) struct Reader {
    half: OwnedReadHalf,
    decoder: Decoder,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Writer(OwnedWriteHalf);

/// Both halves, and the engine that the runner's code is made for.
pub(super) async fn connect(socket: &Path) -> Result<(Reader, Writer, String), RunnerError> {
    let stream = UnixStream::connect(socket).await.map_err(RunnerError::Connect)?;
    let (half, writing) = stream.into_split();
    let decoder = Decoder::new(MAX_FRAME_BYTES);
    let mut reader = Reader { half, decoder, buffer: vec![0; 64 * 1024] };
    let hello = tokio::time::timeout(PATIENCE, reader.next()).await;
    match hello.map_err(|_| RunnerError::Silent)?? {
        FromRunner::Hello { version: VERSION, engine } => Ok((reader, Writer(writing), engine)),
        FromRunner::Hello { version, .. } => Err(RunnerError::Version(version)),
        _ => Err(RunnerError::Silent),
    }
}

impl Reader {
    /// The next message. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<FromRunner, RunnerError> {
        loop {
            if let Some(message) = self.decoder.decode().map_err(RunnerError::Frame)? {
                return Ok(message);
            }
            match self.half.read(&mut self.buffer).await.map_err(RunnerError::Socket)? {
                0 => return Err(RunnerError::Ended),
                count => self.decoder.push(&self.buffer[..count]),
            }
        }
    }
}

impl Writer {
    pub(super) async fn send(&mut self, message: &ToRunner) -> Result<(), RunnerError> {
        let frame = encode(message, MAX_FRAME_BYTES).map_err(RunnerError::Frame)?;
        tokio::time::timeout(PATIENCE, self.0.write_all(&frame))
            .await
            .map_err(|_| RunnerError::Silent)?
            .map_err(RunnerError::Socket)
    }
}
