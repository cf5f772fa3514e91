//! When a schedule comes: every so many seconds, or at a time of day on some days of the week.

use jiff::civil::{self, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// No schedule comes more often than every minute, or more rarely than every year.
const EVERY_S: std::ops::RangeInclusive<u64> = 60..=366 * 24 * 60 * 60;
/// Days that are looked through for the next time: a week and a day, and one that a clock change
/// took away.
const LOOKED_THROUGH: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<Weekday> for civil::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    Every {
        seconds: u64,
    },
    At {
        hour: i8,
        minute: i8,
        /// Every day where empty.
        days: Vec<Weekday>,
        /// Of the IANA database.
        timezone: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CadenceError {
    #[error("has to be {} to {} seconds", EVERY_S.start(), EVERY_S.end())]
    Every,
    #[error("has to be a time of day such as 03:30")]
    Time,
    #[error("names a day more than once")]
    Days,
    #[error("is no time zone that this server knows, such as Europe/Vienna or UTC")]
    Timezone,
}

impl Cadence {
    /// # Errors
    /// Where the interval is out of its bounds.
    pub fn every(seconds: u64) -> Result<Self, CadenceError> {
        if EVERY_S.contains(&seconds) {
            Ok(Self::Every { seconds })
        } else {
            Err(CadenceError::Every)
        }
    }

    /// # Errors
    /// Where `time` is no time of day, a day stands there twice or the zone is unknown.
    pub fn at(time: &str, days: Vec<Weekday>, timezone: &str) -> Result<Self, CadenceError> {
        let (hour, minute) = time.split_once(':').ok_or(CadenceError::Time)?;
        let number = |text: &str| {
            let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<i8>().ok()).flatten().ok_or(CadenceError::Time)
        };
        let (hour, minute) = (number(hour)?, number(minute)?);
        Time::new(hour, minute, 0, 0).map_err(|_| CadenceError::Time)?;
        if days.iter().enumerate().any(|(at, day)| days[..at].contains(day)) {
            return Err(CadenceError::Days);
        }
        zone(timezone).ok_or(CadenceError::Timezone)?;
        Ok(Self::At { hour, minute, days, timezone: timezone.to_owned() })
    }

    /// The first time after `after_ms`. A time that a clock change leaves out comes as much later.
    #[must_use]
    pub fn next(&self, after_ms: u64) -> u64 {
        match self {
            Self::Every { seconds } => after_ms.saturating_add(seconds * 1_000),
            Self::At { hour, minute, days, timezone } => {
                next_at(*hour, *minute, days, timezone, after_ms)
                    // Times beyond the calendar.
                    .unwrap_or(u64::MAX / 2)
            }
        }
    }
}

fn next_at(hour: i8, minute: i8, days: &[Weekday], timezone: &str, after_ms: u64) -> Option<u64> {
    let after = Timestamp::from_millisecond(i64::try_from(after_ms).ok()?).ok()?;
    // A zone that has left the database since is read as UTC rather than never.
    let zone = zone(timezone).unwrap_or(TimeZone::UTC);
    let time = Time::new(hour, minute, 0, 0).ok()?;
    let mut date = after.to_zoned(zone.clone()).date();
    for _ in 0..LOOKED_THROUGH {
        let wanted = |day: &Weekday| civil::Weekday::from(*day) == date.weekday();
        if days.is_empty() || days.iter().any(wanted) {
            let at = date.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp();
            if at > after {
                return u64::try_from(at.as_millisecond()).ok();
            }
        }
        date = date.checked_add(1.day()).ok()?;
    }
    None
}

fn zone(name: &str) -> Option<TimeZone> {
    if name == "UTC" { Some(TimeZone::UTC) } else { TimeZone::get(name).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> u64 {
        u64::try_from(text.parse::<Timestamp>().unwrap().as_millisecond()).unwrap()
    }

    #[test]
    fn a_time_of_day_comes_today_or_on_the_next_day_that_is_named() {
        let daily = Cadence::at("03:30", vec![], "UTC").unwrap();
        assert_eq!(daily.next(ms("2026-11-22T03:29:59Z")), ms("2026-11-22T03:30:00Z"));
        assert_eq!(daily.next(ms("2026-11-22T03:30:00Z")), ms("2026-11-23T03:30:00Z"));
        // 22 November 2026 is a Sunday.
        let days = vec![Weekday::Friday, Weekday::Sunday];
        let weekly = Cadence::at("12:00", days, "UTC").unwrap();
        assert_eq!(weekly.next(ms("2026-11-22T11:00:00Z")), ms("2026-11-22T12:00:00Z"));
        assert_eq!(weekly.next(ms("2026-11-22T12:00:00Z")), ms("2026-11-27T12:00:00Z"));
    }

    #[test]
    fn an_interval_counts_from_the_time_before() {
        assert_eq!(Cadence::every(60).unwrap().next(1_000), 61_000);
        assert_eq!(Cadence::every(59), Err(CadenceError::Every));
        assert_eq!(Cadence::every(u64::MAX), Err(CadenceError::Every));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for time in ["3:30", "24:00", "12:60", "noon", "12:00:00", "+1:00", ""] {
            assert_eq!(Cadence::at(time, vec![], "UTC"), Err(CadenceError::Time), "{time}");
        }
        let twice = vec![Weekday::Monday, Weekday::Monday];
        assert_eq!(Cadence::at("12:00", twice, "UTC"), Err(CadenceError::Days));
        assert_eq!(Cadence::at("12:00", vec![], "Mars/Base"), Err(CadenceError::Timezone));
    }

    #[test]
    fn a_zone_moves_with_its_summer_time() {
        let Ok(vienna) = Cadence::at("02:30", vec![], "Europe/Vienna") else {
            eprintln!("skipped: no time zones are installed");
            return;
        };
        assert_eq!(vienna.next(ms("2026-01-10T00:00:00Z")), ms("2026-01-10T01:30:00Z"));
        assert_eq!(vienna.next(ms("2026-07-10T00:00:00Z")), ms("2026-07-10T00:30:00Z"));
        // On 29 March 2026 there is no 02:30.
        assert_eq!(vienna.next(ms("2026-03-28T23:00:00Z")), ms("2026-03-29T01:30:00Z"));
    }
}
