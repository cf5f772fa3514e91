//! One piece of equipment: the thread that has its driver.
//!
//! It starts the process, configures it, hears it, and asks it what the loop wants. A process
//! that says nothing for too long is killed; one that ends is started again after a growing wait.
//! Whatever happens in here holds nobody but this piece of equipment.

use super::credentials::{Vault, Version};
use super::equipment_file::Equipment;
use super::held::{Held, Wish};
use super::placing;
use super::process::{Heard, Process};
use super::restart::{After, Restart};
use crate::bus::BusMeter;
use crate::catalog::Owner;
use crate::hands::Holder;
use crate::log;
use crate::sources::{Arriving, Change, Ended, Errand, Sources};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedError, DeedFault, Described, Fault, FaultKind,
    FromDriver, Identity, MAX_DEEDS, Round, ToDriver, VERSION, bounded,
};
use flyball_guard_messages::{self as wire, ActuatorKind, EquipmentState};
use flyball_units::NoData;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// It looks around at least so often.
const PARK: Duration = Duration::from_secs(1);
/// Messages that are heard in one turn.
const PER_TURN: usize = 64;
/// A killed process may hang in the kernel; it is said after this, and no other is started.
const GONE_WITHIN: Duration = Duration::from_secs(5);

pub(super) struct Unit {
    equipment: Equipment,
    program: PathBuf,
    vault: Vault,
    sources: Sources,
    meter: Arc<BusMeter>,
    errands: Receiver<Errand>,
    errand_box: SyncSender<Errand>,
    process: Option<Running>,
    restart: Restart,
    /// The credential that the process was started with.
    version: Option<Version>,
    /// Described, but not read yet: it is placed with its first readings.
    pending: Option<Described>,
    described: Described,
    slots: Vec<Option<usize>>,
    held: Vec<Held>,
    identity: Identity,
    state: EquipmentState,
    stands: bool,
    /// Questions that the driver has not answered.
    asked: BTreeMap<u64, Asked>,
    requests: u64,
}

struct Running {
    process: Process,
    /// It is ended where it has said nothing by then.
    silent_at: Duration,
    killed_at: Option<Duration>,
    said_stuck: bool,
    cpu: Duration,
    /// What it said before it ended.
    fault: Option<Fault>,
}

#[cfg(test)]
mod tests;

/// Who wanted to know.
#[derive(Debug)]
struct Asked {
    actuator: String,
    deed: Deed,
    /// The errand; `None` where it was the actuator's own wish.
    errand: Option<u64>,
}

impl Unit {
    pub(super) fn new(
        equipment: Equipment,
        program: PathBuf,
        vault: Vault,
        sources: Sources,
        meter: Arc<BusMeter>,
    ) -> Self {
        let (errand_box, errands) = sync_channel(MAX_DEEDS);
        Self {
            equipment,
            program,
            vault,
            sources,
            meter,
            errands,
            errand_box,
            process: None,
            restart: Restart::default(),
            version: None,
            pending: None,
            described: Described::default(),
            slots: Vec::new(),
            held: Vec::new(),
            identity: Identity::default(),
            state: EquipmentState::Connecting,
            stands: false,
            asked: BTreeMap::new(),
            requests: 0,
        }
    }

    /// Runs until the guard ends.
    pub(super) fn run(mut self) -> Result<(), Ended> {
        self.tell_equipment()?;
        loop {
            let now = self.now();
            if self.process.is_none() && self.restart.due().is_none_or(|due| now >= due) {
                self.start()?;
            }
            self.hear()?;
            self.take_errands()?;
            self.hold()?;
            self.watch()?;
            thread::park_timeout(self.wait());
        }
    }

    fn now(&self) -> Duration {
        self.sources.clock().now()
    }

    /// A driver's look may be slow, and three of them make a state old.
    fn stale(&self) -> Duration {
        self.equipment.poll * 3 + self.equipment.timeout * 2
    }

    fn wait(&self) -> Duration {
        let now = self.now();
        // Who has asked waits for the answer, which wakes this thread.
        let wishes = self.held.iter().filter(|held| !self.asks_for(held));
        let wishes = wishes.filter_map(|held| held.wait(now)).min();
        let restart = self.restart.due().map(|due| due.saturating_sub(now));
        let restart = restart.filter(|_| self.process.is_none());
        let waits = [Some(PARK), wishes, restart];
        waits.into_iter().flatten().min().unwrap_or(PARK).max(Duration::from_millis(5))
    }

