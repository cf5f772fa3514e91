//! A whole fleet on this machine, in one line: `Fleet::up(2)` runs the built programs through
//! `cargo xtask up` on free ports and ends them when it is dropped.
//!
//! The programs and the xtask are named by the environment that `cargo xtask test` and `bench`
//! set. Nothing here knows a program's inside: it talks HTTP, signals and the plant's socket.

mod api;
mod plant;

pub use api::{Answer, Api};
pub use plant::PlantSocket;

use crate::counterparts::{free_tcp, free_tcp_and_udp};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// What `up` wrote to `ready.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    pub api: String,
    pub ingest: String,
    pub admin_email: String,
    pub admin_password: String,
    pub devices: Vec<Device>,
    pub pids: BTreeMap<String, u32>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Device {
    pub id: String,
    pub name: String,
    pub kind: String,
}

/// What `up` is told besides the number of machines; what is not said is its default.
#[derive(Clone, Debug, Default)]
pub struct FleetOptions {
    /// Components for the first machine's agent; a few where it is not said.
    pub plugins: Option<PathBuf>,
    /// What the first machine's guard manages.
    pub equipment: Option<PathBuf>,
    /// The first machine's local policy.
    pub policy: Option<PathBuf>,
    /// Where the first machine's agent gives readers nearby what is placed on it.
    pub content: Option<SocketAddr>,
    /// The aggregator's settings, in TOML.
    pub settings: Option<String>,
}

/// A running fleet and its state folder.
#[derive(Debug)]
pub struct Fleet {
    xtask: PathBuf,
    state: TempDir,
    api: String,
    ingest: String,
    agents: u32,
    options: FleetOptions,
    /// Sign-ins are limited to a few a minute: one session serves as long as it holds.
    session: Mutex<Option<Api>>,
}

impl Fleet {
    /// Starts `agents` machines: the first is this one, the others are simulated boards.
    ///
    /// # Errors
    /// Where `up` does not get ready; its own words are in the error.
    pub fn up(agents: u32) -> Result<Self> {
        Self::with(agents, FleetOptions::default())
    }

    /// The same, with this machine's guard managing the equipment of a file.
    ///
    /// # Errors
    /// Where `up` does not get ready.
    pub fn with_equipment(agents: u32, equipment: PathBuf) -> Result<Self> {
        Self::with(agents, FleetOptions { equipment: Some(equipment), ..FleetOptions::default() })
    }

    /// The same, with the components of another folder.
    ///
    /// # Errors
    /// Where `up` does not get ready.
    pub fn with_plugins(agents: u32, plugins: Option<PathBuf>) -> Result<Self> {
        Self::with(agents, FleetOptions { plugins, ..FleetOptions::default() })
    }

    /// The same, told more.
    ///
    /// # Errors
    /// Where `up` does not get ready.
    pub fn with(agents: u32, options: FleetOptions) -> Result<Self> {
        let xtask = std::env::var_os("FLYBALL_XTASK")
            .context("FLYBALL_XTASK is not set: call it through `cargo xtask`")?;
        let fleet = Self {
            xtask: xtask.into(),
            state: TempDir::with_prefix("flyball-")?,
            api: on_loopback(free_tcp()?),
            ingest: on_loopback(free_tcp_and_udp()?),
            agents,
            options,
            session: Mutex::new(None),
        };
        if let Some(settings) = &fleet.options.settings {
            fleet.set(settings)?;
        }
        fleet.start()?;
        Ok(fleet)
    }

