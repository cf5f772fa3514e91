//! The two halves of a stream, each with its window and its end.

use super::frame::Frame;
use super::{BUFFER_BYTES, MAX_DATA_BYTES, Read, StreamId, Violation, WINDOW_BYTES, Written};
use bytes::{Buf, BytesMut};

/// ```text
/// Open ─finish─▶ Finishing ─all sent─▶ Over
///   └──reset, stop──▶ Resetting ─sent─▶ Over
/// ```
#[derive(Debug, PartialEq, Eq)]
enum SendState {
    Open,
    Finishing,
    Resetting(u32),
    Over,
}

#[derive(Debug)]
pub(super) struct Sending {
    buffer: BytesMut,
    /// What the peer still takes.
    credit: u32,
    state: SendState,
    stopped: Option<u32>,
}

impl Sending {
    pub(super) fn new() -> Self {
        Self {
            buffer: BytesMut::new(),
            credit: WINDOW_BYTES,
            state: SendState::Open,
            stopped: None,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Written {
        if let Some(code) = self.stopped {
            return Written::Stopped(code);
        }
        if self.state != SendState::Open {
            return Written::Closed;
        }
        let taken = bytes.len().min(BUFFER_BYTES.saturating_sub(self.buffer.len()));
        self.buffer.extend_from_slice(&bytes[..taken]);
        Written::Taken(taken)
    }

    pub(super) fn finish(&mut self) {
        if self.state == SendState::Open {
            self.state = SendState::Finishing;
        }
    }

    pub(super) fn reset(&mut self, code: u32) {
        if matches!(self.state, SendState::Open | SendState::Finishing) {
            self.buffer = BytesMut::new();
            self.state = SendState::Resetting(code);
        }
    }

    pub(super) fn handle_stop(&mut self, code: u32) {
        self.stopped.get_or_insert(code);
        self.reset(code);
    }

    pub(super) fn handle_window(&mut self, id: StreamId, more: u32) -> Result<(), Violation> {
        let credit = self.credit.checked_add(more).filter(|&credit| credit <= WINDOW_BYTES);
        self.credit = credit.ok_or(Violation::Credit(id.0))?;
        Ok(())
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == SendState::Over
    }

    /// Is there data that may go, or an end to tell?
    pub(super) fn is_ready(&self) -> bool {
        match self.state {
            SendState::Open => self.credit > 0 && !self.buffer.is_empty(),
            SendState::Finishing => self.credit > 0 || self.buffer.is_empty(),
            SendState::Resetting(_) | SendState::Over => false,
        }
    }

    /// Puts one frame of data, and the end behind the last.
    pub(super) fn transmit(&mut self, id: StreamId, out: &mut Vec<u8>) {
        let bytes = self.buffer.len().min(MAX_DATA_BYTES).min(self.credit as usize);
        if bytes > 0 {
            Frame::Data(id, &self.buffer[..bytes]).put(out);
            self.buffer.advance(bytes);
            self.credit = self.credit.saturating_sub(u32::try_from(bytes).unwrap_or(u32::MAX));
        }
        if self.buffer.is_empty() {
            // An idle stream holds no memory.
            self.buffer = BytesMut::new();
            if self.state == SendState::Finishing {
                Frame::Finish(id).put(out);
                self.state = SendState::Over;
            }
        }
    }

    pub(super) fn transmit_reset(&mut self, id: StreamId, out: &mut Vec<u8>) {
        if let SendState::Resetting(code) = self.state {
            Frame::Reset(id, code).put(out);
            self.state = SendState::Over;
        }
    }
}

/// ```text
/// Open ─finish─▶ Finished ─read to the end─▶ Over
///   └──reset──▶ Reset ─read─▶ Over
/// ```
#[derive(Debug, PartialEq, Eq)]
enum ReceiveState {
    Open,
    Finished,
    Reset(u32),
    Over,
}

#[derive(Debug)]
pub(super) struct Receiving {
    buffer: BytesMut,
    /// What the peer may still send.
    window: u32,
    /// Read, and not yet given back to the peer as room.
    owed: u32,
    state: ReceiveState,
    /// To be told to the peer.
    stop: Option<u32>,
    /// Nobody reads: what comes is dropped.
    abandoned: bool,
}

impl Receiving {
    pub(super) fn new() -> Self {
        Self {
            buffer: BytesMut::new(),
            window: WINDOW_BYTES,
            owed: 0,
            state: ReceiveState::Open,
            stop: None,
            abandoned: false,
        }
    }

    pub(super) fn handle_data(&mut self, id: StreamId, data: BytesMut) -> Result<(), Violation> {
        if self.state != ReceiveState::Open {
            return Err(Violation::BehindEnd(id.0));
        }
        let bytes = u32::try_from(data.len()).map_err(|_| Violation::OverWindow(id.0))?;
        self.window = self.window.checked_sub(bytes).ok_or(Violation::OverWindow(id.0))?;
        if !self.abandoned {
            self.buffer.unsplit(data);
        }
        Ok(())
    }

    pub(super) fn handle_finish(&mut self, id: StreamId) -> Result<(), Violation> {
        self.end(id, ReceiveState::Finished)
    }

    pub(super) fn handle_reset(&mut self, id: StreamId, code: u32) -> Result<(), Violation> {
        self.buffer = BytesMut::new();
        self.end(id, ReceiveState::Reset(code))
    }

    fn end(&mut self, id: StreamId, state: ReceiveState) -> Result<(), Violation> {
        if self.state != ReceiveState::Open {
            return Err(Violation::BehindEnd(id.0));
        }
        self.state = if self.abandoned { ReceiveState::Over } else { state };
        Ok(())
    }

    pub(super) fn read(&mut self, max_bytes: usize) -> Read {
        if !self.buffer.is_empty() {
            let data = self.buffer.split_to(self.buffer.len().min(max_bytes)).freeze();
            self.owed += u32::try_from(data.len()).unwrap_or(0);
            return Read::Data(data);
        }
        match self.state {
            ReceiveState::Open => Read::Empty,
            ReceiveState::Finished => {
                self.state = ReceiveState::Over;
                Read::Finished
            }
            ReceiveState::Reset(code) => {
                self.state = ReceiveState::Over;
                Read::Reset(code)
            }
            ReceiveState::Over => Read::Closed,
        }
    }

    pub(super) fn stop(&mut self, code: u32) {
        self.abandoned = true;
        self.buffer = BytesMut::new();
        if self.state == ReceiveState::Open {
            self.stop = Some(code);
        } else {
            self.state = ReceiveState::Over;
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == ReceiveState::Over
    }

    /// Gives room back in large pieces, and says that nobody reads.
    pub(super) fn transmit(&mut self, id: StreamId, out: &mut Vec<u8>) {
        if let Some(code) = self.stop.take() {
            Frame::Stop(id, code).put(out);
        }
        if self.owed >= WINDOW_BYTES / 2 && self.state == ReceiveState::Open && !self.abandoned {
            self.window += self.owed;
            Frame::Window(id, std::mem::take(&mut self.owed)).put(out);
        }
    }
}
