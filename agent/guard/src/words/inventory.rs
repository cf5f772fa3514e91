//! What holds the machine, as it stands: interlocks, locks, trips, actuators.

use super::Teller;
use crate::catalog::{ActuatorEntry, Catalog};
use crate::hands::{number_of_level, number_of_observed};
use flyball_driver_messages::ActuatorState;
use flyball_guard_messages as wire;
use flyball_safety::{ActuatorId, Claim, InterlockId, State, TripCause};
use flyball_units::Unit;

impl Teller<'_> {
    pub(crate) fn interlocks(&self) -> Vec<wire::InterlockSnapshot> {
        let specs = &self.engine.config().plan().interlocks;
        let ids = (0..).map(InterlockId::new);
        ids.zip(&self.names.interlocks)
            .filter_map(|(id, name)| {
                let (spec, view) = (specs.get(id.index())?, self.engine.interlock(id)?);
                let targets = spec.targets.iter();
                let conditions = self.engine.conditions(id).zip(&name.conditions);
                Some(wire::InterlockSnapshot {
                    name: name.name.clone(),
                    reason: name.reason.clone(),
                    targets: targets.map(|id| self.names.actuator(*id).to_owned()).collect(),
                    conditions: conditions
                        .map(|(view, condition)| wire::ConditionSnapshot {
                            text: condition.text.clone(),
                            holds: view.holds,
                            reading: view.reading,
                            unit: condition.unit,
                        })
                        .collect(),
                    active: view.active,
                    since_ms: self.now.wall_ms_of(view.since),
                    clears_when: self.interlock_clears_when(id),
                })
            })
            .collect()
    }

    pub(crate) fn held_locks(&self) -> Vec<wire::LockSnapshot> {
        let snapshot = |held: &crate::locks::HeldLock| wire::LockSnapshot {
            lock: held.lock.clone(),
            since_ms: held.since_ms,
        };
        self.locks.iter().map(snapshot).collect()
    }

    pub(crate) fn trips(&self) -> Vec<wire::TripSnapshot> {
        let tripped = self.engine.limits().filter_map(|(id, view)| match view.state {
            State::Tripped(tripped) => Some((id, *tripped, view.reading)),
            _ => None,
        });
        tripped
            .map(|(id, tripped, reading)| {
                let unit = self.names.limit_unit(id).unwrap_or(Unit::One);
                let held_by = self.engine.validate_clear(id).err();
                wire::TripSnapshot {
                    limit: self.names.limit(id).to_owned(),
                    since_ms: self.now.wall_ms_of(tripped.since),
                    reading: tripped.reading.or(reading),
                    threshold: tripped.threshold,
                    unit,
                    cause: cause(tripped.cause).to_owned(),
                    held_by: held_by.map(|why| self.refusal(why, unit).clears_when),
                }
            })
            .collect()
    }

    pub(crate) fn actuators(&self, catalog: &Catalog) -> Vec<wire::Actuator> {
        (0..).zip(&catalog.actuators).map(|(index, entry)| self.actuator(index, entry)).collect()
    }

    fn claims(&self, id: ActuatorId, name: &str) -> Vec<wire::ClaimSnapshot> {
        let snapshot = |claim: Claim| wire::ClaimSnapshot {
            origin: claim.origin,
            issuer: self.claimants.of(name, claim.origin).to_owned(),
            value: claim.value,
            until_ms: claim.until.map(|until| self.now.wall_ms_to(until)),
        };
        self.engine.claims(id).map(snapshot).collect()
    }

    fn actuator(&self, index: u16, entry: &ActuatorEntry) -> wire::Actuator {
        let id = ActuatorId::new(index);
        let view = self.engine.actuator(id);
        let observed = view.and_then(|view| view.observed?.ok());
        let word = match &entry.state {
            Some(ActuatorState::Word(word)) => Some(word.clone()),
            _ => None,
        };
        let lit = match &entry.state {
            Some(ActuatorState::Lit(lit)) => Some(f64::from(u8::from(*lit))),
            _ => None,
        };
        let switch = self.engine.switch(id);
        wire::Actuator {
            id: entry.id.clone(),
            kind: entry.kind,
            unit: entry.unit,
            min: entry.min,
            max: entry.max,
            wanted: view.and_then(|view| number_of_level(view.wanted)),
            // A dry run drives nothing: what the engine takes for a read-back is its own wish.
            observed: observed.and_then(number_of_observed).filter(|_| !self.dry_run).or(lit),
            stuck: view.is_some_and(|view| view.stuck),
            equipment: entry.owner.key().map(str::to_owned),
            state: switch.and_then(|view| view.power),
            verbs: entry.verbs.clone(),
            profile: word,
            profiles: entry.words.clone(),
            claims: self.claims(id, &entry.id),
        }
    }
}

const fn cause(cause: TripCause) -> &'static str {
    match cause {
        TripCause::Threshold => "threshold",
        TripCause::LadderExhausted => "ladder_exhausted",
        TripCause::Restored => "restored",
    }
}
