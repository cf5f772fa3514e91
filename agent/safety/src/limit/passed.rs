//! Dwell: which thresholds one sensor has passed, by its last samples.

use crate::{Bound, Dwell, Effective, LimitSpec, Moment, Sense, SensorId, Sustained};
use core::time::Duration;

/// So many good samples in a row at the emergency trip, whatever the dwell.
const EMERGENCY_SAMPLES: u8 = 2;

/// The highest threshold that is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    Calm,
    Warning,
    Limit,
    Trip,
}

impl Reach {
    /// The reach of a bare value.
    pub(super) fn of(value: f64, sense: Sense, effective: &Effective) -> Self {
        let over = |bound: Option<Bound>| bound.is_some_and(|bound| sense.over(value, bound.value));
        if over(effective.trip) {
            Self::Trip
        } else if over(effective.limit) {
            Self::Limit
        } else if over(effective.warning) {
            Self::Warning
        } else {
            Self::Calm
        }
    }
}

/// One good sample, turned so that more is worse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) danger: f64,
    /// Where it is going, which only the limit looks at.
    pub(super) ahead: f64,
    /// As the sensor said it.
    pub(super) value: f64,
    pub(super) at: Moment,
}

/// One sensor of a group with its windows. They are per sensor, so that one sample of a hot
/// sensor is never counted again for each of its cool siblings.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) sensor: SensorId,
    warning: Passed,
    limit: Passed,
    trip: Passed,
    emergency: u8,
    spent: Spent,
}

impl Member {
    pub(super) const fn new(sensor: SensorId) -> Self {
        Self {
            sensor,
            warning: Passed::NO,
            limit: Passed::NO,
            trip: Passed::NO,
            emergency: 0,
            spent: Spent::NOTHING,
        }
    }

    pub(super) fn count(&mut self, sample: Counted, effective: &Effective, spec: &LimitSpec) {
        let danger = |bound: Option<Bound>| bound.map(|bound| spec.sense.danger(bound.value));
        let Counted { danger: value, ahead, at, .. } = sample;
        self.warning.count(value, danger(effective.warning), spec.hysteresis, spec.dwell, at);
        self.limit.count(ahead, danger(effective.limit), spec.hysteresis, spec.dwell, at);
        self.trip.count(value, danger(effective.trip), spec.hysteresis, spec.dwell, at);
        let emergency = spec.emergency.is_some_and(|most| value >= spec.sense.danger(most));
        self.emergency = if emergency { self.emergency.saturating_add(1) } else { 0 };
        if let Some(rule) = spec.sustained {
            self.spent.count(sample.value, at, rule);
        }
    }

    /// The same sensor under its new id.
    pub(super) fn renamed(self, sensor: SensorId) -> Self {
        Self { sensor, ..self }
    }

    pub(super) fn forget(&mut self) {
        *self = Self::new(self.sensor);
    }

    pub(super) fn reach(&self, hold: Duration, now: Moment) -> Reach {
        if self.trip.over(hold, now) || self.emergency >= EMERGENCY_SAMPLES {
            Reach::Trip
        } else if self.limit.over(hold, now) || self.spent.over {
            Reach::Limit
        } else if self.warning.over(hold, now) {
            Reach::Warning
        } else {
            Reach::Calm
        }
    }
}

/// One threshold's window: a bit a sample, the newest in the lowest place.
#[derive(Clone, Debug)]
struct Passed {
    above: u32,
    below: u32,
    over_since: Option<Moment>,
}

impl Passed {
    const NO: Self = Self { above: 0, below: 0, over_since: None };

    fn count(
        &mut self,
        value: f64,
        threshold: Option<f64>,
        hysteresis: f64,
        dwell: Dwell,
        at: Moment,
    ) {
        let Some(threshold) = threshold else {
            *self = Self::NO;
            return;
        };
        self.above = pushed(self.above, value >= threshold);
        self.below = pushed(self.below, value < threshold - hysteresis);
        let window = u32::MAX >> (32 - u32::from(dwell.of.clamp(1, 32)));
        if (self.above & window).count_ones() >= u32::from(dwell.needed) {
            self.over_since = self.over_since.or(Some(at));
        } else if self.below & window == window {
            self.over_since = None;
        }
    }

