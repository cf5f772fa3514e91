//! `ups.status`: a set of tokens, each a sensor of its own that is 1 or 0.
//! (docs/new-drivers.txt of Network UPS Tools, "UPS status flags")

use flyball_guard_messages::Severity;
use std::collections::BTreeSet;

/// One token, or what some of them mean together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flag {
    /// The sensor's name.
    pub(super) name: &'static str,
    /// As a person says it.
    pub(super) label: &'static str,
    /// The value of `hw.state`.
    pub(super) state: &'static str,
    pub(super) when: When,
    /// How grave it is that it begins; `None` where it is no news.
    pub(super) severity: Option<Severity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Token(&'static str),
    /// On battery and low, or about to cut the load: what is fed from it must stop now.
    Exhausted,
}

const fn flag(
    name: &'static str,
    label: &'static str,
    token: &'static str,
    severity: Option<Severity>,
) -> Flag {
    Flag { name, label, state: name, when: When::Token(token), severity }
}

pub(super) const FLAGS: [Flag; 16] = [
    flag("online", "On mains", "OL", None),
    flag("on-battery", "On battery", "OB", Some(Severity::Warning)),
    flag("battery-low", "Battery low", "LB", Some(Severity::Critical)),
    flag("battery-high", "Battery high", "HB", Some(Severity::Warning)),
    flag("forced-shutdown", "About to cut the load", "FSD", Some(Severity::Critical)),
    flag("replace-battery", "Battery to be replaced", "RB", Some(Severity::Warning)),
    flag("charging", "Charging", "CHRG", None),
    flag("discharging", "Discharging", "DISCHRG", None),
    flag("bypass", "On bypass, the load is not protected", "BYPASS", Some(Severity::Warning)),
    flag("calibrating", "Calibrating its runtime", "CAL", None),
    flag("off", "Feeding nothing", "OFF", Some(Severity::Warning)),
    flag("overload", "Overloaded", "OVER", Some(Severity::Critical)),
    flag("trim", "Lowering the voltage", "TRIM", None),
    flag("boost", "Raising the voltage", "BOOST", None),
    flag("alarm", "An alarm of its own", "ALARM", Some(Severity::Warning)),
    Flag {
        name: "exhausted",
        label: "On battery and low, or about to cut the load",
        state: "exhausted",
        when: When::Exhausted,
        severity: None,
    },
];

/// The tokens of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status(BTreeSet<String>);

impl Status {
    pub(super) fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    pub(super) fn has(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// `WAIT` is upsd's own word until the driver has said something: it stands for no status.
    pub(super) fn is_known(&self) -> bool {
        !self.0.is_empty() && !self.has("WAIT")
    }

    pub(super) fn holds(&self, when: When) -> bool {
        match when {
            When::Token(token) => self.has(token),
            When::Exhausted => self.has("FSD") || (self.has("OB") && self.has("LB")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(text: &str) -> Vec<&'static str> {
        let status = Status::parse(text);
        FLAGS.iter().filter(|flag| status.holds(flag.when)).map(|flag| flag.name).collect()
    }

    #[test]
    fn the_tokens_are_a_set_in_any_order() {
        assert_eq!(standing("OL CHRG"), ["online", "charging"]);
        assert_eq!(standing("CHRG  OL"), ["online", "charging"]);
        assert_eq!(standing("OB DISCHRG"), ["on-battery", "discharging"]);
    }

    #[test]
    fn low_alone_is_not_exhausted_and_low_on_battery_is() {
        assert_eq!(standing("OL LB"), ["online", "battery-low"]);
        assert_eq!(standing("OB LB"), ["on-battery", "battery-low", "exhausted"]);
        assert_eq!(standing("FSD OL"), ["online", "forced-shutdown", "exhausted"]);
    }

    #[test]
    fn a_driver_that_has_said_nothing_has_no_status() {
        assert!(!Status::parse("WAIT").is_known());
        assert!(!Status::parse(" ").is_known());
        assert!(Status::parse("OL").is_known());
    }
}