    /// Writes the aggregator's settings; they hold from its next start on.
    ///
    /// # Errors
    /// Where its folder can't be written.
    pub fn set(&self, settings: &str) -> Result<()> {
        let folder = self.state.path().join("aggregator");
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join("aggregator.toml"), settings)?)
    }

    /// `up --detach` on this fleet's state and ports: the first time, or again after [`Fleet::down`].
    ///
    /// # Errors
    /// Where `up` does not get ready.
    pub fn start(&self) -> Result<()> {
        let output = self
            .xtask(&["up", "--built", "--detach"])
            .args(["--api", &self.api, "--ingest", &self.ingest])
            .args(["--agents", &self.agents.to_string()])
            .args(named("--plugins", self.plugins().as_deref()))
            .args(named("--equipment", self.options.equipment.as_deref()))
            .args(named("--policy", self.options.policy.as_deref()))
            .args(
                self.options.content.iter().flat_map(|at| ["--content".to_owned(), at.to_string()]),
            )
            .output()?;
        if !output.status.success() {
            bail!("up failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// What the test said, else the few that the tests are built with: every fleet compiles its own.
    fn plugins(&self) -> Option<PathBuf> {
        self.options.plugins.clone().or_else(|| {
            let built = PathBuf::from(std::env::var_os("FLYBALL_TARGET_DIR")?);
            Some(built.join("plugins-core")).filter(|folder| folder.is_dir())
        })
    }

    /// Ends everything; the state stays.
    ///
    /// # Errors
    /// Where `down` fails.
    pub fn down(&self) -> Result<()> {
        let output = self.xtask(&["down"]).output()?;
        if !output.status.success() {
            bail!("down failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn xtask(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.xtask);
        command.args(words).arg("--state").arg(self.state.path());
        if let Some(target) = std::env::var_os("FLYBALL_TARGET_DIR") {
            command.env("CARGO_TARGET_DIR", target);
        }
        command
    }

    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// The ready file as it stands now: process ids change when a program is started again.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn ready(&self) -> Result<Ready> {
        let path = self.state.path().join("ready.json");
        let text = fs::read(&path).with_context(|| format!("{} is gone", path.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// The process id of a program by its name in `ready.json`.
    ///
    /// # Errors
    /// Where it does not run now.
    pub fn pid(&self, program: &str) -> Result<u32> {
        let ready = self.ready()?;
        ready.pids.get(program).copied().with_context(|| format!("{program} does not run now"))
    }

    /// Sends `signal` to a program.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn signal(&self, program: &str, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid(program)?)?;
        let pid = Pid::from_raw(pid).context("a process id is positive")?;
        kill_process(pid, signal).with_context(|| format!("{program} can't be signalled"))
    }

    /// A superuser's session.
    ///
    /// # Errors
    /// Where the sign-in fails.
    pub fn api(&self) -> Result<Api> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(api) = session.as_ref()
            && api.get("/api/auth/me")?.status == 200
        {
            return Ok(api.clone());
        }
        let ready = self.ready()?;
        let api = Api::sign_in(&ready.api, &ready.admin_email, &ready.admin_password)?;
        *session = Some(api.clone());
        Ok(api)
    }

    /// Seals a password beside the running guard of the first machine, as a person there does.
    ///
    /// # Errors
    /// Where no guard runs, or it does not take the password.
    pub fn seal(&self, name: &str, user: &str, password: &str) -> Result<()> {
        let guard = fs::read_link(format!("/proc/{}/exe", self.pid("guard")?))?;
        let mut set = Command::new(guard)
            .args(["credential", "set", name, "--user", user, "--state"])
            .arg(self.state().join("edge/1/guard"))
            .stdin(Stdio::piped())
            .spawn()?;
        let mut input = set.stdin.take().context("the guard has no standard input")?;
        input.write_all(password.as_bytes())?;
        drop(input);
        let status = set.wait()?;
        if status.success() {
            Ok(())
        } else {
            bail!("the credential `{name}` is not set: {status}")
        }
    }

    /// The control socket of a simulated board: `machine` counts from 1, and 1 has none.
    #[must_use]
    pub fn plant(&self, machine: u32) -> PlantSocket {
        PlantSocket::at(self.state.path().join("run").join(format!("plant-{machine}.sock")))
    }

    /// What a program logged.
    ///
    /// # Errors
    /// Where it has no log.
    pub fn log(&self, program: &str) -> Result<String> {
        let path = self.state.path().join("log").join(format!("{program}.log"));
        fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Err(error) = self.down() {
            eprintln!("the fleet stays up: {error:#}");
        }
    }
}

fn named<'a>(option: &'a str, path: Option<&'a Path>) -> impl Iterator<Item = &'a OsStr> {
    path.into_iter().flat_map(move |path| [OsStr::new(option), path.as_os_str()])
}

fn on_loopback(port: u16) -> String {
    format!("127.0.0.1:{port}")
}
