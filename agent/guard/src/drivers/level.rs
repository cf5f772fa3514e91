//! A level of equipment on its way: asked for, taken, read back, and seen to have an effect.

use flyball_driver_messages::ActuatorState;
use flyball_safety::Observed;
use flyball_units::{NoData, Watts};
use std::time::Duration;

/// A level that the equipment does not show is asked for again after this.
const AGAIN: Duration = Duration::from_secs(5);
/// How long a cap may take to hold the power down, beside three looks.
const EFFECT: Duration = Duration::from_secs(10);
/// Power above a cap that may be the measurement's.
const EFFECT_PART: f64 = 0.05;
const EFFECT_WATTS: f64 = 10.0;

#[derive(Debug)]
pub(super) struct CapLevel {
    quantum: f64,
    /// What stands for no cap at all.
    highest: f64,
    /// How long after the read-back the measured power has to be under the cap.
    effect_within: Duration,
    wanted: Option<f64>,
    sent: Option<(f64, Duration)>,
    in_flight: bool,
    seen: Option<(ActuatorState, Duration)>,
    /// Since when the equipment shows what is wanted.
    agrees_since: Option<Duration>,
    measured: Option<f64>,
}

impl CapLevel {
    pub(super) fn new(quantum: f64, highest: f64, poll: Duration) -> Self {
        Self {
            quantum,
            highest,
            effect_within: EFFECT + poll * 3,
            wanted: None,
            sent: None,
            in_flight: false,
            seen: None,
            agrees_since: None,
            measured: None,
        }
    }

    /// Goes on where the same cap stood under an earlier description.
    pub(super) fn inherit(&mut self, before: Self) {
        self.wanted = before.wanted;
        self.seen = before.seen;
        self.agrees_since = before.agrees_since;
    }

    /// The engine asks for a level; the same one may be asked for many times.
    pub(super) fn want(&mut self, watts: f64) {
        if self.wanted.replace(watts) != Some(watts) {
            self.agrees_since = None;
        }
    }

    /// What to send now, if anything.
    pub(super) fn send_now(&mut self, now: Duration) -> Option<f64> {
        let wanted = self.wanted.filter(|_| !self.in_flight && !self.agrees())?;
        let lately =
            |(level, at): (f64, Duration)| level == wanted && now.saturating_sub(at) < AGAIN;
        if self.sent.is_some_and(lately) {
            return None;
        }
        self.sent = Some((wanted, now));
        self.in_flight = true;
        Some(wanted)
    }

    /// What was sent has been answered, or its driver is gone.
    pub(super) fn answered(&mut self) {
        self.in_flight = false;
    }

    pub(super) fn saw(&mut self, state: ActuatorState, now: Duration) {
        self.seen = Some((state, now));
        self.agrees_since = match self.agrees_since {
            _ if !self.agrees() => None,
            None => Some(now),
            since => since,
        };
    }

    /// What the sensor reads that shows the cap's effect.
    pub(super) fn measured(&mut self, watts: Option<f64>) {
        self.measured = watts;
    }

    /// The equipment shows the cap and draws more all the same.
    pub(super) fn is_without_effect(&self, now: Duration) -> bool {
        let (Some(wanted), Some(measured)) = (self.wanted, self.measured) else {
            return false;
        };
        let settled = self.agrees_since.is_some_and(|at| now >= at + self.effect_within);
        settled && measured > wanted + (wanted * EFFECT_PART).max(EFFECT_WATTS)
    }

    /// Where the cap stands, for the engine: a cap without effect is none.
    pub(super) fn observed(&self, now: Duration, stale: Duration) -> Result<Observed, NoData> {
        if self.is_without_effect(now) {
            return Err(NoData::Disagreement);
        }
        match &self.seen {
            None => Err(NoData::NoHistory),
            Some((_, at)) if now.saturating_sub(*at) > stale => Err(NoData::Stale),
            Some((ActuatorState::Level(watts), _)) => Ok(Observed::Cap(Watts(*watts))),
            Some((ActuatorState::Unknown(reason), _)) => Err(*reason),
            Some((ActuatorState::Automatic, _)) => Ok(Observed::Cap(Watts(self.highest))),
            Some((ActuatorState::Power(_) | ActuatorState::Lit(_) | ActuatorState::Word(_), _)) => {
                Err(NoData::Unparsable)
            }
        }
    }

    fn agrees(&self) -> bool {
        match (&self.seen, self.wanted) {
            (Some((ActuatorState::Level(seen), _)), Some(wanted)) => {
                (seen - wanted).abs() <= self.quantum
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_level_is_sent_once_until_it_is_answered_and_again_where_it_does_not_show() {
        let mut cap = CapLevel::new(1.0, 1000.0, at(1));
        cap.want(300.0);
        assert_eq!(cap.send_now(at(0)), Some(300.0));
        cap.want(300.0);
        assert_eq!(cap.send_now(at(60)), None);
        cap.answered();
        assert_eq!(cap.send_now(at(60)), Some(300.0));
        cap.answered();
        cap.saw(ActuatorState::Level(500.0), at(61));
        assert_eq!(cap.send_now(at(62)), None);
        assert_eq!(cap.send_now(at(65)), Some(300.0));
        cap.answered();
        cap.saw(ActuatorState::Level(300.4), at(66));
        assert_eq!(cap.send_now(at(100)), None);
        cap.want(200.0);
        assert_eq!(cap.send_now(at(100)), Some(200.0));
    }

    #[test]
    fn a_cap_that_shows_and_holds_nothing_is_no_cap() {
        let mut cap = CapLevel::new(1.0, 1000.0, at(1));
        cap.want(300.0);
        cap.saw(ActuatorState::Level(300.0), at(0));
        cap.measured(Some(374.0));
        assert_eq!(cap.observed(at(13), at(60)), Err(NoData::Disagreement));
        assert_eq!(cap.observed(at(12), at(60)), Ok(Observed::Cap(Watts(300.0))));
        cap.measured(Some(309.0));
        assert_eq!(cap.observed(at(14), at(60)), Ok(Observed::Cap(Watts(300.0))));
        assert_eq!(cap.observed(at(90), at(60)), Err(NoData::Stale));
    }
}
