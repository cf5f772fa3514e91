//! One non-blocking socket with its frames, both ways.

use flyball_plugin_messages::frame::{Decoder, FrameError, MAX_FRAME_BYTES, encode};
use rustix::event::PollFlags;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the other side is gone")]
    Ended,
    #[error("the socket can't be used")]
    Socket(#[source] io::Error),
    #[error("the other side can't be understood")]
    Frame(#[source] FrameError),
}

/// Read at once, so that one busy socket does not starve the others.
const READ_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Link {
    stream: UnixStream,
    decoder: Decoder,
    unsent: Vec<u8>,
    sent: usize,
}

impl Link {
    pub(crate) fn new(stream: UnixStream, incoming_bytes: usize) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, decoder: Decoder::new(incoming_bytes), unsent: Vec::new(), sent: 0 })
    }

    /// What waits to be sent.
    pub(crate) fn backlog_bytes(&self) -> usize {
        self.unsent.len() - self.sent
    }

    pub(crate) fn interest(&self, reading: bool) -> PollFlags {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, reading);
        flags.set(PollFlags::OUT, self.backlog_bytes() > 0);
        flags
    }

    pub(crate) fn send<T: serde::Serialize>(&mut self, message: &T) -> Result<(), LinkError> {
        let frame = encode(message, MAX_FRAME_BYTES).map_err(LinkError::Frame)?;
        self.unsent.extend_from_slice(&frame);
        self.flush()
    }

    /// Sends what the socket takes now.
    pub(crate) fn flush(&mut self) -> Result<(), LinkError> {
        while self.backlog_bytes() > 0 {
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(0) => return Err(LinkError::Ended),
                Ok(count) => self.sent += count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(LinkError::Socket(e)),
            }
        }
        self.unsent = Vec::new();
        self.sent = 0;
        Ok(())
    }

    /// The next whole message of what `fill` has read.
    pub(crate) fn next<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, LinkError> {
        self.decoder.decode().map_err(LinkError::Frame)
    }

    /// Reads what is there now.
    pub(crate) fn fill(&mut self) -> Result<(), LinkError> {
        let mut buffer = [0; 64 * 1024];
        let mut total = 0;
        while total < READ_BYTES {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(LinkError::Ended),
                Ok(count) => {
                    total += count;
                    self.decoder.push(&buffer[..count]);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(LinkError::Socket(e)),
            }
        }
        Ok(())
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
