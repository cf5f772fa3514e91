//! Power from an energy counter's differences, and the counter unwrapped.

use flyball_units::NoData;
use std::time::Duration;

/// Differences over less are the counter's own granularity (RAPL updates about every
/// millisecond) rather than power.
const SHORTEST: Duration = Duration::from_millis(50);
const MICRO: f64 = 1e6;

/// Follows one counter in microjoules.
#[derive(Debug)]
pub(crate) struct EnergyMeter {
    /// Where the counter wraps to zero; `None` where nothing says so, and then a counter that
    /// went backwards was reset.
    range_uj: Option<i64>,
    last: Option<(i64, Duration)>,
    power_watts: Option<f64>,
    total_uj: i128,
}

impl EnergyMeter {
    pub(crate) const fn new(range_uj: Option<i64>) -> Self {
        Self { range_uj, last: None, power_watts: None, total_uj: 0 }
    }

    /// The mean power since the counter was last read.
    pub(crate) fn power(&mut self, counter_uj: i64, now: Duration) -> Result<f64, NoData> {
        let Some((last_uj, last_at)) = self.last else {
            self.last = Some((counter_uj, now));
            return Err(NoData::NoHistory);
        };
        let elapsed = now.saturating_sub(last_at);
        if elapsed < SHORTEST {
            return self.power_watts.ok_or(NoData::NoHistory);
        }
        self.last = Some((counter_uj, now));
        self.power_watts = self.difference(last_uj, counter_uj).map(|used_uj| {
            #[expect(clippy::cast_precision_loss, reason = "a difference is far below 2^53 µJ")]
            let used_joules = used_uj as f64 / MICRO;
            used_joules / elapsed.as_secs_f64()
        });
        self.power_watts.ok_or(NoData::NoHistory)
    }

    /// The energy in joules, rising over wraps: from the counter's value at the first reading.
    pub(crate) fn energy(&mut self, counter_uj: i64, now: Duration) -> Result<f64, NoData> {
        match self.last {
            None => self.total_uj = i128::from(counter_uj),
            Some((last_uj, _)) => match self.difference(last_uj, counter_uj) {
                Some(used_uj) => self.total_uj += i128::from(used_uj),
                None => {
                    self.last = Some((counter_uj, now));
                    self.total_uj = i128::from(counter_uj);
                }
            },
        }
        self.last = Some((counter_uj, now));
        #[expect(clippy::cast_precision_loss, reason = "2^53 µJ are 2,500 kWh; then µJ round")]
        let joules = self.total_uj as f64 / MICRO;
        Ok(joules)
    }

    fn difference(&self, from_uj: i64, to_uj: i64) -> Option<i64> {
        if to_uj >= from_uj {
            return Some(to_uj - from_uj);
        }
        let range_uj = self.range_uj?;
        (from_uj <= range_uj).then(|| range_uj - from_uj + to_uj)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE_UJ: i64 = 262_143_328_850;

    #[test]
    fn power_is_right_across_a_wrap() {
        let mut meter = EnergyMeter::new(Some(RANGE_UJ));
        let second = Duration::from_secs(1);
        assert_eq!(meter.power(RANGE_UJ - 50_000_000, second), Err(NoData::NoHistory));
        assert_eq!(meter.power(150_000_000, second * 2), Ok(200.0));
        assert_eq!(meter.power(350_000_000, second * 3), Ok(200.0));
    }

    #[test]
    fn a_counter_of_unknown_range_that_falls_gives_no_power() {
        let mut meter = EnergyMeter::new(None);
        let second = Duration::from_secs(1);
        assert_eq!(meter.power(5_000_000, second), Err(NoData::NoHistory));
        assert_eq!(meter.power(1_000_000, second * 2), Err(NoData::NoHistory));
        assert_eq!(meter.power(3_000_000, second * 3), Ok(2.0));
    }

    #[test]
    fn two_readings_at_once_repeat_the_last_power() {
        let mut meter = EnergyMeter::new(None);
        let second = Duration::from_secs(1);
        assert_eq!(meter.power(0, second), Err(NoData::NoHistory));
        assert_eq!(meter.power(7_000_000, second * 2), Ok(7.0));
        assert_eq!(meter.power(7_000_000, second * 2), Ok(7.0));
    }

    #[test]
    fn energy_rises_over_a_wrap() {
        let mut meter = EnergyMeter::new(Some(RANGE_UJ));
        assert_eq!(meter.energy(RANGE_UJ, Duration::ZERO), Ok(262_143.328_85));
        assert_eq!(meter.energy(1_000_000, Duration::ZERO), Ok(262_144.328_85));
    }
}
