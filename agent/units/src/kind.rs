//! What a series measures and in which unit: the vocabulary of reading types.

use serde::{Deserialize, Serialize};

/// The reading types of the API (`reading_type`), stored by number on the wire:
/// new kinds go at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    Temperature,
    Humidity,
    Power,
    Energy,
    Voltage,
    Current,
    FanSpeed,
    /// A commanded level, such as a pwm duty.
    Duty,
    Frequency,
    Utilization,
    Memory,
    Load,
    Pressure,
    Disk,
    Network,
    Count,
    Duration,
    /// A limit that is in force, such as a power cap.
    Limit,
    State,
}

impl Kind {
    pub const ALL: [Self; 19] = [
        Self::Temperature,
        Self::Humidity,
        Self::Power,
        Self::Energy,
        Self::Voltage,
        Self::Current,
        Self::FanSpeed,
        Self::Duty,
        Self::Frequency,
        Self::Utilization,
        Self::Memory,
        Self::Load,
        Self::Pressure,
        Self::Disk,
        Self::Network,
        Self::Count,
        Self::Duration,
        Self::Limit,
        Self::State,
    ];

    /// The word of the API, in capitals as the requirement has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Temperature => "TEMPERATURE",
            Self::Humidity => "HUMIDITY",
            Self::Power => "POWER",
            Self::Energy => "ENERGY",
            Self::Voltage => "VOLTAGE",
            Self::Current => "CURRENT",
            Self::FanSpeed => "FAN_SPEED",
            Self::Duty => "DUTY",
            Self::Frequency => "FREQUENCY",
            Self::Utilization => "UTILIZATION",
            Self::Memory => "MEMORY",
            Self::Load => "LOAD",
            Self::Pressure => "PRESSURE",
            Self::Disk => "DISK",
            Self::Network => "NETWORK",
            Self::Count => "COUNT",
            Self::Duration => "DURATION",
            Self::Limit => "LIMIT",
            Self::State => "STATE",
        }
    }

    /// The kind of an API word, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// Units on the wire and in the API, written as UCUM writes them. New units go at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Unit {
    Celsius,
    Watt,
    Joule,
    Volt,
    Ampere,
    Rpm,
    One,
    Byte,
    Hertz,
    Second,
    Count,
    BytePerSecond,
    Percent,
}

impl Unit {
    pub const ALL: [Self; 13] = [
        Self::Celsius,
        Self::Watt,
        Self::Joule,
        Self::Volt,
        Self::Ampere,
        Self::Rpm,
        Self::One,
        Self::Byte,
        Self::Hertz,
        Self::Second,
        Self::Count,
        Self::BytePerSecond,
        Self::Percent,
    ];

    /// The UCUM code.
    #[must_use]
    pub const fn ucum(self) -> &'static str {
        match self {
            Self::Celsius => "Cel",
            Self::Watt => "W",
            Self::Joule => "J",
            Self::Volt => "V",
            Self::Ampere => "A",
            Self::Rpm => "{rpm}",
            Self::One => "1",
            Self::Byte => "By",
            Self::Hertz => "Hz",
            Self::Second => "s",
            Self::Count => "{count}",
            Self::BytePerSecond => "By/s",
            Self::Percent => "%",
        }
    }

    /// The unit of a UCUM code.
    #[must_use]
    pub fn from_ucum(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.ucum() == code)
    }
}
