//! Where a table goes: pieces of bytes over a bounded channel to whoever sends them on.

use bytes::Bytes;
use std::io::{self, Write};
use tokio::sync::mpsc;

/// A piece is handed on when it has so many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Writes block while the reader is slow, and fail when it is gone: it belongs on a thread of its
/// own.
#[derive(Debug)]
pub struct Sink {
    piece: Vec<u8>,
    to: mpsc::Sender<io::Result<Bytes>>,
}

impl Sink {
    #[must_use]
    pub const fn new(to: mpsc::Sender<io::Result<Bytes>>) -> Self {
        Self { piece: Vec::new(), to }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.to.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
