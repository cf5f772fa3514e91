//! An aggregator on an empty state folder, without limits, and its API.

use crate::child::{Program, Supervised};
use crate::{clock, ready};
use anyhow::{Context, Result, bail};
use flyball_harness::counterparts::{free_tcp, free_tcp_and_udp};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const ADMIN_EMAIL: &str = "admin@flyball.localhost";
/// None of the words that the documents' examples hold.
pub(crate) const PASSWORD: &str = "seven slow turbines turn at dusk";
/// How long it may take until it is ready on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const FAREWELL: Duration = Duration::from_secs(10);
/// Thousands of requests a minute from one address are the test itself.
const SETTINGS: &str = "[limits]\nenabled = false\n";

/// It ends when this is dropped.
pub(crate) struct Server {
    process: Supervised,
    pub(crate) base: String,
    pub(crate) ingest: SocketAddr,
    pub(crate) folder: TempDir,
}

impl Server {
    pub(crate) fn start(aggregator: &Path) -> Result<Self> {
        let folder = TempDir::with_prefix("flyball-contract-")?;
        let state = folder.path().join("state");
        std::fs::create_dir(&state)?;
        std::fs::write(state.join("aggregator.toml"), SETTINGS)?;
        let password = folder.path().join("password");
        ready::write_private(&password, PASSWORD.as_bytes())?;
        let made = Command::new(aggregator)
            .args(["init", "--admin-email", ADMIN_EMAIL, "--admin-password-file"])
            .arg(&password)
            .arg("--state")
            .arg(&state)
            .output()
            .context("the aggregator could not be started")?;
        if !made.status.success() {
            bail!("the aggregator's init failed:\n{}", String::from_utf8_lossy(&made.stderr));
        }
        let (api, ingest) = (free_tcp()?, free_tcp_and_udp()?);
        let log = folder.path().join("aggregator.log");
        let program = Program {
            name: "aggregator".into(),
            file: aggregator.to_path_buf(),
            arguments: vec![
                "run".into(),
                "--state".into(),
                state.to_string_lossy().into_owned(),
                "--api".into(),
                format!("127.0.0.1:{api}"),
                "--ingest".into(),
                format!("127.0.0.1:{ingest}"),
            ],
            log,
        };
        let process = Supervised::start(program, clock::now())?;
        let base = format!("http://127.0.0.1:{api}");
        let ingest = SocketAddr::from(([127, 0, 0, 1], ingest));
        let server = Self { process, base, ingest, folder };
        server.wait()?;
        Ok(server)
    }

    fn wait(&self) -> Result<()> {
        let deadline = clock::now() + PATIENCE;
        while client().get(format!("{}/readyz", self.base)).call().is_err() {
            if clock::now() > deadline {
                let said = std::fs::read_to_string(&self.process.program.log).unwrap_or_default();
                bail!("the aggregator was not ready in {} s:\n{said}", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The access token of an account.
    pub(crate) fn sign_in(&self, email: &str) -> Result<String> {
        let device = json!({ "fingerprint": "contract", "name": "contract", "type": "cli" });
        let body = json!({ "email": email, "password": PASSWORD, "device": device });
        let answer = self.post("/api/auth/login", None, &body)?;
        let token = answer["tokens"]["access_token"].as_str();
        Ok(token.context("no access token came")?.to_owned())
    }

    /// What a POST is answered with; anything but a success is an error with the server's words.
    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Result<Value> {
        let mut request = client().post(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut response = request.send_json(body)?;
        let answer: Value = response.body_mut().read_json()?;
        if !response.status().is_success() {
            bail!("POST {path}: {answer}");
        }
        Ok(answer)
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> Result<Value> {
        let mut response = client()
            .get(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {token}"))
            .call()?;
        Ok(response.body_mut().read_json()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A process that does not end is made to; nothing is left that could be done about more.
        if let Err(error) = self.process.stop(FAREWELL) {
            crate::say::detail(&format!("the aggregator could not be ended: {error:#}"));
        }
    }
}

fn client() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        .build()
        .into()
}
