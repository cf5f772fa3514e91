//! The machine as it stands: what it can do, what holds it, and what is attached to it.

use crate::LimitState;
use flyball_command::{Lock, PowerState, ResetType};
use flyball_units::{Kind, Origin, Unit};
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
    /// It evaluates and says what it would do, and drives nothing.
    pub dry_run: bool,
    pub self_test: SelfTest,
}

/// What stands for an actuator from one origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimSnapshot {
    pub origin: Origin,
    /// The account, or the person at the machine.
    pub issuer: String,
    /// The floor or the cap; `None` for what keeps no level.
    pub value: Option<f64>,
    /// Unix milliseconds; until it is withdrawn where `None`.
    pub until_ms: Option<u64>,
}

/// A person's hold on a limit's ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldSnapshot {
    pub origin: Origin,
    pub issuer: String,
    pub reason: String,
    /// The lowest step that it puts off, in the engine's word.
    pub from: String,
    pub until_ms: u64,
    /// The step that it puts off now.
    pub puts_off: Option<String>,
}

/// What the machine knows of its own self-tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// One runs; it is over then at the latest, Unix milliseconds.
    pub running_until_ms: Option<u64>,
    /// The last one that came to its own end, and proved or disproved something.
    pub last: Option<SelfTestResult>,
    /// The last one that was broken off, where that was after `last`.
    pub aborted: Option<SelfTestResult>,
    /// When the next is due; `None` where nobody asks for any.
    pub due_ms: Option<u64>,
    /// It is due for longer than it should be.
    pub overdue: bool,
}

/// How one self-test went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTestResult {
    pub began_ms: u64,
    pub ended_ms: u64,
    pub end: SelfTestEnd,
    /// A sentence: what failed, or what broke it off.
    pub message: String,
    #[serde(default)]
    pub trials: Vec<TrialSnapshot>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelfTestEnd {
    Passed,
    Failed,
    Aborted,
}

impl SelfTestEnd {
    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }
}

/// One actuator in a self-test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialSnapshot {
    pub actuator: String,
    pub unit: Unit,
    /// `None` where it was broken off before.
    pub asked: Option<f64>,
    pub observed: Option<f64>,
    /// From asking to the read-back that agreed; `None` where none did.
    pub took_ms: Option<u64>,
    /// From letting go to the read-back that agreed with what was wanted then.
    pub back_ms: Option<u64>,
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
    /// What stands by proposals, the highest rank first: that one decides, under the limits.
    pub claims: Vec<ClaimSnapshot>,
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
    pub hold: Option<HoldSnapshot>,
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
