//! Another program, or firmware, that drives the same actuator.
//!
//! Whoever writes at every cycle against somebody who writes back wins nothing and wears out an
//! embedded controller. After a few takeovers within a minute the guard says so, writes a level
//! that stands already only now and then, and leaves it to the ladder to do without the actuator:
//! what it shows is told as it is. A new level is written at once all the same.

use std::time::Duration;

/// So many takeovers within [`WITHIN`] are no accident.
const TAKEOVERS: usize = 3;
const WITHIN: Duration = Duration::from_secs(60);
/// An actuator that nobody has taken over for so long is the guard's own again.
const QUIET: Duration = Duration::from_secs(300);
/// How often a level is written again while somebody else drives.
const REWRITE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Rival {
    /// The level that was written was seen since then.
    shown: bool,
    /// The newest last.
    takeovers: [Option<Duration>; TAKEOVERS],
    contested_until: Option<Duration>,
}

impl Rival {
    /// A level was written, `since` the one before: whether that is due now.
    pub(super) fn lets_write(&self, same: bool, since: Option<Duration>, now: Duration) -> bool {
        let lately = since.is_some_and(|since| now.saturating_sub(since) < REWRITE);
        !(same && lately && self.contests(now))
    }

    pub(super) const fn wrote(&mut self) {
        self.shown = false;
    }

    /// It was looked at: does it stand where it was written to? True where it has just become
    /// clear that somebody else drives it.
    pub(super) fn looked(&mut self, stands: bool, now: Duration) -> bool {
        if stands {
            self.shown = true;
            return false;
        }
        // What never took the level is stuck, and no matter of two writers.
        if !std::mem::take(&mut self.shown) {
            return false;
        }
        self.takeovers.rotate_left(1);
        self.takeovers[TAKEOVERS - 1] = Some(now);
        let contested = self.contests(now);
        let often = self.takeovers[0].is_some_and(|first| now.saturating_sub(first) <= WITHIN);
        if often || contested {
            self.contested_until = Some(now + QUIET);
        }
        often && !contested
    }

    fn contests(&self, now: Duration) -> bool {
        self.contested_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Written, seen, and found elsewhere a second later.
    fn taken_over(rival: &mut Rival, second: u64) -> bool {
        rival.wrote();
        assert!(!rival.looked(true, at(second)));
        rival.looked(false, at(second + 1))
    }

    #[test]
    fn the_third_takeover_within_a_minute_is_told_once_and_slows_the_writing() {
        let mut rival = Rival::default();
        assert!(!taken_over(&mut rival, 0) && !taken_over(&mut rival, 10));
        assert!(rival.lets_write(true, Some(at(11)), at(12)));
        assert!(taken_over(&mut rival, 20));
        assert!(!rival.lets_write(true, Some(at(21)), at(50)));
        assert!(rival.lets_write(true, Some(at(21)), at(51)), "now and then");
        assert!(rival.lets_write(false, Some(at(21)), at(22)), "a new level at once");
        assert!(!taken_over(&mut rival, 60), "it was told");
    }

    #[test]
    fn a_takeover_now_and_then_is_none_and_peace_gives_the_actuator_back() {
        let mut rival = Rival::default();
        assert!((0..10).all(|turn| !taken_over(&mut rival, turn * 40)));
        let mut rival = Rival::default();
        let told: Vec<bool> = (0..3).map(|turn| taken_over(&mut rival, turn * 5)).collect();
        assert_eq!(told, [false, false, true]);
        assert!(!rival.lets_write(true, Some(at(300)), at(310)));
        assert!(rival.lets_write(true, Some(at(300)), at(311)));
    }

    #[test]
    fn what_never_takes_a_level_is_stuck_and_has_no_rival() {
        let mut rival = Rival::default();
        for second in 0..100 {
            rival.wrote();
            assert!(!rival.looked(false, at(second)));
        }
        assert!(rival.lets_write(true, Some(at(100)), at(100)));
    }
}
