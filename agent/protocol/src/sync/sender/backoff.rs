//! When to call again, and whom.

use super::Limits;

/// Doubles once all addresses have failed. Half of each wait is jitter: after an outage the
/// handshakes of a fleet are the load.
#[derive(Debug)]
pub(super) struct Backoff {
    min_ms: u64,
    max_ms: u64,
    addresses: usize,
    address: usize,
    failures: usize,
}

impl Backoff {
    pub(super) fn new(limits: Limits, addresses: usize) -> Self {
        Self {
            min_ms: limits.backoff_min_ms,
            max_ms: limits.backoff_max_ms,
            addresses: addresses.max(1),
            address: 0,
            failures: 0,
        }
    }

    pub(super) const fn address(&self) -> usize {
        self.address
    }

    /// A committed entry is the proof that an address works.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Turns to the next address and says how long to wait before it is called.
    pub(super) fn after_failure(&mut self, jitter: f64) -> u64 {
        let rounds = u32::try_from(self.failures / self.addresses).unwrap_or(u32::MAX);
        let doubled = 1_u64.checked_shl(rounds).unwrap_or(u64::MAX).saturating_mul(self.min_ms);
        self.failures = self.failures.saturating_add(1);
        self.address = (self.address + 1) % self.addresses;
        jittered(doubled.min(self.max_ms), jitter)
    }

    pub(super) fn after_refusal(&mut self, jitter: f64) -> u64 {
        self.address = (self.address + 1) % self.addresses;
        jittered(self.max_ms, jitter)
    }
}

/// Between half of `wait_ms` and all of it.
fn jittered(wait_ms: u64, jitter: f64) -> u64 {
    let half = wait_ms / 2;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a wait of minutes, and jitter is clamped to 0..=1"
    )]
    let share = (half as f64 * jitter.clamp(0.0, 1.0)) as u64;
    wait_ms - half + share
}
