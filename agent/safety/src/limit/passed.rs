//! Dwell: which thresholds one sensor has passed, by its last samples.

use crate::{Dwell, Effective, SensorId};

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
    pub(super) fn of(value: f64, effective: &Effective) -> Self {
        let over = |bound: Option<crate::Bound>| bound.is_some_and(|bound| value >= bound.value);
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

/// One sensor of a group with its windows. They are per sensor, so that one sample of a hot
/// sensor is never counted again for each of its cool siblings.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) sensor: SensorId,
    warning: Passed,
    limit: Passed,
    trip: Passed,
}

impl Member {
    pub(super) const fn new(sensor: SensorId) -> Self {
        Self { sensor, warning: Passed::NO, limit: Passed::NO, trip: Passed::NO }
    }

    /// Counts a good sample; `ahead` is where it is going, which only the limit looks at.
    pub(super) fn count(
        &mut self,
        value: f64,
        ahead: f64,
        effective: &Effective,
        hysteresis: f64,
        dwell: Dwell,
    ) {
        let value_of = |bound: Option<crate::Bound>| bound.map(|bound| bound.value);
        self.warning.count(value, value_of(effective.warning), hysteresis, dwell);
        self.limit.count(ahead, value_of(effective.limit), hysteresis, dwell);
        self.trip.count(value, value_of(effective.trip), hysteresis, dwell);
    }

    pub(super) fn forget(&mut self) {
        *self = Self::new(self.sensor);
    }

    pub(super) const fn reach(&self) -> Reach {
        if self.trip.over {
            Reach::Trip
        } else if self.limit.over {
            Reach::Limit
        } else if self.warning.over {
            Reach::Warning
        } else {
            Reach::Calm
        }
    }
}

/// One threshold's window: a bit a sample, the newest in the lowest place.
#[derive(Debug)]
struct Passed {
    above: u32,
    below: u32,
    over: bool,
}

impl Passed {
    const NO: Self = Self { above: 0, below: 0, over: false };

    fn count(&mut self, value: f64, threshold: Option<f64>, hysteresis: f64, dwell: Dwell) {
        let Some(threshold) = threshold else {
            *self = Self::NO;
            return;
        };
        self.above = self.above << 1 | u32::from(value >= threshold);
        self.below = self.below << 1 | u32::from(value < threshold - hysteresis);
        let window = u32::MAX >> (32 - u32::from(dwell.of.clamp(1, 32)));
        if (self.above & window).count_ones() >= u32::from(dwell.needed) {
            self.over = true;
        } else if self.below & window == window {
            self.over = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DWELL: Dwell = Dwell { needed: 2, of: 3 };

    fn over_after(values: &[f64]) -> bool {
        let mut passed = Passed::NO;
        for value in values {
            passed.count(*value, Some(90.0), 5.0, DWELL);
        }
        passed.over
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
        ] {
            assert_eq!(over_after(values), over, "{values:?}");
        }
    }
}
