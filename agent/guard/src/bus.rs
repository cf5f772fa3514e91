//! What a bus costs and how it behaves: counted by its poller, watched by the link's thread.

use crate::log;
use crate::slots::whole_us;
use flyball_guard_messages::BusAccount;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The account of one bus, or of one driver.
#[derive(Debug)]
pub(crate) struct BusMeter {
    name: String,
    /// A round that takes longer is a fault.
    deadline: Duration,
    rounds: AtomicU64,
    faults: AtomicU64,
    wall_us: AtomicU64,
    wall_max_us: AtomicU64,
    cpu_us: AtomicU64,
    /// When the round began that is on its way; 0 between rounds.
    begun_us: AtomicU64,
    /// How long it is left alone for its faults; 0 where it is read at its own pace.
    backs_off_ms: AtomicU64,
    hangs: AtomicBool,
}

impl BusMeter {
    pub(crate) fn new(name: &str, deadline: Duration) -> Self {
        Self {
            name: name.to_owned(),
            deadline,
            rounds: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            wall_us: AtomicU64::new(0),
            wall_max_us: AtomicU64::new(0),
            cpu_us: AtomicU64::new(0),
            begun_us: AtomicU64::new(0),
            backs_off_ms: AtomicU64::new(0),
            hangs: AtomicBool::new(false),
        }
    }

    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn begin(&self, now: Duration) {
        self.begun_us.store(whole_us(now).max(1), Ordering::Relaxed);
    }

    /// Ends the round that was begun. `cpu` is what it cost this process.
    pub(crate) fn end(&self, wall: Duration, cpu: Duration) {
        self.begun_us.store(0, Ordering::Relaxed);
        self.rounds.fetch_add(1, Ordering::Relaxed);
        self.wall_us.fetch_add(whole_us(wall), Ordering::Relaxed);
        self.wall_max_us.fetch_max(whole_us(wall), Ordering::Relaxed);
        self.cpu_us.fetch_add(whole_us(cpu), Ordering::Relaxed);
    }

    pub(crate) fn fault(&self, backs_off: Duration) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        let ms = u64::try_from(backs_off.as_millis()).unwrap_or(u64::MAX);
        self.backs_off_ms.store(ms, Ordering::Relaxed);
    }

    pub(crate) fn recover(&self) {
        self.backs_off_ms.store(0, Ordering::Relaxed);
    }

    /// Says once where a round has outlasted its deadline, and once where it came back.
    fn watch(&self, now: Duration) {
        let begun = self.begun_us.load(Ordering::Relaxed);
        let since = now.saturating_sub(Duration::from_micros(begun));
        let hangs = begun != 0 && since > self.deadline;
        let told = self.hangs.swap(hangs, Ordering::Relaxed);
        let (name, deadline) = (&self.name, self.deadline.as_secs_f64());
        if hangs && !told {
            log::warn(format_args!(
                "the bus does not answer bus={name} deadline_s={deadline}; its sensors count as \
                 stale until it does, and nothing else waits for it"
            ));
        } else if told && !hangs {
            log::info(format_args!("the bus answers again bus={name}"));
        }
    }

    fn account(&self) -> BusAccount {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let rounds = load(&self.rounds);
        #[expect(clippy::cast_precision_loss, reason = "a sum of microseconds below 2^53")]
        let mean_ms = |sum_us: u64| sum_us as f64 / 1e3 / rounds.max(1) as f64;
        #[expect(clippy::cast_precision_loss, reason = "microseconds of one round")]
        let wall_max_ms = load(&self.wall_max_us) as f64 / 1e3;
        let state = match (self.hangs.load(Ordering::Relaxed), load(&self.backs_off_ms)) {
            (true, _) => "does not answer".to_owned(),
            (false, 0) => "reads".to_owned(),
            (false, ms) => {
                format!("fails, left alone for {:.1} s", Duration::from_millis(ms).as_secs_f64())
            }
        };
        BusAccount {
            name: self.name.clone(),
            state,
            rounds,
            faults: load(&self.faults),
            wall_mean_ms: mean_ms(load(&self.wall_us)),
            wall_max_ms,
            cpu_mean_ms: mean_ms(load(&self.cpu_us)),
        }
    }
}

/// All buses and drivers that were ever started. The loop never takes this lock.
#[derive(Debug, Default)]
pub(crate) struct Buses(Mutex<Vec<Arc<BusMeter>>>);

impl Buses {
    pub(crate) fn add(&self, meter: Arc<BusMeter>) {
        self.lock().push(meter);
    }

    pub(crate) fn remove(&self, meter: &Arc<BusMeter>) {
        self.lock().retain(|known| !Arc::ptr_eq(known, meter));
    }

    pub(crate) fn watch(&self, now: Duration) {
        self.lock().iter().for_each(|meter| meter.watch(now));
    }

    pub(crate) fn accounts(&self) -> Vec<BusAccount> {
        self.lock().iter().map(|meter| meter.account()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<BusMeter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_past_its_deadline_shows_until_it_ends() {
        let meter = BusMeter::new("i2c", Duration::from_secs(2));
        meter.begin(Duration::from_secs(10));
        meter.watch(Duration::from_secs(11));
        assert_eq!(meter.account().state, "reads");
        meter.watch(Duration::from_secs(13));
        assert_eq!(meter.account().state, "does not answer");
        meter.end(Duration::from_secs(4), Duration::from_millis(2));
        meter.watch(Duration::from_secs(14));
        let account = meter.account();
        assert_eq!((account.state.as_str(), account.rounds), ("reads", 1));
        assert!(account.wall_max_ms == 4000.0 && account.cpu_mean_ms == 2.0, "{account:?}");
    }
}
