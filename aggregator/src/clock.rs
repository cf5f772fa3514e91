//! The only place that reads a clock. Everything else is handed a [`Clock`], so that a test
//! can hold time still or move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Numbers below it are seconds: as milliseconds they would be in March 1973.
const SECONDS_BELOW: f64 = 1e11;

/// Unix milliseconds as RFC 3339 with milliseconds; nothing where the calendar ends before.
pub(crate) fn rfc3339(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or_else(String::new, |time| format!("{time:.3}"))
}

/// No time as a number is as large.
pub(crate) const TIMES_BELOW: f64 = 1e16;

/// RFC 3339, epoch milliseconds or epoch seconds.
pub(crate) fn parse_time(text: &str) -> Option<u64> {
    if let Ok(number) = text.parse::<f64>() {
        if !(0.0..TIMES_BELOW).contains(&number) {
            return None;
        }
        let ms = if number < SECONDS_BELOW { number * 1_000.0 } else { number };
        return Some(ms as u64);
    }
    // A plus sign that came unescaped through a query string is a space.
    parse_rfc3339(&text.replace(' ', "+"))
}

/// RFC 3339, from 1970 on.
pub(crate) fn parse_rfc3339(text: &str) -> Option<u64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_millisecond()).ok()
}

/// Unix time in milliseconds, from the system or from a test.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    /// Stands still until it is moved.
    Manual(Arc<AtomicU64>),
}

/// How long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

impl Clock {
    /// A stopwatch that runs; by the system's monotonic clock, also where time stands still.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch(Instant::now())
    }

    #[must_use]
    pub fn manual(now_ms: u64) -> Self {
        Self::Manual(Arc::new(AtomicU64::new(now_ms)))
    }

    /// Now, in Unix milliseconds; 0 where the system's clock stands before 1970.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now_ms(&self) -> u64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
            Self::Manual(now) => now.load(Ordering::Relaxed),
        }
    }

    /// Moves a manual clock; the system's cannot be moved.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(now) = self {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            now.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// A new id that sorts by the time it was made (UUID version 7).
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let random = Uuid::new_v4().into_bytes();
        let mut tail = [0; 10];
        tail.copy_from_slice(&random[6..]);
        uuid::Builder::from_unix_timestamp_millis(self.now_ms(), &tail).into_uuid()
    }
}
