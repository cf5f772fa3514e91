//! Values that were decimal numbers before they became floats, as integers again.
//!
//! Most sensors speak in tenths or thousandths. A value is taken only where the integer divided
//! by its power of ten gives back the very same bits; a column with one that does not is raw.

use crate::block::BlockError;
use crate::block::wire::{Bytes, put_varint, unzigzag, zigzag};

/// Up to here a power of ten and every scaled integer are exact as floats.
const MAX_EXPONENT: u8 = 15;
const MAX_MAGNITUDE: f64 = 9_007_199_254_740_992.0;

const POWERS: [f64; MAX_EXPONENT as usize + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A column of integers and the power of ten that they are to be divided by.
pub(super) struct Decimals {
    exponent: u8,
    scaled: Vec<i64>,
}

impl Decimals {
    /// `None` where a value is no decimal of at most 15 places.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let exponent = values.iter().try_fold(0, |exponent, &value| {
            (exponent..=MAX_EXPONENT).find(|&exponent| scale(value, exponent).is_some())
        })?;
        let scaled = values.iter().map(|&value| scale(value, exponent)).collect::<Option<_>>()?;
        Some(Self { exponent, scaled })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.push(self.exponent);
        let mut last = 0;
        for &scaled in &self.scaled {
            put_varint(out, zigzag(scaled - last));
            last = scaled;
        }
    }
}

pub(super) fn take(bytes: &mut Bytes<'_>, count: usize) -> Result<Vec<f64>, BlockError> {
    const WHAT: &str = "decimal values";
    let exponent = bytes.byte(WHAT)?;
    let power = POWERS.get(usize::from(exponent)).ok_or(BlockError::Invalid(WHAT))?;
    let mut last = 0_i64;
    (0..count)
        .map(|_| {
            let scaled =
                last.checked_add(unzigzag(bytes.varint(WHAT)?)).ok_or(BlockError::Invalid(WHAT))?;
            last = scaled;
            #[expect(clippy::cast_precision_loss, reason = "the encoder keeps below 2^53")]
            let value = scaled as f64 / power;
            Ok(value)
        })
        .collect()
}

/// The integer that `value` is at this exponent, where dividing it gives the same bits.
fn scale(value: f64, exponent: u8) -> Option<i64> {
    let power = POWERS[usize::from(exponent)];
    let scaled = (value * power).round();
    if !scaled.is_finite() || scaled.abs() > MAX_MAGNITUDE {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and at most 2^53")]
    let whole = scaled as i64;
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
    let back = whole as f64 / power;
    (back.to_bits() == value.to_bits()).then_some(whole)
}
