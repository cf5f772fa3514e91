//! The guard's client: attaches with a cursor, hands records on, confirms what is durable, and
//! relays commands one way and verdicts the other.
//!
//! The guard may come and go; the link attaches again with a growing wait and asks for what it
//! has not handed on. It judges nothing and keeps nothing: the recorder is the one that stores.

mod conversation;

use crate::recorder::Order;
use conversation::{Conversation, Ended};
use flyball_protocol::command::{Action, OperationId, SignedCommand, Verdict};
use flyball_protocol::guard::{BoardInfo, Inventory, Record, Series};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The guard starts first and is restarted within seconds, so a long wait would only hurt.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A place in the guard's ring: everything up to `through` of `run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) run: Uuid,
    pub(crate) through: u64,
}

/// What is to be stored, in the guard's order.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The guard of this run reads these series from here on.
    Attached {
        run: Uuid,
        series: Vec<Series>,
    },
    /// The guard reads more series: these come behind the ones that are known.
    Series {
        first: u16,
        series: Vec<Series>,
    },
    /// Consecutive records; `first` is the number of the first of them.
    Records {
        first: u64,
        records: Vec<Record>,
    },
    Detached,
}

/// What the uplink has to know at once.
#[derive(Debug)]
pub(crate) enum News {
    Attached { board: BoardInfo, inventory: Box<Inventory> },
    Detached,
    Verdict { operation: OperationId, verdict: Verdict },
    Inventory(Box<Inventory>),
    Validated { request: u64, verdict: Verdict },
}

/// What the uplink asks of the guard.
#[derive(Debug)]
pub(crate) enum Ask {
    Propose {
        operation: OperationId,
        command: SignedCommand,
    },
    /// What would the engine say to `action`?
    Validate {
        request: u64,
        action: Action,
    },
    Inventory,
}

/// The ends of the channels that the link holds; each is bounded.
#[derive(Debug)]
pub(crate) struct GuardLink {
    pub(crate) socket: PathBuf,
    /// What was handed to the recorder. It survives a detached guard, not this process.
    pub(crate) cursor: Option<Cursor>,
    pub(crate) recorder: mpsc::Sender<Order>,
    pub(crate) news: mpsc::Sender<News>,
    pub(crate) asks: mpsc::Receiver<Ask>,
    /// What the recorder has made durable.
    pub(crate) durable: watch::Receiver<Option<Cursor>>,
}

impl GuardLink {
    /// Runs until the recorder or the uplink is gone.
    pub(crate) async fn run(mut self) {
        let mut wait = FIRST_WAIT;
        let mut reported = false;
        loop {
            let ended = Conversation::hold(&mut self).await;
            match &ended {
                Ended::Closed => return,
                Ended::Lost { attached: true, why } => {
                    wait = FIRST_WAIT;
                    reported = true;
                    tracing::warn!(why, "the guard is away; attaching again as soon as it is back");
                    if self.say_detached().await.is_err() {
                        return;
                    }
                }
                Ended::Lost { attached: false, why } if !reported => {
                    reported = true;
                    let socket = self.socket.display();
                    tracing::warn!(%socket, why, "no guard to attach to; trying until there is one");
                }
                Ended::Lost { .. } => {}
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.recorder.closed() => return,
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn say_detached(&self) -> Result<(), Gone> {
        self.recorder.send(Order::Guard(Delivery::Detached)).await.map_err(|_| Gone)?;
        self.news.send(News::Detached).await.map_err(|_| Gone)
    }
}

/// Recorder or uplink is gone: the program stops.
struct Gone;

#[cfg(test)]
mod tests;
