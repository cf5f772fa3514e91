//! One actuator: what it may be set to, setting it, and looking whether it is so.

use crate::attribute::Attribute;
use crate::cap::Cap;
use crate::holding::Holding;
use flyball_units::{NoData, Unit};
use std::fmt::Debug;
use std::io;
use std::path::Path;

/// Looks at a fan that was handed back, before it counts as standing still.
const SPIN_LOOKS: u32 = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActuatorKind {
    /// A fan's duty, 0 to 1.
    Fan,
    /// A power limit in watts.
    PowerCap,
    /// A ceiling of the processors' frequency in hertz.
    FrequencyCap,
    /// One of several words; the level is the word's place among [`Actuator::words`].
    Profile,
    /// A light: 1 is lit.
    Indicator,
}

#[derive(Debug, thiserror::Error)]
pub enum ActuatorError {
    #[error("{value} is outside {min} to {max}")]
    OutOfRange { value: f64, min: f64, max: f64 },
    #[error("`{word}` is not offered; there are {offered}")]
    UnknownWord { word: String, offered: String },
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

/// The files behind an actuator. Levels are in its unit and within its range.
pub(crate) trait Mechanism: Debug + Send {
    fn drive(&mut self, level: f64) -> Result<(), ActuatorError>;
    fn observe(&mut self) -> Result<f64, NoData>;
    /// Puts back what was saved, or the safe end where that fails.
    fn release(&mut self) -> Result<Released, ActuatorError>;
    /// The safe end.
    fn make_safe(&mut self) -> Result<(), ActuatorError>;
    fn holding(&self) -> &Holding;
    fn holding_mut(&mut self) -> &mut Holding;
    /// A saved raw level in the actuator's unit.
    fn level_of(&self, raw: i64) -> Option<f64>;
    /// How far a read-back of `level` may lie from it.
    fn quantum(&self, level: f64) -> f64;
    fn has_own_control(&mut self) -> bool {
        false
    }
    fn has_drifted(&mut self) -> bool {
        false
    }
    /// The file that is written, for a person to look at.
    fn path(&self) -> &Path;
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
    /// Of a profile: what may be chosen.
    pub words: Vec<String>,
    speed: Option<Attribute>,
    mechanism: Box<dyn Mechanism>,
}

impl ActuatorKind {
    /// True for what the safety engine drives by itself.
    pub(crate) const fn acts_against_heat(self) -> bool {
        matches!(self, Self::Fan | Self::PowerCap)
    }
}

impl Actuator {
    pub(crate) fn new(
        kind: ActuatorKind,
        id: String,
        name: String,
        (min, max): (f64, f64),
        mechanism: Box<dyn Mechanism>,
    ) -> Self {
        let unit = match kind {
            ActuatorKind::Fan | ActuatorKind::Profile | ActuatorKind::Indicator => Unit::One,
            ActuatorKind::PowerCap => Unit::Watt,
            ActuatorKind::FrequencyCap => Unit::Hertz,
        };
        let (tach, speed, words, sustained) = (None, None, Vec::new(), true);
        Self { id, name, kind, unit, min, max, tach, sustained, words, speed, mechanism }
    }

    pub(crate) fn fan(id: String, name: String, mechanism: Box<dyn Mechanism>) -> Self {
        Self::new(ActuatorKind::Fan, id, name, (0.0, 1.0), mechanism)
    }

    pub(crate) fn power_cap(id: String, name: String, sustained: bool, cap: Cap) -> Self {
        let range = cap.range_watts();
        Self { sustained, ..Self::new(ActuatorKind::PowerCap, id, name, range, Box::new(cap)) }
    }

    pub(crate) fn with_tach(self, tach: Option<String>, speed: Option<Attribute>) -> Self {
        Self { tach, speed, ..self }
    }

    pub(crate) fn with_words(self, words: Vec<String>) -> Self {
        Self { words, ..self }
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
        self.mechanism.drive(level)
    }

