//! What the spool holds and a lane carries: numbered, checksummed, in one order.

use crate::series::{Reader, SeriesRef};
use crate::sync::Seq;
use flyball_command::Outcome;
use flyball_guard_messages::GuardEvent;
use flyball_units::NoData;
use serde::{Deserialize, Serialize};

/// No entry is larger: sled writes larger values to files that it never syncs.
pub const MAX_ENTRY_BYTES: usize = 64 * 1024;

/// No entry has a greater number: stores keep numbers as signed 64-bit integers.
pub const MAX_SEQ: Seq = Seq(i64::MAX as u64);

/// One entry as it was made durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub seq: Seq,
    /// CRC-32 of `body`: the same (epoch, seq) with another checksum is an error at the store.
    pub checksum: u32,
    /// An [`EntryBody`], encoded once at the agent and never again.
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    #[error("an entry of {0} bytes, at most {MAX_ENTRY_BYTES} are allowed")]
    TooLarge(usize),
    #[error("entries are numbered from 1")]
    NoNumber,
    #[error("an entry's number is {0}, at most {max} is allowed", max = MAX_SEQ.0)]
    Number(u64),
    #[error("the checksum of entry {0} does not match its body")]
    Checksum(u64),
    #[error("the body of an entry cannot be encoded")]
    Encode(#[source] postcard::Error),
    #[error("the body of an entry cannot be decoded")]
    Decode(#[source] postcard::Error),
}

impl Entry {
    /// Numbers and checksums an encoded body.
    #[must_use]
    pub fn new(seq: Seq, body: Vec<u8>) -> Self {
        Self { seq, checksum: crc32fast::hash(&body), body }
    }

    /// Holds the entry to its bound, its number and its checksum.
    ///
    /// # Errors
    /// Which of the three it breaks.
    pub fn verify(&self) -> Result<(), EntryError> {
        if self.body.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLarge(self.body.len()));
        }
        if self.seq < Seq::FIRST {
            return Err(EntryError::NoNumber);
        }
        if self.seq > MAX_SEQ {
            return Err(EntryError::Number(self.seq.0));
        }
        if crc32fast::hash(&self.body) != self.checksum {
            return Err(EntryError::Checksum(self.seq.0));
        }
        Ok(())
    }

    /// The body of a verified entry.
    ///
    /// # Errors
    /// Where the entry is damaged or its body is of no known kind.
    pub fn open(&self) -> Result<EntryBody, EntryError> {
        self.verify()?;
        EntryBody::decode(&self.body)
    }
}

impl EntryBody {
    /// The bytes that [`Entry::body`] carries.
    ///
    /// # Errors
    /// Where they would be more than [`MAX_ENTRY_BYTES`].
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let bytes = postcard::to_stdvec(self).map_err(EntryError::Encode)?;
        if bytes.len() > MAX_ENTRY_BYTES {
            Err(EntryError::TooLarge(bytes.len()))
        } else {
            Ok(bytes)
        }
    }

    /// # Errors
    /// Where the bytes are no body.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        postcard::from_bytes(bytes).map_err(EntryError::Decode)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EntryBody {
    /// A sealed block, see [`crate::block`].
    Block(Vec<u8>),
    Event {
        at_ms: u64,
        event: GuardEvent,
    },
    Outcome(Outcome),
    Gap(Gap),
}

/// A span without samples, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// First missing tick, Unix milliseconds.
    pub from_ms: u64,
    /// Last missing tick.
    pub to_ms: u64,
    pub scope: GapScope,
    pub reason: NoData,
    pub note: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GapScope {
    /// Every series that this process reads.
    Reader(Reader),
    Series(Vec<SeriesRef>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_a_number_that_every_store_can_keep() {
        let verify = |seq| Entry::new(Seq(seq), Vec::new()).verify();
        assert!(matches!(verify(0), Err(EntryError::NoNumber)));
        assert!(verify(1).is_ok() && verify(MAX_SEQ.0).is_ok());
        for seq in [MAX_SEQ.0 + 1, u64::MAX] {
            assert!(matches!(verify(seq), Err(EntryError::Number(found)) if found == seq));
        }
    }
}