    /// Passed, and for as long as it has to be.
    fn over(&self, hold: Duration, now: Moment) -> bool {
        self.over_since.is_some_and(|since| now.since(since) >= hold)
    }
}

fn pushed(window: u32, sample: bool) -> u32 {
    window.wrapping_shl(1).wrapping_add(u32::from(sample))
}

/// What has been drawn over a rating that may be passed for a while.
#[derive(Clone, Debug)]
struct Spent {
    sum: f64,
    last: Option<Moment>,
    over: bool,
}

impl Spent {
    const NOTHING: Self = Self { sum: 0.0, last: None, over: false };

    /// A budget that was spent counts as spent until half of it is there again.
    fn count(&mut self, value: f64, at: Moment, rule: Sustained) {
        let span_s = self.last.map_or(0.0, |last| at.since(last).as_secs_f64());
        self.last = Some(at);
        let excess = value * value - rule.rated * rule.rated;
        self.sum = (self.sum + excess * span_s).clamp(0.0, rule.budget);
        self.over = self.sum >= rule.budget || (self.over && self.sum > rule.budget / 2.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DWELL: Dwell = Dwell { needed: 2, of: 3 };

    fn over_after(values: &[f64], hold_ms: u64) -> bool {
        let mut passed = Passed::NO;
        let mut at = Moment::from_millis(0);
        for value in values {
            at = at.after(Duration::from_millis(1000));
            passed.count(*value, Some(90.0), 5.0, DWELL, at);
        }
        passed.over(Duration::from_millis(hold_ms), at)
    }

    #[test]
    fn a_threshold_is_passed_by_n_of_m_and_left_by_m_under_the_hysteresis() {
        for (values, over) in [
            (&[89.9, 89.9, 89.9][..], false),
            (&[90.0], false),
            (&[90.0, 90.0], true),
            (&[90.0, 10.0, 90.0], true),
            (&[90.0, 10.0, 10.0, 90.0], false),
            (&[90.0, 90.0, 84.0, 84.0], true),
            (&[90.0, 90.0, 84.0, 84.0, 84.0], false),
            (&[90.0, 90.0, 84.0, 86.0, 84.0, 84.0], true),
            (&[90.0, 90.0, 86.0, 86.0, 86.0, 86.0], true),
            (&[90.0, 90.0, 85.0, 85.0, 85.0], true),
        ] {
            assert_eq!(over_after(values, 0), over, "{values:?}");
        }
    }

    #[test]
    fn a_hold_counts_from_when_the_dwell_was_complete() {
        assert!(!over_after(&[90.0, 90.0, 90.0, 90.0], 3000));
        assert!(over_after(&[90.0, 90.0, 90.0, 90.0, 90.0], 3000));
        assert!(!over_after(&[90.0, 90.0, 90.0, 84.0, 84.0, 84.0, 90.0, 90.0, 90.0], 3000));
    }

    #[test]
    fn a_budget_fills_with_the_square_over_the_rating_and_drains_as_it_filled() {
        let rule = Sustained { rated: 10.0, budget: 300.0 };
        let mut spent = Spent::NOTHING;
        let mut second = 0;
        let mut after = |value: f64, seconds: u64| {
            for _ in 0..seconds {
                second += 1;
                spent.count(value, Moment::from_millis(second * 1000), rule);
            }
            spent.over
        };
        assert!(!after(10.0, 60), "the rating itself may be drawn for ever");
        assert!(!after(15.0, 2), "125 a second: 250 of 300");
        assert!(after(15.0, 1));
        assert!(after(0.0, 1), "200 is more than half of it");
        assert!(!after(0.0, 1));
    }

    #[test]
    fn a_budget_of_which_half_is_there_again_is_no_longer_spent() {
        let rule = Sustained { rated: 10.0, budget: 200.0 };
        let mut spent = Spent::NOTHING;
        let over = [(0, 0.0), (1, 20.0), (2, 0.0)].map(|(second, value)| {
            spent.count(value, Moment::from_millis(second * 1000), rule);
            spent.over
        });
        assert_eq!(over, [false, true, false], "300 over, of which 200 count, and 100 drained");
    }
}
