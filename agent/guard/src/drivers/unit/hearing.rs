//! What a driver says: what there is, a round of readings, answers, faults.

use super::{Asked, PER_TURN, Unit};
use crate::catalog::Owner;
use crate::drivers::held::Held;
use crate::drivers::placing;
use crate::drivers::process::Heard;
use crate::hands::Holder;
use crate::log;
use crate::sources::{Arriving, Change, Ended};
use flyball_driver_messages::{
    ActuatorState, Deed, DeedError, Described, Fault, FromDriver, Round, VERSION, bounded,
};
use flyball_guard_messages::{ActuatorKind, EquipmentState};
use flyball_units::NoData;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

impl Unit {
    pub(super) fn hear(&mut self) -> Result<(), Ended> {
        for _ in 0..PER_TURN {
            let Some(running) = &mut self.process else {
                return Ok(());
            };
            let Some(heard) = running.process.hear() else {
                return Ok(());
            };
            let message = match heard {
                Heard::Said(message) => message,
                // How it ended says more than that it fell silent.
                Heard::Closed => {
                    running.process.kill();
                    return Ok(());
                }
                Heard::Noise(cause) => {
                    return self.kill(&format!("what it said is no message: {cause}"));
                }
            };
            running.silent_at = self.sources.clock().now() + self.equipment.silence;
            match message {
                FromDriver::Hello { version: VERSION } => {}
                FromDriver::Hello { version } => {
                    let reason = format!("it speaks version {version}, the guard {VERSION}");
                    return self.kill(&reason);
                }
                FromDriver::Described(described) => self.take_description(*described)?,
                FromDriver::Round(round) => self.take_round(round)?,
                FromDriver::Done { request, outcome } => self.take_answer(request, outcome)?,
                FromDriver::Fault { fault, retry_ms } => self.take_fault(fault, retry_ms)?,
            }
        }
        thread::current().unpark();
        Ok(())
    }

    pub(super) fn take_description(&mut self, described: Described) -> Result<(), Ended> {
        if let Err(error) = placing::check(&described) {
            return self.kill(&error.to_string());
        }
        for remark in described.remarks.iter().take(16) {
            let key = &self.equipment.key;
            log::warn(format_args!("{} equipment={key}", bounded(remark)));
        }
        self.identity = described.identity.clone();
        self.pending = Some(described);
        Ok(())
    }

    /// Gives everything that was described its place, with its first readings, and says what has
    /// gone since the description before.
    pub(super) fn place(&mut self, described: Described, round: &Round) -> Result<(), Ended> {
        let equipment = &self.equipment;
        let probe = |index: usize| {
            let mut readings = round.readings.iter();
            let reading = readings.find(|reading| usize::from(reading.sensor) == index);
            reading.map_or(Err(NoData::NoHistory), |reading| reading.value)
        };
        let sensors = described.sensors.iter().enumerate();
        let sensors =
            sensors.map(|(index, sensor)| placing::sensor(equipment, sensor, probe(index)));
        let mut arriving = Vec::new();
        let mut held: Vec<Held> = Vec::new();
        for (index, entry) in (0_u16..).zip(&described.actuators) {
            let found = round.states.iter().find_map(|(of, state)| match state {
                ActuatorState::Level(level) if *of == index => Some(*level),
                _ => None,
            });
            let mut new = Held::new(&equipment.key, entry, equipment.times, equipment.poll);
            if let Some(at) = self.held.iter().position(|held| held.id == new.id) {
                new.inherit(self.held.swap_remove(at));
            }
            let has_level = matches!(entry.kind, ActuatorKind::PowerCap | ActuatorKind::Switch);
            let grip = Arc::clone(&new.grip);
            let holder = has_level.then(|| Holder { grip, thread: thread::current() });
            let errands = Some(self.errand_box.clone());
            let entry = placing::actuator(equipment, entry, found);
            arriving.push(Arriving { entry, holder, errands });
            held.push(new);
        }
        let gone: Vec<String> = self.held.drain(..).map(|held| held.id).collect();
        self.held = held;
        let key = &equipment.key;
        let names = |described: &Described| -> Vec<String> {
            described.sensors.iter().map(|sensor| placing::id(key, &sensor.name)).collect()
        };
        let kept = names(&described);
        let mut lost = names(&self.described);
        lost.retain(|id| !kept.contains(id));
        for (sensor, slot) in self.described.sensors.iter().zip(&self.slots) {
            if let Some(slot) = slot.filter(|_| lost.contains(&placing::id(key, &sensor.name))) {
                self.sources.put(slot, Err(NoData::Missing));
            }
        }
        if !(lost.is_empty() && gone.is_empty()) {
            self.sources.tell(Change::Gone { sensors: lost, actuators: gone })?;
        }
        let owner = Owner::Equipment(key.clone());
        self.slots = self.sources.came(owner, sensors.collect(), arriving)?;
        self.described = described;
        Ok(())
    }

