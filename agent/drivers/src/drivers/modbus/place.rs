//! Where a point lies: `holding:17:s16`, `input:4:f32`, `coil:3`.

/// The four tables of a Modbus device (MODBUS Application Protocol 1.1b3, 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Coil,
    Discrete,
    Holding,
    Input,
}

/// How registers become a number. Of a pair the high word comes first unless it is swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    U16,
    S16,
    U32 {
        swapped: bool,
    },
    S32 {
        swapped: bool,
    },
    F32 {
        swapped: bool,
    },
    /// One bit of a register, 0 the lowest.
    Bit(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) table: Table,
    /// As it goes over the wire, from 0; manuals often count from 1 or 40001.
    pub(super) address: u16,
    pub(super) form: Form,
}

impl Place {
    /// # Errors
    /// What is wrong with `text`, for a person.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let table = match parts.next().unwrap_or_default() {
            "coil" => Table::Coil,
            "discrete" => Table::Discrete,
            "holding" => Table::Holding,
            "input" => Table::Input,
            other => {
                return Err(format!("`{other}` is no table: coil, discrete, holding or input"));
            }
        };
        let address = parts.next().unwrap_or_default();
        let address = address
            .parse()
            .map_err(|_| format!("`{address}` is no register address from 0 to 65535"))?;
        let form = match (table, parts.next()) {
            (Table::Coil | Table::Discrete, None) => Form::Bit(0),
            (Table::Coil | Table::Discrete, Some(_)) => {
                return Err("a coil or discrete input has no form".to_owned());
            }
            (Table::Holding | Table::Input, form) => form_of(form.unwrap_or("u16"))?,
        };
        if parts.next().is_some() {
            return Err(format!("`{text}` has more than a table, an address and a form"));
        }
        let place = Self { table, address, form };
        if address.checked_add(place.registers() - 1).is_none() {
            return Err(format!("`{text}` reaches beyond the last register"));
        }
        Ok(place)
    }

    /// How many registers, or coils, it takes.
    pub(super) const fn registers(&self) -> u16 {
        match self.form {
            Form::U16 | Form::S16 | Form::Bit(_) => 1,
            Form::U32 { .. } | Form::S32 { .. } | Form::F32 { .. } => 2,
        }
    }

    /// The number in these registers; there are [`Self::registers`] of them.
    pub(super) fn decode(&self, words: &[u16]) -> Option<f64> {
        let first = *words.first()?;
        let pair = |swapped: bool| {
            let second = *words.get(1)?;
            let (high, low) = if swapped { (second, first) } else { (first, second) };
            Some(u32::from(high) << 16 | u32::from(low))
        };
        Some(match self.form {
            Form::U16 => f64::from(first),
            Form::S16 => f64::from(first.cast_signed()),
            Form::U32 { swapped } => f64::from(pair(swapped)?),
            Form::S32 { swapped } => f64::from(pair(swapped)?.cast_signed()),
            Form::F32 { swapped } => f64::from(f32::from_bits(pair(swapped)?)),
            Form::Bit(bit) => f64::from(first >> bit & 1),
        })
    }

    /// The registers that hold `raw`, rounded where they hold whole numbers; `None` where it
    /// does not fit, or where this place can't be written.
    pub(super) fn encode(&self, raw: f64) -> Option<Vec<u16>> {
        let fits = |least: f64, most: f64| {
            let whole = raw.round();
            (whole >= least && whole <= most).then_some(whole)
        };
        #[expect(clippy::cast_possible_truncation, reason = "each is within its bounds")]
        let pair = |bits: u32, swapped: bool| {
            let (high, low) = ((bits >> 16) as u16, bits as u16);
            if swapped { vec![low, high] } else { vec![high, low] }
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "each is within its bounds"
        )]
        match (self.table, self.form) {
            (Table::Discrete | Table::Input, _) => None,
            (Table::Coil, _) => Some(vec![fits(0.0, 1.0)? as u16]),
            (Table::Holding, Form::U16) => Some(vec![fits(0.0, 65_535.0)? as u16]),
            (Table::Holding, Form::S16) => {
                Some(vec![(fits(-32_768.0, 32_767.0)? as i16).cast_unsigned()])
            }
            (Table::Holding, Form::U32 { swapped }) => {
                Some(pair(fits(0.0, f64::from(u32::MAX))? as u32, swapped))
            }
            (Table::Holding, Form::S32 { swapped }) => {
                let whole = fits(f64::from(i32::MIN), f64::from(i32::MAX))? as i32;
                Some(pair(whole.cast_unsigned(), swapped))
            }
            (Table::Holding, Form::F32 { swapped }) => {
                Some(raw as f32).filter(|f| f.is_finite()).map(|f| pair(f.to_bits(), swapped))
            }
            // Its neighbours could change between reading and writing the register.
            (Table::Holding, Form::Bit(_)) => None,
        }
    }
}

fn form_of(text: &str) -> Result<Form, String> {
    Ok(match text {
        "u16" => Form::U16,
        "s16" => Form::S16,
        "u32" => Form::U32 { swapped: false },
        "u32-swapped" => Form::U32 { swapped: true },
        "s32" => Form::S32 { swapped: false },
        "s32-swapped" => Form::S32 { swapped: true },
        "f32" => Form::F32 { swapped: false },
        "f32-swapped" => Form::F32 { swapped: true },
        other => match other.strip_prefix("bit").and_then(|bit| bit.parse().ok()) {
            Some(bit @ 0..=15) => Form::Bit(bit),
            _ => {
                return Err(format!(
                    "`{other}` is no form: u16, s16, u32, s32, f32 (each of the last three \
                     also `-swapped`), or bit0 to bit15"
                ));
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_their_registers() {
        for (place, values) in [
            ("holding:0", &[0.0, 65_535.0][..]),
            ("holding:0:s16", &[-32_768.0, -1.0, 32_767.0]),
            ("holding:0:u32", &[0.0, 4_294_967_295.0]),
            ("holding:0:s32-swapped", &[-2_147_483_648.0, -1.0, 70_000.0]),
            ("holding:0:f32", &[-0.5, 23.5, 1e30]),
            ("coil:0", &[0.0, 1.0]),
        ] {
            let place = Place::parse(place).unwrap();
            for value in values {
                let words = place.encode(*value).unwrap();
                assert_eq!(words.len(), usize::from(place.registers()));
                let back = place.decode(&words).unwrap();
                assert!((back - value).abs() <= value.abs() * 1e-6, "{place:?} {value} {back}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        for (place, value) in [
            ("holding:0", -1.0),
            ("holding:0", 65_536.0),
            ("holding:0:s16", 40_000.0),
            ("holding:0", f64::NAN),
            ("holding:0:f32", f64::INFINITY),
            ("coil:0", 2.0),
            ("input:0", 1.0),
            ("discrete:0", 1.0),
            ("holding:0:bit3", 1.0),
        ] {
            assert_eq!(Place::parse(place).unwrap().encode(value), None, "{place} {value}");
        }
    }

    #[test]
    fn places_that_cannot_be_are_said() {
        for text in [
            "",
            "register:1",
            "holding",
            "holding:-1",
            "holding:65536",
            "holding:65535:u32",
            "holding:1:u64",
            "holding:1:bit16",
            "holding:1:u16:x",
            "coil:1:u16",
        ] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}
