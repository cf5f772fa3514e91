//! How a read-back relates to what was asked.

use super::{Actuator, more};
use crate::{Level, Moment, Observed};
use flyball_units::PowerState;

/// How a read-back relates to what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    Agrees,
    /// Off, to the side that cools.
    Cooler,
    /// Off to the other side, or silent.
    Hotter,
}

impl Actuator {
    /// Whether a fan was seen at `at_least` this duty, or was asked for it where it can't be
    /// seen.
    pub(crate) fn turns(&self, at_least: f64) -> bool {
        match self.observed {
            Some(Ok(Observed::Duty(duty) | Observed::Automatic(Some(duty)))) => {
                duty.get() >= at_least
            }
            Some(
                Ok(
                    Observed::Automatic(None)
                    | Observed::Cap(_)
                    | Observed::Frequency(_)
                    | Observed::Power(_)
                    | Observed::Present,
                )
                | Err(_),
            )
            | None => match self.wanted {
                Level::Duty(duty) => duty.get() >= at_least,
                Level::Automatic
                | Level::Cap(_)
                | Level::Frequency(_)
                | Level::Free
                | Level::Down
                | Level::Off => false,
            },
        }
    }

    pub(super) fn compare(&mut self, now: Moment) {
        match self.agreement() {
            Agreement::Agrees => self.disagrees_since = None,
            Agreement::Cooler | Agreement::Hotter => {
                self.disagrees_since = self.disagrees_since.or(Some(now));
            }
        }
    }

    pub(super) fn agreement(&self) -> Agreement {
        let tolerance = self.spec.tolerance;
        // Signed so that more is cooler.
        let by_margin = |margin: f64| {
            if more(margin, tolerance) {
                Agreement::Cooler
            } else if more(-margin, tolerance) {
                Agreement::Hotter
            } else {
                Agreement::Agrees
            }
        };
        match (self.wanted, self.observed) {
            (Level::Automatic, Some(Ok(Observed::Automatic(_)))) => Agreement::Agrees,
            (Level::Automatic, Some(Ok(Observed::Duty(_)))) => Agreement::Cooler,
            (Level::Duty(wanted), Some(Ok(Observed::Duty(seen)))) => {
                by_margin(seen.get() - wanted.get())
            }
            (Level::Cap(wanted), Some(Ok(Observed::Cap(seen)))) => {
                by_margin(wanted.get() - seen.get())
            }
            (Level::Frequency(wanted), Some(Ok(Observed::Frequency(seen)))) => {
                by_margin(wanted.get() - seen.get())
            }
            (Level::Free, _)
            | (Level::Down | Level::Off, Some(Ok(Observed::Power(PowerState::Off)))) => {
                Agreement::Agrees
            }
            (Level::Down | Level::Off, Some(Ok(Observed::Power(PowerState::PoweringOff)))) => {
                Agreement::Cooler
            }
            (
                Level::Automatic
                | Level::Duty(_)
                | Level::Cap(_)
                | Level::Frequency(_)
                | Level::Down
                | Level::Off,
                Some(Ok(_) | Err(_)) | None,
            ) => Agreement::Hotter,
        }
    }
}
