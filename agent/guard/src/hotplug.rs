//! What is plugged in and pulled out of this machine, and a policy file that was changed: a look
//! every few seconds, and pollers and workers for what has come.

use crate::catalog::{ActuatorEntry, Owner, SensorEntry};
use crate::hands::{Hired, Workers};
use crate::journal::{Entry, Journal};
use crate::log::Level;
use crate::plan::VERIFY_WITHIN;
use crate::policy::PolicyWatch;
use crate::poller::{self, Rounds};
use crate::sources::{Arriving, Change, Ended, Sources};
use flyball_hardware::{Actuator, Census, Changes, Sensor};
use flyball_units::NoData;
use std::io;
use std::thread;
use std::time::Duration;

/// A census costs some dozens of system calls.
const EVERY: Duration = Duration::from_secs(5);
/// A discovery walks deep trees.
const STACK_BYTES: usize = 256 * 1024;

/// Looks after what comes and goes.
#[derive(Debug)]
pub(crate) struct Hotplug {
    pub(crate) census: Census,
    pub(crate) rounds: Rounds,
    pub(crate) workers: Workers,
    pub(crate) sources: Sources,
    pub(crate) journal: Journal,
    /// The policy's file, where there is one.
    pub(crate) policy: Option<PolicyWatch>,
}

impl Hotplug {
    /// # Errors
    /// Where its thread can't be started.
    pub(crate) fn start(mut self) -> io::Result<()> {
        let thread = thread::Builder::new().name("hotplug".into()).stack_size(STACK_BYTES);
        thread.spawn(move || {
            loop {
                thread::sleep(EVERY);
                let read = self.policy.as_mut().and_then(PolicyWatch::look);
                let told = read.map(|read| self.sources.tell(Change::Policy(Box::new(read))));
                if matches!(told, Some(Err(Ended))) {
                    return;
                }
                let Some(changes) = self.census.look() else {
                    continue;
                };
                if self.take(changes).is_err() {
                    return;
                }
            }
        })?;
        Ok(())
    }

    fn take(&mut self, changes: Changes) -> Result<(), Ended> {
        for remark in &changes.remarks {
            let line = format!("{} {}", remark.subject, remark.message);
            self.journal.put(Entry::Log(Level::Warn, line));
        }
        let Changes { came, went, actuators_came, actuators_went, .. } = changes;
        if !went.is_empty() || !actuators_went.is_empty() {
            self.sources.tell(Change::Gone { sensors: went, actuators: actuators_went })?;
        }
        if came.is_empty() && actuators_came.is_empty() {
            return Ok(());
        }
        self.place(came, actuators_came)
    }

    fn place(
        &mut self,
        mut sensors: Vec<Sensor>,
        mut actuators: Vec<Actuator>,
    ) -> Result<(), Ended> {
        let now = self.sources.clock().now();
        let entries = sensors
            .iter_mut()
            .map(|sensor| {
                let probe = if sensor.bus.slow { Err(NoData::Busy) } else { sensor.read(now) };
                SensorEntry::of_board(sensor, probe)
            })
            .collect();
        let described: Vec<ActuatorEntry> = actuators
            .iter_mut()
            .map(|actuator| ActuatorEntry::of_board(actuator, VERIFY_WITHIN))
            .collect();
        let hired = self.workers.start(actuators).unwrap_or_else(|error| {
            self.lack(&error);
            Vec::new()
        });
        let arriving = described
            .into_iter()
            .zip(hired)
            .map(|(entry, Hired { holder, errands })| Arriving {
                entry,
                holder: Some(holder),
                errands: Some(errands),
            })
            .collect();
        let slots = self.sources.came(Owner::Machine, entries, arriving)?;
        let placed = sensors.into_iter().zip(slots);
        let placed = placed.filter_map(|(sensor, slot)| Some((slot?, sensor))).collect();
        if let Err(error) = poller::start(placed, &self.rounds) {
            self.lack(&error);
        }
        Ok(())
    }

    fn lack(&self, error: &io::Error) {
        let line = format!("what was plugged in can't be used: no thread can be had: {error}");
        self.journal.put(Entry::Log(Level::Error, line));
    }
}
