//! The few questions that `up` asks the aggregator over its own API.

use crate::ready::{Device, Kind, Ready};
use crate::say;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

fn client() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into()
}

/// Does the API say that it is ready?
pub(crate) fn answers(api: SocketAddr) -> Result<bool> {
    Ok(client().get(format!("http://{api}/readyz")).call().is_ok())
}

/// A signed-in superuser.
pub(crate) struct Session {
    base: String,
    token: String,
}

impl Session {
    pub(crate) fn sign_in(api: SocketAddr, email: &str, password: &str) -> Result<Self> {
        let base = format!("http://{api}");
        let mut response = client()
            .post(format!("{base}/api/auth/login"))
            .send_json(json!({
                "email": email,
                "password": password,
                "device": {"fingerprint": "cargo-xtask-up", "name": "cargo xtask up", "type": "cli"},
            }))
            .context("the superuser can't sign in")?;
        let body: Value = response.body_mut().read_json()?;
        let token = body["tokens"]["access_token"].as_str().context("no access token came")?;
        Ok(Self { base, token: token.to_owned() })
    }

    fn get(&self, path: &str) -> Result<Value> {
        let mut response = client()
            .get(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token))
            .call()
            .with_context(|| format!("GET {path} failed"))?;
        Ok(response.body_mut().read_json()?)
    }

    fn device(&self, id: &str) -> Result<Value> {
        self.get(&format!("/api/v1/devices/{id}"))
    }

    /// Is every device connected, and has it said what it reads?
    pub(crate) fn all_seen(&self, devices: &[Device]) -> Result<bool> {
        for device in devices {
            let seen = &self.device(&device.id)?["data"];
            if seen["status"] != "online" || seen["series"].as_array().is_none_or(Vec::is_empty) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Prints URL, sign-in and what is seen.
pub(crate) fn summary(ready: &Ready, state: &Path) -> Result<()> {
    let address = ready.api.trim_start_matches("http://").parse()?;
    let session = Session::sign_in(address, &ready.admin_email, &ready.admin_password)?;
    say::tell(&format!("ready: {}", ready.api));
    say::tell(&format!("    sign in as {} with {}", ready.admin_email, ready.admin_password));
    say::tell(&format!("    agents connect to {}, state in {}", ready.ingest, state.display()));
    for device in &ready.devices {
        let what = match device.kind {
            Kind::Real => "this machine",
            Kind::Simulated => "a simulated board, not hardware",
        };
        let seen = session.device(&device.id)?;
        say::tell(&format!("    {} ({what}): {}", device.name, kinds(&seen["data"]["series"])));
    }
    Ok(())
}

/// How many series of each reading type there are.
fn kinds(series: &Value) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for one in series.as_array().into_iter().flatten() {
        *counts.entry(one["reading_type"].as_str().unwrap_or("?")).or_default() += 1;
    }
    if counts.is_empty() {
        return "no series yet".to_owned();
    }
    let words: Vec<String> = counts
        .into_iter()
        .map(|(kind, count)| format!("{count} {}", kind.to_ascii_lowercase().replace('_', " ")))
        .collect();
    words.join(", ")
}
