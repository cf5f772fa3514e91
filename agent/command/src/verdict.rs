//! The machine's answer to a command.

use crate::{OperationId, PowerState};
use flyball_units::Unit;
use serde::{Deserialize, Serialize};

/// What the engine said of a proposal, before anything moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    Accepted,
    Clamped(Clamp),
    Refused(Refusal),
    /// Nothing moves before it is confirmed.
    Armed(Arming),
}

/// What a dangerous command is about to do, for the one who has to confirm it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arming {
    /// It is forgotten then, Unix milliseconds.
    pub until_ms: u64,
    /// Exactly what is meant: id, model, serial number.
    pub target: String,
    pub state: Option<PowerState>,
    /// What will happen, as a sentence.
    pub consequence: String,
}

/// The engine took the proposal, but only as far as its limits go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clamp {
    pub asked: f64,
    pub to: f64,
    pub unit: Unit,
    /// The limit that holds it there.
    pub by: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefusalKind {
    /// A limit or interlock stands against it: HTTP 409 `interlock_active`.
    Interlock,
    /// Not signed by the pinned key, or for another device.
    Unauthorised,
    /// Past its `not_after`, or the guard cannot trust its clock.
    Expired,
    /// Its counter is not above the highest seen.
    Replayed,
    /// The machine has no such actuator, or the value is no number of its range.
    Invalid,
    /// The guard's inbox was full.
    Busy,
    /// A lock-out stands against it: HTTP 409 `locked`.
    Locked,
    /// It contradicts the state that was observed, or that state is not known.
    WrongState,
    /// It confirms what is not armed, or no longer.
    NotArmed,
    /// What somebody of a higher rank asked for stands, until `clears_when`.
    Outranked,
}

/// Why not, in the words that the API's 409 carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    pub kind: RefusalKind,
    /// The limit or interlock by its name; empty where `kind` is none of these.
    pub interlock: String,
    pub reading: Option<f64>,
    pub limit: Option<f64>,
    pub unit: Option<Unit>,
    /// Since when it stands, Unix milliseconds.
    pub since_ms: Option<u64>,
    /// What has to happen, as a sentence.
    pub clears_when: String,
    /// The refusal as a sentence.
    pub reason: String,
}

/// How an operation ended on the machine, after the read-back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub operation: OperationId,
    pub verdict: Verdict,
    /// What the actuator said when it was read back; `None` where nothing was driven.
    pub observed: Option<f64>,
    /// What a switch said when it was read back.
    pub state: Option<PowerState>,
    /// False where the read-back did not agree within its time.
    pub verified: bool,
    /// Unix milliseconds, by the guard's clock.
    pub at_ms: u64,
    /// Where it was not verified: what the equipment said against it, or shows instead.
    #[serde(default)]
    pub reason: Option<String>,
}
