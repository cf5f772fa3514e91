//! Numbers as blocks and the segments of history write them, read without trust.
//!
//! Every read names what it reads, for the error that says it is not there.

#![expect(clippy::missing_errors_doc, reason = "each fails where the bytes end or lie")]

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The bytes end in the middle of it.
    Truncated(&'static str),
    Invalid(&'static str),
    TooLarge {
        what: &'static str,
        size: u64,
        max: u64,
    },
}

/// The bytes that are left, taken from the front.
#[derive(Clone, Debug)]
pub struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.rest.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], WireError> {
        let (front, rest) = self.rest.split_at_checked(count).ok_or(WireError::Truncated(what))?;
        self.rest = rest;
        Ok(front)
    }

    pub fn byte(&mut self, what: &'static str) -> Result<u8, WireError> {
        Ok(self.array::<1>(what)?[0])
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, WireError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub fn u64(&mut self, what: &'static str) -> Result<u64, WireError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    pub fn f64(&mut self, what: &'static str) -> Result<f64, WireError> {
        Ok(f64::from_bits(self.u64(what)?))
    }

    /// LEB128 of at most ten bytes.
    pub fn varint(&mut self, what: &'static str) -> Result<u64, WireError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(WireError::Invalid(what));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::Invalid(what))
    }

    /// A varint that counts something, held to `max` before anyone allocates for it.
    pub fn count(&mut self, what: &'static str, max: usize) -> Result<usize, WireError> {
        let size = self.varint(what)?;
        match usize::try_from(size) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(WireError::TooLarge { what, size, max: max as u64 }),
        }
    }

    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], WireError> {
        let (front, rest) = self.rest.split_first_chunk::<N>().ok_or(WireError::Truncated(what))?;
        self.rest = rest;
        Ok(*front)
    }

    /// Nothing may be left.
    pub const fn end(&self, what: &'static str) -> Result<(), WireError> {
        if self.is_empty() { Ok(()) } else { Err(WireError::Invalid(what)) }
    }
}

pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

pub fn put_f64(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// Small magnitudes of either sign become small numbers.
#[must_use]
pub const fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

#[must_use]
pub const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}
