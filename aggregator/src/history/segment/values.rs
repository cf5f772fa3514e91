//! The values of one series: decimal integers with exceptions where that is exact, floats where
//! it is not. What comes back has the very bits that were put in.

use super::SegmentError;
use super::numbers::{self, Extent, squeeze, unsqueeze};
use flyball_protocol::wire::{Bytes, put_varint};

/// How values are written.
mod form {
    /// Bits, once for all.
    pub(super) const CONSTANT: u8 = 0;
    /// A power of ten, exceptions, integers.
    pub(super) const DECIMAL: u8 = 1;
    /// `pco` over floats.
    pub(super) const FLOATS: u8 = 2;
    /// `pco` over their bits, where floats would not come back as they were.
    pub(super) const BITS: u8 = 3;
}

/// Up to here a power of ten and every scaled integer are exact as floats.
const MAX_EXPONENT: usize = 15;
const MAX_MAGNITUDE: f64 = 9_007_199_254_740_992.0;
const POWERS: [f64; MAX_EXPONENT + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// One value in so many may be no decimal of the column's exponent.
const EXCEPTIONS: usize = 32;

/// Values as integers that are to be divided by ten to the `exponent`.
pub(super) struct Decimals {
    pub(super) exponent: u8,
    pub(super) scaled: Vec<i64>,
    /// Where the integer stands for nothing, with the bits that were there.
    pub(super) exceptions: Vec<(usize, u64)>,
}

impl Decimals {
    /// `None` where too many values are no decimals of at most 15 places.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let room = values.len() / EXCEPTIONS;
        let exponent = common_exponent(values, room)?;
        let mut exceptions = Vec::new();
        let mut scaled = Vec::with_capacity(values.len());
        for (index, &value) in values.iter().enumerate() {
            let whole = scale(value, exponent).unwrap_or_else(|| {
                exceptions.push((index, value.to_bits()));
                scaled.last().copied().unwrap_or_default()
            });
            scaled.push(whole);
        }
        let exponent = u8::try_from(exponent).ok()?;
        (exceptions.len() <= room).then_some(Self { exponent, scaled, exceptions })
    }
}

/// The least exponent that all but `room` of the values are decimals of.
fn common_exponent(values: &[f64], room: usize) -> Option<usize> {
    let mut found = [0_usize; MAX_EXPONENT + 1];
    let mut strangers = 0;
    let mut likely = 0;
    for &value in values {
        let from_likely = (likely..=MAX_EXPONENT).find(|&at| scale(value, at).is_some());
        let exponent = from_likely.map(|at| {
            (0..at).rev().take_while(|&less| scale(value, less).is_some()).last().unwrap_or(at)
        });
        match exponent {
            Some(exponent) => {
                found[exponent] += 1;
                likely = exponent;
            }
            None => strangers += 1,
        }
        if strangers > room {
            return None;
        }
    }
    let mut above = strangers;
    for exponent in (1..=MAX_EXPONENT).rev() {
        above += found[exponent];
        if above > room {
            return Some(exponent);
        }
    }
    Some(0)
}

