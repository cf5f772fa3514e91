//! What the loop and whoever holds an actuator share: the level that is asked for, and the level
//! that was seen.
//!
//! Neither side ever waits for the other. The newest level wins; one that was asked for twice
//! counts twice, so that it is written again. A holder that hangs leaves an old sight behind, and
//! the engine takes an actuator that has not been seen for stuck.

use crate::cell::WordCell;
use crate::slots::whole_us;
use flyball_safety::{Level, Observed};
use flyball_units::{Hertz, NoData, PowerState, Ratio, Watts};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Grip {
    /// What kind of level, its number, and when the reading was taken that led to it.
    asked: WordCell<3>,
    seen: WordCell<2>,
    /// The loop wants to know where it stands.
    look: AtomicBool,
    /// The guard ends: it goes back to the firmware where it has one.
    release: AtomicBool,
    released: AtomicU8,
}

/// One level that was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Asked {
    /// Counts what was asked of this actuator.
    pub(crate) number: u64,
    pub(crate) level: Level,
    /// When the reading was taken that led to it; `None` for an assertion.
    pub(crate) since: Option<Duration>,
}

/// How far a hand-back has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandBack {
    Pending = 0,
    Untouched = 1,
    Restored = 2,
    /// At its safe end, because what was found could not be put back.
    Safe = 3,
    Failed = 4,
}

impl Grip {
    pub(crate) fn ask(&self, level: Level, since: Option<Duration>) {
        let (kind, bits) = match level {
            Level::Automatic => (0, 0),
            Level::Duty(Ratio(duty)) => (1, duty.to_bits()),
            Level::Cap(Watts(watts)) => (2, watts.to_bits()),
            Level::Frequency(Hertz(hertz)) => (3, hertz.to_bits()),
            Level::Free => (4, 0),
            Level::Down => (5, 0),
            Level::Off => (6, 0),
        };
        self.asked.put([kind, bits, since.map_or(0, whole_us)]);
    }

    /// What was asked for, where it is newer than number `after`.
    pub(crate) fn asked(&self, after: u64) -> Option<Asked> {
        let (number, [kind, bits, since_us]) = self.asked.get()?;
        if number <= after {
            return None;
        }
        let value = f64::from_bits(bits);
        let level = match kind {
            0 => Level::Automatic,
            1 => Level::Duty(Ratio(value)),
            2 => Level::Cap(Watts(value)),
            3 => Level::Frequency(Hertz(value)),
            5 => Level::Down,
            6 => Level::Off,
            _ => Level::Free,
        };
        let since = (since_us > 0).then(|| Duration::from_micros(since_us));
        Some(Asked { number, level, since })
    }

    /// Leaves where the actuator was seen to stand. Its holder alone calls this.
    pub(crate) fn saw(&self, observed: Result<Observed, NoData>) {
        self.seen.put(match observed {
            Ok(Observed::Automatic(None)) => [0, 0],
            Ok(Observed::Automatic(Some(Ratio(duty)))) => [1, duty.to_bits()],
            Ok(Observed::Duty(Ratio(duty))) => [2, duty.to_bits()],
            Ok(Observed::Cap(Watts(watts))) => [3, watts.to_bits()],
            Ok(Observed::Frequency(Hertz(hertz))) => [5, hertz.to_bits()],
            Ok(Observed::Power(power)) => [6, power_code(power)],
            Ok(Observed::Present) => [7, 0],
            Err(reason) => [4, u64::from(reason.code())],
        });
    }

    /// The newest sight, where it is newer than number `after`, with its own number.
    pub(crate) fn seen(&self, after: u64) -> Option<(u64, Result<Observed, NoData>)> {
        let (number, [kind, bits]) = self.seen.get()?;
        if number <= after {
            return None;
        }
        let value = f64::from_bits(bits);
        let observed = match kind {
            0 => Ok(Observed::Automatic(None)),
            1 => Ok(Observed::Automatic(Some(Ratio(value)))),
            2 => Ok(Observed::Duty(Ratio(value))),
            3 => Ok(Observed::Cap(Watts(value))),
            5 => Ok(Observed::Frequency(Hertz(value))),
            6 => power_of_code(bits).map(Observed::Power).ok_or(NoData::Fault),
            7 => Ok(Observed::Present),
            _ => Err(u8::try_from(bits).ok().and_then(NoData::from_code).unwrap_or(NoData::Fault)),
        };
        Some((number, observed))
    }

    pub(crate) fn want_look(&self) {
        self.look.store(true, Ordering::Release);
    }

    /// Whether somebody wants to know where it stands; asked once.
    pub(crate) fn take_look(&self) -> bool {
        self.look.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn want_release(&self) {
        self.release.store(true, Ordering::Release);
    }

    pub(crate) fn wants_release(&self) -> bool {
        self.release.load(Ordering::Acquire)
    }

    pub(crate) fn hand_back(&self, outcome: HandBack) {
        self.released.store(outcome as u8, Ordering::Release);
    }

    pub(crate) fn handed_back(&self) -> HandBack {
        match self.released.load(Ordering::Acquire) {
            0 => HandBack::Pending,
            1 => HandBack::Untouched,
            2 => HandBack::Restored,
            3 => HandBack::Safe,
            _ => HandBack::Failed,
        }
    }
}

const POWERS: [PowerState; 5] = [
    PowerState::On,
    PowerState::Off,
    PowerState::PoweringOn,
    PowerState::PoweringOff,
    PowerState::Paused,
];

fn power_code(power: PowerState) -> u64 {
    POWERS.iter().zip(0..).find(|(known, _)| **known == power).map_or(0, |(_, code)| code)
}

fn power_of_code(code: u64) -> Option<PowerState> {
    POWERS.get(usize::try_from(code).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_asked_twice_counts_twice_and_the_newest_wins() {
        let grip = Grip::default();
        assert_eq!(grip.asked(0), None);
        grip.ask(Level::Duty(Ratio(0.5)), None);
        grip.ask(Level::Cap(Watts(90.0)), Some(Duration::from_micros(7)));
        let since = Some(Duration::from_micros(7));
        assert_eq!(grip.asked(0), Some(Asked { number: 2, level: Level::Cap(Watts(90.0)), since }));
        assert_eq!(grip.asked(2), None);
        grip.ask(Level::Automatic, None);
        assert_eq!(grip.asked(2).map(|asked| asked.level), Some(Level::Automatic));
    }

    #[test]
    fn what_was_seen_comes_back_as_it_was() {
        let grip = Grip::default();
        let sights = [
            Ok(Observed::Automatic(None)),
            Ok(Observed::Automatic(Some(Ratio(0.25)))),
            Ok(Observed::Duty(Ratio(1.0))),
            Ok(Observed::Cap(Watts(45.5))),
            Err(NoData::Busy),
        ];
        for (before, sight) in (0..).zip(sights) {
            grip.saw(sight);
            assert_eq!(grip.seen(before), Some((before + 1, sight)));
        }
    }
}
