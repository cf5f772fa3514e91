//! Frames: a little-endian `u32` length, then postcard.

use serde::{Serialize, de::DeserializeOwned};

/// Larger frames are refused by their header, before anything is allocated for them.
pub const MAX_FRAME_BYTES: usize = 256 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes is announced, at most {MAX_FRAME_BYTES} are allowed")]
    TooLarge(usize),
    #[error("a frame cannot be decoded")]
    Decode(#[source] postcard::Error),
    #[error("a message cannot be encoded")]
    Encode(#[source] postcard::Error),
}

/// One message as a frame.
///
/// # Errors
/// Where the message is larger than a frame may be.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(FrameError::Encode)?;
    let length = frame.len() - 4;
    if length > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge(length));
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded by MAX_FRAME_BYTES")]
    let header = (length as u32).to_le_bytes();
    frame[..4].copy_from_slice(&header);
    Ok(frame)
}

/// Collects bytes as they come and gives back whole messages.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    consumed: usize,
}

impl Decoder {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, `None` until enough bytes have come.
    ///
    /// # Errors
    /// Where the header announces too much or the body is not a `T`; the stream is lost then.
    #[expect(clippy::should_implement_trait, reason = "each call names its own message type")]
    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let pending = &self.buffer[self.consumed..];
        let Some((header, rest)) = pending.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*header) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(FrameError::TooLarge(length));
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let message = postcard::from_bytes(body).map_err(FrameError::Decode)?;
        self.consumed += 4 + length;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FromAgent;

    #[test]
    fn messages_come_out_whole_however_the_bytes_are_cut() {
        let messages = [FromAgent::Inventory, FromAgent::Confirm { through: 70_000 }];
        let bytes: Vec<u8> = messages.iter().flat_map(|m| encode(m).unwrap()).collect();
        for size in 1..=bytes.len() {
            let mut decoder = Decoder::new();
            let mut seen = Vec::new();
            for piece in bytes.chunks(size) {
                decoder.push(piece);
                while let Some(message) = decoder.next::<FromAgent>().unwrap() {
                    seen.push(message);
                }
            }
            assert_eq!(seen, messages);
        }
    }

    #[test]
    fn a_frame_of_2_gib_is_refused_by_its_header() {
        let mut decoder = Decoder::new();
        decoder.push(&0x8000_0000_u32.to_le_bytes());
        assert!(matches!(decoder.next::<FromAgent>(), Err(FrameError::TooLarge(_))));
    }
}
