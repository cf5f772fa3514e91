//! Where things stand in the one tree.
//!
//! Entries are numbered from 1, so the keys that begin with number 0 are free for the spool's own
//! records, and a scan from entry 1 on never meets them.

use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::Seq;

/// `Root`: the next number and the caller's meta.
pub(super) const ROOT: &[u8] = b"\0\0\0\0\0\0\0\0root";
/// `Epoch`, alone in its record: it changes while the writer may be writing a root.
pub(super) const EPOCH: &[u8] = b"\0\0\0\0\0\0\0\0epoch";
/// `Ranges` of the numbers that are gone for a reason.
pub(super) const SETTLED: &[u8] = b"\0\0\0\0\0\0\0\0settled";
/// What shows that a key is the one that entries are sealed with.
pub(super) const SEAL: &[u8] = b"\0\0\0\0\0\0\0\0seal";
/// A `SeriesDef` each, with its number behind.
const SERIES: &[u8] = b"\0\0\0\0\0\0\0\0t";

pub(super) fn series(SeriesRef(number): SeriesRef) -> Vec<u8> {
    [SERIES, &number.to_be_bytes()].concat()
}

/// The keys of every definition from `first` on.
pub(super) fn series_from(first: SeriesRef) -> (Vec<u8>, Vec<u8>) {
    (series(first), [SERIES, &[0xff; 5]].concat())
}

/// One piece of an entry.
pub(super) fn piece(Seq(seq): Seq, piece: u8) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = seq.to_be_bytes();
    [a, b, c, d, e, f, g, h, piece]
}

/// The number of an entry's piece, and which piece it is.
pub(super) fn parse_piece(key: &[u8]) -> Option<(Seq, u8)> {
    let (seq, rest) = key.split_first_chunk::<8>()?;
    match rest {
        &[piece] => Some((Seq(u64::from_be_bytes(*seq)), piece)),
        _ => None,
    }
}
