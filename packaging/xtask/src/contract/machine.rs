//! A machine among the records: an agent that reads this host and has no guard, so that nothing
//! that the tester orders comes to pass.

use super::server::Server;
use crate::child::{Program, Supervised};
use crate::{clock, say};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);
const FAREWELL: Duration = Duration::from_secs(5);

/// It ends when this is dropped.
pub(crate) struct Machine(Supervised);

impl Machine {
    pub(crate) fn start(server: &Server, agent: &Path, token: &str) -> Result<Self> {
        let folder = server.folder.path();
        let state = folder.join("agent").to_string_lossy().into_owned();
        let ingest = server.ingest.to_string();
        let enrolled = Command::new(agent)
            .args(["enrol", "--state", &state, "--server", &ingest, "--token", token])
            .args(["--name", "node-1", "--simulated"])
            .output()
            .context("the agent could not be started")?;
        if !enrolled.status.success() {
            bail!("a machine was not enrolled:\n{}", String::from_utf8_lossy(&enrolled.stderr));
        }
        let guard = folder.join("no-guard.sock").to_string_lossy().into_owned();
        let arguments = ["run", "--state", &state, "--guard-socket", &guard, "--simulated"];
        let program = Program {
            name: "agent".into(),
            file: agent.to_path_buf(),
            arguments: arguments.map(str::to_owned).to_vec(),
            log: folder.join("agent.log"),
        };
        Ok(Self(Supervised::start(program, clock::now())?))
    }

    /// Until its readings are there.
    pub(crate) fn wait(&self, server: &Server, token: &str) -> Result<()> {
        let deadline = clock::now() + PATIENCE;
        loop {
            let devices = server.get("/api/v1/devices", token)?;
            if let Some(id) = devices["data"][0]["id"].as_str() {
                let readings = server.get(&format!("/api/v1/devices/{id}/readings"), token)?;
                if readings["data"].as_array().is_some_and(|readings| !readings.is_empty()) {
                    return Ok(());
                }
            }
            if clock::now() > deadline {
                let said = std::fs::read_to_string(&self.0.program.log).unwrap_or_default();
                bail!("no reading came in {} s:\n{said}", PATIENCE.as_secs());
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // A process that does not end is made to; nothing is left that could be done about more.
        if let Err(error) = self.0.stop(FAREWELL) {
            say::detail(&format!("the agent could not be ended: {error:#}"));
        }
    }
}
