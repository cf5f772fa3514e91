//! Several streams over one ordered connection, as QUIC gives them where UDP is open.
//!
//! Bytes go in by [`Mux::handle_bytes`] and come out by [`Mux::poll_transmit`]; what has changed
//! for a stream is asked for by [`Mux::poll_event`]. Every stream has a window, so that one that
//! nobody reads stands still alone, and a peer opens a bounded number of them. What waits to be
//! sent goes by priority, and in turn where that is equal.

mod frame;
mod half;

#[cfg(test)]
mod tests;

use bytes::{Buf, Bytes, BytesMut};
use frame::{Frame, Header, Kind};
use half::{Receiving, Sending};
use std::collections::{BTreeMap, VecDeque};

pub use frame::MAX_REASON_BYTES;

/// Streams of either side that may be open at once.
pub const MAX_STREAMS: usize = 8;
/// What may come on a stream before it is read: eight of them are one connection's mebibyte.
pub const WINDOW_BYTES: u32 = 128 * 1024;
/// What may wait on a stream to be sent.
pub const BUFFER_BYTES: usize = 64 * 1024;
/// One frame's data: no stream of higher priority waits longer than for this.
pub const MAX_DATA_BYTES: usize = 16 * 1024;
/// What one [`Mux::poll_transmit`] gives at most, about.
const TRANSMIT_BYTES: usize = 32 * 1024;

/// Who began the connection: its streams have even numbers, those of the other odd ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// The number of a stream, never used again on the same connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// What the peer did that it must not; the connection is over then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("a frame of kind {0} is not known")]
    Kind(u8),
    #[error("a frame of {0} bytes is larger than any may be")]
    TooLarge(u32),
    #[error("stream {0} is out of turn")]
    OutOfTurn(u32),
    #[error("more than {MAX_STREAMS} streams are open")]
    TooManyStreams,
    #[error("stream {0} brought more than its window")]
    OverWindow(u32),
    #[error("stream {0} goes on behind its end")]
    BehindEnd(u32),
    #[error("stream {0} was given more room than there can be")]
    Credit(u32),
}

/// What has changed, for whoever waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Readable(StreamId),
    Writable(StreamId),
    /// The peer reads no more, or has all of it: see [`Mux::is_sent`].
    Settled(StreamId),
    /// A stream of the peer's waits for [`Mux::accept`].
    Opened,
    /// One more stream may be opened.
    Room,
}

/// What a read gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    Data(Bytes),
    /// Nothing yet.
    Empty,
    Finished,
    Reset(u32),
    /// There is no such stream any more.
    Closed,
}

/// What a write gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// So many bytes were taken; none means that there is no room yet.
    Taken(usize),
    Stopped(u32),
    Closed,
}

#[derive(Debug)]
struct Stream {
    sending: Sending,
    receiving: Receiving,
    priority: i32,
}

/// How the peer closed the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerClose {
    pub code: u32,
    pub reason: String,
}

#[derive(Debug)]
pub struct Mux {
    side: Side,
    streams: BTreeMap<StreamId, Stream>,
    next_own: u32,
    next_peers: u32,
    /// Own streams that the peer has not retired.
    own_open: usize,
    accepted: VecDeque<StreamId>,
    /// The peer's streams that are over here and not yet told so.
    retired: VecDeque<StreamId>,
    events: VecDeque<Event>,
    incoming: BytesMut,
    ping: bool,
    pong: bool,
    closing: Option<(u32, Bytes)>,
    close_sent: bool,
    peer_close: Option<PeerClose>,
    /// The stream that sent last.
    turn: StreamId,
}

impl Mux {
    #[must_use]
    pub fn new(side: Side) -> Self {
        let (next_own, next_peers) = match side {
            Side::Client => (0, 1),
            Side::Server => (1, 0),
        };
        Self {
            side,
            streams: BTreeMap::new(),
            next_own,
            next_peers,
            own_open: 0,
            accepted: VecDeque::new(),
            retired: VecDeque::new(),
            events: VecDeque::new(),
            incoming: BytesMut::new(),
            ping: false,
            pong: false,
            closing: None,
            close_sent: false,
            peer_close: None,
            turn: StreamId(0),
        }
    }