    pub(super) fn take_round(&mut self, round: Round) -> Result<(), Ended> {
        let now = self.now();
        self.restart.works(now);
        self.account(Duration::from_millis(u64::from(round.took_ms)), now);
        self.meter.recover();
        if let Some(described) = self.pending.take() {
            self.place(described, &round)?;
        }
        for reading in &round.readings {
            let index = usize::from(reading.sensor);
            let (Some(Some(slot)), Some(sensor)) =
                (self.slots.get(index), self.described.sensors.get(index))
            else {
                continue;
            };
            let thresholds = placing::thresholds(sensor.kind, sensor.thresholds);
            let value = reading.value.and_then(|value| thresholds.check(sensor.kind, value));
            self.sources.put(*slot, value);
            for held in self.held.iter_mut().filter(|held| held.effect == Some(reading.sensor)) {
                held.measured(value.ok());
            }
        }
        for (index, state) in round.states {
            self.saw(usize::from(index), state, now)?;
        }
        for notice in round.notices.iter().take(flyball_driver_messages::MAX_NOTICES) {
            let key = &self.equipment.key;
            let (subject, message) = (bounded(&notice.subject), bounded(&notice.message));
            log::warn(format_args!("{message} equipment={key} about={subject:?}"));
        }
        self.stand(EquipmentState::Connected)
    }

    /// An actuator was seen; the loop is told where it stands if that is new.
    pub(super) fn saw(
        &mut self,
        index: usize,
        state: ActuatorState,
        now: Duration,
    ) -> Result<(), Ended> {
        let stale = self.stale();
        let Some(held) = self.held.get_mut(index) else {
            return Ok(());
        };
        let new = held.saw(state.clone(), now);
        held.grip.saw(held.observed(now, stale));
        if new {
            let actuator = held.id.clone();
            self.sources.tell(Change::State { actuator, state })?;
        }
        Ok(())
    }

    pub(super) fn take_answer(
        &mut self,
        request: u64,
        outcome: Result<ActuatorState, DeedError>,
    ) -> Result<(), Ended> {
        let Some(Asked { actuator, deed, errand }) = self.asked.remove(&request) else {
            return Ok(());
        };
        let now = self.now();
        let index = self.held.iter().position(|held| held.id == actuator);
        if let Some(index) = index {
            if let Ok(state) = &outcome
                && !matches!(deed, Deed::BootOnce(_))
            {
                self.saw(index, state.clone(), now)?;
            }
            if errand.is_none()
                && let Some(wish) = self.held[index].answered(&deed, outcome.clone(), now)
            {
                self.grant(index, wish)?;
            }
        }
        match errand {
            Some(request) => self.sources.tell(Change::Done { request, outcome }),
            None => Ok(()),
        }
    }

    pub(super) fn take_fault(&mut self, fault: Fault, retry_ms: u32) -> Result<(), Ended> {
        let retry = Duration::from_millis(u64::from(retry_ms));
        if let Some(running) = &mut self.process {
            running.silent_at += retry.min(Duration::from_secs(120));
            running.fault = Some(fault.clone());
        }
        self.absent(placing::reason(fault.kind));
        self.meter.fault(retry);
        self.unreachable(&format!("{}: {}", fault.kind.name(), fault.message))
    }

    /// What a round has cost.
    pub(super) fn account(&mut self, took: Duration, now: Duration) {
        let Some(running) = &mut self.process else {
            return;
        };
        let cpu = running.process.cpu().unwrap_or(running.cpu);
        self.meter.end(took, cpu.saturating_sub(running.cpu));
        running.cpu = cpu;
        self.meter.begin(now);
    }
}
