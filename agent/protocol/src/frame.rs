//! Frames on a stream: a little-endian `u32` length, then one message in postcard.
//!
//! Owns the bound that a peer's header is held to before anything is allocated for it. Like the
//! guard's socket, but with room for assets and import results.

use serde::{Serialize, de::DeserializeOwned};

/// Larger frames are refused by their header, before anything is allocated for them.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// On the stream of a job, which carries pictures and the files of a package. Nothing else does, so
/// that no other stream can hold as much memory.
pub const MAX_JOB_FRAME_BYTES: usize = 48 * 1024 * 1024;

/// Bytes of the length in front of every frame.
pub const HEADER_BYTES: usize = 4;

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes is announced, which are more than its stream allows")]
    TooLarge(usize),
    #[error("a frame cannot be decoded")]
    Decode(#[source] postcard::Error),
    #[error("{0} bytes stand behind the message in its frame")]
    Trailing(usize),
    #[error("a message cannot be encoded")]
    Encode(#[source] postcard::Error),
}

/// One message as a frame.
///
/// # Errors
/// Where the message is larger than a frame may be.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    encode_within(message, MAX_FRAME_BYTES)
}

/// The same with a bound of its own.
///
/// # Errors
/// Where the message is larger than that.
pub fn encode_within<T: Serialize>(message: &T, bound: usize) -> Result<Vec<u8>, FrameError> {
    let mut frame =
        postcard::to_extend(message, vec![0; HEADER_BYTES]).map_err(FrameError::Encode)?;
    let body_bytes = frame.len() - HEADER_BYTES;
    let header = match u32::try_from(body_bytes) {
        Ok(length) if body_bytes <= bound => length.to_le_bytes(),
        _ => return Err(FrameError::TooLarge(body_bytes)),
    };
    frame[..HEADER_BYTES].copy_from_slice(&header);
    Ok(frame)
}

/// The bytes of the body that a header announces.
///
/// # Errors
/// Where it announces more than [`MAX_FRAME_BYTES`].
pub fn body_bytes(header: [u8; HEADER_BYTES]) -> Result<usize, FrameError> {
    body_bytes_within(header, MAX_FRAME_BYTES)
}

fn body_bytes_within(header: [u8; HEADER_BYTES], bound: usize) -> Result<usize, FrameError> {
    let length = u32::from_le_bytes(header) as usize;
    if length > bound { Err(FrameError::TooLarge(length)) } else { Ok(length) }
}

/// The message of one whole body.
///
/// # Errors
/// Where the body is no `T`, or goes on behind it.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    let (message, rest) = postcard::take_from_bytes(body).map_err(FrameError::Decode)?;
    if rest.is_empty() { Ok(message) } else { Err(FrameError::Trailing(rest.len())) }
}

/// Collects bytes as they come and gives back whole messages. Holds at most one unfinished frame
/// and what the last `push` brought.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    consumed: usize,
    bound: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::within(MAX_FRAME_BYTES)
    }
}

impl Decoder {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Frames above `bound` bytes are refused by their header.
    #[must_use]
    pub const fn within(bound: usize) -> Self {
        Self { buffer: Vec::new(), consumed: 0, bound }
    }

    /// Takes the next piece. Call [`Decoder::next_message`] until it gives `None` before the next push.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, `None` until enough bytes have come.
    ///
    /// # Errors
    /// Where the header announces too much or the body is not a `T`; the stream is lost then.
    pub fn next_message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let pending = &self.buffer[self.consumed..];
        let Some((header, rest)) = pending.split_first_chunk() else {
            return Ok(None);
        };
        let Some(body) = rest.get(..body_bytes_within(*header, self.bound)?) else {
            return Ok(None);
        };
        let message = decode(body)?;
        self.consumed += HEADER_BYTES + body.len();
        if self.consumed == self.buffer.len() && self.consumed > MAX_FRAME_BYTES {
            // One large frame must not hold its memory for the life of the stream.
            self.buffer = Vec::new();
            self.consumed = 0;
        }
        Ok(Some(message))
    }

    /// Has a frame begun that is not whole yet? A stream that ends then was torn.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.consumed < self.buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{ControlDown, LaneDown};
    use crate::sync::{Ranges, Seq};

    fn acks() -> Vec<LaneDown> {
        let mut ranges = Ranges::new();
        ranges.insert_range(Seq(3), Seq(70_000));
        vec![LaneDown::Ack(Ranges::new()), LaneDown::Ack(ranges)]
    }

    #[test]
    fn messages_come_out_whole_however_the_bytes_are_cut() {
        let bytes: Vec<u8> = acks().iter().flat_map(|ack| encode(ack).unwrap()).collect();
        for size in 1..=bytes.len() {
            let mut decoder = Decoder::new();
            let mut seen = Vec::new();
            for piece in bytes.chunks(size) {
                decoder.push(piece);
                while let Some(message) = decoder.next_message::<LaneDown>().unwrap() {
                    seen.push(message);
                }
            }
            assert_eq!(seen, acks());
            assert!(!decoder.is_torn());
        }
    }

    #[test]
    fn a_frame_of_2_gib_is_refused_by_its_header_with_its_size() {
        let mut decoder = Decoder::new();
        decoder.push(&0x8000_0000_u32.to_le_bytes());
        assert!(matches!(
            decoder.next_message::<LaneDown>(),
            Err(FrameError::TooLarge(size)) if size == 0x8000_0000
        ));
    }

    #[test]
    fn a_message_larger_than_a_frame_is_not_encoded() {
        let reason = "x".repeat(MAX_FRAME_BYTES);
        assert!(matches!(
            encode(&ControlDown::Refused { reason }),
            Err(FrameError::TooLarge(size)) if size > MAX_FRAME_BYTES
        ));
    }

    #[test]
    fn bytes_behind_the_message_are_an_error() {
        let mut body = postcard::to_stdvec(&ControlDown::Inventory).unwrap();
        body.push(0);
        assert!(matches!(decode::<ControlDown>(&body), Err(FrameError::Trailing(1))));
    }

    #[test]
    fn a_frame_that_is_cut_short_is_torn() {
        let bytes = encode(&ControlDown::Inventory).unwrap();
        let mut decoder = Decoder::new();
        decoder.push(&bytes[..bytes.len() - 1]);
        assert!(decoder.next_message::<ControlDown>().unwrap().is_none());
        assert!(decoder.is_torn());
    }
}
