//! What comes and goes while the guard runs: places for it, a plan with it, and words about it.

use super::Cycle;
use crate::catalog::{Owner, Place, SensorEntry};
use crate::plan;
use crate::sources::{Arriving, Change};
use crate::words::Now;
use flyball_guard_messages::{Equipment, EquipmentState, EventKind, Severity};

/// Changes that are taken up in one turn.
const PER_TURN: usize = 8;
/// Names that a message lists.
const NAMED: usize = 4;

impl Cycle {
    pub(super) fn take_changes(&mut self) {
        for _ in 0..PER_TURN {
            let Ok(change) = self.changes.try_recv() else {
                return;
            };
            self.awake = true;
            let now = self.now();
            match change {
                Change::Came { owner, sensors, actuators, placed } => {
                    let slots = self.place(&owner, sensors, actuators, now);
                    // Who asked may have ended; its places stay.
                    let _ = placed.try_send(slots);
                }
                Change::Gone { sensors, actuators } => self.mark_gone(&sensors, &actuators, now),
                Change::Equipment(equipment) => self.take_equipment(equipment, now),
                Change::State { actuator, state } => {
                    if let Some(id) = self.names.actuator_id(&actuator) {
                        self.take_state(id, state, now);
                        self.act(None, now);
                    }
                }
                Change::Complaint { actuator, message } => {
                    if let Some(id) = self.names.actuator_id(&actuator) {
                        self.complaints.note(id, message);
                    }
                }
                Change::Done { request, outcome } => self.take_done(request, outcome, now),
                Change::Policy(read) => self.take_policy(*read, now),
            }
        }
    }

    /// Gives everything its place and plans anew. The slots come back in the sensors' order.
    fn place(
        &mut self,
        owner: &Owner,
        sensors: Vec<SensorEntry>,
        actuators: Vec<Arriving>,
        now: Now,
    ) -> Vec<Option<usize>> {
        let (mut came, mut back, mut beyond) = (Vec::new(), Vec::new(), 0_usize);
        let mut slots = Vec::new();
        let mut appended = Vec::new();
        for entry in sensors {
            let (id, series, period) =
                (entry.id.clone(), entry.series(plan::CADENCE_MS), entry.period);
            let place = self.catalog.add_sensor(entry);
            match place {
                Place::New(_) => {
                    self.seen.push(0);
                    self.sampling.add(plan::sample_bound(period, &self.policy));
                    appended.push(series);
                    came.push(id);
                }
                Place::Known(_) => back.push(id),
                Place::None => beyond += 1,
            }
            slots.push(place.index());
        }
        for Arriving { entry, holder, errands } in actuators {
            let id = entry.id.clone();
            let place = self.catalog.add_actuator(entry);
            if let Some(index) = place.index() {
                self.hands.hold(index, holder, errands);
            }
            match place {
                Place::New(_) => came.push(id),
                Place::Known(_) => back.push(id),
                Place::None => beyond += 1,
            }
        }
        if !appended.is_empty() {
            let series = self.catalog.sensors.len();
            self.slots.grow_to(series);
            self.outbox.grow_for(series);
            self.shared.evidence.grow_to(series);
            self.shared.add_series(appended);
        }
        if let Err(fault) = self.replan(now) {
            let message = format!("what came can't be guarded: {fault}");
            let (kind, severity) = (EventKind::PolicyRejected, Severity::Critical);
            self.record_plain(kind, severity, "policy", message, now);
        }
        self.tell_hardware("came", owner, &came, Severity::Info, now);
        self.tell_hardware("came back", owner, &back, Severity::Info, now);
        if beyond > 0 {
            let message = format!("{beyond} sensors and actuators are beyond what a guard holds");
            let (kind, severity) = (EventKind::HardwareChanged, Severity::Warning);
            self.record_plain(kind, severity, subject(owner), message, now);
        }
        slots
    }

    /// Takes up everything that the catalog has, as the policy has it now. What the engine knows
    /// of the rest stays.
    ///
    /// # Errors
    /// Why it can't be guarded so: everything is as it was.
    pub(super) fn replan(&mut self, now: Now) -> Result<(), String> {
        let planned = plan::plan(&self.catalog, &self.policy, self.seed);
        let planned = planned.map_err(|faults| faults.join("; "))?;
        self.forget_armed(now);
        let places = plan::Places::between(&self.names, &planned.names);
        let taken = self.engine.replan(planned.config, places.mapping(), now.moment());
        taken.map_err(|fault| fault.to_string())?;
        self.names = planned.names;
        self.remarks = planned.remarks;
        let watched = self.names.watched.iter().enumerate();
        self.watched = watched.filter_map(|(slot, id)| Some((slot, (*id)?))).collect();
        for (series, sensor) in self.names.watched.iter().enumerate() {
            self.polled.set(series, sensor.is_some());
        }
        self.apply_locks(now);
        self.apply_fleet(now);
        self.act(None, now);
        self.note();
        Ok(())
    }

    /// What is gone keeps its place and its limits: a limit that lost its sensor is blind, not
    /// cool.
    fn mark_gone(&mut self, sensors: &[String], actuators: &[String], now: Now) {
        let mut gone = Vec::new();
        let mut owner = Owner::Machine;
        for entry in self.catalog.sensors.iter_mut().filter(|entry| sensors.contains(&entry.id)) {
            if std::mem::replace(&mut entry.present, false) {
                owner = entry.owner.clone();
                gone.push(entry.id.clone());
            }
        }
        for (index, entry) in self.catalog.actuators.iter_mut().enumerate() {
            if actuators.contains(&entry.id) && std::mem::replace(&mut entry.present, false) {
                owner = entry.owner.clone();
                gone.push(entry.id.clone());
                self.hands.hold(index, None, None);
            }
        }
        self.tell_hardware("went away", &owner, &gone, Severity::Warning, now);
        self.tell_missed(&gone, now);
    }

    fn tell_hardware(
        &mut self,
        how: &str,
        owner: &Owner,
        ids: &[String],
        severity: Severity,
        now: Now,
    ) {
        if ids.is_empty() {
            return;
        }
        let named: Vec<&str> = ids.iter().take(NAMED).map(String::as_str).collect();
        let rest = match ids.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message =
            format!("{} sensors and actuators {how}: {}{rest}", ids.len(), named.join(", "));
        self.record_plain(EventKind::HardwareChanged, severity, subject(owner), message, now);
    }

    fn take_equipment(&mut self, equipment: Equipment, now: Now) {
        let key = equipment.key.clone();
        let answers = equipment.state == EquipmentState::Connected;
        let reason = match &equipment.state {
            EquipmentState::Unreachable { reason, .. } => Some(reason.clone()),
            EquipmentState::Connecting | EquipmentState::Connected => None,
        };
        let before = match self.equipment.iter_mut().find(|known| known.key == key) {
            Some(known) => Some(std::mem::replace(known, equipment)),
            None => {
                self.equipment.push(equipment);
                None
            }
        };
        let was_lost =
            before.is_some_and(|before| matches!(before.state, EquipmentState::Unreachable { .. }));
        match reason {
            Some(reason) if !was_lost => {
                let message = format!("{key} does not answer: {reason}");
                self.record_plain(EventKind::EquipmentLost, Severity::Warning, &key, message, now);
            }
            None if was_lost && answers => {
                let message = format!("{key} answers again");
                self.record_plain(EventKind::EquipmentBack, Severity::Info, &key, message, now);
            }
            Some(_) | None => {}
        }
    }
}

fn subject(owner: &Owner) -> &str {
    owner.key().unwrap_or("machine")
}
