//! What a number may be: the physical band of each kind, and the thresholds that hardware
//! declares for itself, as far as they can be believed.

use flyball_units::{Kind, NoData};

/// A threshold at or below this or outside its band is an unprogrammed register.
/// 127 °C and above up to the next whole step are the full scale of 8-bit sensors.
const UNPROGRAMMED_CELSIUS: [f64; 4] = [127.0, 127.5, 127.875, 128.0];
/// No silicon is specified hotter.
const MAX_LIMIT_CELSIUS: f64 = 150.0;
/// What sensors answer when there is nothing behind them: open diodes, 0xFF, 0xFFFF kelvin.
const SENTINELS_CELSIUS: [f64; 8] = [-273.15, -128.0, -64.0, -63.0, 127.5, 255.0, 511.0, 65_261.85];
/// The power-on value of a 1-wire sensor that has converted nothing yet.
const ONE_WIRE_POWER_ON_CELSIUS: f64 = 85.0;

/// The thresholds that the hardware itself declares, in the sensor's unit. Absent are those
/// that are zero, negative or outside the physical band: nobody programmed them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// The value under which the hardware may act for itself (`*_lcrit`).
    pub low_crit: Option<f64>,
    /// The lower bound: a fan's slowest healthy speed, a rail's lowest voltage.
    pub low: Option<f64>,
    /// The highest value of ordinary operation (`*_max`, passive trip points).
    pub max: Option<f64>,
    /// The value, not a difference, under which `max` counts as left again (`*_max_hyst`).
    pub max_clear: Option<f64>,
    /// The value at which the hardware may act for itself (`*_crit`, hot trip points).
    pub crit: Option<f64>,
    pub crit_clear: Option<f64>,
    /// The value at which it does (`*_emergency`, critical trip points).
    pub emergency: Option<f64>,
    pub emergency_clear: Option<f64>,
}

impl Thresholds {
    /// What of these can be believed of a sensor of `kind`; the rest is absent.
    #[must_use]
    pub fn believed(self, kind: Kind) -> Self {
        let one = |value: Option<f64>| value.and_then(|value| Self::believable(kind, value));
        Self {
            low_crit: one(self.low_crit),
            low: one(self.low),
            max: one(self.max),
            max_clear: one(self.max_clear),
            crit: one(self.crit),
            crit_clear: one(self.crit_clear),
            emergency: one(self.emergency),
            emergency_clear: one(self.emergency_clear),
        }
    }

    /// `value` of a sensor of `kind` that declares these.
    ///
    /// # Errors
    /// Where no such sensor can measure that.
    pub fn check(&self, kind: Kind, value: f64) -> Result<f64, NoData> {
        Band::of(kind).widened(self).check(value)
    }

    /// `value` as a threshold of `kind`, if it can be believed.
    pub(crate) fn believable(kind: Kind, value: f64) -> Option<f64> {
        let sane = value.is_finite()
            && value > 0.0
            && match kind {
                Kind::Temperature => {
                    value <= MAX_LIMIT_CELSIUS && !UNPROGRAMMED_CELSIUS.contains(&value)
                }
                _ => Band::of(kind).contains(value),
            };
        sane.then_some(value)
    }
}

/// The values that a kind can have at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Band {
    low: f64,
    high: f64,
    sentinels: &'static [f64],
}

impl Band {
    pub(crate) const fn of(kind: Kind) -> Self {
        let (low, high) = match kind {
            Kind::Temperature => (-20.0, 125.0),
            Kind::Duty => (0.0, 1.0),
            Kind::Humidity => (0.0, 100.0),
            Kind::Power | Kind::Limit => (0.0, 100_000.0),
            Kind::Voltage => (-1_000.0, 1_000.0),
            Kind::Current => (-10_000.0, 10_000.0),
            Kind::FanSpeed => (0.0, 60_000.0),
            Kind::Frequency => (0.0, 1e11),
            _ => (f64::MIN, f64::MAX),
        };
        let sentinels: &[f64] =
            if matches!(kind, Kind::Temperature) { &SENTINELS_CELSIUS } else { &[] };
        Self { low, high, sentinels }
    }

    /// The band of a 1-wire sensor, whose first answer is no measurement.
    pub(crate) const fn one_wire() -> Self {
        Self { low: -55.0, high: 125.0, sentinels: &[ONE_WIRE_POWER_ON_CELSIUS] }
    }

    /// The band widened to hold what the hardware declares as its own bounds, with room above:
    /// a regulator that is specified to 150 °C may well report 130.
    pub(crate) fn widened(self, thresholds: &Thresholds) -> Self {
        let declared = [thresholds.max, thresholds.crit, thresholds.emergency];
        let highest = declared.into_iter().flatten().fold(f64::MIN, f64::max);
        Self { high: self.high.max(highest + 10.0), ..self }
    }

    fn contains(&self, value: f64) -> bool {
        value >= self.low && value <= self.high
    }

    pub(crate) fn check(&self, value: f64) -> Result<f64, NoData> {
        let plausible = self.contains(value) && !self.sentinels.contains(&value);
        if plausible { Ok(value) } else { Err(NoData::OutOfRange) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unprogrammed_limits_are_absent() {
        for value in [0.0, -150.0, -273.15, 127.0, 191.0, 65_261.85] {
            assert_eq!(Thresholds::believable(Kind::Temperature, value), None, "{value}");
        }
        assert_eq!(Thresholds::believable(Kind::Temperature, 105.0), Some(105.0));
        assert_eq!(Thresholds::believable(Kind::FanSpeed, 2160.0), Some(2160.0));
    }

    #[test]
    fn answers_without_a_sensor_behind_them_are_out_of_range() {
        let band = Band::of(Kind::Temperature);
        for value in [-44.0, -64.0, -273.15, 127.5, 255.0, 511.0, 65_261.85] {
            assert_eq!(band.check(value), Err(NoData::OutOfRange), "{value}");
        }
        assert_eq!(band.check(0.0), Ok(0.0));
        assert_eq!(band.check(104.9), Ok(104.9));
    }

    #[test]
    fn a_declared_critical_value_can_be_reported() {
        let thresholds = Thresholds { crit: Some(140.0), ..Thresholds::default() };
        let band = Band::of(Kind::Temperature).widened(&thresholds);
        assert_eq!(band.check(145.0), Ok(145.0));
        assert_eq!(band.check(255.0), Err(NoData::OutOfRange));
    }
}
