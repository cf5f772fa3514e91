//! The machine as it stands: what it can do, what holds it, and what is attached to it.

use crate::LimitState;
use flyball_command::{Lock, PowerState, ResetType};
use flyball_units::{Kind, Unit};
use serde::{Deserialize, Serialize};

/// The attribute by which a series belongs to a piece of equipment: its value is the key.
pub const EQUIPMENT_ATTRIBUTE: &str = "flyball.equipment";

/// Everything about a machine that is no measurement. Sent whole, whenever something changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    pub limits: Vec<LimitSnapshot>,
    pub actuators: Vec<Actuator>,
    pub interlocks: Vec<InterlockSnapshot>,
    pub locks: Vec<LockSnapshot>,
    pub trips: Vec<TripSnapshot>,
    pub equipment: Vec<Equipment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActuatorKind {
    Fan,
    PowerCap,
    /// A ceiling of a processor's frequency.
    FrequencyCap,
    /// The power of a machine or an outlet.
    Switch,
    /// One of several words: a governor, a platform profile.
    Profile,
    Indicator,
    Service,
}

/// One actuator and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Actuator {
    pub id: String,
    pub kind: ActuatorKind,
    pub unit: Unit,
    pub min: f64,
    pub max: f64,
    /// What the engine wants of it now.
    pub wanted: Option<f64>,
    /// What it read back last.
    pub observed: Option<f64>,
    /// Its read-back has not agreed within its time.
    pub stuck: bool,
    /// The key of the equipment that it belongs to; `None` for the machine's own.
    pub equipment: Option<String>,
    /// Of a switch: where it stands.
    pub state: Option<PowerState>,
    /// Of a switch: what may be asked of it.
    pub verbs: Vec<ResetType>,
    /// Of a profile: the word that stands, and those that it offers.
    pub profile: Option<String>,
    pub profiles: Vec<String>,
}

/// What one layer says of a limit; `None` is *says nothing*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerThresholds {
    pub warning: Option<f64>,
    pub limit: Option<f64>,
    pub trip: Option<f64>,
}

/// One limit, its thresholds with the layer that set each, and its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitSnapshot {
    pub name: String,
    pub zone: String,
    pub kind: Kind,
    pub unit: Unit,
    /// The values in force: of each the tightest layer's.
    pub warning: Option<f64>,
    pub limit: Option<f64>,
    pub trip: Option<f64>,
    pub hysteresis: f64,
    /// `factory`, `local` or `fleet`: whose value is in force.
    pub layer: String,
    pub factory: LayerThresholds,
    pub local: LayerThresholds,
    pub fleet: LayerThresholds,
    /// A reading below the thresholds is what is dangerous: fan speed, battery, voltage.
    pub below: bool,
    pub state: LimitState,
    /// The step of the ladder that stands, in the engine's word.
    pub step: Option<String>,
    pub reading: Option<f64>,
    /// Unix milliseconds since the state stands.
    pub since_ms: u64,
    /// The sensors that it watches, by `hw.id`.
    pub sensors: Vec<String>,
}

/// A condition that stands between things, such as *outlet 4 only while fan tray 2 turns*.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterlockSnapshot {
    pub name: String,
    /// The policy's sentence for people.
    pub reason: String,
    /// What it stands against, by actuator.
    pub targets: Vec<String>,
    pub conditions: Vec<ConditionSnapshot>,
    /// It forbids now: a condition does not hold, or nobody knows whether it does.
    pub active: bool,
    /// Unix milliseconds since it is as it is.
    pub since_ms: u64,
    pub clears_when: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionSnapshot {
    /// As a person reads it: `fan-tray-2/fan1 >= 500 {rpm}`.
    pub text: String,
    /// `None` where it cannot be known.
    pub holds: Option<bool>,
    pub reading: Option<f64>,
    pub unit: Option<Unit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockSnapshot {
    pub lock: Lock,
    pub since_ms: u64,
}

/// A trip that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TripSnapshot {
    /// The limit's name: a limit has one trip at most.
    pub limit: String,
    pub since_ms: u64,
    pub reading: Option<f64>,
    pub threshold: Option<f64>,
    pub unit: Unit,
    /// `threshold`, `ladder_exhausted` or `restored`.
    pub cause: String,
    /// What still stands against clearing it; `None` where it may be cleared now.
    pub held_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EquipmentKind {
    Bmc,
    Pdu,
    Ups,
    Cooling,
    Sensor,
    Gpu,
}

impl EquipmentKind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bmc => "bmc",
            Self::Pdu => "pdu",
            Self::Ups => "ups",
            Self::Cooling => "cooling",
            Self::Sensor => "sensor",
            Self::Gpu => "gpu",
        }
    }
}

/// Something that this machine manages on behalf of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equipment {
    /// Its name in the guard's file: it never changes.
    pub key: String,
    pub kind: EquipmentKind,
    /// `redfish`, `ipmi`, `nut`, `snmp` …
    pub driver: String,
    pub vendor: Option<String>,
    pub model: Option<String>,
    pub serial: Option<String>,
    pub firmware: Option<String>,
    /// Where it is reached, without credentials.
    pub address: String,
    pub state: EquipmentState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EquipmentState {
    /// Nothing has come from it yet.
    Connecting,
    Connected,
    /// It does not answer, or not sensibly; it is tried again with a growing wait.
    Unreachable {
        since_ms: u64,
        reason: String,
    },
}
