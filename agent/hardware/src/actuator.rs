//! One actuator: what it may be set to, setting it, and looking whether it is so.

use crate::cap::Cap;
use crate::pwm::Pwm;
use flyball_units::{NoData, Unit};
use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActuatorKind {
    /// A fan's duty, 0 to 1.
    Fan,
    /// A power limit in watts.
    PowerCap,
}

#[derive(Debug, thiserror::Error)]
pub enum ActuatorError {
    #[error("{value} is outside {min} to {max}")]
    OutOfRange { value: f64, min: f64, max: f64 },
    #[error("{file} cannot be written")]
    Write {
        file: String,
        #[source]
        source: io::Error,
    },
    #[error("{file} reads {found:?} after {wanted} was written")]
    NotConfirmed { file: String, wanted: i64, found: Result<i64, NoData> },
    #[error("{file} cannot be read ({reason:?})")]
    Read { file: String, reason: NoData },
}

/// How an actuator was handed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// It was never taken.
    Untouched,
    /// As it was found, confirmed.
    Restored,
    /// Not as it was found, but at its safe end: the fan at full speed.
    Safe,
}

/// What stood in the files before the first drive, to be put back at the end. It outlives the
/// process that saved it, so that a restarted one doesn't take its predecessor's levels for
/// the machine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    pub level: i64,
    pub enable: Option<i64>,
}

/// One actuator of the board.
#[derive(Debug)]
pub struct Actuator {
    pub id: String,
    pub name: String,
    pub kind: ActuatorKind,
    pub unit: Unit,
    /// The lowest and highest level that may be asked for.
    pub min: f64,
    pub max: f64,
    /// The sensor that shows its effect: the tachometer of the same channel.
    pub tach: Option<String>,
    /// False for a cap on bursts of seconds only: it may stand above what is sustained.
    pub sustained: bool,
    mechanism: Mechanism,
}

#[derive(Debug)]
enum Mechanism {
    Pwm(Pwm),
    Cap(Cap),
}

impl Actuator {
    pub(crate) fn fan(id: String, name: String, tach: Option<String>, pwm: Pwm) -> Self {
        let (kind, unit) = (ActuatorKind::Fan, Unit::One);
        let (min, max, mechanism) = (0.0, 1.0, Mechanism::Pwm(pwm));
        Self { id, name, kind, unit, min, max, tach, sustained: true, mechanism }
    }

    pub(crate) fn power_cap(id: String, name: String, sustained: bool, cap: Cap) -> Self {
        let (min, max) = cap.range_watts();
        let (kind, unit) = (ActuatorKind::PowerCap, Unit::Watt);
        Self {
            id,
            name,
            kind,
            unit,
            min,
            max,
            tach: None,
            sustained,
            mechanism: Mechanism::Cap(cap),
        }
    }

    /// Takes the actuator if it isn't taken yet, and sets it to `level` in its unit.
    ///
    /// # Errors
    /// Where `level` is outside the range (nothing is written then), or a file refuses.
    pub fn drive(&mut self, level: f64) -> Result<(), ActuatorError> {
        let (min, max) = (self.min, self.max);
        if !(level >= min && level <= max) {
            return Err(ActuatorError::OutOfRange { value: level, min, max });
        }
        match &mut self.mechanism {
            Mechanism::Pwm(pwm) => pwm.drive(level),
            Mechanism::Cap(cap) => cap.drive(level),
        }
    }

    /// The level that stands there now, in the actuator's unit.
    ///
    /// # Errors
    /// The reason why it can't be read.
    pub fn observe(&mut self) -> Result<f64, NoData> {
        match &mut self.mechanism {
            Mechanism::Pwm(pwm) => pwm.observe(),
            Mechanism::Cap(cap) => cap.observe(),
        }
    }

    /// How far a read-back may lie from what was asked and still be the same: hardware rounds
    /// to its own steps.
    #[must_use]
    pub fn quantum(&self, level: f64) -> f64 {
        match self.kind {
            ActuatorKind::Fan => 4.0 / 255.0,
            ActuatorKind::PowerCap => (level * 0.01).max(0.125),
        }
    }

    /// The level that stood before it was taken, in its unit, where it can be known.
    pub fn found(&mut self) -> Option<f64> {
        let raw = self.saved().map(|saved| saved.level);
        match (&mut self.mechanism, raw) {
            (Mechanism::Pwm(pwm), raw) => raw.and_then(Pwm::duty).or_else(|| pwm.observe().ok()),
            (Mechanism::Cap(cap), raw) => raw.map(Cap::watts).or_else(|| cap.observe().ok()),
        }
    }

    /// True where the hardware has a control of its own that it goes back to when released.
    pub fn has_own_control(&mut self) -> bool {
        match &mut self.mechanism {
            Mechanism::Pwm(pwm) => pwm.has_own_control(),
            Mechanism::Cap(_) => false,
        }
    }

    /// True while the actuator follows [`Actuator::drive`] rather than the machine's firmware.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        match &self.mechanism {
            Mechanism::Pwm(pwm) => pwm.is_taken(),
            Mechanism::Cap(cap) => cap.is_taken(),
        }
    }

    /// True where another writer took the control back: the mode is no longer the one that
    /// `drive` confirmed.
    pub fn has_drifted(&mut self) -> bool {
        match &mut self.mechanism {
            Mechanism::Pwm(pwm) => pwm.has_drifted(),
            Mechanism::Cap(_) => false,
        }
    }

    /// Puts back what was found, or the safe end where that fails.
    ///
    /// # Errors
    /// Where not even the safe end could be confirmed.
    pub fn release(&mut self) -> Result<Released, ActuatorError> {
        match &mut self.mechanism {
            Mechanism::Pwm(pwm) => pwm.release(),
            Mechanism::Cap(cap) => cap.release(),
        }
    }

    /// What was found, once it has been taken.
    #[must_use]
    pub fn saved(&self) -> Option<Saved> {
        match &self.mechanism {
            Mechanism::Pwm(pwm) => pwm.saved(),
            Mechanism::Cap(cap) => cap.saved(),
        }
    }

    /// Takes over what a predecessor in the same boot had found.
    pub fn inherit(&mut self, saved: Saved) {
        match &mut self.mechanism {
            Mechanism::Pwm(pwm) => pwm.inherit(saved),
            Mechanism::Cap(cap) => cap.inherit(saved),
        }
    }
}
