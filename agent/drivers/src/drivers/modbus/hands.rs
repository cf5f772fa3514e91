//! Setting what a unit takes: within the range, written once, read back.

use super::Target;
use super::client::Client;
use super::eyes::standing;
use super::plan::{Item, Purpose};
use crate::driver::{Deadline, Hands};
use flyball_command::ResetType;
use flyball_driver_messages::{ActuatorState, Deed, DeedError, DeedFault};

pub(super) struct ModbusHands {
    target: Target,
    items: Vec<Item>,
}

impl ModbusHands {
    pub(super) const fn new(target: Target, items: Vec<Item>) -> Self {
        Self { target, items }
    }
}

impl Hands for ModbusHands {
    fn act(
        &mut self,
        actuator: u16,
        deed: &Deed,
        deadline: Deadline,
    ) -> Result<ActuatorState, DeedError> {
        let found = self.items.iter().find(|item| match item.purpose {
            Purpose::Sensor { .. } => false,
            Purpose::Switch { index, .. } | Purpose::Level { index, .. } => index == actuator,
        });
        let Some(item) = found else { return Err(DeedError::no_actuator()) };
        let raw = raw_of(item, deed)?;
        let timeout = deadline.at_most(self.target.timeout);
        let mut client = self.target.connect(timeout)?;
        let Some(raw) = raw else { return Ok(standing(item, read(&mut client, item)?)) };
        let Some(words) = item.place.encode(raw) else {
            return Err(DeedError::unsupported(format!("{raw} does not fit into its register")));
        };
        client.write(item.place.table, item.place.address, &words)?;
        let seen = read(&mut client, item)?;
        let agrees = match item.purpose {
            Purpose::Level { level, .. } => level.agrees(raw, seen),
            Purpose::Switch { .. } | Purpose::Sensor { .. } => (seen - raw).abs() < 0.5,
        };
        if !agrees {
            let text = format!("{raw} was written to its register, and {seen} is read back");
            return Err(DeedError::new(DeedFault::NotConfirmed, text));
        }
        Ok(standing(item, seen))
    }
}

/// The raw value that `deed` asks for; `None` where it asks for nothing.
fn raw_of(item: &Item, deed: &Deed) -> Result<Option<f64>, DeedError> {
    #[expect(clippy::cast_precision_loss, reason = "what does not fit a register is refused")]
    let switched = |value: i64| Ok(Some(value as f64));
    match (&item.purpose, deed) {
        (_, Deed::Observe) => Ok(None),
        (Purpose::Switch { on, .. }, Deed::Reset(ResetType::On)) => switched(*on),
        (Purpose::Switch { off, .. }, Deed::Reset(ResetType::ForceOff)) => switched(*off),
        (Purpose::Level { level, .. }, Deed::SetLevel(value)) => level.raw(*value).map(Some),
        (Purpose::Level { level, .. }, Deed::SetWord(word)) => level.raw_of_word(word).map(Some),
        (_, deed) => Err(DeedError::of_another_kind(deed)),
    }
}

fn read(client: &mut Client, item: &Item) -> Result<f64, DeedError> {
    let place = item.place;
    let words = client.read(place.table, place.address, place.registers())?;
    let nonsense = || DeedError::new(DeedFault::Failed, "its register reads back as no number");
    place.decode(&words).ok_or_else(nonsense)
}
