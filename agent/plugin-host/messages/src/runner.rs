//! The two sockets of the runner: to the agent, and to the process of each plugin.

use crate::call::{Answer, Ask, Context, Event, Request, bytes};
use crate::report::World;
use serde::{Deserialize, Serialize};

/// Raised with every change of these messages.
pub const VERSION: u16 = 3;

/// A plugin's own id, from its manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PluginId(pub String);

impl core::fmt::Display for PluginId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Chosen by the agent, unique on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub u64);

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToRunner {
    /// A compiled component comes, in place of what had this id before: its code in parts, then
    /// `Seal`. Nothing of it runs before that; a new `Load` or an `Unload` forgets the parts.
    Load { plugin: PluginId, world: World },
    /// At most [`CODE_PART_BYTES`](crate::frame::CODE_PART_BYTES) of the code.
    Code {
        plugin: PluginId,
        #[serde(with = "bytes")]
        part: Vec<u8>,
    },
    /// The code is whole and was found sound: run it.
    Seal { plugin: PluginId },
    /// Nobody has needed it for a while: end its process and give its memory back.
    Unload { plugin: PluginId },
    Call {
        call: CallId,
        plugin: PluginId,
        /// From the runner's reading of it, queueing included.
        deadline_ms: u32,
        context: Context,
        request: Request,
    },
    /// To what a call asked last.
    Answer { call: CallId, answer: Answer },
    /// Nobody waits any more. No event of this call is sent after it was read.
    Cancel { call: CallId },
}

impl core::fmt::Debug for ToRunner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Load { plugin, .. } => write!(f, "Load({plugin})"),
            Self::Code { plugin, part } => write!(f, "Code({plugin}, {} bytes)", part.len()),
            Self::Seal { plugin } => write!(f, "Seal({plugin})"),
            Self::Unload { plugin } => write!(f, "Unload({plugin})"),
            Self::Call { call, plugin, .. } => write!(f, "Call({}, {plugin})", call.0),
            Self::Answer { call, .. } => write!(f, "Answer({})", call.0),
            Self::Cancel { call } => write!(f, "Cancel({})", call.0),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromRunner {
    /// First on every connection. Code compiled for another engine is refused.
    Hello {
        version: u16,
        engine: String,
    },
    Loaded {
        plugin: PluginId,
    },
    /// This code does not run here: compile it anew.
    NotLoaded {
        plugin: PluginId,
        reason: String,
    },
    /// It broke too often; calls are refused until `Loaded` comes again.
    Quarantined {
        plugin: PluginId,
        reason: String,
    },
    Event {
        call: CallId,
        event: Event,
    },
    /// The call waits for the answer.
    Ask {
        call: CallId,
        ask: Ask,
    },
    /// Before a call's last event.
    Cost {
        call: CallId,
        memory_bytes: u64,
    },
}

/// From the supervisor to the process of one plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToPlugin {
    /// Once, first.
    World(World),
    Call {
        deadline_ms: u32,
        context: Context,
        request: Request,
    },
    /// To what it asked last.
    Answer(Answer),
}

/// From the process of one plugin, which holds foreign code and is believed accordingly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromPlugin {
    Ready,
    NotLoaded {
        reason: String,
    },
    Event(Event),
    /// In the middle of a call, which waits for the answer.
    Ask(Ask),
    /// The linear memory of the call's instance at its most, before its last event.
    Cost {
        memory_bytes: u64,
    },
}
