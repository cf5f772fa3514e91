//! One piece of equipment: the thread that has its driver.
//!
//! It starts the process, configures it, hears it, and asks it what the loop wants. A process
//! that says nothing for too long is killed; one that ends is started again after a growing wait.
//! Whatever happens in here holds nobody but this piece of equipment.

mod asking;
mod hearing;
mod standing;
#[cfg(test)]
mod tests;

use super::credentials::{Vault, Version};
use super::equipment_file::Equipment;
use super::held::Held;
use super::process::Process;
use super::restart::Restart;
use crate::bus::BusMeter;
use crate::log;
use crate::sources::{Ended, Errand, Sources};
use flyball_driver_messages::{
    Configuration, Deed, Described, Fault, FaultKind, Identity, MAX_DEEDS, ToDriver, VERSION,
};
use flyball_guard_messages::EquipmentState;
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
}
