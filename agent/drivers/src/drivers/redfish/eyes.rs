//! Looking at a BMC: every document once a round.

use super::http::{Client, Trouble};
use super::log_entries::LogEntries;
use super::plan::{Document, Number, Plan, reason_of};
use super::reading::{self, text};
use super::standing::standing;
use crate::clock::Clock;
use crate::driver::{Eyes, Look};
use flyball_driver_messages::{ActuatorState, Fault, Reading, Round};
use flyball_units::NoData;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A collection is asked again whether its members are still the same, every so many rounds.
const ROUNDS_PER_CENSUS: u32 = 20;
/// A `ReadingTime` that has stood for three polls, and for this long, is a sensor that stands.
const SHORTEST_STALE: Duration = Duration::from_secs(30);

pub(super) struct RedfishEyes {
    client: Arc<Client>,
    clock: Clock,
    documents: Vec<Document>,
    collections: Vec<(String, usize)>,
    log: Option<LogEntries>,
    stale: Duration,
    /// Of sensors that say when they were read: what they said, and since when.
    read_at: HashMap<u16, (String, Duration)>,
    rounds: u32,
}

impl RedfishEyes {
    pub(super) fn new(client: Arc<Client>, clock: Clock, plan: Plan, poll: Duration) -> Self {
        Self {
            client,
            clock,
            documents: plan.documents,
            collections: plan.collections,
            log: plan.log.map(LogEntries::new),
            stale: (poll * 3).max(SHORTEST_STALE),
            read_at: HashMap::new(),
            rounds: 0,
        }
    }

    /// Whether a collection of sensors has another number of members than it had.
    fn has_changed(&self, path: &str, known: usize) -> Result<bool, Fault> {
        let body = match self.client.get(path) {
            Ok(answer) => answer.body,
            Err(Trouble::Broken(fault)) => return Err(fault),
            // What can't be had says nothing.
            Err(Trouble::Status { .. }) => return Ok(false),
        };
        let members = body.get("Members").and_then(Value::as_array).map(Vec::len);
        Ok(members.is_some_and(|members| members != known))
    }
}

impl Eyes for RedfishEyes {
    fn look(&mut self) -> Result<Look, Fault> {
        if self.rounds > 0 && self.rounds.is_multiple_of(ROUNDS_PER_CENSUS) {
            for (path, known) in &self.collections {
                if self.has_changed(path, *known)? {
                    self.rounds += 1;
                    return Ok(Look::Changed);
                }
            }
        }
        let mut round = Round::default();
        let mut refused = None;
        let mut seen = 0;
        for document in &self.documents {
            match self.client.get(&document.path) {
                Ok(answer) => {
                    seen += 1;
                    let now = self.clock.now();
                    for number in &document.numbers {
                        let value = take(number, &answer.body, &mut self.read_at, now, self.stale);
                        round.readings.push(Reading { sensor: number.sensor, value });
                    }
                    let states = document.states.iter();
                    round
                        .states
                        .extend(states.map(|s| (s.actuator, standing(&s.form, &answer.body))));
                }
                Err(Trouble::Broken(fault)) => return Err(fault),
                Err(trouble) => {
                    let reason = trouble.status().map_or(NoData::Fault, reason_of);
                    absent(document, reason, &mut round);
                    refused = Some(trouble);
                }
            }
        }
        if let Some(trouble) = refused
            && seen == 0
        {
            return Err(trouble.into());
        }
        if let Some(log) = &mut self.log {
            round.notices = log.read(&self.client, self.rounds)?;
        }
        self.rounds = self.rounds.wrapping_add(1);
        Ok(Look::Seen(round))
    }
}

fn take(
    number: &Number,
    body: &Value,
    read_at: &mut HashMap<u16, (String, Duration)>,
    now: Duration,
    stale: Duration,
) -> Result<f64, NoData> {
    let object = number.place.find(body).ok_or(NoData::Missing)?;
    let value = reading::value(object, number.key)? * number.factor;
    // The BMC's clock may be years off: what counts is whether it moves.
    let Some(time) = text(object, "ReadingTime") else {
        return Ok(value);
    };
    let stands = read_at.entry(number.sensor).or_insert_with(|| (time.clone(), now));
    if stands.0 != time {
        *stands = (time, now);
    }
    if now.saturating_sub(stands.1) > stale { Err(NoData::Stale) } else { Ok(value) }
}

fn absent(document: &Document, reason: NoData, round: &mut Round) {
    let value = Err(reason);
    let numbers = document.numbers.iter();
    round.readings.extend(numbers.map(|number| Reading { sensor: number.sensor, value }));
    let states = document.states.iter();
    round.states.extend(states.map(|s| (s.actuator, ActuatorState::Unknown(reason))));
}

#[cfg(test)]
mod tests {
    use super::super::plan::Place;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reading_whose_time_stands_is_stale_and_lives_again_when_it_moves() {
        let number = Number { sensor: 0, place: Place::Whole, key: "Reading", factor: 1.0 };
        let mut read_at = HashMap::new();
        let stale = Duration::from_secs(30);
        let mut at = |seconds: u64, time: &str| {
            let body = json!({ "Reading": 90, "ReadingTime": time });
            take(&number, &body, &mut read_at, Duration::from_secs(seconds), stale)
        };
        assert_eq!(at(0, "2019-08-13T04:14:33+06:00"), Ok(90.0));
        assert_eq!(at(30, "2019-08-13T04:14:33+06:00"), Ok(90.0));
        assert_eq!(at(31, "2019-08-13T04:14:33+06:00"), Err(NoData::Stale));
        assert_eq!(at(32, "2019-08-13T04:14:34+06:00"), Ok(90.0));
    }
}