    fn start(&mut self) -> Result<(), Ended> {
        let now = self.now();
        self.restart.started();
        let configuration = match self.configuration() {
            Ok(configuration) => configuration,
            Err(reason) => {
                let after = self.restart.give_up(now);
                return self.lose(&reason, NoData::NotRunning, after);
            }
        };
        let message = ToDriver::Configure { version: VERSION, configuration };
        let waiter = thread::current();
        match Process::start(&self.program, &self.equipment.key, waiter) {
            Ok(mut process) => {
                // How one ended that does not listen is seen in a moment.
                if process.say(&message).is_err() {
                    process.kill();
                }
                self.meter.begin(now);
                self.process = Some(Running {
                    process,
                    silent_at: now + self.equipment.silence,
                    killed_at: None,
                    said_stuck: false,
                    cpu: Duration::ZERO,
                    fault: None,
                });
                Ok(())
            }
            Err(error) => {
                let after = self.restart.fail(now);
                let program = self.program.display();
                let reason = format!("its driver {program} can't be started: {error}");
                self.lose(&reason, NoData::NotRunning, after)
            }
        }
    }

    fn configuration(&mut self) -> Result<Box<Configuration>, String> {
        let Equipment { key, credential, .. } = &self.equipment;
        let name = credential.as_ref().unwrap_or(key);
        self.version = self.vault.version(name);
        let login = self.vault.open(name).map_err(|error| log::chain(&error))?;
        if login.is_none() && credential.is_some() {
            return Err(format!(
                "its credential `{name}` is not set; use flyball-guard credential set {name}"
            ));
        }
        let whole_ms = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        Ok(Box::new(Configuration {
            key: key.clone(),
            driver: self.equipment.driver,
            address: self.equipment.address.clone(),
            login,
            trust: self.equipment.trust.clone(),
            poll_ms: whole_ms(self.equipment.poll),
            timeout_ms: whole_ms(self.equipment.timeout),
            options: self.equipment.options.clone(),
            points: self.equipment.points.clone(),
        }))
    }

