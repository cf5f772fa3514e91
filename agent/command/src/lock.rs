//! A lock-out: somebody works on the machine, and nothing may energise it until they are done.

use serde::{Deserialize, Serialize};

/// A lock, by its name within the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub name: String,
    /// Who may lift it without more ado.
    pub owner: String,
    pub reason: String,
    /// The switch or actuator that is locked; the machine with all its equipment where `None`.
    pub target: Option<String>,
    /// It lifts itself then, Unix milliseconds.
    pub until_ms: Option<u64>,
    /// It also holds fans and caps where they stand; the engine itself is never held.
    pub holds_levels: bool,
}
