//! What comes in, as the interval's file keeps it. In postcard: new variants go at the end.

use flyball_protocol::command::Outcome;
use flyball_protocol::guard::GuardEvent;
use flyball_protocol::series::{Reader, SeriesRef};
use flyball_units::NoData;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One series' reading.
pub(super) type Reading = (SeriesRef, Result<f64, NoData>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Input {
    /// Which of the guard's records it is; `None` for the agent's own.
    pub(super) record: Option<RecordId>,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordId {
    pub(super) run: Uuid,
    pub(super) number: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum What {
    Samples {
        reader: Reader,
        tick_ms: u64,
        readings: Vec<Reading>,
    },
    Event {
        at_ms: u64,
        event: GuardEvent,
    },
    Outcome(Outcome),
    /// The guard's ring was full.
    Lost {
        from_ms: u64,
        to_ms: u64,
        records: u64,
    },
    /// A new process of the agent: what it has not sampled, it was not running for.
    Started,
}

impl Input {
    pub(super) const fn own(what: What) -> Self {
        Self { record: None, what }
    }
}
