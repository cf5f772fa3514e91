//! What may be broken, and where.

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The rotor stands still; the pwm still answers.
    FanSeized,
    /// The sensor goes on showing what it showed.
    SensorFrozen,
    /// Its file is gone.
    SensorMissing,
    /// Its file holds no number.
    SensorError,
    /// The pwm takes no write.
    PwmStuck,
    /// The cap reads back as written and holds nothing.
    CapIgnored,
    /// The cap takes no write.
    CapStuck,
}

/// What of a board may have a fault, by the name of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// `temp1` the package, `temp2` the board, `temp3` the inlet.
    Temperature(usize),
    /// `fan1`: rotor, tachometer and pwm.
    Fan(usize),
    /// `power1`: the board's power meter.
    Power,
    /// `energy`: the package's energy counter.
    Energy,
    /// `thermal_zone0`.
    Zone,
    /// `cap`: the package's power limit.
    Cap,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    #[error("no fault is called {0:?}; there are {names}", names = Fault::names())]
    UnknownFault(String),
    #[error("this board has no {0:?}; targets are temp1-3, fan1-{fans}, power1, energy, thermal_zone0, cap", fans = .1)]
    UnknownTarget(String, usize),
    #[error("{0} cannot happen to {1}")]
    Impossible(Fault, Target),
}

impl Fault {
    pub const ALL: [Self; 7] = [
        Self::FanSeized,
        Self::SensorFrozen,
        Self::SensorMissing,
        Self::SensorError,
        Self::PwmStuck,
        Self::CapIgnored,
        Self::CapStuck,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FanSeized => "fan_seized",
            Self::SensorFrozen => "sensor_frozen",
            Self::SensorMissing => "sensor_missing",
            Self::SensorError => "sensor_error",
            Self::PwmStuck => "pwm_stuck",
            Self::CapIgnored => "cap_ignored",
            Self::CapStuck => "cap_stuck",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Whether such a thing can have such a fault.
    #[must_use]
    pub const fn fits(self, target: Target) -> bool {
        match self {
            Self::FanSeized | Self::PwmStuck => matches!(target, Target::Fan(_)),
            Self::SensorFrozen | Self::SensorMissing | Self::SensorError => match target {
                Target::Temperature(_)
                | Target::Fan(_)
                | Target::Power
                | Target::Energy
                | Target::Zone => true,
                Target::Cap => false,
            },
            Self::CapIgnored | Self::CapStuck => matches!(target, Target::Cap),
        }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|fault| fault.name() == text)
            .ok_or_else(|| FaultError::UnknownFault(text.into()))
    }
}

impl Target {
    /// The target of its name, on a board with `fans` fans. A pwm means its fan.
    ///
    /// # Errors
    /// Where the board has no such thing.
    pub fn parse(text: &str, fans: usize) -> Result<Self, FaultError> {
        let unknown = || FaultError::UnknownTarget(text.into(), fans);
        let numbered = |prefix: &str, last: usize| {
            let number: usize = text.strip_prefix(prefix)?.parse().ok()?;
            (1..=last).contains(&number).then_some(number)
        };
        match text {
            "power1" => Ok(Self::Power),
            "energy" => Ok(Self::Energy),
            "thermal_zone0" => Ok(Self::Zone),
            "cap" | "intel-rapl:0" => Ok(Self::Cap),
            _ => numbered("temp", 3)
                .map(Self::Temperature)
                .or_else(|| numbered("fan", fans).map(Self::Fan))
                .or_else(|| numbered("pwm", fans).map(Self::Fan))
                .ok_or_else(unknown),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Temperature(number) => write!(f, "temp{number}"),
            Self::Fan(number) => write!(f, "fan{number}"),
            Self::Power => f.write_str("power1"),
            Self::Energy => f.write_str("energy"),
            Self::Zone => f.write_str("thermal_zone0"),
            Self::Cap => f.write_str("cap"),
        }
    }
}
