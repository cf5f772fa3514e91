//! Entries in the order of their numbers, their pieces put together again.

use super::SpoolError;
use super::disk::{Disk, DiskError};
use super::keys;
use flyball_protocol::sync::Seq;
use std::iter::Peekable;

type Piece = Result<(Vec<u8>, Vec<u8>), DiskError>;

/// The values of every entry from `from` to before `before`, whole but not verified.
pub(super) fn entries(
    disk: &Disk,
    from: Seq,
    before: Seq,
) -> Entries<impl Iterator<Item = Piece> + use<>> {
    let (from, to) = (keys::piece(from, 0), keys::piece(before.max(from), 0));
    Entries { pieces: disk.range(from.to_vec(), to.to_vec()).peekable() }
}

pub(super) struct Entries<I: Iterator> {
    pieces: Peekable<I>,
}

impl<I: Iterator<Item = Piece>> Iterator for Entries<I> {
    type Item = Result<(Seq, Vec<u8>), SpoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (seq, mut value) = match self.pieces.next()? {
            Ok((key, value)) => (keys::parse_piece(&key)?.0, value),
            Err(error) => return Some(Err(error.into())),
        };
        let is_more = |piece: &Piece| {
            let key = piece.as_ref().ok().and_then(|(key, _)| keys::parse_piece(key));
            key.is_some_and(|(number, _)| number == seq)
        };
        while let Some(Ok((_, more))) = self.pieces.next_if(is_more) {
            value.extend_from_slice(&more);
        }
        Some(Ok((seq, value)))
    }
}
