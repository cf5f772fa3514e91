//! The messages of every stream. Variants and fields are numbered by position: new variants go
//! at the end, fields are never reordered, and a change of a record is a new version.

use crate::entry::Entry;
use crate::series::SeriesDef;
use crate::sync::{Epoch, Ranges, Seq};
use crate::version::Versions;
use flyball_command::{Action, DeviceId, OperationId, SignedCommand, Verdict};
use flyball_guard_messages::Inventory;
use serde::{Deserialize, Serialize};

pub use crate::version::{CURRENT_VERSION, MIN_VERSION};

/// ALPN of an enrolled agent (mutual TLS).
pub const ALPN: &[u8] = b"flyball/1";
/// ALPN of a machine that has a token and no certificate yet.
pub const ALPN_ENROL: &[u8] = b"flyball-enrol/1";

/// QUIC application close codes.
pub mod close {
    pub const DONE: u32 = 0;
    pub const FRAME_TOO_LARGE: u32 = 1;
    pub const MALFORMED: u32 = 2;
    pub const VERSION: u32 = 3;
    pub const REVOKED: u32 = 4;
    pub const REFUSED: u32 = 5;
    pub const SHUTDOWN: u32 = 6;
    pub const REPLACED: u32 = 7;
    pub const CHECKSUM: u32 = 8;
}

/// The first byte of every stream that the agent opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StreamKind {
    Control = 0,
    /// Blocks sealed since the connection stands.
    Fresh = 1,
    /// Older blocks, so that they don't stand before fresh ones.
    Backfill = 2,
}

impl StreamKind {
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Control),
            1 => Some(Self::Fresh),
            2 => Some(Self::Backfill),
            _ => None,
        }
    }
}

// --- enrolment: one bidirectional stream, one message each way

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnrolRequest {
    pub token: String,
    /// PKCS#10, DER.
    pub csr: Vec<u8>,
    pub machine: Machine,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EnrolReply {
    Enrolled {
        device: DeviceId,
        /// The agent's certificate, DER.
        certificate: Vec<u8>,
        /// The authority's certificate, DER.
        authority: Vec<u8>,
        /// The organization's command key, for the guard's pin file: 64 hexadecimal digits.
        command_key: String,
    },
    Refused(EnrolRefusal),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnrolRefusal {
    UnknownToken,
    UsedToken,
    ExpiredToken,
    BadRequest(String),
}

/// The machine as its operator knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub hostname: String,
    pub os: String,
    pub kernel: String,
    pub arch: String,
    pub vendor: Option<String>,
    pub product: Option<String>,
    pub serial: Option<String>,
    pub cpus: u32,
    pub memory_bytes: u64,
    /// True where the guard reads a recorded or simulated tree.
    pub simulated: bool,
    pub agent_version: String,
}

// --- control stream, agent to aggregator

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ControlUp {
    Hello(Hello),
    /// Sent after `Welcome`, and again when something changed.
    Inventory(Box<Inventory>),
    Plugins(Vec<PluginStatus>),
    /// The engine's answer to a command, ahead of the durable outcome.
    Verdict {
        operation: OperationId,
        verdict: Verdict,
    },
    /// The newest tick's processes, for `system/snapshot`.
    Processes(Vec<Process>),
    /// The guard has attached or is lost since `Hello` or since this was said last.
    Guard {
        attached: bool,
        /// As in [`Machine`]: known for good only once the guard has been there.
        simulated: bool,
    },
    /// The engine's answer to `Validate`; nothing has moved.
    Validated {
        request: u64,
        verdict: Verdict,
    },
    /// Two thirds of the certificate's life are over: a request for another, PKCS#10, DER.
    Renew {
        csr: Vec<u8>,
    },
    /// The answer to `ControlDown::Echo`, at once.
    Echo {
        number: u64,
    },
}

/// The greeting. It and `Refused` keep their layout in every version: peers of any two versions
/// have to understand why they part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    pub min_version: u8,
    pub max_version: u8,
    pub epoch: Epoch,
    pub next_seq: Seq,
    pub machine: Machine,
    /// Is the guard attached to the agent now?
    pub guard_attached: bool,
}

