//! One sensor: which of its readings are good, what an old one may have become, and whether
//! it can be relied upon.
//!
//! It never decides about limits. A reading that it does not believe is turned into a reason,
//! never into a number.

mod course;

use crate::{Moment, Sense, SensorSpec};
use course::Course;
use flyball_units::NoData;

/// A jump is believed when so many further samples agree with it.
const AGREEING_SAMPLES: u8 = 2;

#[derive(Clone, Debug)]
pub(crate) struct Sensor {
    pub(crate) spec: SensorSpec,
    health: Health,
    good: Option<Sample>,
    suspect: Option<Suspect>,
    unchanged: Unchanged,
    course: Option<Course>,
}

/// ```text
///   Settling ──K good──▶ Trusted ⇄ Doubtful
///      ▲                    │          │
///      └────── good ──── Lost ◀────────┘  no good reading for stale_after
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Health {
    /// `good` good samples in a row, not enough yet.
    Settling {
        since: Moment,
        good: u8,
        last: Option<NoData>,
    },
    /// The last reading was good.
    Trusted,
    /// The last reading was not good.
    Doubtful {
        reason: NoData,
    },
    Lost {
        reason: NoData,
    },
}

/// What a reading or the passing of time did to a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Lost(NoData),
    Back,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    value: f64,
    at: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Suspect {
    last: Sample,
    agreed: u8,
}

/// How long the very same bits have been coming, and where the companion was at the first.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Unchanged {
    bits: Option<u64>,
    samples: u16,
    companion: Option<f64>,
    stuck: bool,
}

impl Sensor {
    pub(crate) fn new(spec: SensorSpec, now: Moment) -> Self {
        Self {
            spec,
            health: Health::Settling { since: now, good: 0, last: None },
            good: None,
            suspect: None,
            unchanged: Unchanged { bits: None, samples: 0, companion: None, stuck: false },
            course: None,
        }
    }

    /// Judges `reading`; `companion` is the smoothed value of the sensor that should move too.
    pub(crate) fn take(
        &mut self,
        reading: Result<f64, NoData>,
        companion: Option<f64>,
        settle_samples: u8,
        now: Moment,
    ) -> (Result<f64, NoData>, Change) {
        let judged = self.judge(reading, companion, now);
        let change = match judged {
            Ok(value) => self.accept(value, settle_samples, now),
            Err(reason) => self.doubt(reason, now),
        };
        (judged, change)
    }

    /// Lets time pass without a reading.
    pub(crate) fn age(&mut self, now: Moment) -> Change {
        let reason = match self.health {
            Health::Lost { .. } => return Change::None,
            Health::Settling { last, .. } => last.unwrap_or(NoData::Stale),
            Health::Trusted => NoData::Stale,
            Health::Doubtful { reason } => reason,
        };
        if now < self.stale_at() {
            return Change::None;
        }
        self.transition_to_lost(reason);
        Change::Lost(reason)
    }

    /// When the sensor is lost, if no good reading comes before.
    pub(crate) fn stale_at(&self) -> Moment {
        let settling = match self.health {
            Health::Settling { since, .. } => Some(since),
            Health::Trusted | Health::Doubtful { .. } | Health::Lost { .. } => None,
        };
        let last = self.good.map(|good| good.at).max(settling);
        last.unwrap_or(Moment::from_millis(0)).after(self.spec.stale_after)
    }

    /// It has settled and is not lost.
    pub(crate) const fn trusted(&self) -> bool {
        match self.health {
            Health::Trusted | Health::Doubtful { .. } => true,
            Health::Settling { .. } | Health::Lost { .. } => false,
        }
    }

    pub(crate) const fn lost(&self) -> bool {
        matches!(self.health, Health::Lost { .. })
    }

    /// The last reading as it was judged.
    pub(crate) fn reading(&self) -> Result<f64, NoData> {
        let good = self.good.map(|good| good.value);
        match self.health {
            Health::Settling { last: Some(reason), .. }
            | Health::Doubtful { reason }
            | Health::Lost { reason } => Err(reason),
            Health::Settling { last: None, .. } | Health::Trusted => good.ok_or(NoData::NoHistory),
        }
    }

    /// The last good value, while it is not stale.
    pub(crate) fn value(&self) -> Option<f64> {
        self.good.filter(|_| !self.lost()).map(|good| good.value)
    }

    /// The rise of good readings per second, smoothed.
    pub(crate) fn slope_per_s(&self) -> f64 {
        self.course.map_or(0.0, |course| course.slope_per_s)
    }

    /// What a companion compares itself with.
    pub(crate) fn smooth(&self) -> Option<f64> {
        self.course.filter(|_| self.trusted()).map(|course| course.value)
    }

    /// The last reading was good and the next is not overdue: it may speak for the quantity,
    /// and vote.
    pub(crate) fn speaks(&self, now: Moment) -> Option<f64> {
        let good = self.good?;
        match self.health {
            Health::Trusted if !self.overdue(good, now) => Some(good.value),
            Health::Trusted
            | Health::Settling { .. }
            | Health::Doubtful { .. }
            | Health::Lost { .. } => None,
        }
    }

