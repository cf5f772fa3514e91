//! Frames: a little-endian `u32` length, then postcard.

use serde::{Serialize, de::DeserializeOwned};

/// Any frame: the largest output of a call, with room for its names.
pub const MAX_FRAME_BYTES: usize = 40 * 1024 * 1024;
/// What the compiler says of a component, without the code that follows it.
pub const MAX_REPORT_BYTES: usize = 1024 * 1024;
/// Compiled code, which follows the compiler's report and goes to the runner in parts.
pub const MAX_CODE_BYTES: u64 = 160 * 1024 * 1024;
/// One part of it on its way to the runner.
pub const CODE_PART_BYTES: usize = 128 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes is announced, at most {1} are allowed")]
    TooLarge(usize, usize),
    #[error("a frame cannot be decoded")]
    Decode(#[source] postcard::Error),
    #[error("a message cannot be encoded")]
    Encode(#[source] postcard::Error),
}

/// One message as a frame of at most `bound` bytes.
///
/// # Errors
/// Where the message is larger than that.
pub fn encode<T: Serialize>(message: &T, bound: usize) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(FrameError::Encode)?;
    let length = frame.len() - 4;
    let header = u32::try_from(length).ok().filter(|_| length <= bound);
    let header = header.ok_or(FrameError::TooLarge(length, bound))?;
    frame[..4].copy_from_slice(&header.to_le_bytes());
    Ok(frame)
}

/// Collects bytes as they come and gives back whole messages.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    consumed: usize,
    bound: usize,
}

impl Decoder {
    /// Frames above `bound` bytes are refused by their header.
    #[must_use]
    pub const fn new(bound: usize) -> Self {
        Self { buffer: Vec::new(), consumed: 0, bound }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if self.consumed > 0 {
            self.buffer.drain(..self.consumed);
            self.consumed = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, `None` until enough bytes have come.
    ///
    /// # Errors
    /// Where the header announces too much or the body is not a `T`; the stream is lost then.
    pub fn decode<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let pending = &self.buffer[self.consumed..];
        let Some((header, rest)) = pending.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*header) as usize;
        if length > self.bound {
            return Err(FrameError::TooLarge(length, self.bound));
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let message = postcard::from_bytes(body).map_err(FrameError::Decode)?;
        self.consumed += 4 + length;
        if self.consumed == self.buffer.len() {
            // One large frame must not hold its memory for the life of the connection.
            self.buffer = Vec::new();
            self.consumed = 0;
        }
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallId, Event, FromRunner, Image, ToRunner};

    #[test]
    fn messages_come_out_whole_however_the_bytes_are_cut() {
        let image = Image { media_type: "t".into(), width: 1, height: 2, data: vec![7; 300] };
        let messages = [
            FromRunner::Hello { version: 1, engine: "e".into() },
            FromRunner::Event { call: CallId(9), event: Event::Image(image) },
        ];
        let bytes: Vec<u8> = messages.iter().flat_map(|m| encode(m, 1000).unwrap()).collect();
        for size in 1..=bytes.len() {
            let mut decoder = Decoder::new(1000);
            let mut seen = Vec::new();
            for piece in bytes.chunks(size) {
                decoder.push(piece);
                while let Some(message) = decoder.decode::<FromRunner>().unwrap() {
                    seen.push(message);
                }
            }
            assert_eq!(seen, messages);
        }
    }

    #[test]
    fn a_frame_of_2_gib_is_refused_by_its_header() {
        let mut decoder = Decoder::new(MAX_FRAME_BYTES);
        decoder.push(&0x8000_0000_u32.to_le_bytes());
        assert!(matches!(decoder.decode::<ToRunner>(), Err(FrameError::TooLarge(..))));
    }

    #[test]
    fn a_message_above_its_bound_is_not_sent() {
        let call = ToRunner::Cancel { call: CallId(u64::MAX) };
        assert!(matches!(encode(&call, 4), Err(FrameError::TooLarge(11, 4))));
    }
}
