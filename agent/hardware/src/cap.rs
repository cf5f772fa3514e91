//! A power limit file in microwatts: a RAPL constraint or a hwmon `powerN_cap`.
//!
//! The range is the hardware's own where it says one. A limit above it is no promise to keep
//! and one far below makes the machine crawl, so both are refused before the write.

use crate::actuator::{ActuatorError, Mechanism, Released, Saved};
use crate::attribute::Attribute;
use crate::holding::Holding;
use crate::pwm::{confirm, read, write};
use flyball_units::NoData;
use std::path::Path;

const MICRO: f64 = 1e6;
/// Above this a standing limit means "none" (RAPL shows 4,090 W for it).
const MAX_BELIEVABLE_UW: i64 = 2_000_000_000;
/// Where the hardware says no minimum: a tenth of the maximum still boots and answers.
const DEFAULT_MIN_PART: i64 = 10;
const ON: i64 = 1;
const OFF: i64 = 0;

/// The files of one limit, and its range as declared (0 and below are "unknown").
pub(crate) struct CapFiles {
    pub(crate) limit: Attribute,
    pub(crate) enabled: Option<Attribute>,
    pub(crate) min_uw: Option<i64>,
    pub(crate) max_uw: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Cap {
    limit: Attribute,
    enabled: Option<Attribute>,
    min_uw: i64,
    max_uw: i64,
    holding: Holding,
}

impl Cap {
    /// A limit whose range is known; `None` where nothing says how high it may go.
    pub(crate) fn new(files: CapFiles) -> Option<Self> {
        let CapFiles { mut limit, enabled, min_uw, max_uw } = files;
        let believable = |uw: &i64| *uw > 0 && *uw <= MAX_BELIEVABLE_UW;
        let max_uw = max_uw.filter(believable).or_else(|| limit.read().ok().filter(believable))?;
        let min_uw =
            min_uw.filter(|min| *min > 0 && *min < max_uw).unwrap_or(max_uw / DEFAULT_MIN_PART);
        Some(Self { limit, enabled, min_uw, max_uw, holding: Holding::default() })
    }

    pub(crate) fn range_watts(&self) -> (f64, f64) {
        (Self::watts(self.min_uw), Self::watts(self.max_uw))
    }

    #[expect(clippy::cast_precision_loss, reason = "microwatts of one package")]
    const fn watts(uw: i64) -> f64 {
        uw as f64 / MICRO
    }
}

impl Mechanism for Cap {
    fn drive(&mut self, watts: f64) -> Result<(), ActuatorError> {
        if self.holding.saved().is_none() {
            let enable = match &mut self.enabled {
                Some(enabled) => Some(read(enabled)?),
                None => None,
            };
            self.holding.save(Saved { level: read(&mut self.limit)?, enable });
        }
        #[expect(clippy::cast_possible_truncation, reason = "the caller checked the range")]
        write(&self.limit, (watts * MICRO).round() as i64)?;
        if let Some(enabled) = &mut self.enabled
            && enabled.read() != Ok(ON)
        {
            write(enabled, ON)?;
            confirm(enabled, ON)?;
        }
        self.holding.take();
        Ok(())
    }

    /// A limit that somebody switched off while it was taken is none.
    fn observe(&mut self) -> Result<f64, NoData> {
        if let Some(enabled) = self.enabled.as_mut().filter(|_| self.holding.is_taken())
            && enabled.read() == Ok(OFF)
        {
            return Err(NoData::Disabled);
        }
        self.limit.read().map(Self::watts)
    }

    fn release(&mut self) -> Result<Released, ActuatorError> {
        let Some(saved) = self.holding.to_put_back() else {
            return Ok(Released::Untouched);
        };
        write(&self.limit, saved.level)?;
        if let (Some(enabled), Some(mode)) = (&mut self.enabled, saved.enable) {
            write(enabled, mode)?;
        }
        self.holding.let_go();
        Ok(Released::Restored)
    }

    fn holding(&self) -> &Holding {
        &self.holding
    }

    fn holding_mut(&mut self) -> &mut Holding {
        &mut self.holding
    }

    /// A cap's safe end is where it stands: the machine may be hot.
    fn make_safe(&mut self) -> Result<(), ActuatorError> {
        Ok(())
    }

    fn level_of(&self, raw: i64) -> Option<f64> {
        Some(Self::watts(raw))
    }

    /// Firmware counts in eighths of a watt, or in percents of its own maximum.
    fn quantum(&self, level: f64) -> f64 {
        (level * 0.01).max(0.125)
    }

    fn path(&self) -> &Path {
        self.limit.path()
    }
}
