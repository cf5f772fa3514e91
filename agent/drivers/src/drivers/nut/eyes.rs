//! One look at a UPS: everything that upsd says of it, in one exchange.

use super::client::Client;
use super::plan::{Plan, Source, identity, quantities};
use super::status::{FLAGS, Status};
use super::variables::Variables;
use super::{Target, variables_of};
use crate::driver::{Eyes, Look};
use flyball_driver_messages::{ActuatorState, Fault, Notice, Reading, Round, bounded};
use flyball_guard_messages::Severity;
use flyball_units::NoData;
use std::collections::BTreeSet;

pub(super) struct NutEyes {
    target: Target,
    client: Option<Client>,
    plan: Plan,
    seen: BTreeSet<String>,
    /// What was said last, to tell what is new.
    status: Status,
    alarm: String,
}

impl NutEyes {
    pub(super) fn new(target: Target, client: Client, plan: Plan, seen: BTreeSet<String>) -> Self {
        let (status, alarm) = (Status::default(), String::new());
        Self { target, client: Some(client), plan, seen, status, alarm }
    }

    fn round(&mut self, variables: &Variables) -> Round {
        let status = variables.get("ups.status").map(|text| Status::parse(text));
        let status = status.filter(Status::is_known);
        let value = |source: &Source| match (source, &status) {
            (Source::Variable { name, measure }, _) => measure.read(variables.get(name)),
            (Source::Flag(flag), Some(status)) => Ok(f64::from(u8::from(status.holds(flag.when)))),
            (Source::Flag(_), None) => Err(NoData::Missing),
        };
        let readings = self.plan.sources.iter();
        let states = self.plan.switches.iter();
        let round = Round {
            readings: readings
                .map(|(sensor, source)| Reading { sensor: *sensor, value: value(source) })
                .collect(),
            states: states.map(|(index, switch)| (*index, switch.standing(variables))).collect(),
            notices: Vec::new(),
            took_ms: 0,
        };
        let notices = self.news(status, variables.get("ups.alarm"));
        Round { notices, ..round }
    }

    /// What began since the last look.
    fn news(&mut self, status: Option<Status>, alarm: Option<&String>) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut tell = |severity, message: &str| {
            let (subject, message) = (self.target.ups.clone(), bounded(message));
            notices.push(Notice { severity, subject, message });
        };
        if let Some(status) = status {
            for flag in FLAGS {
                let (was, is) = (self.status.holds(flag.when), status.holds(flag.when));
                match flag.severity {
                    Some(severity) if is && !was => tell(severity, flag.label),
                    Some(_) if was && !is => {
                        tell(Severity::Info, &format!("No longer: {}", flag.label))
                    }
                    Some(_) | None => {}
                }
            }
            self.status = status;
        }
        let alarm = alarm.map_or("", |text| text.trim());
        if alarm != self.alarm {
            if !alarm.is_empty() {
                tell(Severity::Warning, &format!("Alarm: {alarm}"));
            }
            alarm.clone_into(&mut self.alarm);
        }
        notices
    }

    /// A round in which nothing has a value.
    fn absent(&self, reason: NoData) -> Round {
        let readings = self.plan.sources.iter();
        let states = self.plan.switches.iter();
        Round {
            readings: readings
                .map(|(sensor, _)| Reading { sensor: *sensor, value: Err(reason) })
                .collect(),
            states: states.map(|(index, _)| (*index, ActuatorState::Unknown(reason))).collect(),
            ..Round::default()
        }
    }
}

impl Eyes for NutEyes {
    fn look(&mut self) -> Result<Look, Fault> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(&self.target, self.target.timeout)?,
        };
        let variables = match variables_of(&mut client, &self.target.ups) {
            Ok(variables) => variables,
            Err(error) => {
                let reason = match error.code() {
                    Some("DATA-STALE") => NoData::Stale,
                    Some("DRIVER-NOT-CONNECTED") => NoData::Missing,
                    // The connection is in an unknown state; the next look makes a new one.
                    Some(_) | None => return Err(error.into()),
                };
                self.client = Some(client);
                return Ok(Look::Seen(self.absent(reason)));
            }
        };
        self.client = Some(client);
        let is_new = quantities(&variables).any(|name| !self.seen.contains(&name));
        if is_new || identity(&variables) != self.plan.described.identity {
            return Ok(Look::Changed);
        }
        Ok(Look::Seen(self.round(&variables)))
    }
}
