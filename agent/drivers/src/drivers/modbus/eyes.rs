//! One look at a unit: every block of registers, each answered or with its reason.

use super::Target;
use super::client::{Client, ModbusError};
use super::plan::{self, Block, Item, Purpose};
use crate::driver::{Eyes, Look};
use crate::points;
use flyball_driver_messages::{ActuatorState, Fault, Reading, Round};
use flyball_units::NoData;

pub(super) struct ModbusEyes {
    target: Target,
    client: Option<Client>,
    blocks: Vec<Block>,
}

impl ModbusEyes {
    pub(super) fn new(target: Target, client: Client, items: &[Item]) -> Self {
        Self { target, client: Some(client), blocks: plan::blocks(items) }
    }

    fn round(&mut self, client: &mut Client) -> Result<Round, ModbusError> {
        let mut round = Round::default();
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for block in self.blocks.drain(..).collect::<Vec<_>>() {
            match read(client, &block, &mut round) {
                Ok(()) => blocks.push(block),
                // One register that isn't there spoils its whole block: from now on apart.
                Err(error) if error.reason().is_some() && block.items.len() > 1 => {
                    for apart in block.items.into_iter().map(plan::alone) {
                        read_alone(client, &apart, &mut round)?;
                        blocks.push(apart);
                    }
                }
                Err(error) => match error.reason() {
                    Some(reason) => {
                        put(&mut round, &block, Err(reason));
                        blocks.push(block);
                    }
                    None => return Err(error),
                },
            }
        }
        self.blocks = blocks;
        Ok(round)
    }
}

fn read(client: &mut Client, block: &Block, round: &mut Round) -> Result<(), ModbusError> {
    let words = client.read(block.table, block.first, block.count)?;
    put(round, block, Ok(&words));
    Ok(())
}

fn read_alone(client: &mut Client, block: &Block, round: &mut Round) -> Result<(), ModbusError> {
    match read(client, block, round) {
        Ok(()) => Ok(()),
        Err(error) => match error.reason() {
            Some(reason) => {
                put(round, block, Err(reason));
                Ok(())
            }
            None => Err(error),
        },
    }
}

fn put(round: &mut Round, block: &Block, words: Result<&[u16], NoData>) {
    for item in &block.items {
        let raw = words.and_then(|words| {
            let at = usize::from(item.place.address - block.first);
            item.place.decode(words.get(at..).unwrap_or_default()).ok_or(NoData::Unparsable)
        });
        match item.purpose {
            Purpose::Sensor { index, scale } => {
                let value = raw.and_then(|raw| points::reading(raw, scale));
                round.readings.push(Reading { sensor: index, value });
            }
            Purpose::Switch { index, .. } | Purpose::Level { index, .. } => {
                let state = raw.map_or_else(ActuatorState::Unknown, |raw| standing(item, raw));
                round.states.push((index, state));
            }
        }
    }
}

/// Where the actuator of `item` stands by this raw value.
pub(super) fn standing(item: &Item, raw: f64) -> ActuatorState {
    match item.purpose {
        #[expect(clippy::cast_possible_truncation, reason = "a register holds at most 32 bits")]
        Purpose::Switch { on, off, .. } => points::switched(raw as i64, on, off),
        Purpose::Level { level, .. } => level.standing(raw),
        Purpose::Sensor { .. } => ActuatorState::Unknown(NoData::Missing),
    }
}

impl Eyes for ModbusEyes {
    fn look(&mut self) -> Result<Look, Fault> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => self.target.connect(self.target.timeout)?,
        };
        // After an exchange that failed the connection may still bring the old answer.
        let kept = self.blocks.clone();
        match self.round(&mut client) {
            Ok(round) => {
                self.client = Some(client);
                Ok(Look::Seen(round))
            }
            Err(error) => {
                self.blocks = kept;
                Err(error.into())
            }
        }
    }
}