    /// A new stream; `None` until the peer has retired one of the others.
    pub fn open(&mut self) -> Option<StreamId> {
        let next = self.next_own.checked_add(2)?;
        if self.own_open >= MAX_STREAMS {
            return None;
        }
        let id = StreamId(std::mem::replace(&mut self.next_own, next));
        self.own_open += 1;
        self.insert(id);
        Some(id)
    }

    /// The next stream that the peer has opened.
    pub fn accept(&mut self) -> Option<StreamId> {
        self.accepted.pop_front()
    }

    /// Higher goes first.
    pub fn set_priority(&mut self, id: StreamId, priority: i32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.priority = priority;
        }
    }

    pub fn write(&mut self, id: StreamId, bytes: &[u8]) -> Written {
        self.streams.get_mut(&id).map_or(Written::Closed, |stream| stream.sending.write(bytes))
    }

    /// Nothing more will be written; what was still goes out.
    pub fn finish(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.sending.finish();
        }
    }

    /// Gives the sending half up with what has not gone out.
    pub fn reset(&mut self, id: StreamId, code: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.sending.reset(code);
        }
    }

    /// Has everything gone out, or will the peer read no more of it?
    #[must_use]
    pub fn is_sent(&self, id: StreamId) -> bool {
        self.streams.get(&id).is_none_or(|stream| stream.sending.is_over())
    }

    pub fn read(&mut self, id: StreamId, max_bytes: usize) -> Read {
        let Some(stream) = self.streams.get_mut(&id) else { return Read::Closed };
        let read = stream.receiving.read(max_bytes);
        self.settle(id);
        read
    }

    /// Reads no more; the peer is told with `code`.
    pub fn stop(&mut self, id: StreamId, code: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.receiving.stop(code);
        }
        self.settle(id);
    }

    /// Asks the peer for a sign of life.
    pub const fn ping(&mut self) {
        self.ping = true;
    }

    /// Ends the connection; nothing but this goes out any more.
    pub fn close(&mut self, code: u32, reason: &[u8]) {
        let reason = &reason[..reason.len().min(MAX_REASON_BYTES)];
        self.closing.get_or_insert_with(|| (code, Bytes::copy_from_slice(reason)));
    }

    /// Has the close gone out?
    #[must_use]
    pub const fn is_close_sent(&self) -> bool {
        self.close_sent
    }

    /// How the peer closed, once it has.
    #[must_use]
    pub const fn peer_close(&self) -> Option<&PeerClose> {
        self.peer_close.as_ref()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes what came. Holds at most one unfinished frame behind it.
    ///
    /// # Errors
    /// Where the peer does what it must not: the connection is to be closed then.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.incoming.extend_from_slice(bytes);
        while self.peer_close.is_none() {
            let Some(header) = Header::parse(&self.incoming)? else { break };
            let payload_bytes = header.payload_bytes();
            if self.incoming.len() < Header::BYTES + payload_bytes {
                break;
            }
            self.incoming.advance(Header::BYTES);
            let payload = self.incoming.split_to(payload_bytes);
            self.handle_frame(header, payload)?;
        }
        Ok(())
    }

    fn handle_frame(&mut self, header: Header, payload: BytesMut) -> Result<(), Violation> {
        let id = StreamId(header.stream);
        match header.kind {
            Kind::Data => self.take(id)?.receiving.handle_data(id, payload)?,
            Kind::Finish => self.take(id)?.receiving.handle_finish(id)?,
            Kind::Reset => self.take(id)?.receiving.handle_reset(id, header.value)?,
            Kind::Stop => {
                if let Some(stream) = self.known(id)? {
                    stream.sending.handle_stop(header.value);
                    self.events.push_back(Event::Writable(id));
                    self.events.push_back(Event::Settled(id));
                }
                return Ok(());
            }
            Kind::Window => {
                if let Some(stream) = self.known(id)? {
                    stream.sending.handle_window(id, header.value)?;
                }
                return Ok(());
            }
            Kind::Retire => {
                if !self.is_own(id) || id.0 >= self.next_own || self.own_open == 0 {
                    return Err(Violation::OutOfTurn(id.0));
                }
                self.own_open -= 1;
                self.events.push_back(Event::Room);
                return Ok(());
            }
            Kind::Ping => {
                self.pong = true;
                return Ok(());
            }
            Kind::Pong => return Ok(()),
            Kind::Close => {
                let reason = String::from_utf8_lossy(&payload).into_owned();
                self.peer_close = Some(PeerClose { code: header.stream, reason });
                return Ok(());
            }
        }
        self.events.push_back(Event::Readable(id));
        self.settle(id);
        Ok(())
    }

    /// The stream of a frame that carries data or its end; the next of the peer's is opened by it.
    fn take(&mut self, id: StreamId) -> Result<&mut Stream, Violation> {
        if !self.is_own(id) && id.0 == self.next_peers {
            let open = self.streams.keys().filter(|id| id.0 % 2 == self.next_peers % 2).count();
            if open + self.retired.len() >= MAX_STREAMS {
                return Err(Violation::TooManyStreams);
            }
            self.next_peers = id.0.checked_add(2).ok_or(Violation::OutOfTurn(id.0))?;
            self.insert(id);
            self.accepted.push_back(id);
            self.events.push_back(Event::Opened);
        }
        self.streams.get_mut(&id).ok_or(Violation::OutOfTurn(id.0))
    }

    /// The stream of a word about it, which may come late.
    fn known(&mut self, id: StreamId) -> Result<Option<&mut Stream>, Violation> {
        let begun = if self.is_own(id) { self.next_own } else { self.next_peers };
        if id.0 >= begun { Err(Violation::OutOfTurn(id.0)) } else { Ok(self.streams.get_mut(&id)) }
    }

    fn is_own(&self, id: StreamId) -> bool {
        id.0.is_multiple_of(2) == (self.side == Side::Client)
    }

    fn insert(&mut self, id: StreamId) {
        let stream = Stream { sending: Sending::new(), receiving: Receiving::new(), priority: 0 };
        self.streams.insert(id, stream);
    }

    /// Forgets a stream that is over in both directions.
    fn settle(&mut self, id: StreamId) {
        let over = self
            .streams
            .get(&id)
            .is_some_and(|stream| stream.sending.is_over() && stream.receiving.is_over());
        if over {
            self.streams.remove(&id);
            self.events.push_back(Event::Settled(id));
            if !self.is_own(id) {
                self.retired.push_back(id);
            }
        }
    }

    /// Appends what is to be sent now. False where there is nothing.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        if let Some((code, reason)) = &self.closing {
            if !self.close_sent {
                Frame::Close { code: *code, reason }.put(out);
                self.close_sent = true;
            }
            return out.len() > before;
        }
        if std::mem::take(&mut self.ping) {
            Frame::Ping.put(out);
        }
        if std::mem::take(&mut self.pong) {
            Frame::Pong.put(out);
        }
        while let Some(id) = self.retired.pop_front() {
            Frame::Retire(id).put(out);
        }
        self.transmit_words(out);
        while out.len() - before < TRANSMIT_BYTES {
            let Some(id) = self.next_to_send() else { break };
            self.turn = id;
            let Some(stream) = self.streams.get_mut(&id) else { break };
            stream.sending.transmit(id, out);
            self.events.push_back(Event::Writable(id));
            if stream.sending.is_over() {
                self.events.push_back(Event::Settled(id));
            }
            self.settle(id);
        }
        out.len() > before
    }

    /// Room given, streams stopped and given up: short, and ahead of all data.
    fn transmit_words(&mut self, out: &mut Vec<u8>) {
        let ids: Vec<StreamId> = self.streams.keys().copied().collect();
        for id in ids {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            stream.receiving.transmit(id, out);
            stream.sending.transmit_reset(id, out);
            self.settle(id);
        }
    }

    fn next_to_send(&self) -> Option<StreamId> {
        let ready = || self.streams.iter().filter(|(_, stream)| stream.sending.is_ready());
        let highest = ready().map(|(_, stream)| stream.priority).max()?;
        let mut equal = ready().filter(|(_, s)| s.priority == highest).map(|(id, _)| *id);
        let first = equal.next()?;
        if first > self.turn {
            Some(first)
        } else {
            Some(equal.find(|&id| id > self.turn).unwrap_or(first))
        }
    }
}
