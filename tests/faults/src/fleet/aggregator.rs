//! The aggregator under test, on a disk of its own.

use super::Program;
use crate::arguments::Programs;
use crate::disk::{self, Disk};
use anyhow::{Context, Result, bail};
use flyball_harness::fleet::Api;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

const DISK_BYTES: u64 = 256 << 20;
const EMAIL: &str = "admin@flyball.localhost";
const PASSWORD: &str = "a-password-of-this-run";

pub(crate) struct Aggregator {
    pub(crate) program: Program,
    pub(crate) disk: Disk,
    pub(crate) ingest: SocketAddr,
    file: PathBuf,
    state: PathBuf,
    api: SocketAddr,
}

impl Aggregator {
    /// Lays out its disk and makes its superuser.
    ///
    /// # Errors
    /// Where that fails.
    pub(crate) fn new(programs: &Programs, folder: &Path, images: &Path) -> Result<Self> {
        let at = folder.join("aggregator");
        let disk = Disk::new(&images.join("aggregator"), at.clone(), DISK_BYTES)?;
        let state = at.join("state");
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD)?;
        disk::run(
            Command::new(&programs.aggregator)
                .args(["init", "--admin-email", EMAIL, "--admin-password-file"])
                .arg(&password)
                .arg("--state")
                .arg(&state),
        )?;
        let api = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let ingest = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        let words = vec![
            programs.aggregator.display().to_string(),
            "run".into(),
            "--state".into(),
            state.display().to_string(),
            "--api".into(),
            api.to_string(),
            "--ingest".into(),
            ingest.to_string(),
        ];
        let program = Program::new("aggregator".into(), words, folder.join("aggregator.log"));
        Ok(Self { program, disk, ingest, file: programs.aggregator.clone(), state, api })
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

    /// A one-time token for a machine.
    ///
    /// # Errors
    /// Where none is given.
    pub(crate) fn token(&self, name: &str) -> Result<String> {
        let output = Command::new(&self.file)
            .args(["token", "--name", name, "--state"])
            .arg(&self.state)
            .output()?;
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