impl Hello {
    /// The versions that the agent offers.
    #[must_use]
    pub const fn versions(&self) -> Versions {
        Versions { min: self.min_version, max: self.max_version }
    }
}

/// One process of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    pub pid: u32,
    pub name: String,
    pub cpu_percent: f32,
    pub memory_bytes: u64,
}

// --- control stream, aggregator to agent

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ControlDown {
    Welcome {
        version: u8,
        acked: Ranges,
        pending: Vec<PendingCommand>,
        /// Unix milliseconds at the aggregator, for the agent's clock report.
        now_ms: u64,
    },
    Refused {
        reason: String,
    },
    Command(PendingCommand),
    /// Send `ControlUp::Inventory` now.
    Inventory,
    /// Ask the engine what it would say.
    Validate {
        request: u64,
        action: Action,
    },
    /// The answer to `Renew`, DER. The old certificate counts until the new one is shown.
    Renewed {
        certificate: Vec<u8>,
    },
    NotRenewed {
        reason: String,
    },
    /// Another connection of this device has come: is somebody still here?
    Echo {
        number: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingCommand {
    pub operation: OperationId,
    pub not_after_ms: u64,
    pub command: SignedCommand,
}

// --- block streams

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LaneUp {
    /// Every definition that the entries on this stream refer to, before they come.
    Series(Vec<SeriesDef>),
    Entry(Entry),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LaneDown {
    /// These are committed. Sent after the durable commit, never before.
    Ack(Ranges),
}

// --- job streams, opened by the aggregator: one request down, events up

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRequest {
    /// Milliseconds that the agent may take, queueing included.
    pub deadline_ms: u32,
    pub plugin: String,
    pub job: Job,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Job {
    Validate {
        format: String,
        source: String,
    },
    Render(RenderJob),
    /// The importer's catalogue over `files`.
    Catalog {
        files: Vec<File>,
        query: String,
        page: u32,
    },
    /// Import `item` from `files`; items come as `JobEvent::Item`.
    Import {
        files: Vec<File>,
        item: String,
        selection: Vec<String>,
        switches: Vec<(String, String)>,
    },
    /// What `item` of `files` is made of.
    Describe {
        files: Vec<File>,
        item: String,
    },
    /// A component: keep it, compile it and say what it is (`JobEvent::Component`). It runs for
    /// nobody before an order names it.
    Keep {
        bytes: Vec<u8>,
    },
    /// Exactly these components of those that were kept run from now on; what is not there is
    /// said by `JobEvent::Lacking`.
    Order {
        plugins: Vec<PluginOrder>,
    },
    /// A piece of a curriculum for this machine's own readers, in this order: its document, the
    /// pieces of its assets, the end.
    Shelve {
        curriculum: String,
        /// The curriculum's, by which pieces of two versions are told apart.
        revision: u64,
        piece: ShelfPiece,
    },
    /// Which curricula readers get here (`JobEvent::Shelf`).
    Shelf,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub enum ShelfPiece {
    Document {
        title: String,
        bytes: Vec<u8>,
    },
    Asset {
        about: ShelfAsset,
        /// Where in the asset the bytes belong; pieces come in their order.
        offset: u64,
        bytes: Vec<u8>,
    },
    /// So many assets have come: readers get this version from now on.
    Whole {
        assets: u32,
    },
    /// Nothing of it is kept any more.
    Removed,
}

impl core::fmt::Debug for ShelfPiece {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Document { title, bytes } => {
                write!(f, "Document({title}, {} bytes)", bytes.len())
            }
            Self::Asset { about, offset, bytes } => {
                write!(f, "Asset({}, {} bytes at {offset})", about.id, bytes.len())
            }
            Self::Whole { assets } => write!(f, "Whole({assets} assets)"),
            Self::Removed => f.write_str("Removed"),
        }
    }
}

/// An asset as a reader finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfAsset {
    pub id: String,
    /// The topic whose it is, where it is one topic's.
    pub topic: Option<String>,
    /// `image`, `audio` …
    pub kind: String,
    pub title: String,
    pub media_type: String,
    pub size: u64,
}

/// A component that a machine shall run, and how.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginOrder {
    /// The id of its manifest.
    pub plugin: String,
    /// SHA-256 of the component, hexadecimal.
    pub hash: String,
    pub enabled: bool,
    /// What it may reach, in the words of its wants: `http:host:443`.
    pub grants: Vec<String>,
    /// Values as JSON by their names, secrets among them.
    pub settings: Vec<(String, String)>,
}

impl core::fmt::Debug for PluginOrder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Settings hold secrets.
        write!(f, "PluginOrder({}, {}, {:?})", self.plugin, self.hash, self.grants)
    }
}

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// SHA-256, hexadecimal.
    pub hash: String,
    pub id: String,
    pub name: String,
    pub version: String,
    pub author: String,
    pub licence: String,
    pub description: String,
    pub kind: PluginKind,
    pub handles: Vec<String>,
    /// What it wants to reach, its settings' schema, and whatever else it says.
    pub attributes: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenderJob {
    pub format: String,
    pub source: String,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub theme: Option<String>,
    pub options: Vec<(String, String)>,
}

