//! NUT: a UPS, or a managed PDU, behind upsd (Network UPS Tools' own text protocol over TCP).
//!
//! Looks ask `LIST VAR` on one kept connection; a deed is an instant command on a connection of
//! its own, which alone logs in. With a `ca` or a `fingerprint` both go over TLS (STARTTLS) and in
//! no other way; without, a password goes to this machine's own upsd only. upsd says itself when
//! its data are stale, and they are absent from that moment: this driver never keeps an old value.
//! `FSD` is latched by upsd.

mod client;
mod eyes;
mod hands;
mod link;
mod plan;
mod status;
mod variables;
mod words;

use crate::clock::Clock;
use crate::driver::{Connection, Driver};
use crate::trust::client_config;
use client::{Client, NutError};
use eyes::NutEyes;
use flyball_driver_messages::{Configuration, Fault, FaultKind, Login, Trust};
use hands::NutHands;
use plan::Plan;
use rustls::ClientConfig;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use variables::Variables;

/// Where upsd is, and which UPS is meant.
#[derive(Clone, Debug)]
struct Target {
    address: String,
    ups: String,
    login: Option<Login>,
    timeout: Duration,
    tls: Option<Arc<ClientConfig>>,
    /// The file says `insecure = true`: the password may go in the clear.
    risk_taken: bool,
}

pub(super) struct Nut {
    target: Target,
    clock: Clock,
    /// The configured name; the first that upsd has where it is `None`.
    named: Option<String>,
    /// Quantities that this UPS has ever shown.
    seen: BTreeSet<String>,
}

impl Nut {
    /// # Errors
    /// Where the configuration can't work.
    pub(super) fn new(configuration: &Configuration, clock: Clock) -> Result<Self, Fault> {
        let misconfigured = |text: &str| Err(Fault::new(FaultKind::Misconfigured, text));
        let tls = match &configuration.trust {
            Trust::Unstated | Trust::Insecure => None,
            trust @ (Trust::Authority(_) | Trust::Fingerprint(_)) => Some(client_config(trust)?),
        };
        let named = configuration.option("ups").map(str::to_owned);
        if named.as_ref().is_some_and(|name| !is_name(name)) {
            return misconfigured("`ups` is no name of a UPS: letters, digits, `-`, `_`, `.`");
        }
        let target = Target {
            address: configuration.address.clone(),
            ups: String::new(),
            login: configuration.login.clone(),
            timeout: Duration::from_millis(u64::from(configuration.timeout_ms)),
            tls,
            risk_taken: configuration.trust == Trust::Insecure,
        };
        Ok(Self { target, clock, named, seen: BTreeSet::new() })
    }

    fn ups(&self, client: &mut Client) -> Result<String, Fault> {
        if let Some(name) = &self.named {
            return Ok(name.clone());
        }
        let listed = client.list("UPS")?;
        let name = listed.first().and_then(|words| words.get(1)).filter(|name| is_name(name));
        name.cloned().ok_or_else(|| {
            Fault::new(
                FaultKind::Failing,
                "upsd has no UPS; see its ups.conf, or name one in `ups`",
            )
        })
    }
}

impl Driver for Nut {
    fn connect(&mut self) -> Result<Connection, Fault> {
        let mut client = Client::connect(&self.target, self.target.timeout)?;
        if self.target.login.is_some() {
            client.keeps_secrets()?;
        }
        let mut target = self.target.clone();
        target.ups = self.ups(&mut client)?;
        let variables = variables_of(&mut client, &target.ups)?;
        let commands = commands_of(&mut client, &target.ups)?;
        let plan = Plan::of(&variables, &commands, &mut self.seen);
        let hands = NutHands::new(target.clone(), self.clock, plan.switches.clone());
        let described = plan.described.clone();
        let eyes = NutEyes::new(target, client, plan, self.seen.clone());
        Ok(Connection { described, eyes: Box::new(eyes), hands: Box::new(hands) })
    }
}

/// What upsd takes as a name: it stands in requests as it is.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().all(plain)
}

fn variables_of(client: &mut Client, ups: &str) -> Result<Variables, NutError> {
    let lines = client.list(&format!("VAR {ups}"))?;
    let pair = |mut words: Vec<String>| {
        let value = (words.len() == 4).then(|| words.pop())??;
        Some((words.pop()?, value))
    };
    Ok(lines.into_iter().filter_map(pair).collect())
}

fn commands_of(client: &mut Client, ups: &str) -> Result<BTreeSet<String>, NutError> {
    let lines = client.list(&format!("CMD {ups}"))?;
    Ok(lines.into_iter().filter_map(|mut words| words.pop()).filter(|name| is_name(name)).collect())
}
