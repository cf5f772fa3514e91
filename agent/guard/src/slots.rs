//! Where the pollers leave their readings and the loop finds them: one slot a sensor, the
//! newest value only, no lock. A stalled poller leaves an old time behind and nothing else.

use crate::cell::WordCell;
use flyball_units::NoData;
use std::sync::OnceLock;
use std::time::Duration;

/// A reading and when it was taken, in the guard's monotonic time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) value: Result<f64, NoData>,
    pub(crate) at: Duration,
    /// Counts the readings of the slot; 0 is none yet.
    pub(crate) number: u64,
}

/// Value, reason (0 for a value, else 1 + its code) and time.
type Slot = WordCell<3>;

/// Slots come in pieces of this many, so that a small machine pays for few of them.
const PIECE: usize = 64;
/// No guard reads more: a series keeps its slot for as long as the guard runs.
pub(crate) const MAX_SERIES: usize = 4096;

/// They grow by whole pieces, and none ever moves: a poller keeps writing while they do.
#[derive(Debug)]
pub(crate) struct Slots([OnceLock<Box<[Slot]>>; MAX_SERIES / PIECE]);

impl Slots {
    pub(crate) fn new(sensors: usize) -> Self {
        let slots = Self([const { OnceLock::new() }; MAX_SERIES / PIECE]);
        slots.grow_to(sensors);
        slots
    }

    /// Makes room for so many sensors, as far as the bound goes.
    pub(crate) fn grow_to(&self, sensors: usize) {
        for piece in self.0.iter().take(sensors.div_ceil(PIECE)) {
            piece.get_or_init(|| (0..PIECE).map(|_| Slot::default()).collect());
        }
    }

    fn slot(&self, sensor: usize) -> Option<&Slot> {
        self.0.get(sensor / PIECE)?.get()?.get(sensor % PIECE)
    }

    /// Leaves a reading. Only the sensor's own poller calls this.
    pub(crate) fn put(&self, sensor: usize, value: Result<f64, NoData>, at: Duration) {
        let Some(slot) = self.slot(sensor) else {
            return;
        };
        let (bits, reason) = match value {
            Ok(value) => (value.to_bits(), 0),
            Err(reason) => (0, 1 + u64::from(reason.code())),
        };
        slot.put([bits, reason, whole_us(at)]);
    }

    /// The newest reading; `None` before the first, and while the writer is within: it wakes
    /// the loop again when it is through.
    pub(crate) fn get(&self, sensor: usize) -> Option<Reading> {
        let (number, [bits, reason, at_us]) = self.slot(sensor)?.get()?;
        let value = match reason {
            0 => Ok(f64::from_bits(bits)),
            code => Err(u8::try_from(code - 1).ok().and_then(NoData::from_code)?),
        };
        Some(Reading { value, at: Duration::from_micros(at_us), number })
    }
}

pub(crate) fn whole_us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
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
    fn they_grow_up_to_their_bound_and_keep_what_they_hold() {
        let slots = Slots::new(1);
        slots.put(0, Ok(1.0), Duration::ZERO);
        slots.put(PIECE, Ok(2.0), Duration::ZERO);
        assert_eq!(slots.get(PIECE), None);
        slots.grow_to(MAX_SERIES + 1);
        slots.put(MAX_SERIES - 1, Ok(3.0), Duration::ZERO);
        slots.put(MAX_SERIES, Ok(4.0), Duration::ZERO);
        let value = |sensor| slots.get(sensor).map(|reading| reading.value);
        assert_eq!((value(0), value(MAX_SERIES - 1)), (Some(Ok(1.0)), Some(Ok(3.0))));
        assert_eq!(value(MAX_SERIES), None);
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
