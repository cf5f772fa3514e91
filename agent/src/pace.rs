//! When the next tick is due, and whether the wall clock stepped since the last look.
//!
//! A tick is a whole Unix second; what happens to it where the clock is set is written at
//! [`flyball_protocol::guard::RecordBody::Samples`]. Between looks the steady clock is believed:
//! what the wall clock moved beyond it is a step. Whether a tick was sampled before, by this
//! process or an earlier one, is for the sampling to know.

use std::time::{Duration, Instant};

const TICK_MS: u64 = crate::sampling::TICK_MS;
/// What a slewing clock or a late wake-up may differ by without being a step.
const STEP_MS: i64 = 500;

#[derive(Debug)]
pub(crate) struct Pace {
    last_tick_ms: u64,
    /// Where wall and steady clock stood at the last look.
    last: (u64, Instant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The tick to sample now, where another one was sampled last.
    pub(crate) due_ms: Option<u64>,
    /// How far the wall clock moved against the steady one, where that is a step.
    pub(crate) stepped_ms: Option<i64>,
    /// When to look again.
    pub(crate) wait: Duration,
}

impl Pace {
    pub(crate) fn new(wall_ms: u64, now: Instant) -> Self {
        // The second that runs already is not read: its begin is past.
        Self { last_tick_ms: wall_ms - wall_ms % TICK_MS, last: (wall_ms, now) }
    }

    pub(crate) fn look(&mut self, wall_ms: u64, now: Instant) -> Look {
        let stepped_ms = self.step(wall_ms, now);
        let into_tick_ms = wall_ms % TICK_MS;
        let tick_ms = wall_ms - into_tick_ms;
        let due_ms = (self.last_tick_ms != tick_ms).then_some(tick_ms);
        self.last_tick_ms = tick_ms;
        Look { due_ms, stepped_ms, wait: Duration::from_millis(TICK_MS - into_tick_ms) }
    }

    fn step(&mut self, wall_ms: u64, now: Instant) -> Option<i64> {
        let (last_ms, last) = std::mem::replace(&mut self.last, (wall_ms, now));
        let steady = i64::try_from(now.saturating_duration_since(last).as_millis()).ok()?;
        let wall = wall_ms.checked_signed_diff(last_ms)?;
        let moved = wall.saturating_sub(steady);
        (moved.abs() > STEP_MS).then_some(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A world whose clocks the test moves.
    struct World {
        pace: Pace,
        wall_ms: u64,
        now: Instant,
    }

    impl World {
        fn at(wall_ms: u64) -> Self {
            let now = crate::clock::Clock.now();
            Self { pace: Pace::new(wall_ms, now), wall_ms, now }
        }

        fn after(&mut self, steady_ms: u64, stepped_ms: i64) -> Look {
            self.now += Duration::from_millis(steady_ms);
            self.wall_ms = (self.wall_ms + steady_ms).saturating_add_signed(stepped_ms);
            self.pace.look(self.wall_ms, self.now)
        }
    }

    fn look(due_ms: Option<u64>, stepped_ms: Option<i64>, wait_ms: u64) -> Look {
        Look { due_ms, stepped_ms, wait: Duration::from_millis(wait_ms) }
    }

    #[test]
    fn each_whole_second_comes_once() {
        let mut world = World::at(9_600);
        assert_eq!(world.after(0, 0), look(None, None, 400));
        assert_eq!(world.after(400, 0), look(Some(10_000), None, 1000));
        assert_eq!(world.after(999, 0), look(None, None, 1));
        assert_eq!(world.after(1, 0), look(Some(11_000), None, 1000));
        assert_eq!(world.after(1_300, 0), look(Some(12_000), None, 700));
    }

    #[test]
    fn a_late_look_gives_the_newest_tick_alone() {
        let mut world = World::at(10_000);
        world.after(0, 0);
        assert_eq!(world.after(5_020, 0), look(Some(15_000), None, 980));
    }

    #[test]
    fn a_step_is_told_either_way_and_ticks_go_on_in_the_new_time() {
        let mut world = World::at(10_000);
        world.after(0, 0);
        assert_eq!(world.after(1_000, 3_600_000), look(Some(3_611_000), Some(3_600_000), 1000));
        assert_eq!(world.after(1_000, 0), look(Some(3_612_000), None, 1000));
        assert_eq!(world.after(1_000, -3_600_000), look(Some(13_000), Some(-3_600_000), 1000));
    }

    #[test]
    fn a_clock_that_is_slewed_has_not_stepped() {
        let mut world = World::at(10_000);
        for _ in 0..100 {
            assert_eq!(world.after(1_000, 1).stepped_ms, None);
        }
    }
}