    fn hear(&mut self) -> Result<(), Ended> {
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

    fn take_description(&mut self, described: Described) -> Result<(), Ended> {
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
    fn place(&mut self, described: Described, round: &Round) -> Result<(), Ended> {
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

    fn take_round(&mut self, round: Round) -> Result<(), Ended> {
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
    fn saw(&mut self, index: usize, state: ActuatorState, now: Duration) -> Result<(), Ended> {
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

    fn take_answer(
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

    fn take_fault(&mut self, fault: Fault, retry_ms: u32) -> Result<(), Ended> {
        let retry = Duration::from_millis(u64::from(retry_ms));
        if let Some(running) = &mut self.process {
            running.silent_at += retry.min(Duration::from_secs(120));
            running.fault = Some(fault.clone());
        }
        self.absent(placing::reason(fault.kind));
        self.meter.fault(retry);
        self.unreachable(&format!("{}: {}", fault.kind.name(), fault.message))
    }

    fn take_errands(&mut self) -> Result<(), Ended> {
        while let Ok(errand) = self.errands.try_recv() {
            let now = self.now();
            let refused = if now > errand.deadline {
                Some("its time had passed before its turn came")
            } else if self.process.is_none() {
                Some("its driver does not run")
            } else {
                None
            };
            let index = self.held.iter().position(|held| held.id == errand.actuator);
            let (Some(index), None) = (index, refused) else {
                let reason = refused.unwrap_or("it is not there any more");
                let error = DeedError::new(DeedFault::NotTried, reason);
                let request = errand.request;
                self.sources.tell(Change::Done { request, outcome: Err(error) })?;
                continue;
            };
            if matches!(errand.deed, Deed::Reset(_)) {
                if let Some(wish) = self.held[index].take_errand(&errand, now) {
                    self.grant(index, wish)?;
                }
            } else {
                self.ask(index, errand.deed, Some(errand.request))?;
            }
        }
        Ok(())
    }

    /// What the loop asks of the actuators, and what follows from it.
    fn hold(&mut self) -> Result<(), Ended> {
        let (now, stale) = (self.now(), self.stale());
        for index in 0..self.held.len() {
            let held = &mut self.held[index];
            held.take_asked();
            if held.grip.take_look() {
                held.grip.saw(held.observed(now, stale));
            }
            if held.grip.wants_release() {
                held.grip.hand_back(crate::grip::HandBack::Untouched);
            }
            if self.process.is_none() {
                continue;
            }
            // One question at a time: what is asked for meanwhile is the next one.
            while self.held.get(index).is_some_and(|held| !self.asks_for(held)) {
                let Some(wish) = self.held[index].next_wish(now) else { break };
                self.grant(index, wish)?;
            }
        }
        Ok(())
    }

    /// Whether the driver has a question of the actuator's own before it.
    fn asks_for(&self, held: &Held) -> bool {
        self.asked.values().any(|asked| asked.errand.is_none() && asked.actuator == held.id)
    }

    fn grant(&mut self, index: usize, wish: Wish) -> Result<(), Ended> {
        match wish {
            Wish::Ask(deed) => self.ask(index, deed, None),
            Wish::Tell(request, outcome) => self.sources.tell(Change::Done { request, outcome }),
            Wish::Say(words) => {
                let id = self.held.get(index).map_or("?", |held| held.id.as_str());
                log::warn(format_args!("{} actuator={id}", bounded(&words)));
                Ok(())
            }
        }
    }

    fn ask(&mut self, index: usize, deed: Deed, errand: Option<u64>) -> Result<(), Ended> {
        let (Some(held), Some(running)) = (self.held.get(index), &mut self.process) else {
            return Ok(());
        };
        self.requests += 1;
        let request = self.requests;
        let time = Held::deadline(self.equipment.timeout);
        let deadline_ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        let (actuator, name) = (held.id.clone(), held.name.clone());
        let message = ToDriver::Act { request, actuator: name, deed: deed.clone(), deadline_ms };
        self.asked.insert(request, Asked { actuator, deed, errand });
        // Who has a deed to do and says nothing is ended sooner than who just looks.
        let answer_at = self.sources.clock().now() + time * 2;
        running.silent_at = running.silent_at.min(answer_at);
        match running.process.say(&message) {
            Ok(()) => Ok(()),
            Err(error) => self.kill(&format!("it does not listen: {error}")),
        }
    }

    /// Looks whether the process lives, and whether it still should.
    fn watch(&mut self) -> Result<(), Ended> {
        let now = self.now();
        let changed =
            self.vault.version(self.equipment.credential.as_ref().unwrap_or(&self.equipment.key))
                != self.version;
        let Some(running) = &mut self.process else {
            if changed && self.restart.due().is_some() {
                self.restart.try_now(now);
            }
            return Ok(());
        };
        if let Some(ended) = running.process.ended() {
            let reason = match (&running.fault, ended) {
                (Some(fault), _) => fault.message.clone(),
                (None, Ok(status)) => format!("its driver ended ({status})"),
                (None, Err(error)) => format!("its driver is lost: {error}"),
            };
            let hopeless = running.fault.as_ref().map(|fault| fault.kind);
            self.process = None;
            self.forget_questions()?;
            if changed {
                self.restart.try_now(now);
                return Ok(());
            }
            let after = match hopeless {
                Some(FaultKind::Misconfigured) => self.restart.give_up(now),
                _ => self.restart.fail(now),
            };
            return self.lose(&reason, NoData::NotRunning, after);
        }
        if let Some(killed_at) = running.killed_at {
            if now >= killed_at + GONE_WITHIN && !running.said_stuck {
                running.said_stuck = true;
                let pid = running.process.pid();
                let key = &self.equipment.key;
                log::error(format_args!(
                    "a driver hangs in the kernel and can't be ended; none is started in its \
                     place equipment={key} pid={pid}"
                ));
            }
            return Ok(());
        }
        if now >= running.silent_at {
            let seconds = self.equipment.silence.as_secs();
            return self.kill(&format!("its driver said nothing for {seconds} s, or not in time"));
        }
        if changed {
            self.kill("its credential has changed")?;
        }
        Ok(())
    }

    /// Ends the process; what follows is for [`Unit::watch`].
    fn kill(&mut self, reason: &str) -> Result<(), Ended> {
        let now = self.now();
        let Some(running) = &mut self.process else {
            return Ok(());
        };
        if running.killed_at.is_none() {
            running.killed_at = Some(now);
            // Its last words are a better reason than that it fell silent.
            running.fault.get_or_insert_with(|| Fault::new(FaultKind::Failing, reason));
            running.process.kill();
        }
        Ok(())
    }

    /// Nothing that was asked of an ended driver will be answered.
    fn forget_questions(&mut self) -> Result<(), Ended> {
        let now = self.now();
        for (_, Asked { actuator, deed, errand }) in std::mem::take(&mut self.asked) {
            let error = DeedError::new(
                DeedFault::Failed,
                "its driver ended before it answered; look where it stands",
            );
            match errand {
                Some(request) => {
                    self.sources.tell(Change::Done { request, outcome: Err(error) })?;
                }
                None => {
                    if let Some(held) = self.held.iter_mut().find(|held| held.id == actuator) {
                        held.answered(&deed, Err(error), now);
                    }
                }
            }
        }
        let abandoned: Vec<u64> = self.held.iter_mut().filter_map(Held::abandon).collect();
        for request in abandoned {
            let message = "its driver ended before the state proved it; look where it stands";
            let error = DeedError::new(DeedFault::NotConfirmed, message);
            self.sources.tell(Change::Done { request, outcome: Err(error) })?;
        }
        self.pending = None;
        Ok(())
    }

    /// The driver is gone, for now or for longer.
    fn lose(&mut self, reason: &str, absence: NoData, after: After) -> Result<(), Ended> {
        let key = &self.equipment.key;
        let wait = after.wait().as_secs();
        match after {
            After::Wait(_) => log::warn(format_args!(
                "a driver failed, it is started again equipment={key} in_s={wait} cause={:?}",
                bounded(reason)
            )),
            After::Open(_) => log::error(format_args!(
                "a driver is left alone until its credential or its configuration is mended \
                 equipment={key} next_try_in_s={wait} cause={:?}",
                bounded(reason)
            )),
        }
        self.meter.fault(after.wait());
        self.absent(absence);
        self.unreachable(reason)
    }

    fn absent(&self, reason: NoData) {
        for slot in self.slots.iter().flatten() {
            self.sources.put(*slot, Err(reason));
        }
        for held in &self.held {
            held.grip.saw(Err(reason));
        }
    }

    fn unreachable(&mut self, reason: &str) -> Result<(), Ended> {
        let since_ms = match &self.state {
            EquipmentState::Unreachable { since_ms, .. } => *since_ms,
            EquipmentState::Connecting | EquipmentState::Connected => {
                self.sources.clock().wall_ms()
            }
        };
        self.stand(EquipmentState::Unreachable { since_ms, reason: bounded(reason) })
    }

    fn stand(&mut self, state: EquipmentState) -> Result<(), Ended> {
        if self.state == state && self.stands {
            return Ok(());
        }
        self.state = state;
        self.stands = true;
        self.tell_equipment()
    }

    fn tell_equipment(&self) -> Result<(), Ended> {
        let Identity { vendor, model, serial, firmware } = self.identity.clone();
        let short = |text: Option<String>| text.map(|text| bounded(&text));
        self.sources.tell(Change::Equipment(wire::Equipment {
            key: self.equipment.key.clone(),
            kind: self.equipment.kind,
            driver: self.equipment.driver.name().to_owned(),
            vendor: short(vendor),
            model: short(model),
            serial: short(serial),
            firmware: short(firmware),
            address: self.equipment.address.clone(),
            state: self.state.clone(),
        }))
    }

    /// What a round has cost.
    fn account(&mut self, took: Duration, now: Duration) {
        let Some(running) = &mut self.process else {
            return;
        };
        let cpu = running.process.cpu().unwrap_or(running.cpu);
        self.meter.end(took, cpu.saturating_sub(running.cpu));
        running.cpu = cpu;
        self.meter.begin(now);
    }
}
