//! A circuit breaker.

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// How long it stays open at first; each failed probe doubles that.
const FIRST_OPEN_MS: u64 = 30_000;
const LONGEST_OPEN_MS: u64 = 10 * 60 * 1_000;
/// A probe that says nothing for so long counts as failed.
const PROBE_MS: u64 = 60_000;

/// ```text
/// closed ──failures in a row──▶ open ──its time is over──▶ half open (one probe)
///    ▲                           ▲                             │  │
///    └───────────────────────────┼───────succeeded─────────────┘  │
///                                └──────failed─────────────────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until_ms: u64, lasting_ms: u64 },
    HalfOpen { probe_until_ms: u64, lasting_ms: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker(State);

/// Nothing may pass before this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shut {
    pub until_ms: u64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self(State::Closed { failures: 0 })
    }
}

impl Breaker {
    /// May one attempt pass? Half open it is the only one until it is answered.
    ///
    /// # Errors
    /// Until when it may not.
    pub fn ask(&mut self, now_ms: u64) -> Result<(), Shut> {
        match self.0 {
            State::Closed { .. } => Ok(()),
            State::Open { until_ms, .. } if now_ms < until_ms => Err(Shut { until_ms }),
            State::HalfOpen { probe_until_ms, .. } if now_ms < probe_until_ms => {
                Err(Shut { until_ms: probe_until_ms })
            }
            State::Open { lasting_ms, .. } | State::HalfOpen { lasting_ms, .. } => {
                self.0 = State::HalfOpen { probe_until_ms: now_ms + PROBE_MS, lasting_ms };
                Ok(())
            }
        }
    }

    pub fn handle_success(&mut self) {
        *self = Self::default();
    }

    pub fn handle_failure(&mut self, now_ms: u64) {
        self.0 = match self.0 {
            State::Closed { failures } if failures + 1 < FAILURES => {
                State::Closed { failures: failures + 1 }
            }
            State::Closed { .. } => open(now_ms, FIRST_OPEN_MS),
            State::HalfOpen { lasting_ms, .. } => {
                open(now_ms, (lasting_ms * 2).min(LONGEST_OPEN_MS))
            }
            // An attempt that had begun before it opened.
            State::Open { .. } => self.0,
        };
    }

    /// 0 closed, 1 half open, 2 open: the number of the metric.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self.0 {
            State::Closed { .. } => 0,
            State::HalfOpen { .. } => 1,
            State::Open { .. } => 2,
        }
    }
}

const fn open(now_ms: u64, lasting_ms: u64) -> State {
    State::Open { until_ms: now_ms + lasting_ms, lasting_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.ask(1_000), Ok(()));
            breaker.handle_failure(1_000);
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 0..FAILURES - 1 {
                breaker.handle_failure(0);
            }
            breaker.handle_success();
        }
        assert_eq!(breaker.ask(0), Ok(()));
        assert_eq!(opened().ask(1_001), Err(Shut { until_ms: 31_000 }));
    }

    #[test]
    fn after_its_time_one_probe_passes_and_its_success_closes_it() {
        let mut breaker = opened();
        assert_eq!(breaker.ask(31_000), Ok(()));
        assert_eq!(breaker.ask(31_001), Err(Shut { until_ms: 91_000 }));
        breaker.handle_success();
        assert_eq!((breaker.ask(31_002), breaker.number()), (Ok(()), 0));
    }

    #[test]
    fn a_failed_probe_opens_it_for_twice_as_long_up_to_a_bound() {
        let (mut breaker, mut now_ms, mut lasting_ms) = (opened(), 1_000, FIRST_OPEN_MS);
        for _ in 0..10 {
            assert_eq!(breaker.ask(now_ms), Err(Shut { until_ms: now_ms + lasting_ms }));
            now_ms += lasting_ms;
            assert_eq!(breaker.ask(now_ms), Ok(()));
            breaker.handle_failure(now_ms);
            lasting_ms = (lasting_ms * 2).min(LONGEST_OPEN_MS);
        }
        assert_eq!(lasting_ms, LONGEST_OPEN_MS);
    }

    #[test]
    fn a_probe_that_never_answers_gives_way_to_another() {
        let mut breaker = opened();
        assert_eq!(breaker.ask(31_000), Ok(()));
        assert_eq!(breaker.ask(31_000 + PROBE_MS), Ok(()));
    }
}