    /// The worst that the quantity may be by now, when the last reading was not good or the next
    /// one is overdue; `None` while the last reading speaks for itself, or nothing does.
    pub(crate) fn projection(&self, sense: Sense, now: Moment) -> Option<f64> {
        let good = self.good?;
        let doubtful = match self.health {
            Health::Lost { .. } => return None,
            Health::Doubtful { .. } | Health::Settling { last: Some(_), .. } => true,
            Health::Trusted | Health::Settling { last: None, .. } => false,
        };
        if !doubtful && !self.overdue(good, now) {
            return None;
        }
        let moved = self.spec.slew_per_s * now.since(good.at).as_secs_f64();
        let projected = match sense {
            Sense::Above => good.value + moved,
            Sense::Below => good.value - moved,
        };
        let worst =
            self.suspect.map_or(projected, |suspect| sense.worse(projected, suspect.last.value));
        Some(worst.clamp(self.spec.lowest, self.spec.highest))
    }

    fn overdue(&self, good: Sample, now: Moment) -> bool {
        now.since(good.at) > self.spec.period + self.spec.period / 2
    }

    /// Goes on under another plan. What was compared with the companion begins anew.
    pub(crate) fn renew(&mut self, spec: SensorSpec) {
        self.unchanged = Unchanged { bits: None, samples: 0, companion: None, stuck: false };
        self.spec = spec;
    }

    fn judge(
        &mut self,
        reading: Result<f64, NoData>,
        companion: Option<f64>,
        now: Moment,
    ) -> Result<f64, NoData> {
        let value = reading?;
        if !value.is_finite() || value < self.spec.lowest || value > self.spec.highest {
            return Err(NoData::OutOfRange);
        }
        if self.stuck(value, companion) {
            return Err(NoData::Stuck);
        }
        self.plausible_step(Sample { value, at: now })
    }

    fn stuck(&mut self, value: f64, companion: Option<f64>) -> bool {
        let Some(rule) = self.spec.stuck else { return false };
        let unchanged = &mut self.unchanged;
        if unchanged.bits != Some(value.to_bits()) {
            let bits = Some(value.to_bits());
            *unchanged = Unchanged { bits, samples: 1, companion, stuck: false };
            return false;
        }
        unchanged.samples = unchanged.samples.saturating_add(1);
        let moved = match (unchanged.companion, companion) {
            (Some(then), Some(now)) => (now - then).abs() >= rule.moved,
            (None, Some(_)) => {
                unchanged.companion = companion;
                false
            }
            (Some(_) | None, None) => false,
        };
        unchanged.stuck |= moved && unchanged.samples >= rule.samples;
        unchanged.stuck
    }

    fn plausible_step(&mut self, sample: Sample) -> Result<f64, NoData> {
        let (Some(jump), Some(good)) = (self.spec.jump_per_s, self.good) else {
            return Ok(sample.value);
        };
        let period = self.spec.period;
        let near = |base: Sample| {
            let span = sample.at.since(base.at).max(period).as_secs_f64();
            (sample.value - base.value).abs() <= jump * span
        };
        if near(good) {
            self.suspect = None;
            return Ok(sample.value);
        }
        let agreed = match self.suspect {
            Some(suspect) if near(suspect.last) => suspect.agreed + 1,
            Some(_) | None => 0,
        };
        if agreed >= AGREEING_SAMPLES {
            self.suspect = None;
            return Ok(sample.value);
        }
        self.suspect = Some(Suspect { last: sample, agreed });
        Err(NoData::TooFast)
    }

    fn accept(&mut self, value: f64, settle_samples: u8, now: Moment) -> Change {
        self.course = Some(match (self.course, self.good) {
            (Some(course), Some(good)) => course.on(good.value, value, now.since(good.at)),
            (Some(_) | None, _) => Course::at(value),
        });
        self.good = Some(Sample { value, at: now });
        let (since, good) = match self.health {
            Health::Trusted => return Change::None,
            Health::Doubtful { .. } => {
                self.health = Health::Trusted;
                return Change::None;
            }
            Health::Settling { since, good, .. } => (since, good.saturating_add(1)),
            Health::Lost { .. } => (now, 1),
        };
        if good < settle_samples {
            self.health = Health::Settling { since, good, last: None };
            return Change::None;
        }
        self.health = Health::Trusted;
        Change::Back
    }

    fn doubt(&mut self, reason: NoData, now: Moment) -> Change {
        self.health = match self.health {
            Health::Trusted | Health::Doubtful { .. } => Health::Doubtful { reason },
            Health::Settling { since, .. } => {
                Health::Settling { since, good: 0, last: Some(reason) }
            }
            Health::Lost { .. } => Health::Lost { reason },
        };
        self.age(now)
    }

    fn transition_to_lost(&mut self, reason: NoData) {
        self.health = Health::Lost { reason };
        self.good = None;
        self.suspect = None;
        self.course = None;
    }
}
