//! How a column's integers are written: as what differences, and those in which code.
//!
//! Neighbouring series are alike, so a column names the form of one before it in one or three
//! bits. A new form costs up to nineteen, which is two samples' worth in a short block.

use super::scale::Scale;
use crate::block::BlockError;
use crate::block::bits::{BitReader, BitWriter};

/// What stands for the integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// All are the same: nothing but the base.
    Constant,
    /// The distance to the least.
    Frame,
    /// The difference to the one before, of either sign.
    Delta,
    /// The difference to the one before, counted from the least difference.
    Slope,
    /// How the difference changes, of either sign.
    Bend,
}

/// How a distance or a difference is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// All in `parameter` bits.
    Packed,
    /// The bits above the `parameter` lowest as so many ones, then those.
    Rice,
    /// One bit for zero, the others less one as by `Rice`.
    Sparse,
    /// All 64 bits.
    Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) scale: Scale,
    pub(super) kind: Kind,
    /// Are the integers whole steps of more than one?
    pub(super) stepped: bool,
    pub(super) code: Code,
    /// 0 to 63.
    pub(super) parameter: u32,
}

const KIND_BITS: u32 = 3;
const CODE_BITS: u32 = 2;
const PARAMETER_BITS: u32 = 6;

/// What follows the bit that says "not the latest form".
mod reference {
    pub(super) const BITS: u32 = 2;
    pub(super) const NEW: u64 = 0;
    /// The latest, but for its parameter.
    pub(super) const RETUNED: u64 = 3;
}

impl Form {
    pub(super) const fn constant(scale: Scale) -> Self {
        Self { scale, kind: Kind::Constant, stepped: false, code: Code::Packed, parameter: 0 }
    }

    fn put(self, out: &mut BitWriter) {
        out.put(self.scale.code(), Scale::CODE_BITS);
        out.put(self.kind as u64, KIND_BITS);
        if self.kind != Kind::Constant {
            out.put(u64::from(self.stepped), 1);
            out.put(self.code as u64, CODE_BITS);
            out.put(u64::from(self.parameter), PARAMETER_BITS);
        }
    }

    fn take(bits: &mut BitReader<'_>) -> Result<Self, BlockError> {
        let scale = Scale::from_code(bits.take(Scale::CODE_BITS)?);
        let kind = match bits.take(KIND_BITS)? {
            0 => return Ok(Self::constant(scale)),
            1 => Kind::Frame,
            2 => Kind::Delta,
            3 => Kind::Slope,
            4 => Kind::Bend,
            _ => return Err(BlockError::Invalid("form")),
        };
        let stepped = bits.take(1)? == 1;
        let code = match bits.take(CODE_BITS)? {
            0 => Code::Packed,
            1 => Code::Rice,
            2 => Code::Sparse,
            _ => Code::Plain,
        };
        let parameter = bits.take(PARAMETER_BITS)? as u32;
        Ok(Self { scale, kind, stepped, code, parameter })
    }

    const fn bits(self) -> u64 {
        let new = 1 + reference::BITS + Scale::CODE_BITS + KIND_BITS;
        match self.kind {
            Kind::Constant => new as u64,
            Kind::Frame | Kind::Delta | Kind::Slope | Kind::Bend => {
                (new + 1 + CODE_BITS + PARAMETER_BITS) as u64
            }
        }
    }
}

/// The last forms of a strip, the latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::block) struct Recent([Form; 3]);

impl Default for Recent {
    /// What a strip may begin with for one bit or three.
    fn default() -> Self {
        let counter = Form {
            scale: Scale::WHOLE,
            kind: Kind::Slope,
            stepped: false,
            code: Code::Packed,
            parameter: 4,
        };
        let tenths = Form {
            scale: Scale::from_code(1),
            kind: Kind::Delta,
            stepped: false,
            code: Code::Rice,
            parameter: 0,
        };
        Self([Form::constant(Scale::WHOLE), counter, tenths])
    }
}

impl Recent {
    pub(super) fn forms(&self) -> impl Iterator<Item = Form> + '_ {
        self.0.iter().copied()
    }

    /// The latest form with another parameter, where it has one.
    fn retuned(&self, parameter: u32) -> Option<Form> {
        let latest = self.0[0];
        (latest.kind != Kind::Constant).then_some(Form { parameter, ..latest })
    }

    /// The bits that naming `form` takes.
    pub(super) fn bits_of(&self, form: Form) -> u64 {
        match self.0.iter().position(|&recent| recent == form) {
            Some(0) => 1,
            Some(_) => u64::from(1 + reference::BITS),
            None if self.retuned(form.parameter) == Some(form) => {
                u64::from(1 + reference::BITS + PARAMETER_BITS)
            }
            None => form.bits(),
        }
    }

    pub(super) fn put(&mut self, out: &mut BitWriter, form: Form) {
        let place = self.0.iter().position(|&recent| recent == form);
        match place {
            Some(0) => out.put(1, 1),
            Some(place) => out.put((place as u64) << 1, 1 + reference::BITS),
            None if self.retuned(form.parameter) == Some(form) => {
                out.put(reference::RETUNED << 1, 1 + reference::BITS);
                out.put(u64::from(form.parameter), PARAMETER_BITS);
                self.0[0] = form;
            }
            None => {
                out.put(reference::NEW << 1, 1 + reference::BITS);
                form.put(out);
            }
        }
        self.remember(form);
    }

    pub(super) fn take(&mut self, bits: &mut BitReader<'_>) -> Result<Form, BlockError> {
        if bits.take(1)? == 1 {
            return Ok(self.0[0]);
        }
        let form = match bits.take(reference::BITS)? {
            reference::NEW => Form::take(bits)?,
            reference::RETUNED => {
                let parameter = bits.take(PARAMETER_BITS)? as u32;
                let form = self.retuned(parameter).ok_or(BlockError::Invalid("form"))?;
                self.0[0] = form;
                form
            }
            place => self.0[place as usize],
        };
        self.remember(form);
        Ok(form)
    }

    /// Puts `form` in front, in the place of itself or of the oldest.
    fn remember(&mut self, form: Form) {
        let place = self.0.iter().position(|&recent| recent == form).unwrap_or(self.0.len() - 1);
        self.0[..=place].rotate_right(1);
        self.0[0] = form;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_was_named_lately_takes_a_bit_or_three() {
        let mut out = BitWriter::default();
        let mut recent = Recent::default();
        let whole = Form {
            scale: Scale::WHOLE,
            kind: Kind::Bend,
            stepped: true,
            code: Code::Sparse,
            parameter: 9,
        };
        let retuned = Form { parameter: 63, ..whole };
        let constant = Form::constant(Scale::from_code(3));
        let forms = [whole, whole, retuned, constant, retuned, whole, constant, constant];
        let mut bits = 0;
        for form in forms {
            bits += recent.bits_of(form);
            recent.put(&mut out, form);
        }
        assert_eq!(bits, 19 + 1 + 9 + 10 + 3 + 9 + 3 + 1);
        let end = out.align() * 8;
        assert_eq!(end as u64, bits.next_multiple_of(8));
        let mut reader = BitReader::new(out.bytes(), 0, end).unwrap();
        let mut recent = Recent::default();
        for form in forms {
            assert_eq!(recent.take(&mut reader).unwrap(), form);
        }
    }
}
