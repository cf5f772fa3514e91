//! Durations counted in fixed buckets: preallocated, written by one thread, read by any.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets a doubling: a percentile is off by at most a sixteenth.
const STEPS: usize = 16;
/// Doublings from 1 µs: the last bucket holds an hour and beyond.
const DOUBLINGS: usize = 32;

#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: Box<[AtomicU64]>,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { buckets: (0..STEPS * DOUBLINGS).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(crate) fn record(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(index(us)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// The upper edge of the bucket that holds the given part of all durations, in
    /// milliseconds; 0 where nothing was recorded.
    pub(crate) fn percentile_ms(&self, part: f64) -> f64 {
        let count = self.count();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among fewer than 2^53 cycles"
        )]
        let rank = (count as f64 * part).ceil() as u64;
        let mut seen = 0;
        for (index, bucket) in self.buckets.iter().enumerate() {
            seen += bucket.load(Ordering::Relaxed);
            if seen >= rank && seen > 0 {
                return edge_us(index + 1) / 1e3;
            }
        }
        0.0
    }
}

fn index(us: u64) -> usize {
    let us = us.max(1);
    let doubling = us.ilog2() as usize;
    let step = match doubling {
        // Below a doubling of 16 µs the steps are whole microseconds or halves of nothing.
        0..=4 => ((us as usize - (1 << doubling)) * STEPS) >> doubling,
        _ => (us >> (doubling - 4)) as usize & (STEPS - 1),
    };
    (doubling * STEPS + step).min(STEPS * DOUBLINGS - 1)
}

fn edge_us(index: usize) -> f64 {
    let (doubling, step) = (index / STEPS, index % STEPS);
    #[expect(clippy::cast_precision_loss, reason = "a step below sixteen")]
    let within = 1.0 + step as f64 / STEPS as f64;
    within * 2_f64.powi(i32::try_from(doubling).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_a_sixteenth() {
        let histogram = Histogram::new();
        for us in 1..=1000 {
            histogram.record(Duration::from_micros(us));
        }
        assert_eq!(histogram.count(), 1000);
        for (part, ms) in [(0.5, 0.5), (0.9, 0.9), (0.999, 0.999)] {
            let seen = histogram.percentile_ms(part);
            assert!(seen >= ms && seen <= ms * 1.07, "{part}: {seen}");
        }
    }

    #[test]
    fn nothing_recorded_is_zero_and_an_hour_fits() {
        let histogram = Histogram::new();
        assert!(histogram.percentile_ms(0.5) == 0.0);
        histogram.record(Duration::from_secs(3600));
        assert!(histogram.percentile_ms(0.5) >= 3_600_000.0);
        histogram.record(Duration::MAX);
        assert_eq!(histogram.count(), 2);
    }
}