/// A file of a package that an importer reads.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
}

impl core::fmt::Debug for File {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "File({}, {} bytes)", self.path, self.bytes.len())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JobEvent {
    Progress {
        done: u64,
        total: Option<u64>,
        note: String,
    },
    Diagnostics(Vec<Diagnostic>),
    Image {
        mime_type: String,
        width: u32,
        height: u32,
        bytes: Vec<u8>,
    },
    Entries {
        entries: Vec<CatalogEntry>,
        total: u32,
    },
    /// A UMCF document or an asset that the import produced.
    Item {
        id: String,
        title: String,
        media_type: String,
        bytes: Vec<u8>,
    },
    Done,
    Failed(JobFailure),
    /// A course and what it is made of.
    Detail {
        entry: CatalogEntry,
        parts: Vec<Part>,
    },
    /// What was kept.
    Component(Component),
    /// Hashes of components that were ordered and are not there.
    Lacking(Vec<String>),
    /// The curricula that readers get here, with their revisions.
    Shelf(Vec<(String, u64)>),
}

/// A part of a course that an import can be told to take alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub id: String,
    pub title: String,
    pub attributes: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEntry {
    pub id: String,
    pub title: String,
    pub description: String,
    pub attributes: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DiagnosticSeverity {
    Error,
    Warning,
    Info,
    Hint,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: DiagnosticSeverity,
    pub code: String,
    pub message: String,
    /// From 1; 0 where the plugin does not know.
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobFailureKind {
    InvalidInput,
    Unsupported,
    Denied,
    Cancelled,
    /// Stopped at a limit of memory, time, output, log or lifting; the message says which.
    Limit,
    Trapped,
    Upstream,
    Internal,
    /// No such plugin here, or it is quarantined.
    Unavailable,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    pub kind: JobFailureKind,
    pub message: String,
    pub diagnostics: Vec<Diagnostic>,
}

/// One plugin as this agent has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginStatus {
    pub id: String,
    pub name: String,
    pub version: String,
    pub author: String,
    pub licence: String,
    pub description: String,
    pub kind: PluginKind,
    /// What it handles: formats of a renderer, source ids of an importer.
    pub handles: Vec<String>,
    /// SHA-256 of the component, hexadecimal.
    pub hash: String,
    pub state: PluginState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PluginKind {
    Renderer,
    Importer,
    Collector,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PluginState {
    Compiling,
    Ready,
    /// The reason that the host gave.
    Rejected(String),
    Quarantined(String),
}
