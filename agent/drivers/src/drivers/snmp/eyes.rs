//! One look at a device: the objects of its plan, twenty to a request.

use super::client::{Answer, Client};
use super::object::ObjectId;
use super::plan::{Item, Purpose, standing};
use crate::driver::{Eyes, Look};
use crate::points;
use flyball_driver_messages::{Fault, Reading, Round};
use flyball_units::NoData;

pub(super) struct SnmpEyes {
    client: Client,
    items: Vec<Item>,
    /// Each object once, in order: flags of one word share one.
    objects: Vec<ObjectId>,
}

impl SnmpEyes {
    pub(super) fn new(client: Client, items: Vec<Item>) -> Self {
        let mut objects: Vec<ObjectId> = items.iter().map(|item| item.object.clone()).collect();
        objects.sort();
        objects.dedup();
        Self { client, items, objects }
    }
}

impl Eyes for SnmpEyes {
    fn look(&mut self) -> Result<Look, Fault> {
        let answers = self.client.get(&self.objects)?;
        let of = |object: &ObjectId| {
            let at = self.objects.binary_search(object).ok();
            at.and_then(|at| answers.get(at)).unwrap_or(&Answer::Absent)
        };
        let mut round = Round::default();
        for Item { object, purpose } in &self.items {
            let answer = of(object);
            match purpose {
                Purpose::Number { index, scale, least } => {
                    let value = answer.number().and_then(|raw| number(raw, *scale, *least));
                    round.readings.push(Reading { sensor: *index, value });
                }
                Purpose::Flag { index, of } => {
                    let value = answer.integer().map(|raw| f64::from(u8::from(of.contains(&raw))));
                    round.readings.push(Reading { sensor: *index, value });
                }
                Purpose::Switch { index, .. } | Purpose::Level { index, .. } => {
                    round.states.push((*index, standing(purpose, answer)));
                }
            }
        }
        Ok(Look::Seen(round))
    }
}

/// Devices answer -1 for what they do not measure.
fn number(raw: f64, scale: f64, least: f64) -> Result<f64, NoData> {
    if raw * scale < least { Err(NoData::Missing) } else { points::reading(raw, scale) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_one_is_no_measurement() {
        assert_eq!(number(-1.0, 10.0, 0.0), Err(NoData::Missing));
        assert_eq!(number(121.0, 10.0, 0.0), Ok(1210.0));
        assert_eq!(number(-1.0, 1.0, -55.0), Ok(-1.0));
    }
}
