//! Floats as integers that give back the very same bits.
//!
//! Most sensors speak in tenths or thousandths: an integer divided by a power of ten. A column
//! with a value that is none is taken by its bits, which are integers too; what its floats have
//! in common (sign, exponent, the zeros of a former `f32`) then goes with the frame and the step.

/// Up to here powers of ten are used; they and every scaled integer are exact as floats.
const MAX_PLACES: u8 = 14;
/// The scale's code of a column by its bits.
const BITS: u8 = 15;
const MAX_MAGNITUDE: u64 = 1 << 53;
/// From here on every float is whole.
const WHOLE: f64 = 4_503_599_627_370_496.0;
/// What all scaled integers of a column may add up to, counted from any one of them.
const MAX_REACH: u128 = 1 << 61;

const POWERS: [f64; MAX_PLACES as usize + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];

/// What an integer of a column stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::block) struct Scale(u8);

impl Scale {
    pub(super) const WHOLE: Self = Self(0);
    pub(super) const CODE_BITS: u32 = 4;

    pub(super) const fn code(self) -> u64 {
        self.0 as u64
    }

    /// Of the code's four bits.
    pub(super) const fn from_code(code: u64) -> Self {
        Self((code & 0xf) as u8)
    }

    pub(super) const fn is_bits(self) -> bool {
        self.0 == BITS
    }

    /// Leaves the integers of `values` in `integers`.
    pub(in crate::block) fn of(values: &[f64], integers: &mut Vec<i64>) -> Self {
        if let Some(places) = decimal_places(values, integers) {
            return Self(places);
        }
        integers.clear();
        integers.extend(values.iter().map(|value| value.to_bits().cast_signed()));
        Self(BITS)
    }

    #[inline]
    pub(super) fn value(self, integer: i64) -> f64 {
        match POWERS.get(usize::from(self.0)) {
            Some(power) => integer as f64 / power,
            None => f64::from_bits(integer.cast_unsigned()),
        }
    }

    /// A sum of integers as a value; only of decimals.
    pub(super) fn sum(self, sum: i128) -> f64 {
        sum as f64 / POWERS.get(usize::from(self.0)).unwrap_or(&1.0)
    }
}

/// The fewest places that all values have, with the integers at that many.
fn decimal_places(values: &[f64], integers: &mut Vec<i64>) -> Option<u8> {
    let mut places = 0;
    integers.clear();
    for &value in values {
        // Whatever is exact at fewer places is exact at more, as long as the integer is.
        while at(value, places).is_none() {
            places += 1;
            if places > MAX_PLACES {
                return None;
            }
        }
    }
    let (mut least, mut greatest) = (i64::MAX, i64::MIN);
    for &value in values {
        let integer = at(value, places)?;
        least = least.min(integer);
        greatest = greatest.max(integer);
        integers.push(integer);
    }
    let range = u128::from(greatest.abs_diff(least));
    (values.is_empty() || range * (values.len() as u128) < MAX_REACH).then_some(places)
}

/// The integer that `value` is at this many places, where dividing it gives the same bits.
#[inline]
fn at(value: f64, places: u8) -> Option<i64> {
    let power = POWERS[usize::from(places)];
    let scaled = value * power;
    let half = if scaled.abs() < WHOLE { 0.5_f64.copysign(scaled) } else { 0.0 };
    // Saturates; NaN becomes 0, whose bits are others.
    let integer = (scaled + half) as i64;
    let same = (integer as f64 / power).to_bits() == value.to_bits();
    (same && integer.unsigned_abs() <= MAX_MAGNITUDE).then_some(integer)
}
