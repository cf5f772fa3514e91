//! A fan's pwm output: `pwmN`, 0 to 255, and `pwmN_enable`, 0 full speed, 1 manual, 2 and more
//! the chip's own control.
//!
//! Drivers differ: some answer EPERM to a level outside manual mode, adt7475 takes -5 as 0 and
//! 999 as 255. So the mode is set and confirmed first, the range is checked by the caller, and
//! every level is read back.

use crate::actuator::{ActuatorError, Mechanism, Released, Saved};
use crate::attribute::Attribute;
use crate::holding::Holding;
use flyball_units::NoData;
use std::path::Path;

const FULL: i64 = 255;
const MANUAL: i64 = 1;
const NO_CONTROL: i64 = 0;
/// What counts as full speed in a read-back after rounding by the chip.
const NEARLY_FULL: i64 = 190;

#[derive(Debug)]
pub(crate) struct Pwm {
    level: Attribute,
    enable: Option<Attribute>,
    holding: Holding,
}

impl Pwm {
    pub(crate) fn new(level: Attribute, enable: Option<Attribute>) -> Self {
        Self { level, enable, holding: Holding::default() }
    }

    fn take(&mut self) -> Result<(), ActuatorError> {
        if self.holding.saved().is_none() {
            let found = self.find()?;
            self.holding.save(found);
        }
        if let Some(enable) = &mut self.enable
            && enable.read() != Ok(MANUAL)
        {
            write(enable, MANUAL)?;
            confirm(enable, MANUAL)?;
        }
        self.holding.take();
        Ok(())
    }

    fn find(&mut self) -> Result<Saved, ActuatorError> {
        let enable = match &mut self.enable {
            Some(enable) => Some(read(enable)?),
            None => None,
        };
        Ok(Saved { level: read(&mut self.level)?, enable })
    }

    fn restore(&mut self, saved: Saved) -> Result<(), ActuatorError> {
        // The level first, while the mode still takes one: a chip in its own control may refuse.
        let by_hand = saved.enable.is_none_or(|mode| mode == MANUAL);
        if by_hand {
            write(&self.level, saved.level)?;
            return confirm(&mut self.level, saved.level);
        }
        match (&mut self.enable, saved.enable) {
            (Some(enable), Some(mode)) => {
                write(enable, mode)?;
                confirm(enable, mode)
            }
            _ => Ok(()),
        }
    }
}

impl Mechanism for Pwm {
    fn drive(&mut self, duty: f64) -> Result<(), ActuatorError> {
        self.take()?;
        #[expect(clippy::cast_possible_truncation, reason = "the duty is within 0 to 1")]
        let level = (duty * FULL as f64).round() as i64;
        write(&self.level, level)
    }

    fn observe(&mut self) -> Result<f64, NoData> {
        let level = self.level.read()?;
        self.level_of(level).ok_or(NoData::OutOfRange)
    }

    fn level_of(&self, raw: i64) -> Option<f64> {
        Some(f64::from(u8::try_from(raw).ok()?) / 255.0)
    }

    fn quantum(&self, _level: f64) -> f64 {
        4.0 / 255.0
    }

    fn has_own_control(&mut self) -> bool {
        let found = self.holding.saved().map(|saved| saved.enable);
        let mode = found.unwrap_or_else(|| self.enable.as_mut()?.read().ok());
        mode.is_some_and(|mode| mode != MANUAL)
    }

    fn has_drifted(&mut self) -> bool {
        self.holding.is_taken()
            && self
                .enable
                .as_mut()
                .is_some_and(|enable| enable.read().is_ok_and(|mode| mode != MANUAL))
    }

    /// The saved state; else no control at all, which is full speed; else full speed by hand.
    fn release(&mut self) -> Result<Released, ActuatorError> {
        let Some(saved) = self.holding.to_put_back() else {
            return Ok(Released::Untouched);
        };
        self.holding.let_go();
        if self.restore(saved).is_ok() {
            return Ok(Released::Restored);
        }
        self.make_safe().map(|()| Released::Safe)
    }

    fn make_safe(&mut self) -> Result<(), ActuatorError> {
        if let Some(enable) = &mut self.enable {
            let released =
                write(enable, NO_CONTROL).and_then(|()| confirm(enable, NO_CONTROL)).is_ok();
            if released {
                return Ok(());
            }
            write(enable, MANUAL)?;
        }
        write(&self.level, FULL)?;
        match self.level.read() {
            Ok(level) if level >= NEARLY_FULL => Ok(()),
            found => Err(not_confirmed(&self.level, FULL, found)),
        }
    }

    fn holding(&self) -> &Holding {
        &self.holding
    }

    fn holding_mut(&mut self) -> &mut Holding {
        &mut self.holding
    }

    fn path(&self) -> &Path {
        self.level.path()
    }
}

pub(crate) fn read(file: &mut Attribute) -> Result<i64, ActuatorError> {
    file.read().map_err(|reason| ActuatorError::Read { file: name(file), reason })
}

pub(crate) fn write(file: &Attribute, value: i64) -> Result<(), ActuatorError> {
    file.write(value).map_err(|source| ActuatorError::Write { file: name(file), source })
}

pub(crate) fn confirm(file: &mut Attribute, wanted: i64) -> Result<(), ActuatorError> {
    match file.read() {
        Ok(found) if found == wanted => Ok(()),
        found => Err(not_confirmed(file, wanted, found)),
    }
}

pub(crate) fn not_confirmed(
    file: &Attribute,
    wanted: i64,
    found: Result<i64, NoData>,
) -> ActuatorError {
    ActuatorError::NotConfirmed { file: name(file), wanted, found }
}

pub(crate) fn name(file: &Attribute) -> String {
    file.path().display().to_string()
}
