//! One newtype a quantity, so that a watt can't be passed where a degree is meant.

use core::fmt;
use serde::{Deserialize, Serialize};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $symbol:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl $name {
            /// The bare number, for a place that has already named the unit.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", self.0, $symbol)
            }
        }
    };
}

quantity!(
    /// Temperature in degrees Celsius (UCUM `Cel`).
    Celsius,
    "°C"
);
quantity!(
    /// Power in watts (UCUM `W`).
    Watts,
    "W"
);
quantity!(
    /// Energy in joules (UCUM `J`).
    Joules,
    "J"
);
quantity!(
    /// Potential in volts (UCUM `V`).
    Volts,
    "V"
);
quantity!(
    /// Current in amperes (UCUM `A`).
    Amperes,
    "A"
);
quantity!(
    /// Rotation in revolutions a minute (UCUM `{rpm}`).
    Rpm,
    "rpm"
);
quantity!(
    /// A part of a whole, 0 to 1 (UCUM `1`).
    Ratio,
    "1"
);
quantity!(
    /// An amount of data in bytes (UCUM `By`).
    Bytes,
    "B"
);
quantity!(
    /// Frequency in hertz (UCUM `Hz`).
    Hertz,
    "Hz"
);
