//! Acting on a BMC: each deed within its deadline, each read back.

use super::http::{Client, Trouble};
use super::plan::{Drive, LimitForm, StandingForm};
use super::standing::standing;
use crate::driver::{Deadline, Hands};
use flyball_command::ResetType;
use flyball_driver_messages::{ActuatorEntry, ActuatorState, Deed, DeedError, DeedFault, Fault};
use serde_json::{Value, json};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What a BMC takes to show what it has taken.
const READ_BACKS: u32 = 6;
const BETWEEN_READ_BACKS: Duration = Duration::from_millis(500);

pub(super) struct RedfishHands {
    client: Arc<Client>,
    entries: Vec<ActuatorEntry>,
    drives: Vec<Drive>,
}

impl RedfishHands {
    pub(super) fn new(
        client: Arc<Client>,
        entries: Vec<ActuatorEntry>,
        drives: Vec<Drive>,
    ) -> Self {
        Self { client, entries, drives }
    }
}

impl Hands for RedfishHands {
    fn act(
        &mut self,
        actuator: u16,
        deed: &Deed,
        deadline: Deadline,
    ) -> Result<ActuatorState, DeedError> {
        let index = usize::from(actuator);
        let (Some(entry), Some(drive)) = (self.entries.get(index), self.drives.get(index)) else {
            return Err(DeedError::no_actuator());
        };
        let turn = Turn { client: &self.client, entry, deadline };
        match (drive, deed) {
            (_, Deed::Observe) => turn.observe(drive),
            (Drive::Switch { system, reset }, Deed::Reset(verb)) => {
                turn.reset(system, reset.as_deref(), *verb)
            }
            (Drive::Switch { system, .. }, Deed::BootOnce(source)) => {
                turn.boot_once(system, source)
            }
            (Drive::Light { resource, form }, Deed::SetLit(lit)) => {
                turn.light(resource, form, *lit)
            }
            (Drive::Limit { .. }, Deed::SetLevel(watts)) => turn.limit(drive, Some(*watts)),
            (Drive::Limit { .. }, Deed::ClearLevel) => turn.limit(drive, None),
            (_, deed) => Err(DeedError::of_another_kind(deed)),
        }
    }

    fn leave(&mut self) {
        self.client.leave();
    }
}

/// One deed on one actuator.
struct Turn<'a> {
    client: &'a Client,
    entry: &'a ActuatorEntry,
    deadline: Deadline,
}

