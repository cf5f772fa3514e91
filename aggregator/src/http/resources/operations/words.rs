//! Amounts as sentences say them, in the words that the guard uses on the machine itself.

use crate::telemetry::Unit;

/// A number with its unit.
pub(crate) fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Celsius => format!("{value:.1} °C"),
        Unit::Watt => format!("{value:.1} W"),
        Unit::One => format!("{:.0} %", value * 100.0),
        unit => format!("{value} {}", unit.ucum()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_said_without_the_digits_that_floats_drag_along() {
        for (value, unit, text) in [
            (0.600_000_023_841_857_9, Unit::One, "60 %"),
            (149.999_999_999_97, Unit::Watt, "150.0 W"),
            (85.0, Unit::Celsius, "85.0 °C"),
            (500.0, Unit::Rpm, "500 {rpm}"),
        ] {
            assert_eq!(amount(value, unit), text);
        }
    }
}