    /// Sets a profile to one of its words.
    ///
    /// # Errors
    /// Where it doesn't offer the word, or a file refuses.
    pub fn choose(&mut self, word: &str) -> Result<(), ActuatorError> {
        let Some(place) = self.words.iter().position(|offered| offered == word) else {
            let offered = self.words.join(", ");
            return Err(ActuatorError::UnknownWord { word: word.to_owned(), offered });
        };
        self.drive(u32::try_from(place).map_or(f64::NAN, f64::from))
    }

    /// The word that stands there now.
    ///
    /// # Errors
    /// The reason why it can't be read: `Disagreement` where its files say different words.
    pub fn chosen(&mut self) -> Result<&str, NoData> {
        let place = self.observe()?;
        #[expect(clippy::cast_possible_truncation, reason = "a place in a short list")]
        #[expect(clippy::cast_sign_loss, reason = "a place in a short list")]
        self.words.get(place as usize).map(String::as_str).ok_or(NoData::OutOfRange)
    }

    /// The level that stands there now, in the actuator's unit.
    ///
    /// # Errors
    /// The reason why it can't be read.
    pub fn observe(&mut self) -> Result<f64, NoData> {
        self.mechanism.observe()
    }

    /// How far a read-back may lie from what was asked and still be the same: hardware rounds
    /// to its own steps.
    #[must_use]
    pub fn quantum(&self, level: f64) -> f64 {
        self.mechanism.quantum(level)
    }

    /// True where a read-back of `observed` is what `wanted` becomes in the hardware's steps.
    #[must_use]
    pub fn agrees(&self, wanted: f64, observed: f64) -> bool {
        (wanted - observed).abs() <= self.quantum(wanted)
    }

    /// The level that stood before it was taken, in its unit, where it can be known.
    pub fn found(&mut self) -> Option<f64> {
        let saved = self.saved().and_then(|saved| self.mechanism.level_of(saved.level));
        saved.or_else(|| self.observe().ok())
    }

    /// True where the hardware has a control of its own that it goes back to when released.
    pub fn has_own_control(&mut self) -> bool {
        self.mechanism.has_own_control()
    }

    /// True while the actuator follows [`Actuator::drive`] rather than the machine's firmware.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.mechanism.holding().is_taken()
    }

    /// True where another writer took the control back: the mode is no longer the one that
    /// `drive` confirmed.
    pub fn has_drifted(&mut self) -> bool {
        self.mechanism.has_drifted()
    }

    /// Puts back what was found, or the safe end where that fails.
    ///
    /// # Errors
    /// Where not even the safe end could be confirmed.
    pub fn release(&mut self) -> Result<Released, ActuatorError> {
        self.mechanism.release()
    }

    /// Releases a fan and sees to it that its own control really turns it: one that turned and
    /// then stands still is set to full speed, which is louder than needed rather than hotter.
    /// `wait` is called between two looks at the tachometer, at most twelve times.
    ///
    /// # Errors
    /// As [`Actuator::release`].
    pub fn release_turning(&mut self, mut wait: impl FnMut()) -> Result<Released, ActuatorError> {
        let turned = self.speed_rpm().is_some_and(|speed| speed > 0);
        let released = self.release()?;
        if released != Released::Restored || !turned {
            return Ok(released);
        }
        for _ in 0..SPIN_LOOKS {
            wait();
            if self.speed_rpm().is_some_and(|speed| speed > 0) {
                return Ok(released);
            }
        }
        self.mechanism.make_safe().map(|()| Released::Safe)
    }

    fn speed_rpm(&mut self) -> Option<i64> {
        self.speed.as_mut()?.read().ok()
    }

    /// What was found, once it has been taken.
    #[must_use]
    pub fn saved(&self) -> Option<Saved> {
        self.mechanism.holding().saved()
    }

    /// Takes over what a predecessor in the same boot had found.
    pub fn inherit(&mut self, saved: Saved) {
        self.mechanism.holding_mut().inherit(saved);
    }

    /// The file that is written, for a person to look at.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.mechanism.path()
    }
}
