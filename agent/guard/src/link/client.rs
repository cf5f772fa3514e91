//! One connection: bytes in, messages out of them, and at most one frame on its way back.

use crate::desk::ClientId;
use crate::log;
use flyball_guard_messages::{Decoder, FrameError, FromAgent, FromGuard, encode};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Bytes that are taken from a connection in one turn: nobody keeps the others waiting.
const PER_TURN_BYTES: usize = 64 * 1024;
/// What waits for a client that doesn't read; a frame and a few verdicts.
const MAX_OUTPUT_BYTES: usize = 1024 * 1024;

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It hasn't said yet.
    Stranger,
    /// It asked for the status.
    Onlooker,
    /// A person at the machine, who may ask for more.
    Person { uid: u32 },
    /// The agent, the number of the last record that it was sent, and how many series it knows.
    Agent { sent: u64, series: usize },
}

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum Closed {
    ByPeer,
    Torn,
    Frame(FrameError),
    Io(io::Error),
    Version(u8),
    OutOfTurn,
    Silent,
    Replaced,
    Busy,
    Deaf,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByPeer => f.write_str("the other end went away"),
            Self::Torn => f.write_str("the other end went away within a frame"),
            Self::Frame(error) => f.write_str(&log::chain(error)),
            Self::Io(error) => write!(f, "{error}"),
            Self::Version(version) => write!(f, "it speaks version {version}"),
            Self::OutOfTurn => f.write_str("it spoke before it was attached"),
            Self::Silent => f.write_str("it did not say what it is"),
            Self::Replaced => f.write_str("a new agent took its place"),
            Self::Busy => f.write_str("it asked more than is answered at once"),
            Self::Deaf => f.write_str("it does not read what it is sent"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: ClientId,
    pub(super) role: Role,
    pub(super) since: Duration,
    stream: UnixStream,
    decoder: Decoder,
    output: Vec<u8>,
    written: usize,
    closed: bool,
    /// Bytes came that are no whole frame yet.
    within_frame: bool,
}

impl Client {
    pub(super) fn new(id: ClientId, stream: UnixStream, since: Duration) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            id,
            role: Role::Stranger,
            since,
            stream,
            decoder: Decoder::new(),
            output: Vec::new(),
            written: 0,
            closed: false,
            within_frame: false,
        })
    }

    pub(super) const fn stream(&self) -> &UnixStream {
        &self.stream
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn has_output(&self) -> bool {
        self.written < self.output.len()
    }

    /// Takes what has come, up to a bound.
    pub(super) fn receive(&mut self) {
        let mut buffer = [0; 16 * 1024];
        let mut taken = 0;
        while !self.closed && taken < PER_TURN_BYTES {
            match self.stream.read(&mut buffer) {
                Ok(0) if self.within_frame => self.close(Closed::Torn),
                Ok(0) => self.close(Closed::ByPeer),
                Ok(length) => {
                    taken += length;
                    self.within_frame = true;
                    self.decoder.push(&buffer[..length]);
                    // A header that announces too much is refused before its body is taken.
                    if length < buffer.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.close(Closed::Io(error)),
            }
        }
    }

    /// The next whole message.
    pub(super) fn next(&mut self) -> Option<FromAgent> {
        if self.closed {
            return None;
        }
        match self.decoder.next() {
            Ok(Some(message)) => {
                self.within_frame = false;
                Some(message)
            }
            Ok(None) => None,
            Err(error) => {
                self.close(Closed::Frame(error));
                None
            }
        }
    }

    pub(super) fn send(&mut self, message: &FromGuard) {
        match encode(message) {
            Ok(_) if self.output.len() - self.written > MAX_OUTPUT_BYTES => {
                self.close(Closed::Deaf)
            }
            Ok(frame) => {
                self.output.extend_from_slice(&frame);
                self.flush();
            }
            Err(error) => self.close(Closed::Frame(error)),
        }
    }

    /// Writes as much as is taken. True where all of it was.
    pub(super) fn flush(&mut self) -> bool {
        while !self.closed && self.has_output() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(length) => self.written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => self.close(Closed::ByPeer),
                Err(error) => self.close(Closed::Io(error)),
            }
        }
        self.output.clear();
        self.written = 0;
        !self.closed
    }

    /// Ends the connection, and says why where it was the other end's fault or the agent's end.
    pub(super) fn close(&mut self, why: Closed) {
        if self.closed {
            return;
        }
        self.closed = true;
        match (&why, self.role) {
            (Closed::ByPeer, Role::Stranger | Role::Onlooker | Role::Person { .. }) => {}
            (Closed::ByPeer, Role::Agent { .. }) => {
                log::info(format_args!("the agent left: {why}"))
            }
            _ => log::warn(format_args!("a connection was closed: {why}")),
        }
    }
}
