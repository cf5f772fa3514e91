//! The kinds of attribute that a chip may have: how their files begin, and what their digits are.

use flyball_units::{Kind, Unit};

pub(super) struct Measure {
    pub(super) prefix: &'static str,
    /// The files that carry the value, best first.
    pub(super) inputs: &'static [&'static str],
    pub(super) metric: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    pub(super) divisor: f64,
    pub(super) hw_type: &'static str,
}

pub(super) const POWER: Measure = Measure {
    prefix: "power",
    inputs: &["input", "average"],
    metric: "hw.power",
    kind: Kind::Power,
    unit: Unit::Watt,
    divisor: 1e6,
    hw_type: "power_supply",
};

pub(super) const MEASURES: [Measure; 8] = [
    Measure {
        prefix: "temp",
        inputs: &["input"],
        metric: "hw.temperature",
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        divisor: 1e3,
        hw_type: "temperature",
    },
    Measure {
        prefix: "fan",
        inputs: &["input"],
        metric: "hw.fan.speed",
        kind: Kind::FanSpeed,
        unit: Unit::Rpm,
        divisor: 1.0,
        hw_type: "fan",
    },
    POWER,
    Measure {
        prefix: "in",
        inputs: &["input"],
        metric: "hw.voltage",
        kind: Kind::Voltage,
        unit: Unit::Volt,
        divisor: 1e3,
        hw_type: "voltage",
    },
    Measure {
        prefix: "curr",
        inputs: &["input"],
        metric: "hw.current",
        kind: Kind::Current,
        unit: Unit::Ampere,
        divisor: 1e3,
        hw_type: "power_supply",
    },
    Measure {
        prefix: "energy",
        inputs: &["input"],
        metric: "hw.energy",
        kind: Kind::Energy,
        unit: Unit::Joule,
        divisor: 1e6,
        hw_type: "power_supply",
    },
    Measure {
        prefix: "humidity",
        inputs: &["input"],
        metric: "hw.humidity",
        kind: Kind::Humidity,
        unit: Unit::Percent,
        divisor: 1e3,
        hw_type: "enclosure",
    },
    // amdgpu's clocks.
    Measure {
        prefix: "freq",
        inputs: &["input"],
        metric: "hw.frequency",
        kind: Kind::Frequency,
        unit: Unit::Hertz,
        divisor: 1.0,
        hw_type: "gpu",
    },
];

/// The alarm bits of a channel, and whether they say that it has failed rather than that it is
/// out of its ordinary range.
pub(super) const ALARMS: [(&str, bool); 7] = [
    ("alarm", false),
    ("min_alarm", false),
    ("max_alarm", false),
    ("cap_alarm", false),
    ("lcrit_alarm", true),
    ("crit_alarm", true),
    ("emergency_alarm", true),
];
