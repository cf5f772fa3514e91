//! The tick: once a second, what every slot holds, under the second's own name.
//!
//! Where the clock is set, ticks go on in the new time at once, as [`RecordBody::Samples`] has
//! it. Seconds that the loop missed say so.

use crate::evidence::Evidence;
use crate::ring::Outbox;
use crate::slots::Slots;
use crate::words::Now;
use flyball_guard_messages::{Record, RecordBody, Sample};
use flyball_units::NoData;
use std::time::Duration;

const TICK_MS: u64 = 1000;
/// What the pollers have to read a whole second's values, which they begin on the second.
const SETTLE_MS: u64 = 100;
/// A wall clock that moves by so much more or less than time itself was set.
const STEP_MS: u64 = 1000;
/// Missed seconds that are written in one turn, so that the turn stays short.
const MISSED_PER_TURN: usize = 16;
/// A longer silence is a gap without a record for each of its seconds.
const MISSED_AT_MOST_MS: u64 = 600_000;

#[derive(Debug)]
pub(super) struct Sampling {
    bounds: Vec<Duration>,
    next_ms: Option<u64>,
    /// Wall clock less monotonic time, when it was last looked at.
    offset_ms: Option<i64>,
    record: Record,
}

impl Sampling {
    pub(super) fn new(bounds: Vec<Duration>) -> Self {
        let absent = |(series, _)| Sample { series, value: Err(NoData::NoHistory) };
        let samples = (0..).zip(&bounds).map(absent).collect();
        let record = Record { at_ms: 0, body: RecordBody::Samples(samples) };
        Self { bounds, next_ms: None, offset_ms: None, record }
    }

    /// Samples a further series from the next tick on. `bound` is how old a value may be.
    pub(super) fn add(&mut self, bound: Duration) {
        let RecordBody::Samples(samples) = &mut self.record.body else {
            return;
        };
        let Ok(series) = u16::try_from(self.bounds.len()) else {
            return;
        };
        self.bounds.push(bound);
        samples.push(Sample { series, value: Err(NoData::NoHistory) });
    }

    /// How long there is nothing to sample.
    pub(super) fn wait(&self, now: Now) -> Duration {
        let due = self.next_ms.map_or(now.wall_ms + TICK_MS, |next| next + SETTLE_MS);
        Duration::from_millis(due.saturating_sub(now.wall_ms).clamp(1, TICK_MS))
    }

    /// Writes the ticks that are due. Gives back by how much the clock was set, if it was.
    pub(super) fn step(
        &mut self,
        now: Now,
        slots: &Slots,
        evidence: &Evidence,
        outbox: &mut Outbox,
    ) -> Option<i64> {
        let stepped = self.notice_step(now);
        let upcoming = (now.wall_ms / TICK_MS + 1) * TICK_MS;
        let next = self.next_ms.unwrap_or(upcoming);
        let too_far = now.wall_ms.saturating_sub(next) > MISSED_AT_MOST_MS;
        let mut next = if stepped.is_some() || too_far { upcoming } else { next };
        for _ in 0..MISSED_PER_TURN {
            if now.wall_ms < next + SETTLE_MS {
                break;
            }
            let missed = now.wall_ms >= next + TICK_MS + SETTLE_MS;
            self.fill(next, missed, now.mono, slots);
            outbox.push(&self.record);
            if let RecordBody::Samples(samples) = &self.record.body {
                evidence.keep(next, samples);
            }
            next += TICK_MS;
        }
        self.next_ms = Some(next);
        stepped
    }

    fn fill(&mut self, tick_ms: u64, missed: bool, now: Duration, slots: &Slots) {
        self.record.at_ms = tick_ms;
        let RecordBody::Samples(samples) = &mut self.record.body else {
            return;
        };
        for (sample, bound) in samples.iter_mut().zip(&self.bounds) {
            sample.value = match slots.get(usize::from(sample.series)) {
                _ if missed => Err(NoData::Overrun),
                None => Err(NoData::NoHistory),
                Some(reading) if now.saturating_sub(reading.at) > *bound => Err(NoData::Stale),
                Some(reading) => reading.value,
            };
        }
    }

