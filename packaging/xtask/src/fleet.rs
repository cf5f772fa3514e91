//! What `up` runs: the layout of its state folder, and each program's command line in it.

use crate::binaries::Binaries;
use crate::child::Program;
use crate::ready::Kind;
use crate::up::Options;
use anyhow::{Context, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A Unix socket's path may have 107 bytes; the longest name below the run folder has 20.
const LONGEST_RUN_DIR: usize = 85;

/// The state folder of one `up`.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) state: PathBuf,
    run: PathBuf,
}

/// One machine of the fleet, from 1; the first is this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine(pub(crate) u32);

/// The guard's pin file, as far as `up` reads it: the device's id is in it.
#[derive(Deserialize)]
struct Pin {
    device: String,
}

impl Machine {
    pub(crate) fn kind(self) -> Kind {
        if self.0 == 1 { Kind::Real } else { Kind::Simulated }
    }

    /// The machine's name in the fleet.
    pub(crate) fn name(self) -> String {
        match self.kind() {
            Kind::Real => fs::read_to_string("/proc/sys/kernel/hostname")
                .map_or_else(|_| "this-machine".to_owned(), |name| name.trim().to_owned()),
            Kind::Simulated => format!("board-{}", self.0),
        }
    }

    /// A program's name in `ready.json` and of its log.
    fn program(self, role: &str) -> String {
        if self.0 == 1 { role.to_owned() } else { format!("{role}-{}", self.0) }
    }
}

impl Layout {
    /// Makes the folders, private to their user.
    pub(crate) fn create(state: &Path) -> Result<Self> {
        let state = std::path::absolute(state)?;
        make_private(&state)?;
        make_private(&state.join("log"))?;
        let mut run = state.join("run");
        if run.as_os_str().len() > LONGEST_RUN_DIR {
            let digest = Sha256::digest(state.as_os_str().as_encoded_bytes());
            let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            run = std::env::temp_dir().join(format!("flyball-{short}"));
        }
        make_private(&run)?;
        Ok(Self { state, run })
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.state.join("log").join(format!("{name}.log"))
    }

    pub(crate) fn aggregator_state(&self) -> PathBuf {
        self.state.join("aggregator")
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.state.join("admin-password")
    }

    fn edge(&self, machine: Machine) -> PathBuf {
        self.state.join("edge").join(machine.0.to_string())
    }

    fn pin(&self, machine: Machine) -> PathBuf {
        self.edge(machine).join("pin.toml")
    }

    /// Where the plant of a simulated board listens once its tree stands.
    pub(crate) fn plant_socket(&self, machine: Machine) -> PathBuf {
        self.socket(machine, "plant")
    }

    fn socket(&self, machine: Machine, role: &str) -> PathBuf {
        self.run.join(format!("{role}-{}.sock", machine.0))
    }

    /// The id that the machine was enrolled with, `None` before that.
    pub(crate) fn device(&self, machine: Machine) -> Result<Option<String>> {
        let path = self.pin(machine);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let pin: Pin = toml::from_str(&text)
            .with_context(|| format!("{} is damaged; remove its folder", path.display()))?;
        Ok(Some(pin.device))
    }

    pub(crate) fn prepare(&self, machine: Machine) -> Result<()> {
        for room in ["guard", "agent", "board"] {
            make_private(&self.edge(machine).join(room))?;
        }
        Ok(())
    }

    pub(crate) fn aggregator(
        &self,
        built: &Binaries,
        api: SocketAddr,
        ingest: SocketAddr,
    ) -> Program {
        self.program(
            "aggregator".into(),
            &built.aggregator,
            vec![
                "run".into(),
                "--state".into(),
                text(&self.aggregator_state()),
                "--api".into(),
                api.to_string(),
                "--ingest".into(),
                ingest.to_string(),
            ],
        )
    }

    /// The simulated board's plant; `None` for this very machine.
    pub(crate) fn plant(&self, built: &Binaries, machine: Machine) -> Option<Program> {
        (machine.kind() == Kind::Simulated).then(|| {
            self.program(
                machine.program("plant"),
                &built.plant,
                vec![
                    "--root".into(),
                    text(&self.edge(machine).join("board")),
                    "--seed".into(),
                    machine.0.to_string(),
                    "--socket".into(),
                    text(&self.socket(machine, "plant")),
                ],
            )
        })
    }

    /// Equipment and policy are this very machine's: simulated boards have neither.
    pub(crate) fn guard(&self, built: &Binaries, options: &Options, machine: Machine) -> Program {
        let mut arguments = vec![
            "run".into(),
            "--socket".into(),
            text(&self.socket(machine, "guard")),
            "--state".into(),
            text(&self.edge(machine).join("guard")),
            "--pin".into(),
            text(&self.pin(machine)),
        ];
        if machine.kind() == Kind::Simulated {
            arguments.extend(["--sysfs-root".into(), text(&self.edge(machine).join("board"))]);
        } else {
            for (option, file) in
                [("--equipment", &options.equipment), ("--policy", &options.policy)]
            {
                arguments.extend(file.iter().flat_map(|file| [option.to_owned(), text(file)]));
            }
        }
        self.program(machine.program("guard"), &built.guard, arguments)
    }

    /// Plugins run on this very machine only: simulated boards share its cores.
    pub(crate) fn runner(&self, built: &Binaries, machine: Machine) -> Option<Program> {
        (machine.kind() == Kind::Real).then(|| {
            self.program(
                machine.program("runner"),
                &built.runner,
                vec!["run".into(), "--socket".into(), text(&self.socket(machine, "runner"))],
            )
        })
    }

    pub(crate) fn agent(
        &self,
        built: &Binaries,
        plugins: &Path,
        machine: Machine,
        options: &Options,
    ) -> Program {
        let mut arguments = vec![
            "run".into(),
            "--state".into(),
            text(&self.edge(machine).join("agent")),
            "--server".into(),
            options.ingest.to_string(),
            "--guard-socket".into(),
            text(&self.socket(machine, "guard")),
        ];
        match machine.kind() {
            Kind::Real => {
                arguments.extend([
                    "--runner-socket".into(),
                    text(&self.socket(machine, "runner")),
                    "--compiler".into(),
                    text(&built.compiler),
                    "--plugins".into(),
                    text(plugins),
                ]);
                let content = options.content.iter();
                arguments
                    .extend(content.flat_map(|at| ["--content-listen".into(), at.to_string()]));
            }
            Kind::Simulated => arguments.push("--simulated".into()),
        }
        self.program(machine.program("agent"), &built.agent, arguments)
    }

    /// The one-shot enrolment of a machine.
    pub(crate) fn enrolment(
        &self,
        machine: Machine,
        ingest: SocketAddr,
        token: &str,
    ) -> Vec<String> {
        let mut arguments = vec![
            "enrol".into(),
            "--state".into(),
            text(&self.edge(machine).join("agent")),
            "--server".into(),
            ingest.to_string(),
            "--token".into(),
            token.into(),
            "--guard-pin".into(),
            text(&self.pin(machine)),
            "--name".into(),
            machine.name(),
        ];
        if machine.kind() == Kind::Simulated {
            arguments.push("--simulated".into());
        }
        arguments
    }

    fn program(&self, name: String, file: &Path, arguments: Vec<String>) -> Program {
        let log = self.log(&name);
        Program { name, file: file.to_path_buf(), arguments, log }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn make_private(dir: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("{} cannot be made", dir.display()))
}
