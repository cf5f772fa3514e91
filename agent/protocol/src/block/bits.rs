//! Numbers of any width, packed without gaps from the lowest bit up, and read without trust.

use super::BlockError;
use crate::wire::{unzigzag, zigzag};

/// A number says its length in this many bits, so it has at most 63.
const LENGTH_BITS: u32 = 6;

/// The bits that one load is sure to give, wherever it begins in a byte.
const SURE_BITS: u32 = 57;

/// Appends bits to bytes.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl BitWriter {
    /// The low `width` bits of `value`, which has no others; at most 64.
    #[inline]
    pub(super) fn put(&mut self, value: u64, width: u32) {
        debug_assert!(width == 64 || value >> width == 0, "{value} in {width} bits");
        self.held |= value << self.count;
        let room = 64 - self.count;
        if width < room {
            self.count += width;
            return;
        }
        self.bytes.extend_from_slice(&self.held.to_le_bytes());
        self.held = if room == 64 { 0 } else { value >> room };
        self.count = width - room;
    }

    /// Below 2^63.
    pub(super) fn put_number(&mut self, value: u64) {
        let length = length_of(value);
        self.put(u64::from(length), LENGTH_BITS);
        self.put(value, length);
    }

    pub(super) fn put_signed(&mut self, value: i64) {
        self.put_number(zigzag(value));
    }

    /// Fills the last byte with zeros, and says how many bytes there are by now.
    pub(super) fn align(&mut self) -> usize {
        let whole = self.count.div_ceil(8) as usize;
        self.bytes.extend_from_slice(&self.held.to_le_bytes()[..whole]);
        (self.held, self.count) = (0, 0);
        self.bytes.len()
    }

    /// What stands there since it was aligned last.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bits that [`BitWriter::put_number`] takes.
pub(super) const fn number_bits(value: u64) -> u64 {
    (LENGTH_BITS + length_of(value)) as u64
}

/// How many bits a value has.
pub(super) const fn length_of(value: u64) -> u32 {
    64 - value.leading_zeros()
}

/// A part of a block's bits, taken from the front.
#[derive(Clone, Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> BitReader<'a> {
    /// The bits `at..end` of `bytes`; `None` where they are not all there.
    pub(super) const fn new(bytes: &'a [u8], at: usize, end: usize) -> Option<Self> {
        if at <= end && end.div_ceil(8) <= bytes.len() {
            Some(Self { bytes, at, end })
        } else {
            None
        }
    }

    /// Where the next bit stands.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Where the bits end.
    pub(super) const fn end(&self) -> usize {
        self.end
    }

    /// All that is left, where that is less than a byte.
    pub(super) fn take_padding(&mut self) -> Option<u64> {
        let left = self.end - self.at;
        if left < 8 { self.take(left as u32).ok() } else { None }
    }

    /// Whatever follows, even beyond the end: at least [`SURE_BITS`] of it.
    #[inline]
    fn peek(&self) -> u64 {
        let from = self.at / 8;
        let held = match self.bytes.get(from..from + 8).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => u64::from_le_bytes(bytes),
            None => self.peek_tail(from),
        };
        held >> (self.at % 8)
    }

    #[cold]
    fn peek_tail(&self, from: usize) -> u64 {
        let tail = self.bytes.get(from..).unwrap_or_default();
        tail.iter().rev().fold(0, |held, &byte| held << 8 | u64::from(byte))
    }

    #[inline]
    pub(super) fn skip(&mut self, bits: usize) -> Result<(), BlockError> {
        match self.at.checked_add(bits) {
            Some(at) if at <= self.end => {
                self.at = at;
                Ok(())
            }
            Some(_) | None => Err(BlockError::Truncated("column")),
        }
    }

    /// At most 64 bits.
    #[inline]
    pub(super) fn take(&mut self, width: u32) -> Result<u64, BlockError> {
        if width > SURE_BITS {
            let low = self.take(32)?;
            return Ok(low | self.take(width - 32)? << 32);
        }
        let value = self.peek() & ((1 << width) - 1);
        self.skip(width as usize)?;
        Ok(value)
    }

    /// The ones in front of the next zero, which is taken with them, and then `width` bits.
    /// `None` where there are `most` ones: no zero follows, and they alone are taken.
    #[inline]
    pub(super) fn take_ones(
        &mut self,
        most: u32,
        width: u32,
    ) -> Result<Option<(u32, u64)>, BlockError> {
        let held = self.peek();
        let ones = held.trailing_ones();
        if ones >= most {
            self.skip(most as usize)?;
            return Ok(None);
        }
        if ones + 1 + width <= SURE_BITS {
            self.skip((ones + 1 + width) as usize)?;
            return Ok(Some((ones, held >> (ones + 1) & ((1 << width) - 1))));
        }
        self.skip((ones + 1) as usize)?;
        Ok(Some((ones, self.take(width)?)))
    }

    pub(super) fn take_number(&mut self) -> Result<u64, BlockError> {
        let length = self.take(LENGTH_BITS)?;
        self.take(length as u32)
    }

    pub(super) fn take_signed(&mut self) -> Result<i64, BlockError> {
        Ok(unzigzag(self.take_number()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_of_every_width_come_back(
            numbers in prop::collection::vec((any::<u64>(), 0_u32..=64), 0..60),
        ) {
            let mut writer = BitWriter::default();
            let cut = |value: u64, width| if width == 0 { 0 } else { value >> (64 - width) };
            for &(value, width) in &numbers {
                writer.put(cut(value, width), width);
                writer.put_number(value >> 1);
                writer.put_signed((value >> 3).cast_signed());
            }
            let bits = writer.align() * 8;
            let mut reader = BitReader::new(writer.bytes(), 0, bits).unwrap();
            for &(value, width) in &numbers {
                prop_assert_eq!(reader.take(width).unwrap(), cut(value, width));
                prop_assert_eq!(reader.take_number().unwrap(), value >> 1);
                prop_assert_eq!(reader.take_signed().unwrap(), (value >> 3).cast_signed());
            }
            prop_assert!(reader.clone().skip(8).is_err());
        }
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let bytes = [0xff; 16];
        assert!(BitReader::new(&bytes, 0, 129).is_none());
        let mut reader = BitReader::new(&bytes, 120, 125).unwrap();
        assert!(reader.clone().take(6).is_err());
        assert!(reader.clone().take_ones(6, 0).is_err());
        assert_eq!(reader.take_ones(5, 3).unwrap(), None);
        assert_eq!(reader.at(), 125);
        assert!(reader.skip(usize::MAX).is_err());
    }
}
