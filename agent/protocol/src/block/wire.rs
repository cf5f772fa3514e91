//! Integers as a block writes them, read without trust.

use super::BlockError;

/// The bytes that are left, taken from the front.
#[derive(Clone, Debug)]
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(
        &mut self,
        count: usize,
        what: &'static str,
    ) -> Result<&'a [u8], BlockError> {
        let (front, rest) = self.rest.split_at_checked(count).ok_or(BlockError::Truncated(what))?;
        self.rest = rest;
        Ok(front)
    }

    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, BlockError> {
        Ok(self.array::<1>(what)?[0])
    }

    /// LEB128 of at most ten bytes.
    pub(super) fn varint(&mut self, what: &'static str) -> Result<u64, BlockError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(BlockError::Invalid(what));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BlockError::Invalid(what))
    }

    /// A varint that counts something, held to `max` before anyone allocates for it.
    pub(super) fn count(&mut self, what: &'static str, max: usize) -> Result<usize, BlockError> {
        let size = self.varint(what)?;
        match usize::try_from(size) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(BlockError::TooLarge { what, size, max: max as u64 }),
        }
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], BlockError> {
        let (front, rest) =
            self.rest.split_first_chunk::<N>().ok_or(BlockError::Truncated(what))?;
        self.rest = rest;
        Ok(*front)
    }
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Small magnitudes of either sign become small numbers.
pub(super) const fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}