impl Turn<'_> {
    fn most(&self) -> Result<Duration, DeedError> {
        match self.deadline.left() {
            Some(_) => Ok(self.deadline.at_most(self.client.timeout())),
            None => Err(DeedError::new(
                DeedFault::Failed,
                "the time for it passed before it was read back; look where it stands",
            )),
        }
    }

    fn look(&self, path: &str) -> Result<Value, DeedError> {
        Ok(self.client.get_within(path, self.most()?).map_err(failed)?.body)
    }

    fn observe(&self, drive: &Drive) -> Result<ActuatorState, DeedError> {
        let (path, form) = match drive {
            Drive::Switch { system, .. } => (system, StandingForm::Power),
            Drive::Light { resource, form } => (resource, form.clone()),
            Drive::Limit { resource, pointer, form } => {
                (resource, StandingForm::Limit { pointer: pointer.clone(), form: *form })
            }
        };
        Ok(standing(&form, &self.look(path)?))
    }

    fn reset(
        &self,
        system: &str,
        target: Option<&str>,
        verb: ResetType,
    ) -> Result<ActuatorState, DeedError> {
        let Some(target) = target.filter(|_| self.entry.verbs.contains(&verb)) else {
            return Err(DeedError::unsupported(format!("it offers no {}", verb.name())));
        };
        let body = json!({ "ResetType": verb.name() });
        self.client.post(target, &body, self.most()?).map_err(failed)?;
        Ok(standing(&StandingForm::Power, &self.look(system)?))
    }

    fn boot_once(&self, system: &str, source: &str) -> Result<ActuatorState, DeedError> {
        if !self.entry.words.iter().any(|word| word == source) {
            let known = self.entry.words.join(", ");
            return Err(DeedError::unsupported(format!("it starts from one of: {known}")));
        }
        let boot = json!({ "Boot": {
            "BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": source } });
        self.patch(system, &boot)?;
        let seen = self.read_back(system, |body| {
            let at = |key: &str| body.pointer(key).and_then(Value::as_str);
            at("/Boot/BootSourceOverrideTarget") == Some(source)
                && at("/Boot/BootSourceOverrideEnabled") == Some("Once")
        })?;
        match seen {
            Ok(_) => Ok(ActuatorState::Word(source.to_owned())),
            Err(body) => Err(not_confirmed(&format!(
                "it was told to start once from {source} and reads back {}",
                body.get("Boot").unwrap_or(&Value::Null)
            ))),
        }
    }

    fn light(
        &self,
        resource: &str,
        form: &StandingForm,
        lit: bool,
    ) -> Result<ActuatorState, DeedError> {
        match form {
            StandingForm::Locator => {
                self.patch(resource, &json!({ "LocationIndicatorActive": lit }))?;
            }
            _ if !lit => self.patch(resource, &json!({ "IndicatorLED": "Off" }))?,
            // Some know one word of the two.
            _ => match self.patch(resource, &json!({ "IndicatorLED": "Blinking" })) {
                Err(error) if error.kind == DeedFault::Refused => {
                    self.patch(resource, &json!({ "IndicatorLED": "Lit" }))?;
                }
                outcome => outcome?,
            },
        }
        let wanted = ActuatorState::Lit(lit);
        match self.read_back(resource, |body| standing(form, body) == wanted)? {
            Ok(_) => Ok(wanted),
            Err(body) => Err(not_confirmed(&format!(
                "the light was told {} and reads back {}",
                if lit { "on" } else { "off" },
                words(&standing(form, &body))
            ))),
        }
    }

    /// Sets the power limit, or takes it away.
    fn limit(&self, drive: &Drive, watts: Option<f64>) -> Result<ActuatorState, DeedError> {
        let Drive::Limit { resource, pointer, form } = drive else {
            return Err(DeedError::unsupported("it is no power limit"));
        };
        let (min, max) = (self.entry.min, self.entry.max);
        if let Some(watts) = watts
            && !(watts >= min && watts <= max)
        {
            let message = format!("{watts} W is outside {min} to {max} W");
            return Err(DeedError::new(DeedFault::Refused, message));
        }
        let value = match (form, watts) {
            (LimitForm::SetPoint, Some(watts)) => {
                json!({ "SetPoint": watts, "ControlMode": "Automatic" })
            }
            (LimitForm::SetPoint, None) => json!({ "ControlMode": "Disabled" }),
            (LimitForm::LimitInWatts, watts) => json!({ "LimitInWatts": watts }),
        };
        self.patch(resource, &nested(pointer, value))?;
        let form = StandingForm::Limit { pointer: pointer.clone(), form: *form };
        let quantum = self.entry.quantum;
        let agrees = |state: &ActuatorState| match (state, watts) {
            (ActuatorState::Level(level), Some(watts)) => (level - watts).abs() <= quantum,
            (ActuatorState::Automatic, None) => true,
            _ => false,
        };
        let seen = self.read_back(resource, |body| agrees(&standing(&form, body)))?;
        let asked = watts.map_or("no limit".to_owned(), |watts| format!("{watts} W"));
        seen.map(|body| standing(&form, &body)).map_err(|body| {
            let found = words(&standing(&form, &body));
            not_confirmed(&format!("it was told {asked} and reads back {found}"))
        })
    }

    /// Changes a resource under its `ETag`, which is fetched anew once where it has changed.
    fn patch(&self, path: &str, body: &Value) -> Result<(), DeedError> {
        for last in [false, true] {
            let before = self.client.get_within(path, self.most()?).map_err(failed)?;
            let within = before.body.get("@odata.etag").and_then(Value::as_str);
            let etag = before.etag.as_deref().or(within);
            match self.client.patch(path, body, etag, self.most()?) {
                Ok(_) => return Ok(()),
                Err(Trouble::Status { code: 412 | 428, .. }) if !last => {}
                Err(trouble) => return Err(failed(trouble)),
            }
        }
        Ok(())
    }

    /// Looks until `agrees`, or gives back what it reads in the end.
    fn read_back(
        &self,
        path: &str,
        agrees: impl Fn(&Value) -> bool,
    ) -> Result<Result<Value, Value>, DeedError> {
        let mut tries = 0;
        loop {
            let body = self.look(path)?;
            tries += 1;
            if agrees(&body) {
                return Ok(Ok(body));
            }
            let enough = self.deadline.left().is_none_or(|left| left < 2 * BETWEEN_READ_BACKS);
            if tries == READ_BACKS || enough {
                return Ok(Err(body));
            }
            thread::sleep(BETWEEN_READ_BACKS);
        }
    }
}

/// `value` at `pointer` of an otherwise empty document; what stands before it in an array is
/// left as it is.
fn nested(pointer: &str, value: Value) -> Value {
    pointer.rsplit('/').filter(|part| !part.is_empty()).fold(value, |inner, part| {
        match part.parse::<usize>() {
            Ok(index) => {
                let mut list = vec![json!({}); index.min(16)];
                list.push(inner);
                Value::Array(list)
            }
            Err(_) => json!({ part: inner }),
        }
    })
}

fn words(state: &ActuatorState) -> String {
    match state {
        ActuatorState::Power(state) => state.name().to_owned(),
        ActuatorState::Level(level) => format!("{level} W"),
        ActuatorState::Automatic => "no limit".to_owned(),
        ActuatorState::Lit(true) => "on".to_owned(),
        ActuatorState::Lit(false) => "off".to_owned(),
        ActuatorState::Word(word) => word.clone(),
        ActuatorState::Unknown(reason) => format!("nothing ({})", reason.name()),
    }
}

fn not_confirmed(message: &str) -> DeedError {
    DeedError::new(DeedFault::NotConfirmed, message)
}

fn failed(trouble: Trouble) -> DeedError {
    let kind = match &trouble {
        Trouble::Status { code: 501, .. } => DeedFault::Unsupported,
        Trouble::Status { code: 400..=499, .. } => DeedFault::Refused,
        Trouble::Status { .. } | Trouble::Broken(_) => DeedFault::Failed,
    };
    DeedError { kind, ..Fault::from(trouble).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_written_where_its_pointer_says() {
        let made = nested("/PowerControl/1/PowerLimit", json!({ "LimitInWatts": null }));
        assert_eq!(
            made,
            json!({ "PowerControl": [{}, { "PowerLimit": { "LimitInWatts": null } }] })
        );
        assert_eq!(nested("/PowerLimitWatts", json!(1)), json!({ "PowerLimitWatts": 1 }));
    }
}
