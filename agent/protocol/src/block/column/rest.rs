//! The distances and differences that a form leaves, each in the form's code.

use super::form::{Code, Form};
use crate::block::BlockError;
use crate::block::bits::{BitReader, BitWriter, length_of};

/// So many ones say that a length and the bits themselves follow.
const MOST_ONES: u32 = 20;
const LENGTH_BITS: u32 = 6;

/// What the codes cost for one column's distances.
pub(super) struct Costs {
    /// How many have which length.
    lengths: [u32; 65],
    longest: u32,
}

impl Costs {
    pub(super) fn of(rest: &[u64]) -> Self {
        let mut lengths = [0; 65];
        for &value in rest {
            lengths[length_of(value) as usize] += 1;
        }
        let longest = (0..=64).rev().find(|&length| lengths[length as usize] > 0).unwrap_or(0);
        Self { lengths, longest }
    }

    /// The length that half of those from `from` on do not exceed.
    fn median(&self, from: usize) -> u32 {
        let lengths = &self.lengths[from..];
        let half = lengths.iter().sum::<u32>() / 2;
        let mut below = 0;
        let at = lengths.iter().position(|&count| {
            below += count;
            below > half
        });
        (at.unwrap_or(0) + from) as u32
    }

    /// The cheapest code and parameter, with the bits that it takes.
    pub(super) fn cheapest(&self, rest: &[u64]) -> (Code, u32, u64) {
        let mut best = match self.longest {
            64 => (Code::Plain, 0, 64 * rest.len() as u64),
            longest => (Code::Packed, longest, u64::from(longest) * rest.len() as u64),
        };
        let mut offer = |code, from: usize| {
            let median = self.median(from);
            for parameter in median.saturating_sub(2)..=(median + 1).min(63) {
                let bits = bits_of(code, parameter, rest);
                if bits < best.2 {
                    best = (code, parameter, bits);
                }
            }
        };
        offer(Code::Rice, 0);
        if self.lengths[0] as usize * 4 > rest.len() {
            offer(Code::Sparse, 1);
        }
        best
    }

    /// What a given code takes; `None` where it cannot hold them.
    pub(super) fn bits_of(&self, code: Code, parameter: u32, rest: &[u64]) -> Option<u64> {
        let fits = !matches!(code, Code::Packed) || self.longest <= parameter;
        fits.then(|| bits_of(code, parameter, rest))
    }
}

fn bits_of(code: Code, parameter: u32, rest: &[u64]) -> u64 {
    match code {
        Code::Plain => 64 * rest.len() as u64,
        Code::Packed => u64::from(parameter) * rest.len() as u64,
        Code::Rice => rest.iter().map(|&value| rice_bits(value, parameter)).sum(),
        Code::Sparse => rest
            .iter()
            .map(|&value| value.checked_sub(1).map_or(1, |less| 1 + rice_bits(less, parameter)))
            .sum(),
    }
}

#[inline]
fn rice_bits(value: u64, parameter: u32) -> u64 {
    let ones = value >> parameter;
    if ones < u64::from(MOST_ONES) {
        ones + 1 + u64::from(parameter)
    } else {
        u64::from(MOST_ONES + LENGTH_BITS + length_of(value))
    }
}

pub(super) fn put(out: &mut BitWriter, form: Form, rest: &[u64]) {
    let parameter = form.parameter;
    match form.code {
        Code::Plain => rest.iter().for_each(|&value| out.put(value, 64)),
        Code::Packed => rest.iter().for_each(|&value| out.put(value, parameter)),
        Code::Rice => rest.iter().for_each(|&value| put_rice(out, parameter, value)),
        Code::Sparse => {
            for &value in rest {
                out.put(u64::from(value > 0), 1);
                if let Some(less) = value.checked_sub(1) {
                    put_rice(out, parameter, less);
                }
            }
        }
    }
}

fn put_rice(out: &mut BitWriter, parameter: u32, value: u64) {
    let ones = value >> parameter;
    if ones < u64::from(MOST_ONES) {
        out.put((1 << ones) - 1, ones as u32 + 1);
        out.put(value & ((1 << parameter) - 1), parameter);
    } else {
        let length = length_of(value);
        out.put((1 << MOST_ONES) - 1, MOST_ONES);
        out.put(u64::from(length - 1), LENGTH_BITS);
        out.put(value, length);
    }
}

/// Gives `count` of them to `each`.
#[inline]
pub(super) fn take(
    bits: &mut BitReader<'_>,
    form: Form,
    count: usize,
    mut each: impl FnMut(u64),
) -> Result<(), BlockError> {
    let parameter = form.parameter;
    match form.code {
        Code::Plain => (0..count).try_for_each(|_| bits.take(64).map(&mut each)),
        Code::Packed => (0..count).try_for_each(|_| bits.take(parameter).map(&mut each)),
        Code::Rice => (0..count).try_for_each(|_| take_rice(bits, parameter).map(&mut each)),
        Code::Sparse => (0..count).try_for_each(|_| {
            let value = match bits.take(1)? {
                0 => 0,
                _ => take_rice(bits, parameter)?.wrapping_add(1),
            };
            each(value);
            Ok(())
        }),
    }
}

/// Passes over `count` of them.
pub(super) fn skip(bits: &mut BitReader<'_>, form: Form, count: usize) -> Result<(), BlockError> {
    match form.code {
        Code::Plain => bits.skip(64 * count),
        Code::Packed => bits.skip(form.parameter as usize * count),
        Code::Rice | Code::Sparse => take(bits, form, count, drop),
    }
}

#[inline]
fn take_rice(bits: &mut BitReader<'_>, parameter: u32) -> Result<u64, BlockError> {
    if let Some((ones, low)) = bits.take_ones(MOST_ONES, parameter)? {
        return Ok(u64::from(ones) << parameter | low);
    }
    let length = bits.take(LENGTH_BITS)? as u32 + 1;
    bits.take(length)
}
