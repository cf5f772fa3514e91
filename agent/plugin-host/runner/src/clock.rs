//! The only place that reads the time.

use std::time::Instant;

/// Milliseconds since the runner started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ms(pub(crate) u64);

impl Ms {
    pub(crate) const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    pub(crate) const fn until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0)
    }
}

#[derive(Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(now())
    }

    pub(crate) fn now(&self) -> Ms {
        let elapsed = now().duration_since(self.0).as_millis();
        Ms(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    Instant::now()
}
