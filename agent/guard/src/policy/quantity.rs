//! What a limit watches, by the unit in which its keys are written.

use flyball_safety::{Dwell, Response, Thresholds};
use flyball_units::{Kind, Unit};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Temperature,
    Power,
    FanSpeed,
    Voltage,
    Current,
    Humidity,
    /// A part of a whole: a battery's charge, a disk's use.
    Part,
    /// Time left: of a battery, of a UPS.
    TimeLeft,
    /// A count that should not rise: corrected errors, water seen.
    Count,
    /// A state that reads as a number: an alarm bit, mains present.
    State,
}

/// The keys of one quantity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub(super) quantity: Quantity,
    pub(super) suffix: &'static str,
    pub(super) warning: &'static str,
    pub(super) limit: &'static str,
    pub(super) trip: &'static str,
    pub(super) hysteresis: &'static str,
    pub(super) emergency: &'static str,
    pub(super) tolerance: &'static str,
    pub(super) highest: f64,
}

macro_rules! keys {
    ($quantity:ident, $suffix:literal, $highest:expr) => {
        Keys {
            quantity: Quantity::$quantity,
            suffix: $suffix,
            warning: concat!("warning_", $suffix),
            limit: concat!("limit_", $suffix),
            trip: concat!("trip_", $suffix),
            hysteresis: concat!("hysteresis_", $suffix),
            emergency: concat!("emergency_", $suffix),
            tolerance: concat!("tolerance_", $suffix),
            highest: $highest,
        }
    };
}

pub(super) const ALL: [Keys; 10] = [
    keys!(Temperature, "celsius", 150.0),
    keys!(Power, "watts", 100_000.0),
    keys!(FanSpeed, "rpm", 100_000.0),
    keys!(Voltage, "volts", 10_000.0),
    keys!(Current, "amperes", 10_000.0),
    keys!(Humidity, "percent", 100.0),
    keys!(Part, "part", 1.0),
    keys!(TimeLeft, "seconds", 10_000_000.0),
    keys!(Count, "count", 1e12),
    keys!(State, "state", 255.0),
];

impl Quantity {
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Temperature => Kind::Temperature,
            Self::Power => Kind::Power,
            Self::FanSpeed => Kind::FanSpeed,
            Self::Voltage => Kind::Voltage,
            Self::Current => Kind::Current,
            Self::Humidity => Kind::Humidity,
            Self::Part => Kind::Utilization,
            Self::TimeLeft => Kind::Duration,
            Self::Count => Kind::Count,
            Self::State => Kind::State,
        }
    }

    pub(crate) const fn unit(self) -> Unit {
        match self {
            Self::Temperature => Unit::Celsius,
            Self::Power => Unit::Watt,
            Self::FanSpeed => Unit::Rpm,
            Self::Voltage => Unit::Volt,
            Self::Current => Unit::Ampere,
            Self::Humidity => Unit::Percent,
            Self::Part | Self::State => Unit::One,
            Self::TimeLeft => Unit::Second,
            Self::Count => Unit::Count,
        }
    }

    /// The quantity of a sensor's kind, where limits know it.
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        ALL.iter().map(|keys| keys.quantity).find(|quantity| quantity.kind() == kind)
    }

    /// How far on the safe side of a threshold a reading must be, where nothing says so.
    pub(crate) fn default_hysteresis(self, thresholds: &Thresholds) -> f64 {
        let given = [thresholds.warning, thresholds.limit, thresholds.trip];
        let lowest = given.into_iter().flatten().reduce(f64::min);
        let part = |part: f64, least: f64| lowest.map_or(least, |value| (value * part).max(least));
        match self {
            Self::Temperature => 3.0,
            Self::Power => part(0.05, 0.5),
            Self::FanSpeed => part(0.1, 50.0),
            Self::Voltage => part(0.01, 0.01),
            Self::Current => part(0.05, 0.05),
            Self::Humidity => 3.0,
            Self::Part => 0.02,
            Self::TimeLeft => part(0.1, 10.0),
            Self::Count | Self::State => 0.5,
        }
    }

    /// Temperatures move slowly and are believed fast; power is noise around its mean.
    pub(crate) const fn default_dwell(self) -> Dwell {
        match self {
            Self::Power | Self::Current => Dwell { needed: 6, of: 8 },
            Self::Count | Self::State => Dwell { needed: 1, of: 1 },
            Self::Temperature
            | Self::FanSpeed
            | Self::Voltage
            | Self::Humidity
            | Self::Part
            | Self::TimeLeft => Dwell { needed: 2, of: 3 },
        }
    }

    pub(crate) const fn default_response(self) -> Response {
        match self {
            Self::Temperature => Response::Heat,
            Self::Power | Self::Current => Response::Power,
            Self::TimeLeft => Response::Shutdown,
            Self::FanSpeed
            | Self::Voltage
            | Self::Humidity
            | Self::Part
            | Self::Count
            | Self::State => Response::Alert,
        }
    }

    /// Whether less is worse, where nothing says so.
    pub(crate) const fn default_below(self) -> bool {
        matches!(self, Self::FanSpeed | Self::TimeLeft)
    }

    /// The physical band: a reading outside it is no reading.
    pub(crate) const fn band(self) -> (f64, f64) {
        match self {
            Self::Temperature => (-20.0, 125.0),
            // Zero is a reading; the engine's band is closed below by a little more.
            Self::Power => (-1.0, 100_000.0),
            Self::FanSpeed => (-1.0, 100_000.0),
            Self::Voltage | Self::Current => (-10_000.0, 10_000.0),
            Self::Humidity => (-1.0, 101.0),
            Self::Part => (-0.01, 1.01),
            Self::TimeLeft => (-1.0, 1e8),
            Self::Count => (-1.0, 1e15),
            Self::State => (-1.0, 256.0),
        }
    }

    /// The fastest that it moves towards danger, per second.
    pub(crate) const fn slew_per_s(self) -> f64 {
        match self {
            Self::Temperature => 2.0,
            Self::Power => 50.0,
            Self::FanSpeed => 500.0,
            Self::Voltage | Self::Current | Self::Humidity => 1.0,
            Self::Part => 0.01,
            // A second a second, and as much again for a load that grows.
            Self::TimeLeft => 2.0,
            Self::Count | Self::State => 1.0,
        }
    }

    /// A change faster than this is believed only after two further samples agree with it.
    pub(crate) const fn jump_per_s(self) -> Option<f64> {
        match self {
            Self::Temperature => Some(20.0),
            Self::Power
            | Self::FanSpeed
            | Self::Voltage
            | Self::Current
            | Self::Humidity
            | Self::Part
            | Self::TimeLeft
            | Self::Count
            | Self::State => None,
        }
    }
}
