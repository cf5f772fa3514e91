//! The messages of both directions. Variants are numbered: new ones go at the end.

use crate::{Inventory, Record};
use flyball_command::{Action, OperationId, Outcome, SignedCommand, Verdict};
use flyball_units::{Kind, Unit};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of this conversation. Both sides come in one package, so one is enough.
pub const VERSION: u8 = 3;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromAgent {
    /// The first message. The guard replays from `after + 1` where `run` is its own,
    /// from the oldest record it holds where it is not.
    Attach { version: u8, run: Option<Uuid>, after: u64 },
    /// Everything up to `through` is durable at the agent.
    Confirm { through: u64 },
    /// A command as it came. The answer is a `Verdict`, and the outcome comes as a record.
    Propose { operation: OperationId, command: SignedCommand },
    /// Ask for the machine as it stands now.
    Inventory,
    /// Ask for everything that a person at the machine wants to see. Needs no `Attach`, and
    /// leaves an attached agent where it is.
    Status,
    /// What would the engine say to `action`? Nothing moves, so nothing is signed.
    Validate { request: u64, action: Action },
    /// A person at the machine asks, over the socket that only such a person can open. The answer
    /// is `Ordered`, and where something is to come about, `Ended`.
    Order { action: Action, person: String, until_ms: Option<u64> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromGuard {
    /// The answer to `Attach`: who reads here, and what there is to read.
    Attached {
        /// Random at each start of the guard.
        run: Uuid,
        /// The kernel's boot id.
        boot: Uuid,
        board: BoardInfo,
        /// `Sample::series` is an index into this list.
        series: Vec<Series>,
        inventory: Box<Inventory>,
    },
    Refused(AttachRefusal),
    /// Consecutive records; `first` is the number of the first of them.
    Records {
        first: u64,
        records: Vec<Record>,
    },
    Verdict {
        operation: OperationId,
        verdict: Verdict,
    },
    Inventory(Box<Inventory>),
    Status(Box<Status>),
    /// The list of series has grown: these come behind the ones that are known. A series keeps
    /// its place for as long as the guard runs, whether or not its hardware is there.
    Series {
        first: u16,
        series: Vec<Series>,
    },
    Validated {
        request: u64,
        verdict: Verdict,
    },
    /// The answer to `Order`, with the operation that a confirmation names.
    Ordered {
        operation: OperationId,
        verdict: Verdict,
    },
    /// What came of an order.
    Ended(Box<Outcome>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttachRefusal {
    Version {
        known: u8,
    },
    /// The first message was not `Attach`.
    NotAttached,
}

/// The machine as DMI or the simulated tree names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardInfo {
    pub vendor: Option<String>,
    pub product: Option<String>,
    pub serial: Option<String>,
    /// True where `--sysfs-root` points to a recorded or simulated tree.
    pub simulated: bool,
}

/// One series that the guard reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// OpenTelemetry's name: `hw.temperature`, `hw.power`, `hw.fan.speed` …
    pub metric: String,
    pub kind: Kind,
    pub unit: Unit,
    /// Attributes by OpenTelemetry's names (`hw.id`, `hw.name`, `hw.type`, `hw.sensor_location`…).
    pub attributes: Vec<(String, String)>,
    pub cadence_ms: u32,
}

/// The states of a limit, as `docs` draw them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LimitState {
    Unknown,
    Normal,
    Warning,
    Limiting,
    Tripped,
    Failsafe,
}

impl LimitState {
    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Limiting => "limiting",
            Self::Tripped => "tripped",
            Self::Failsafe => "failsafe",
        }
    }
}

/// The guard as it stands, for `flyball-guard status` and for measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub run: Uuid,
    pub uptime_ms: u64,
    /// True where it evaluates and says what it would do, and drives nothing.
    pub dry_run: bool,
    pub board: BoardInfo,
    /// How many series it reads.
    pub series: u32,
    pub inventory: Inventory,
    /// What discovery saw and a person should know.
    pub remarks: Vec<String>,
    pub agent_attached: bool,
    /// Records that wait for the agent's confirmation, and those that were lost to a full ring.
    pub records_held: u64,
    pub records_lost: u64,
    /// Journal entries that found its queue full.
    pub journal_dropped: u64,
    pub cycles: u64,
    /// The work of one cycle, from its wake-up to its end.
    pub cycle_p50_ms: f64,
    pub cycle_p999_ms: f64,
    /// From the reading that made the engine act to the end of the actuator's write.
    pub reactions: u64,
    pub reaction_p999_ms: f64,
    /// How much later than it was due a cycle began.
    pub late_p999_ms: f64,
    /// What each bus and each driver costs.
    pub buses: Vec<BusAccount>,
}

/// What one bus or one driver costs, and how it behaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusAccount {
    pub name: String,
    /// A few words for a person: `reads`, `does not answer` …
    pub state: String,
    pub rounds: u64,
    /// Rounds that failed as a whole or took longer than they may.
    pub faults: u64,
    /// Of one round, over all of them.
    pub wall_mean_ms: f64,
    pub wall_max_ms: f64,
    pub cpu_mean_ms: f64,
}
