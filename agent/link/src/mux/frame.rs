//! Frames of the multiplexed connection: a kind, a stream, a number, and data behind some of them.

use super::{MAX_DATA_BYTES, StreamId, Violation};
use bytes::Bytes;

/// No reason of a close is longer on the wire.
pub const MAX_REASON_BYTES: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The number says how many bytes follow.
    Data = 0,
    Finish = 1,
    /// The number is a code, here and in `Stop`.
    Reset = 2,
    Stop = 3,
    /// The number is how many more bytes may come.
    Window = 4,
    /// The peer's stream is over here too: another may take its place.
    Retire = 5,
    Ping = 6,
    Pong = 7,
    /// The stream's place holds the code, the number says how long the reason is.
    Close = 8,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Data,
        Self::Finish,
        Self::Reset,
        Self::Stop,
        Self::Window,
        Self::Retire,
        Self::Ping,
        Self::Pong,
        Self::Close,
    ];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) stream: u32,
    pub(super) value: u32,
}

impl Header {
    pub(super) const BYTES: usize = 9;

    /// The header at the front, `None` until it is whole. Its bounds are held before anything
    /// behind it is waited for.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, Violation> {
        let Some((&[kind, a, b, c, d, e, f, g, h], _)) = bytes.split_first_chunk::<9>() else {
            return Ok(None);
        };
        let kind = Kind::from_byte(kind).ok_or(Violation::Kind(kind))?;
        let stream = u32::from_le_bytes([a, b, c, d]);
        let value = u32::from_le_bytes([e, f, g, h]);
        let header = Self { kind, stream, value };
        let bound = match kind {
            Kind::Data => MAX_DATA_BYTES,
            Kind::Close => MAX_REASON_BYTES,
            _ => return Ok(Some(header)),
        };
        if value as usize > bound { Err(Violation::TooLarge(value)) } else { Ok(Some(header)) }
    }

    pub(super) fn payload_bytes(self) -> usize {
        match self.kind {
            Kind::Data | Kind::Close => self.value as usize,
            Kind::Finish
            | Kind::Reset
            | Kind::Stop
            | Kind::Window
            | Kind::Retire
            | Kind::Ping
            | Kind::Pong => 0,
        }
    }
}

/// A frame to send.
pub(super) enum Frame<'a> {
    Data(StreamId, &'a [u8]),
    Finish(StreamId),
    Reset(StreamId, u32),
    Stop(StreamId, u32),
    Window(StreamId, u32),
    Retire(StreamId),
    Ping,
    Pong,
    Close { code: u32, reason: &'a Bytes },
}

impl Frame<'_> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let (kind, stream, value, payload): (_, _, _, &[u8]) = match self {
            Self::Data(id, data) => (Kind::Data, id.0, length(data), data),
            Self::Finish(id) => (Kind::Finish, id.0, 0, &[]),
            Self::Reset(id, code) => (Kind::Reset, id.0, *code, &[]),
            Self::Stop(id, code) => (Kind::Stop, id.0, *code, &[]),
            Self::Window(id, more) => (Kind::Window, id.0, *more, &[]),
            Self::Retire(id) => (Kind::Retire, id.0, 0, &[]),
            Self::Ping => (Kind::Ping, 0, 0, &[]),
            Self::Pong => (Kind::Pong, 0, 0, &[]),
            Self::Close { code, reason } => (Kind::Close, *code, length(reason), reason),
        };
        out.push(kind as u8);
        out.extend_from_slice(&stream.to_le_bytes());
        out.extend_from_slice(&value.to_le_bytes());
        out.extend_from_slice(payload);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "data and reasons are bounded far below")]
fn length(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}