/// The integer that `value` is at this exponent, where dividing it gives the same bits.
pub(super) fn scale(value: f64, exponent: usize) -> Option<i64> {
    let scaled = (value * POWERS[exponent]).round();
    if !scaled.is_finite() || scaled.abs() > MAX_MAGNITUDE {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and at most 2^53")]
    let whole = scaled as i64;
    (unscale(whole, exponent).to_bits() == value.to_bits()).then_some(whole)
}

fn unscale(whole: i64, exponent: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the sum of a minute is rounded once, here")]
    let float = whole as f64;
    float / POWERS[exponent]
}

/// An integer and the power of ten that a part was written with, as a float.
pub(super) fn from_decimal(whole: i64, exponent: u8) -> Result<f64, SegmentError> {
    let exponent = usize::from(exponent);
    if exponent > MAX_EXPONENT {
        return Err(SegmentError::Invalid("exponent"));
    }
    Ok(unscale(whole, exponent))
}

pub(super) fn put(
    out: &mut Vec<u8>,
    values: &[f64],
    decimals: Option<&Decimals>,
) -> Result<(), SegmentError> {
    let Some(first) = values.first() else { return Ok(()) };
    if values.iter().all(|value| value.to_bits() == first.to_bits()) {
        out.push(form::CONSTANT);
        out.extend_from_slice(&first.to_bits().to_le_bytes());
        return Ok(());
    }
    let Some(decimals) = decimals else { return put_floats(out, values) };
    out.push(form::DECIMAL);
    out.push(decimals.exponent);
    put_varint(out, decimals.exceptions.len() as u64);
    let mut next = 0;
    for &(index, bits) in &decimals.exceptions {
        put_varint(out, (index - next) as u64);
        out.extend_from_slice(&bits.to_le_bytes());
        next = index + 1;
    }
    numbers::put(out, &decimals.scaled)
}

/// Floats without a decimal form; the rest of the bytes are theirs.
pub(super) fn put_floats(out: &mut Vec<u8>, values: &[f64]) -> Result<(), SegmentError> {
    let squeezed = squeeze(values)?;
    let back: Vec<f64> = unsqueeze(&squeezed, Extent::all(values.len()))?;
    let same = back.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits());
    let (form, squeezed) = if same {
        (form::FLOATS, squeezed)
    } else {
        let bits: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
        (form::BITS, squeeze(&bits)?)
    };
    out.push(form);
    put_varint(out, squeezed.len() as u64);
    out.extend_from_slice(&squeezed);
    Ok(())
}

pub(super) fn take(bytes: &mut Bytes<'_>, extent: Extent) -> Result<Vec<f64>, SegmentError> {
    const WHAT: &str = "values";
    if extent.whole == 0 {
        return Ok(Vec::new());
    }
    match bytes.byte(WHAT)? {
        form::CONSTANT => Ok(vec![bytes.f64(WHAT)?; extent.wanted]),
        form::DECIMAL => take_decimals(bytes, extent),
        form::FLOATS => {
            let length = bytes.count(WHAT, bytes.len())?;
            unsqueeze(bytes.take(length, WHAT)?, extent)
        }
        form::BITS => {
            let length = bytes.count(WHAT, bytes.len())?;
            let bits: Vec<u64> = unsqueeze(bytes.take(length, WHAT)?, extent)?;
            Ok(bits.into_iter().map(f64::from_bits).collect())
        }
        _ => Err(SegmentError::Invalid(WHAT)),
    }
}

fn take_decimals(bytes: &mut Bytes<'_>, extent: Extent) -> Result<Vec<f64>, SegmentError> {
    const WHAT: &str = "decimal values";
    let exponent = usize::from(bytes.byte(WHAT)?);
    if exponent > MAX_EXPONENT {
        return Err(SegmentError::Invalid(WHAT));
    }
    let strangers = bytes.count(WHAT, extent.whole / EXCEPTIONS)?;
    let mut exceptions = Vec::with_capacity(strangers);
    let mut next = 0_u64;
    for _ in 0..strangers {
        let index = next.saturating_add(bytes.varint(WHAT)?);
        exceptions.push((index, bytes.f64(WHAT)?));
        next = index.saturating_add(1);
    }
    let numbers = numbers::take(bytes, extent)?;
    let mut values: Vec<f64> = numbers.into_iter().map(|whole| unscale(whole, exponent)).collect();
    for (index, value) in exceptions {
        let place = usize::try_from(index).ok().filter(|place| *place < extent.whole);
        let place = place.ok_or(SegmentError::Invalid(WHAT))?;
        if let Some(wanted) = values.get_mut(place) {
            *wanted = value;
        }
    }
    Ok(values)
}
