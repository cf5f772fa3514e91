//! What a segment's statistics answer by step: the whole part, its hours, its minutes; and which
//! of its samples are needed all the same.

use crate::history::segment::{HOUR_MS, MINUTE_MS};
use crate::history::{Part, Rollup, Segment, SegmentError, Tier};
use crate::telemetry::readings::segments::{Ticks, is_alone};
use crate::telemetry::readings::steps::{Step, Steps};
use flyball_protocol::block::Stats;
use std::ops::Range;

/// Statistics of one length, by time.
pub(super) struct Rolled {
    rollups: Vec<Rollup>,
    length_ms: u64,
}

/// Which samples statistics leave to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    All,
    /// Those of the stretches that begin here, in order.
    Of {
        starts: Vec<u64>,
        length_ms: u64,
    },
}

impl Rest {
    const NONE: Self = Self::Of { starts: Vec::new(), length_ms: MINUTE_MS };

    /// Where the last of them ends, `end_ms` at most; `None` where there are none.
    pub(super) fn before_ms(&self, end_ms: u64) -> Option<u64> {
        match self {
            Self::All => Some(end_ms),
            Self::Of { starts, length_ms } => {
                starts.last().map(|last_ms| (last_ms + length_ms).min(end_ms))
            }
        }
    }

    pub(super) fn has(&self, at_ms: u64) -> bool {
        match self {
            Self::All => true,
            Self::Of { starts, length_ms } => {
                starts.binary_search(&(at_ms - at_ms % length_ms)).is_ok()
            }
        }
    }
}

impl Rolled {
    fn hours(segment: &Segment, part: &Part) -> Result<Self, SegmentError> {
        Ok(Self { rollups: segment.hours(part)?, length_ms: HOUR_MS })
    }

    fn minutes(segment: &Segment, part: &Part) -> Result<Self, SegmentError> {
        Ok(Self { rollups: segment.minutes(part)?, length_ms: MINUTE_MS })
    }

    /// The coarsest that these steps take.
    fn of(steps: &Steps, segment: &Segment, part: &Part) -> Result<Self, SegmentError> {
        match steps.tier() {
            Tier::Hours => Self::hours(segment, part),
            Tier::Minutes | Tier::Samples => Self::minutes(segment, part),
        }
    }

    /// What is left of a part without samples: its hours where they are asked for and the range
    /// cuts none, else its minutes while there are any.
    pub(super) fn left_of(
        steps: &Steps,
        range: &Range<u64>,
        segment: &Segment,
        part: &Part,
    ) -> Result<Self, SegmentError> {
        let cuts = |edge_ms: u64| {
            !edge_ms.is_multiple_of(HOUR_MS) && (part.first_ms..=part.last_ms).contains(&edge_ms)
        };
        let by_hours = steps.tier() == Tier::Hours && !cuts(range.start) && !cuts(range.end);
        if part.has_minutes && !by_hours {
            Self::minutes(segment, part)
        } else {
            Self::hours(segment, part)
        }
    }

    /// By their begins.
    pub(super) fn steps(&self) -> impl Iterator<Item = (u64, Step)> + '_ {
        self.rollups.iter().map(|rollup| {
            let step = Step {
                count: u64::from(rollup.count),
                min: rollup.min,
                max: rollup.max,
                sum: rollup.sum,
                last: rollup.last,
                last_ms: rollup.start_ms + self.length_ms - 1,
            };
            (rollup.start_ms, step)
        })
    }
}

/// Takes what lies in one step, in the range and alone; says which samples are needed. All of them
/// where a reason is among them or nothing is rolled up.
pub(super) fn take(
    steps: &mut Steps,
    range: &Range<u64>,
    segment: &Segment,
    part: &Part,
    beside: &[Ticks],
) -> Rest {
    let Some(stats) = part.stats.filter(|stats| stats.count as usize == part.samples) else {
        return Rest::All;
    };
    let whole = part.first_ms..=part.last_ms;
    let inside = |ticks: &Ticks| range.contains(ticks.start()) && range.contains(ticks.end());
    if inside(&whole) && is_alone(&whole, beside) {
        let Stats { count, min, max, sum, last, .. } = stats;
        let last_ms = part.last_ms;
        let step = Step { count: u64::from(count), min, max, sum, last, last_ms };
        if steps.add_within(part.first_ms, last_ms, &step) {
            return Rest::NONE;
        }
    }
    if !steps.take_rollups() {
        return Rest::All;
    }
    // What was not fetched is read by its samples.
    let Ok(rolled) = Rolled::of(steps, segment, part) else { return Rest::All };
    if rolled.rollups.is_empty() {
        return Rest::All;
    }
    let mut starts = Vec::new();
    for (start_ms, step) in rolled.steps() {
        let ticks = start_ms..=start_ms + rolled.length_ms - 1;
        let outside = *ticks.end() < range.start || *ticks.start() >= range.end;
        let taken = inside(&ticks)
            && is_alone(&ticks, beside)
            && steps.add_within(*ticks.start(), *ticks.end(), &step);
        if !taken && !outside {
            starts.push(start_ms);
        }
    }
    Rest::Of { starts, length_ms: rolled.length_ms }
}
