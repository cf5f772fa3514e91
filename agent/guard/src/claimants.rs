//! Who asked for what stands: the names behind the ranks that the engine knows.

use crate::words::Now;
use flyball_command::Command;
use flyball_safety::{Issued, Origin, Proposal};

/// Whose a command is, and how long what it asks for stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) origin: Origin,
    pub(crate) issuer: String,
    /// Unix milliseconds.
    pub(crate) until_ms: Option<u64>,
}

impl Asker {
    pub(crate) fn of(command: &Command) -> Self {
        let Command { origin, issuer, until_ms, .. } = command;
        Self { origin: *origin, issuer: issuer.clone(), until_ms: *until_ms }
    }

    /// Somebody who asks what the answer would be.
    pub(crate) const fn anybody() -> Self {
        Self { origin: Origin::Remote, issuer: String::new(), until_ms: None }
    }

    pub(crate) fn issue(&self, proposal: Proposal, now: Now) -> Issued {
        let until = self.until_ms.map(|until_ms| now.moment_of(until_ms));
        Issued { proposal, origin: self.origin, until }
    }
}

/// The name behind each claim and each hold. What no longer stands may be left in here: it is
/// looked up only for what the engine says stands.
#[derive(Debug, Default)]
pub(crate) struct Claimants {
    claims: Vec<(String, Origin, String)>,
    holds: Vec<(String, HoldName)>,
}

/// Whose a hold is, and why it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HoldName {
    pub(crate) issuer: String,
    pub(crate) reason: String,
}

impl Claimants {
    /// One per actuator and origin: the list is as long as there are actuators, three times.
    pub(crate) fn claim(&mut self, actuator: &str, asker: &Asker) {
        self.claims.retain(|(name, origin, _)| name != actuator || *origin != asker.origin);
        self.claims.push((actuator.to_owned(), asker.origin, asker.issuer.clone()));
    }

    pub(crate) fn of(&self, actuator: &str, origin: Origin) -> &str {
        let found =
            self.claims.iter().find(|(name, whose, _)| name == actuator && *whose == origin);
        found.map_or("", |(_, _, issuer)| issuer)
    }

    pub(crate) fn hold(&mut self, limit: &str, name: HoldName) {
        self.holds.retain(|(held, _)| held != limit);
        self.holds.push((limit.to_owned(), name));
    }

    pub(crate) fn holder(&self, limit: &str) -> Option<&HoldName> {
        self.holds.iter().find(|(held, _)| held == limit).map(|(_, name)| name)
    }
}

/// The rank as a sentence says it.
pub(crate) const fn rank(origin: Origin) -> &'static str {
    match origin {
        Origin::Automation => "an automation",
        Origin::Remote => "a remote operator",
        Origin::Local => "a person at the machine",
    }
}
