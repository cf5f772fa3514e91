//! Integers as a segment writes them, read without trust.

use super::SegmentError;

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
    ) -> Result<&'a [u8], SegmentError> {
        let (front, rest) =
            self.rest.split_at_checked(count).ok_or(SegmentError::Truncated(what))?;
        self.rest = rest;
        Ok(front)
    }

    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, SegmentError> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, SegmentError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, SegmentError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    pub(super) fn f64(&mut self, what: &'static str) -> Result<f64, SegmentError> {
        Ok(f64::from_bits(self.u64(what)?))
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], SegmentError> {
        let (front, rest) =
            self.rest.split_first_chunk::<N>().ok_or(SegmentError::Truncated(what))?;
        self.rest = rest;
        Ok(*front)
    }

    /// LEB128 of at most ten bytes.
    pub(super) fn varint(&mut self, what: &'static str) -> Result<u64, SegmentError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(SegmentError::Invalid(what));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(SegmentError::Invalid(what))
    }

    /// A varint that counts something, held to `max` before anyone allocates for it.
    pub(super) fn count(&mut self, what: &'static str, max: usize) -> Result<usize, SegmentError> {
        let size = self.varint(what)?;
        match usize::try_from(size) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(SegmentError::TooLarge { what, size, max: max as u64 }),
        }
    }

    /// Nothing may be left.
    pub(super) fn end(&self, what: &'static str) -> Result<(), SegmentError> {
        if self.rest.is_empty() { Ok(()) } else { Err(SegmentError::Invalid(what)) }
    }
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

pub(super) fn put_f64(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// Small magnitudes of either sign become small numbers.
pub(super) const fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}
