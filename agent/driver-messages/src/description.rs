//! What a driver found.

use flyball_command::ResetType;
use flyball_guard_messages::ActuatorKind;
use flyball_units::{Kind, Unit};
use serde::{Deserialize, Serialize};

/// The equipment as it describes itself. Said after each connect, and again where it has changed;
/// indices in later messages are into the latest description. The guard knows sensors and
/// actuators by their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Described {
    pub identity: Identity,
    pub sensors: Vec<SensorEntry>,
    pub actuators: Vec<ActuatorEntry>,
    /// What a person should know: what was left out, and what looked wrong.
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub vendor: Option<String>,
    pub model: Option<String>,
    pub serial: Option<String>,
    pub firmware: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorEntry {
    /// Unique and stable within the equipment, of lower-case letters, digits, `-`, `_`, `.`, `/`.
    pub name: String,
    /// As the equipment calls it.
    pub label: String,
    /// OpenTelemetry's metric: `hw.temperature`, `hw.power` …
    pub metric: String,
    pub kind: Kind,
    pub unit: Unit,
    /// Attributes by OpenTelemetry's names, without `hw.id` and `hw.name`.
    pub attributes: Vec<(String, String)>,
    pub thresholds: Thresholds,
}

/// What the equipment declares for a sensor, in its unit. What it does not declare, or declares
/// as something that cannot be, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    pub lower_fatal: Option<f64>,
    pub lower_critical: Option<f64>,
    pub lower_caution: Option<f64>,
    pub upper_caution: Option<f64>,
    pub upper_critical: Option<f64>,
    pub upper_fatal: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActuatorEntry {
    /// Unique and stable within the equipment, as sensors' names are: `power`, `outlet-4`, `cap`.
    pub name: String,
    pub label: String,
    pub kind: ActuatorKind,
    pub unit: Unit,
    /// The lowest and highest level that may be asked for; both 0 where it has no level.
    pub min: f64,
    pub max: f64,
    /// How far a read-back may lie from what was asked and still be the same.
    pub quantum: f64,
    /// Of a switch: what it can be asked.
    pub verbs: Vec<ResetType>,
    /// The words that it takes: profiles, or of a switch the places to boot from.
    pub words: Vec<String>,
    /// The sensor that shows its effect, by index: the power that a cap holds down.
    pub effect: Option<u16>,
}

impl ActuatorEntry {
    /// One without levels, verbs and words: what it has is put in its place.
    #[must_use]
    pub fn bare(kind: ActuatorKind, name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind,
            unit: Unit::One,
            min: 0.0,
            max: 0.0,
            quantum: 0.0,
            verbs: Vec::new(),
            words: Vec::new(),
            effect: None,
        }
    }
}
