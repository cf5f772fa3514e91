//! Times as bodies carry them: RFC 3339 with milliseconds. Queries may also use epoch numbers.

pub(crate) use crate::clock::{parse_rfc3339, parse_time as parse, rfc3339};

pub(crate) fn rfc3339_option(ms: Option<u64>) -> Option<String> {
    ms.map(rfc3339)
}

/// A length of time: `10s`, `5m`, `1h`, `500ms`, or seconds as a number.
pub(crate) fn parse_span_ms(text: &str) -> Option<u64> {
    let units = [("ms", 1.0), ("s", 1e3), ("m", 6e4), ("h", 3.6e6), ("d", 8.64e7)];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .unwrap_or((text, 1e3));
    let ms = number.parse::<f64>().ok()? * factor;
    (1.0..1e13).contains(&ms).then_some(ms as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_every_form_that_it_may_have() {
        for (text, ms) in [
            ("2024-01-15T12:30:00Z", Some(1_705_321_800_000)),
            ("2024-01-15T12:30:00.250+00:00", Some(1_705_321_800_250)),
            ("2024-01-15T13:30:00 01:00", Some(1_705_321_800_000)),
            ("1705321800", Some(1_705_321_800_000)),
            ("1705321800250", Some(1_705_321_800_250)),
            ("-5", None),
            ("yesterday", None),
            ("NaN", None),
        ] {
            assert_eq!(parse(text), ms, "{text}");
        }
        assert_eq!(rfc3339(1_705_321_800_250), "2024-01-15T12:30:00.250Z");
        assert_eq!(parse_rfc3339("2024-01-15T13:30:00+01:00"), Some(1_705_321_800_000));
        assert_eq!(parse_rfc3339("1705321800"), None);
    }

    #[test]
    fn a_span_has_a_unit_or_is_seconds() {
        for (text, ms) in [
            ("10s", Some(10_000)),
            ("60", Some(60_000)),
            ("500ms", Some(500)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("0", None),
            ("-1s", None),
            ("s", None),
        ] {
            assert_eq!(parse_span_ms(text), ms, "{text}");
        }
    }
}
