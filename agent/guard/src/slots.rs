//! Where the pollers leave their readings and the loop finds them: one slot a sensor, the
//! newest value only, no lock. A stalled poller leaves an old time behind and nothing else.

use flyball_units::NoData;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

/// A reading and when it was taken, in the guard's monotonic time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) value: Result<f64, NoData>,
    pub(crate) at: Duration,
    /// Counts the readings of the slot; 0 is none yet.
    pub(crate) number: u64,
}

/// One writer and any readers, by sequence: odd while the writer is within.
#[derive(Debug, Default)]
struct Slot {
    sequence: AtomicU64,
    bits: AtomicU64,
    /// 0 for a value, else 1 + the reason's code.
    reason: AtomicU64,
    at_us: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Slots(Vec<Slot>);

impl Slots {
    pub(crate) fn new(sensors: usize) -> Self {
        Self((0..sensors).map(|_| Slot::default()).collect())
    }

    /// Leaves a reading. Only the sensor's own poller calls this.
    pub(crate) fn put(&self, sensor: usize, value: Result<f64, NoData>, at: Duration) {
        let Some(slot) = self.0.get(sensor) else {
            return;
        };
        let (bits, reason) = match value {
            Ok(value) => (value.to_bits(), 0),
            Err(reason) => (0, 1 + u64::from(reason.code())),
        };
        let sequence = slot.sequence.load(Ordering::Relaxed);
        slot.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        slot.bits.store(bits, Ordering::Relaxed);
        slot.reason.store(reason, Ordering::Relaxed);
        slot.at_us.store(u64::try_from(at.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        slot.sequence.store(sequence + 2, Ordering::Release);
    }

    /// The newest reading; `None` before the first, and while the writer is within: it wakes
    /// the loop again when it is through.
    pub(crate) fn get(&self, sensor: usize) -> Option<Reading> {
        let slot = self.0.get(sensor)?;
        let before = slot.sequence.load(Ordering::Acquire);
        let bits = slot.bits.load(Ordering::Relaxed);
        let reason = slot.reason.load(Ordering::Relaxed);
        let at = Duration::from_micros(slot.at_us.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let after = slot.sequence.load(Ordering::Relaxed);
        if before != after || before == 0 || before % 2 == 1 {
            return None;
        }
        let value = match reason {
            0 => Ok(f64::from_bits(bits)),
            code => Err(u8::try_from(code - 1).ok().and_then(NoData::from_code)?),
        };
        Some(Reading { value, at, number: before / 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_slot_is_empty_until_its_first_reading_and_counts_from_there() {
        let slots = Slots::new(1);
        assert_eq!(slots.get(0), None);
        assert_eq!(slots.get(7), None);
        let at = Duration::from_millis(5);
        slots.put(0, Err(NoData::Fault), at);
        assert_eq!(slots.get(0), Some(Reading { value: Err(NoData::Fault), at, number: 1 }));
        slots.put(0, Ok(41.25), at * 2);
        assert_eq!(slots.get(0), Some(Reading { value: Ok(41.25), at: at * 2, number: 2 }));
    }

    #[test]
    fn no_reader_ever_sees_half_a_reading() {
        let slots = Arc::new(Slots::new(1));
        let writer = Arc::clone(&slots);
        let thread = std::thread::spawn(move || {
            for number in 1..200_000_u32 {
                let at = Duration::from_micros(u64::from(number));
                writer.put(0, Ok(f64::from(number)), at);
            }
        });
        while !thread.is_finished() {
            if let Some(Reading { value: Ok(value), at, .. }) = slots.get(0) {
                assert_eq!(Duration::from_micros(value as u64), at);
            }
        }
    }
}
