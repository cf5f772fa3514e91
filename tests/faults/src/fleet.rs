//! The fleet under test: one aggregator and machines that each have a network namespace, a disk
//! and three programs of their own.
//!
//! It starts what ends, as a service manager does, and keeps the book of who ran when.

mod aggregator;
mod machine;
mod postgres;
mod program;
mod settable;

pub(crate) use aggregator::Aggregator;
pub(crate) use machine::Machine;
pub(crate) use program::Program;

use crate::arguments::{Engine, Programs};
use crate::clock;
use crate::disk::{self, InMemory};
use anyhow::{Context, Result, bail, ensure};
use flyball_harness::fleet::Api;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(90);

pub(crate) struct Fleet {
    pub(crate) aggregator: Aggregator,
    pub(crate) machines: Vec<Machine>,
    /// Images of disks, copied in no time by a power cut.
    _images: InMemory,
    /// The names of its networks.
    _networks: InMemory,
    folder: TempDir,
    session: Option<Api>,
}

impl Fleet {
    /// Starts everything, machines by their numbers, and returns when every machine's readings come in.
    ///
    /// # Errors
    /// Where something does not start; the logs are in the error's folder.
    pub(crate) fn up(
        programs: &Programs,
        engine: Engine,
        machines: RangeInclusive<u32>,
        seed: u64,
    ) -> Result<Self> {
        let folder = TempDir::with_prefix("flyball-faults-")?;
        let images = folder.path().join("images");
        let in_memory = InMemory::at(&images)?;
        let networks = InMemory::at(Path::new("/run/netns"))?;
        disk::run(Command::new("ip").args(["link", "set", "lo", "up"]))?;
        let mut aggregator = Aggregator::new(programs, engine, folder.path(), &images)?;
        aggregator.start()?;
        let machines = machines
            .map(|number| Machine::new(programs, folder.path(), &images, number, &aggregator, seed))
            .collect::<Result<Vec<_>>>()?;
        let mut fleet = Self {
            aggregator,
            machines,
            _images: in_memory,
            _networks: networks,
            folder,
            session: None,
        };
        fleet.until("every machine's readings come in", |fleet| {
            let api = fleet.api()?;
            for machine in &fleet.machines {
                let device = api.get(&format!("/api/v1/devices/{}", machine.device))?;
                let series = device.body["data"]["series"].as_array().map_or(0, Vec::len);
                if series < 10 {
                    bail!("{} has {series} series", machine.name());
                }
            }
            Ok(())
        })?;
        if let Some(server) = &fleet.aggregator.postgres {
            let devices = server.ask("SELECT count(*) FROM devices")?;
            ensure!(
                devices == fleet.machines.len().to_string(),
                "the database holds {devices} devices"
            );
        }
        Ok(fleet)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves logs and states where they are.
    pub(crate) fn keep(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// Starts again what has ended and is due.
    ///
    /// # Errors
    /// Where a program can't be started at all.
    pub(crate) fn tend(&mut self) -> Result<()> {
        if let Some(server) = &mut self.aggregator.postgres {
            server.program.tend()?;
        }
        self.aggregator.program.tend()?;
        for machine in &mut self.machines {
            for program in machine.programs() {
                program.tend()?;
            }
        }
        Ok(())
    }

    /// Sleeps, tending.
    pub(crate) fn pass(&mut self, span: Duration) -> Result<()> {
        let until = clock::now() + span;
        while clock::now() < until {
            self.tend()?;
            sleep(Duration::from_millis(20).min(until - clock::now().min(until)));
        }
        Ok(())
    }

    /// Asks `probe` again until it is content.
    ///
    /// # Errors
    /// With what it said last, after the limit.
    pub(crate) fn until(
        &mut self,
        what: &str,
        mut probe: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let limit = clock::now() + START_LIMIT;
        while let Err(error) = probe(self) {
            if clock::now() > limit {
                return Err(
                    error.context(format!("not within {} s: {what}", START_LIMIT.as_secs()))
                );
            }
            self.pass(Duration::from_millis(250))?;
        }
        Ok(())
    }

    /// A superuser's session; sign-ins are limited to a few a minute, so one is used on and on.
    ///
    /// # Errors
    /// Where the aggregator does not answer.
    pub(crate) fn api(&mut self) -> Result<Api> {
        if let Some(api) = &self.session
            && api.get("/api/auth/me")?.status == 200
        {
            return Ok(api.clone());
        }
        let api = self.aggregator.sign_in().context("signing in")?;
        self.session = Some(api.clone());
        Ok(api)
    }
}
