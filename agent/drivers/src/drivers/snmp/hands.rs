//! Switching by one SET on a session of its own, and the GET that shows what became of it.

use super::client::{Answer, Client};
use super::plan::{Item, Purpose, Switch, standing};
use crate::driver::{Deadline, Hands};
use flyball_command::ResetType;
use flyball_driver_messages::{ActuatorState, Deed, DeedError, DeedFault};
use std::time::Duration;

pub(super) struct SnmpHands {
    client: Client,
    timeout: Duration,
    items: Vec<Item>,
}

impl SnmpHands {
    pub(super) const fn new(client: Client, timeout: Duration, items: Vec<Item>) -> Self {
        Self { client, timeout, items }
    }
}

impl Hands for SnmpHands {
    fn act(
        &mut self,
        actuator: u16,
        deed: &Deed,
        deadline: Deadline,
    ) -> Result<ActuatorState, DeedError> {
        let found = self.items.iter().find(|item| match item.purpose {
            Purpose::Number { .. } | Purpose::Flag { .. } => false,
            Purpose::Switch { index, .. } | Purpose::Level { index, .. } => index == actuator,
        });
        let Some(item) = found else { return Err(DeedError::no_actuator()) };
        let raw = raw_of(&item.purpose, deed)?;
        let mut client = self.client.within(deadline.at_most(self.timeout));
        if let Some(raw) = raw {
            client.set(&item.object, raw)?;
        }
        let answer = client.get(std::slice::from_ref(&item.object))?.pop();
        let answer = answer.unwrap_or(Answer::Absent);
        if let (Some(raw), Purpose::Level { level, .. }, Ok(seen)) =
            (raw, &item.purpose, answer.number())
        {
            #[expect(clippy::cast_precision_loss, reason = "levels are small numbers")]
            if !level.agrees(raw as f64, seen) {
                let text = format!("{raw} was set, and {seen} is read back");
                return Err(DeedError::new(DeedFault::NotConfirmed, text));
            }
        }
        Ok(standing(&item.purpose, &answer))
    }
}

/// The raw value that `deed` asks for; `None` where it asks for nothing.
fn raw_of(purpose: &Purpose, deed: &Deed) -> Result<Option<i64>, DeedError> {
    #[expect(clippy::cast_possible_truncation, reason = "levels are small numbers")]
    let whole = |raw: f64| Some(raw.round() as i64);
    match (purpose, deed) {
        (_, Deed::Observe) => Ok(None),
        (Purpose::Switch { switch, .. }, Deed::Reset(verb)) => verb_of(*switch, *verb).map(Some),
        (Purpose::Level { level, .. }, Deed::SetLevel(value)) => level.raw(*value).map(whole),
        (Purpose::Level { level, .. }, Deed::SetWord(word)) => level.raw_of_word(word).map(whole),
        (_, deed) => Err(DeedError::of_another_kind(deed)),
    }
}

fn verb_of(switch: Switch, verb: ResetType) -> Result<i64, DeedError> {
    let unknown = || DeedError::unsupported(format!("an outlet has no {}", verb.name()));
    match verb {
        ResetType::On => Ok(switch.on),
        ResetType::ForceOff => Ok(switch.off),
        ResetType::PowerCycle => switch.cycle.ok_or_else(unknown),
        ResetType::GracefulShutdown
        | ResetType::GracefulRestart
        | ResetType::ForceRestart
        | ResetType::Nmi
        | ResetType::Suspend => Err(unknown()),
    }
}
