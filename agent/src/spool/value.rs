//! An entry as values of the tree.
//!
//! Cut into pieces: sled keeps up to seventeen values in a leaf, a leaf over 128 KiB goes to a
//! file that is never synced, and some hundred leaves stay in memory whatever its cache's bound.
//! The first piece begins with the entry's number, length and checksum, so that damage below is
//! seen here.

use super::disk::Batch;
use super::keys;
use super::seal::{OVERHEAD_BYTES, Seal};
use flyball_protocol::entry::{Entry, MAX_ENTRY_BYTES};
use flyball_protocol::sync::Seq;

/// Measured while 22 MiB waited: 9 MiB of memory, where pieces of 6 KiB took 27 MiB.
const PIECE_BYTES: usize = 1024;
const PLAIN: u8 = 1;
const SEALED: u8 = 2;
/// The last piece that the largest entry has.
pub(super) const MAX_PIECE: u8 =
    ((MAX_ENTRY_BYTES + OVERHEAD_BYTES + HEADER_BYTES).div_ceil(PIECE_BYTES) - 1) as u8;
/// Version, number, length, checksum.
const HEADER_BYTES: usize = 1 + 8 + 4 + 4;

/// Puts an entry's pieces into the batch and says how many bytes they are.
pub(super) fn put(batch: &mut Batch, seq: Seq, body: &[u8], seal: Option<&Seal>) -> u64 {
    let sealed = seal.filter(|seal| seal.writes()).and_then(|seal| seal.seal(seq, body));
    let version = if sealed.is_some() { SEALED } else { PLAIN };
    let body = sealed.as_deref().unwrap_or(body);
    let mut value = Vec::with_capacity(HEADER_BYTES + body.len());
    value.push(version);
    value.extend_from_slice(&seq.0.to_be_bytes());
    #[expect(clippy::cast_possible_truncation, reason = "bodies are bounded by MAX_ENTRY_BYTES")]
    let length = body.len() as u32;
    value.extend_from_slice(&length.to_be_bytes());
    value.extend_from_slice(&crc32fast::hash(body).to_be_bytes());
    value.extend_from_slice(body);
    for (piece, bytes) in (0_u8..).zip(value.chunks(PIECE_BYTES)) {
        batch.put(&keys::piece(seq, piece), bytes.to_vec());
    }
    value.len() as u64
}

/// What [`put`] will need at most for a body of this length.
pub(super) const fn size_of(body_bytes: usize) -> u64 {
    (HEADER_BYTES + body_bytes + OVERHEAD_BYTES) as u64
}

/// How many pieces a value of so many bytes has.
pub(super) fn pieces_of(value_bytes: u64) -> u8 {
    u8::try_from(value_bytes.div_ceil(PIECE_BYTES as u64)).unwrap_or(u8::MAX)
}

/// The entry of a whole value. `None` where it is damaged, or sealed with another key.
pub(super) fn parse(seq: Seq, value: &[u8], seal: Option<&Seal>) -> Option<Entry> {
    let (header, body) = value.split_first_chunk::<HEADER_BYTES>()?;
    let (&version, header) = header.split_first()?;
    let (number, header) = header.split_first_chunk::<8>()?;
    let (length, checksum) = header.split_first_chunk::<4>()?;
    let checksum = u32::from_be_bytes(checksum.try_into().ok()?);
    let whole = u64::from_be_bytes(*number) == seq.0
        && u32::from_be_bytes(*length) as usize == body.len()
        && body.len() <= MAX_ENTRY_BYTES + OVERHEAD_BYTES
        && crc32fast::hash(body) == checksum;
    if !whole {
        return None;
    }
    match version {
        PLAIN => Some(Entry { seq, checksum, body: body.to_vec() }),
        SEALED => Some(Entry::new(seq, seal?.open(seq, body)?)),
        _ => None,
    }
}
