//! The aggregator under test, on a disk of its own.

use super::Program;
use super::postgres::Postgres;
use super::settable;
use crate::arguments::{Engine, Programs};
use crate::disk::{self, Disk};
use anyhow::{Context, Result, bail};
use flyball_harness::fleet::Api;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

const DISK_BYTES: u64 = 512 << 20;
/// Blocks become history within two minutes, so that faults fall into its making, and replicas
/// have the same. The disk is small: less than by default has to stay free.
const SETTINGS: &str = "window_minutes = 1\nsettle_minutes = 1\nlinger_minutes = 0\n\
     budget = { free_bytes = 8388608 }\n";
const EMAIL: &str = "admin@flyball.localhost";
const PASSWORD: &str = "a-password-of-this-run";

pub(crate) struct Aggregator {
    /// Its database, where that is a server.
    pub(crate) postgres: Option<Postgres>,
    pub(crate) program: Program,
    pub(crate) disk: Disk,
    pub(crate) ingest: SocketAddr,
    file: PathBuf,
    /// The replica that runs, and the one that may take its place.
    states: [PathBuf; 2],
    api: SocketAddr,
    environment: Vec<(String, String)>,
    /// Where its clock reads how far it is off; `None` where clocks can't be set here.
    clock: Option<PathBuf>,
}

impl Aggregator {
    /// Lays out its disk and makes its superuser.
    ///
    /// # Errors
    /// Where that fails.
    pub(crate) fn new(
        programs: &Programs,
        engine: Engine,
        folder: &Path,
        images: &Path,
    ) -> Result<Self> {
        let at = folder.join("aggregator");
        let disk = Disk::new(&images.join("aggregator"), at.clone(), DISK_BYTES)?;
        let mut environment = Vec::new();
        let postgres = match engine {
            Engine::Sqlite => None,
            Engine::Postgresql => {
                let server = Postgres::start(programs, &at.join("postgresql"), folder)?;
                environment.push(("FLYBALL_DATABASE".into(), server.url()));
                Some(server)
            }
        };
        let states = [at.join("state"), at.join("replica")];
        let api = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let ingest = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        let log = folder.join("aggregator.log");
        let program = Program::new("aggregator".into(), Vec::new(), log);
        let clock = programs.set_clock.as_ref().map(|_| folder.join("clock-aggregator"));
        let mut around = environment.clone();
        if let (Some(library), Some(file)) = (&programs.set_clock, &clock) {
            around.extend(settable::environment(library, file)?);
        }
        let program = program.with_environment(around);
        let file = programs.aggregator.clone();
        let mut aggregator =
            Self { postgres, program, disk, ingest, file, states, api, environment, clock };
        aggregator.configure(&at.join("history"))?;
        aggregator.initialise(folder)?;
        aggregator.share_authority()?;
        aggregator.program.set_words(aggregator.words());
        Ok(aggregator)
    }

    fn configure(&self, history: &Path) -> Result<()> {
        let settings = format!("[history]\nstore = \"{}\"\n{SETTINGS}", history.display());
        for state in &self.states {
            std::fs::create_dir_all(state)?;
            std::fs::write(state.join("aggregator.toml"), &settings)?;
        }
        // Or a power cut leaves none of them.
        disk::run(&mut Command::new("sync"))
    }

    fn initialise(&self, folder: &Path) -> Result<()> {
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD)?;
        disk::run(
            self.command(&["init", "--admin-email", EMAIL])
                .arg("--admin-password-file")
                .arg(&password),
        )
    }

    /// Gives the replica the same authority, before any fault: a copy that a full disk or a power
    /// cut leaves empty is no fault of the fleet's.
    fn share_authority(&self) -> Result<()> {
        let [running, waiting] = &self.states;
        disk::run(Command::new("cp").arg("-a").arg(running.join("authority")).arg(waiting))?;
        disk::run(&mut Command::new("sync"))
    }

    /// The aggregator with these words, on the replica's state and database.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.file);
        command.args(words).arg("--state").arg(&self.states[0]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn words(&self) -> Vec<String> {
        vec![
            self.file.display().to_string(),
            "run".into(),
            "--state".into(),
            self.states[0].display().to_string(),
            "--api".into(),
            self.api.to_string(),
            "--ingest".into(),
            self.ingest.to_string(),
        ]
    }

    /// Another replica on the same database takes its place and its address; false where the
    /// database is no server. What replicas share besides is the authority.
    ///
    /// # Errors
    /// Where that fails.
    pub(crate) fn replace(&mut self) -> Result<bool> {
        if self.postgres.is_none() {
            return Ok(false);
        }
        self.program.end()?;
        self.states.swap(0, 1);
        self.program.set_words(self.words());
        self.program.start()?;
        Ok(true)
    }

    /// # Errors
    /// Where it does not answer soon.
    pub(crate) fn start(&mut self) -> Result<()> {
        self.program.start()?;
        for _ in 0..200 {
            if std::net::TcpStream::connect(self.api).is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        bail!("the aggregator does not answer on {}", self.api)
    }

    /// Sets its clock off by so much and kills it, so that every machine has to show its
    /// certificate; false where its clock can't be set.
    ///
    /// # Errors
    /// Where that fails.
    pub(crate) fn set_clock(&mut self, offset_s: i64) -> Result<bool> {
        let Some(file) = &self.clock else { return Ok(false) };
        settable::set(file, offset_s)?;
        self.program.kill()?;
        Ok(true)
    }

    /// A one-time token for a machine.
    ///
    /// # Errors
    /// Where none is given.
    pub(crate) fn token(&self, name: &str) -> Result<String> {
        let output = self.command(&["token", "--name", name]).output()?;
        if !output.status.success() {
            bail!("no token: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout).context("the token is no text")?.trim().to_owned())
    }

    /// # Errors
    /// Where it refuses.
    pub(crate) fn sign_in(&self) -> Result<Api> {
        Api::sign_in(&format!("http://{}", self.api), EMAIL, PASSWORD)
    }
}
