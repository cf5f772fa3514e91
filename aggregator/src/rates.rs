//! Rates: a bucket **and** a window for every key. The bucket bounds bursts and refills evenly; the
//! window bounds the sum. A new bucket starts full.

use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys whose state one process keeps. Past it what was idle longest goes first, which can only be
/// generous to that caller.
const CAPACITY: usize = 20_000;

/// How much is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRate", deny_unknown_fields)]
pub struct Rate {
    pub requests: u32,
    pub window_s: u32,
    pub burst: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRate {
    requests: u32,
    window_s: u32,
    burst: u32,
}

impl TryFrom<RawRate> for Rate {
    type Error = String;

    fn try_from(raw: RawRate) -> Result<Self, String> {
        let RawRate { requests, window_s, burst } = raw;
        if requests == 0 || burst == 0 || !(1..=86_400).contains(&window_s) {
            return Err("a rate has requests and burst from 1, and window_s from 1 to 86400".into());
        }
        Ok(Self { requests, window_s, burst })
    }
}

impl Rate {
    const fn window_ms(self) -> u64 {
        self.window_s as u64 * 1_000
    }
}

/// What one more request comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ruling {
    pub limit: u32,
    pub remaining: u32,
    pub reset_at_s: u64,
    pub reset_in_s: u64,
    pub window_s: u32,
    /// Seconds to wait where it is refused.
    pub refused: Option<u64>,
}

/// The state of one key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meter {
    pub tokens: f64,
    pub refilled_at_ms: u64,
    pub window_from_ms: u64,
    pub used: u32,
}

impl Meter {
    #[must_use]
    pub fn new(rate: Rate, now_ms: u64) -> Self {
        Self {
            tokens: f64::from(rate.burst),
            refilled_at_ms: now_ms,
            window_from_ms: now_ms,
            used: 0,
        }
    }

    /// Counts one request, where it passes.
    pub fn take(&mut self, rate: Rate, now_ms: u64) -> Ruling {
        // Another replica's clock may be ahead.
        let now_ms = now_ms.max(self.refilled_at_ms);
        let window_ms = rate.window_ms();
        if now_ms.saturating_sub(self.window_from_ms) >= window_ms {
            self.window_from_ms = now_ms;
            self.used = 0;
        }
        let per_ms = f64::from(rate.requests) / window_ms as f64;
        let passed_ms = now_ms.saturating_sub(self.refilled_at_ms) as f64;
        self.tokens = (self.tokens + passed_ms * per_ms).min(f64::from(rate.burst));
        self.refilled_at_ms = now_ms;
        let window_end_ms = self.window_from_ms + window_ms;
        let refused = if self.used >= rate.requests {
            Some((window_end_ms - now_ms).div_ceil(1_000))
        } else if self.tokens < 1.0 {
            Some((((1.0 - self.tokens) / per_ms) / 1_000.0).ceil() as u64)
        } else {
            self.tokens -= 1.0;
            self.used += 1;
            None
        };
        let bucket = self.tokens as u32;
        Ruling {
            limit: rate.requests,
            remaining: rate.requests.saturating_sub(self.used).min(bucket),
            reset_at_s: window_end_ms.div_ceil(1_000),
            reset_in_s: (window_end_ms - now_ms).div_ceil(1_000),
            window_s: rate.window_s,
            refused: refused.map(|seconds| seconds.max(1)),
        }
    }
}

/// Where meters are kept.
pub trait RateState {
    /// Counts one request of `key`.
    fn take(
        &self,
        key: &str,
        rate: Rate,
        now_ms: u64,
    ) -> impl Future<Output = Result<Ruling, StoreError>> + Send;
}

/// In this process. Shared under a lock by every request; no await happens while it is held.
#[derive(Clone, Debug, Default)]
pub struct LocalRates(Arc<Mutex<HashMap<String, (Rate, Meter)>>>);

impl LocalRates {
    #[must_use]
    pub fn ruling(&self, key: &str, rate: Rate, now_ms: u64) -> Ruling {
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, meter)) = meters.get_mut(key) {
            return meter.take(rate, now_ms);
        }
        if meters.len() >= CAPACITY {
            forget_idle(&mut meters, now_ms);
        }
        let mut meter = Meter::new(rate, now_ms);
        let ruling = meter.take(rate, now_ms);
        meters.insert(key.to_owned(), (rate, meter));
        ruling
    }
}

impl RateState for LocalRates {
    async fn take(&self, key: &str, rate: Rate, now_ms: u64) -> Result<Ruling, StoreError> {
        Ok(self.ruling(key, rate, now_ms))
    }
}

fn forget_idle(meters: &mut HashMap<String, (Rate, Meter)>, now_ms: u64) {
    meters
        .retain(|_, (rate, meter)| now_ms.saturating_sub(meter.window_from_ms) < rate.window_ms());
    while meters.len() >= CAPACITY {
        let oldest = meters.iter().min_by_key(|(_, (_, meter))| meter.refilled_at_ms);
        let Some(key) = oldest.map(|(key, _)| key.clone()) else { return };
        meters.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;
    use crate::store::fresh::Fresh;

    const NOW: u64 = 1_705_328_400_000;

    /// The rules hold wherever the state lies.
    async fn five_pass_and_the_sixth_waits(state: &impl RateState) {
        let rate = Limits::default().login;
        for left in (0..5).rev() {
            let ruling = state.take("login:a", rate, NOW).await.unwrap();
            assert_eq!((ruling.refused, ruling.remaining), (None, left));
        }
        let ruling = state.take("login:a", rate, NOW).await.unwrap();
        assert_eq!(ruling.refused, Some(60));
        assert_eq!(ruling.reset_at_s, 1_705_328_460);
        assert_eq!(state.take("login:b", rate, NOW).await.unwrap().refused, None);
        // After twelve seconds the bucket has one again, the window still none.
        assert!(state.take("login:a", rate, NOW + 12_000).await.unwrap().refused.is_some());
        assert_eq!(state.take("login:a", rate, NOW + 60_000).await.unwrap().refused, None);
    }

    #[tokio::test]
    async fn five_sign_ins_pass_and_the_sixth_waits_for_bucket_and_window() {
        five_pass_and_the_sixth_waits(&LocalRates::default()).await;
        five_pass_and_the_sixth_waits(&Fresh::new().store().await).await;
    }

    #[tokio::test]
    async fn two_replicas_on_one_database_count_together() {
        let state = Fresh::new();
        let (one, other) = (state.store().await, state.store().await);
        let rate = Limits::default().login;
        let mut passed = 0;
        for _ in 0..5 {
            for store in [&one, &other] {
                passed += u32::from(store.take("k", rate, NOW).await.unwrap().refused.is_none());
            }
        }
        assert_eq!(passed, 5);
    }

    #[test]
    fn a_burst_is_bounded_before_the_window_is() {
        let (state, rate) = (LocalRates::default(), Limits::default().unauthenticated);
        let passed = (0..50).filter(|_| state.ruling("k", rate, NOW).refused.is_none()).count();
        assert_eq!(passed, 20);
        assert_eq!(state.ruling("k", rate, NOW + 600).refused, None);
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_the_state() {
        let (state, rate) = (LocalRates::default(), Limits::default().unauthenticated);
        for number in 0..CAPACITY + 500 {
            let _ = state.ruling(&number.to_string(), rate, NOW + number as u64);
        }
        assert!(state.0.lock().unwrap().len() <= CAPACITY);
    }
}