    fn notice_step(&mut self, now: Now) -> Option<i64> {
        let wall_ms = i64::try_from(now.wall_ms).unwrap_or(i64::MAX);
        let mono_ms = i64::try_from(now.mono.as_millis()).unwrap_or(i64::MAX);
        let offset = wall_ms.saturating_sub(mono_ms);
        let by = offset - self.offset_ms.replace(offset).unwrap_or(offset);
        (by.unsigned_abs() > STEP_MS).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::{Ring, lock};
    use std::sync::Mutex;

    struct Bench {
        sampling: Sampling,
        slots: Slots,
        outbox: Outbox,
        ring: Mutex<Ring>,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                sampling: Sampling::new(vec![Duration::from_secs(3)]),
                slots: Slots::new(1),
                outbox: Outbox::for_series(1),
                ring: Mutex::new(Ring::for_series(1)),
            }
        }

        fn step(&mut self, mono_ms: u64, wall_ms: u64) -> Option<i64> {
            let now = Now { mono: Duration::from_millis(mono_ms), wall_ms };
            let stepped =
                self.sampling.step(now, &self.slots, &Evidence::default(), &mut self.outbox);
            self.outbox.flush(&self.ring);
            stepped
        }

        fn ticks(&self) -> Vec<(u64, Result<f64, NoData>)> {
            let records = lock(&self.ring).read_after(0, usize::MAX).1;
            let tick = |record: Record| match record.body {
                RecordBody::Samples(samples) => (record.at_ms, samples[0].value),
                other => panic!("{other:?}"),
            };
            records.into_iter().map(tick).collect()
        }
    }

    #[test]
    fn each_second_is_sampled_once_whenever_the_loop_wakes() {
        let mut bench = Bench::new();
        for ms in (0..5_000).step_by(70) {
            bench.slots.put(0, Ok(ms as f64), Duration::from_millis(ms));
            bench.step(ms, 10_500 + ms);
        }
        let ticks: Vec<u64> = bench.ticks().iter().map(|tick| tick.0).collect();
        assert_eq!(ticks, [11_000, 12_000, 13_000, 14_000, 15_000]);
    }

    #[test]
    fn seconds_that_the_loop_missed_say_so() {
        let mut bench = Bench::new();
        bench.slots.put(0, Ok(1.0), Duration::from_millis(4_400));
        bench.step(0, 10_900);
        bench.step(4_500, 15_400);
        let overrun = Err(NoData::Overrun);
        let expected = [
            (11_000, overrun),
            (12_000, overrun),
            (13_000, overrun),
            (14_000, overrun),
            (15_000, Ok(1.0)),
        ];
        assert_eq!(bench.ticks(), expected);
    }

    #[test]
    fn ticks_go_on_in_the_new_time_at_once_whichever_way_the_clock_is_set() {
        let mut bench = Bench::new();
        bench.step(0, 7_200_900);
        bench.step(300, 7_201_200);
        assert_eq!(bench.step(400, 3_601_300), Some(-3_600_000));
        bench.step(1_300, 3_602_200);
        assert_eq!(bench.step(1_400, 7_202_300), Some(3_600_000));
        assert_eq!(bench.step(2_300, 7_203_200), None);
        let ticks: Vec<u64> = bench.ticks().iter().map(|tick| tick.0).collect();
        assert_eq!(ticks, [7_201_000, 3_602_000, 7_203_000]);
    }

    #[test]
    fn a_clock_that_is_put_right_by_a_moment_repeats_no_second() {
        let mut bench = Bench::new();
        bench.step(0, 10_900);
        bench.step(300, 11_200);
        assert_eq!(bench.step(400, 10_500), None);
        bench.step(1_100, 11_200);
        bench.step(2_100, 12_200);
        let ticks: Vec<u64> = bench.ticks().iter().map(|tick| tick.0).collect();
        assert_eq!(ticks, [11_000, 12_000]);
    }

    #[test]
    fn an_old_value_is_stale_and_no_value_is_none() {
        let mut bench = Bench::new();
        bench.step(0, 10_900);
        bench.step(300, 11_200);
        bench.slots.put(0, Ok(7.0), Duration::from_millis(500));
        bench.step(1_300, 12_200);
        bench.step(2_300, 13_200);
        bench.step(3_300, 14_200);
        bench.step(4_300, 15_200);
        let values: Vec<_> = bench.ticks().iter().map(|tick| tick.1).collect();
        let stale = Err(NoData::Stale);
        assert_eq!(values, [Err(NoData::NoHistory), Ok(7.0), Ok(7.0), Ok(7.0), stale]);
    }
}
