//! Between the link and the loop: what is asked, and what is answered. Both queues are bounded,
//! and neither side ever waits for the other.

use flyball_command::{Action, Command, OperationId, Outcome, Refusal, Verdict};
use flyball_guard_messages::Inventory;

/// As many questions may wait; the link refuses what finds the queue full.
pub(crate) const INBOX: usize = 32;
/// Answers are at most questions.
pub(crate) const ANSWERS: usize = 64;

/// A connection of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientId(pub(crate) u64);

#[derive(Debug)]
pub(crate) enum Question {
    /// A command that was signed by the pinned key.
    Propose { client: ClientId, command: Command },
    /// What a person at the machine asks for.
    Order { client: ClientId, command: Command },
    /// A command that the link refused: the loop records it.
    Refused { operation: OperationId, refusal: Refusal },
    /// What the engine would say to an action; nothing moves.
    Validate { client: ClientId, request: u64, action: Action },
    /// The machine as it stands.
    View { client: ClientId, purpose: Purpose },
}

/// What a view is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Attach { after: u64 },
    Inventory,
    Status,
}

#[derive(Debug)]
pub(crate) enum Answer {
    Verdict { client: ClientId, operation: OperationId, verdict: Verdict },
    Validated { client: ClientId, request: u64, verdict: Verdict },
    Ordered { client: ClientId, operation: OperationId, verdict: Verdict },
    Ended { client: ClientId, outcome: Outcome },
    View { client: ClientId, purpose: Purpose, inventory: Box<Inventory> },
}
