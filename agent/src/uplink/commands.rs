//! Operators' commands on their way to the guard: once each, in time, and only to a guard that
//! is there.
//!
//! A command that cannot be proposed ends here with an outcome that says why. What was handed to
//! the guard is never handed to it again: its outcome comes through the spool.

use flyball_protocol::command::{OperationId, Outcome, Refusal, RefusalKind, Verdict};
use flyball_protocol::message::PendingCommand;
use std::collections::VecDeque;

/// Operations that are remembered, so that a repetition is known as one.
const MAX_SEEN: usize = 512;
/// Commands that may wait for a guard that is away.
const MAX_WAITING: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Commands {
    seen: VecDeque<OperationId>,
    waiting: VecDeque<PendingCommand>,
}

/// What to do about a command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Hand it to the guard.
    Propose(PendingCommand),
    /// It ends here; the outcome is to be stored and the verdict told.
    Settle(Outcome),
}

impl Commands {
    /// Takes a command as it came. What to do follows from [`Self::poll`].
    pub(super) fn handle_command(&mut self, command: PendingCommand, now_ms: u64) -> Option<Step> {
        if self.seen.contains(&command.operation) {
            tracing::debug!(operation = %command.operation, "a repeated command is dropped");
            return None;
        }
        if self.seen.len() >= MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(command.operation);
        if self.waiting.len() >= MAX_WAITING {
            return Some(Step::Settle(busy(command.operation, now_ms)));
        }
        self.waiting.push_back(command);
        None
    }

    /// The next step, asked for until it gives `None`. Commands are proposed in the order in
    /// which they came; `guard_takes` says whether one more can be.
    pub(super) fn poll(&mut self, now_ms: u64, guard_takes: bool) -> Option<Step> {
        let late = self.waiting.iter().position(|command| now_ms > command.not_after_ms);
        if let Some(command) = late.and_then(|place| self.waiting.remove(place)) {
            return Some(Step::Settle(expired(&command, now_ms)));
        }
        if guard_takes { self.waiting.pop_front().map(Step::Propose) } else { None }
    }

    /// When a waiting command runs out, on the wall clock.
    pub(super) fn next_expiry_ms(&self) -> Option<u64> {
        self.waiting.iter().map(|command| command.not_after_ms.saturating_add(1)).min()
    }
}

fn expired(command: &PendingCommand, now_ms: u64) -> Outcome {
    let late_ms = now_ms.saturating_sub(command.not_after_ms);
    refused(
        command.operation,
        RefusalKind::Expired,
        format!("The command came to the machine's guard {late_ms} ms after its time."),
        "It does not; ask again.",
        now_ms,
    )
}

fn busy(operation: OperationId, now_ms: u64) -> Outcome {
    refused(
        operation,
        RefusalKind::Busy,
        format!("{MAX_WAITING} commands wait for the machine's guard, which is away."),
        "The guard is back and has taken them.",
        now_ms,
    )
}

fn refused(
    operation: OperationId,
    kind: RefusalKind,
    reason: String,
    clears_when: &str,
    at_ms: u64,
) -> Outcome {
    let verdict = Verdict::Refused(refusal(kind, reason, clears_when));
    Outcome {
        operation,
        verdict,
        observed: None,
        state: None,
        verified: false,
        at_ms,
        reason: None,
    }
}

/// What a question gets whose guard is away.
pub(super) fn unanswered() -> Refusal {
    let reason = "The machine's guard is away, and nobody else can say.".to_owned();
    refusal(RefusalKind::Busy, reason, "The guard is back.")
}

fn refusal(kind: RefusalKind, reason: String, clears_when: &str) -> Refusal {
    Refusal {
        kind,
        interlock: String::new(),
        reading: None,
        limit: None,
        unit: None,
        since_ms: None,
        clears_when: clears_when.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_protocol::command::SignedCommand;
    use uuid::Uuid;

    fn command(number: u128, not_after_ms: u64) -> PendingCommand {
        PendingCommand {
            operation: OperationId(Uuid::from_u128(number)),
            not_after_ms,
            command: SignedCommand { bytes: vec![1], signature: vec![2] },
        }
    }

    fn kind(step: Option<Step>) -> Option<RefusalKind> {
        match step {
            Some(Step::Settle(Outcome { verdict: Verdict::Refused(refusal), .. })) => {
                Some(refusal.kind)
            }
            Some(Step::Settle(_) | Step::Propose(_)) | None => None,
        }
    }

    #[test]
    fn a_command_is_proposed_once_however_often_it_comes() {
        let mut commands = Commands::default();
        assert_eq!(commands.handle_command(command(1, 100), 0), None);
        assert_eq!(commands.handle_command(command(1, 100), 0), None);
        assert_eq!(commands.poll(50, true), Some(Step::Propose(command(1, 100))));
        assert_eq!(commands.handle_command(command(1, 100), 0), None);
        assert_eq!(commands.poll(50, true), None);
    }

    #[test]
    fn a_command_past_its_time_never_reaches_the_guard() {
        let mut commands = Commands::default();
        commands.handle_command(command(1, 100), 0);
        assert_eq!(commands.next_expiry_ms(), Some(101));
        assert_eq!(kind(commands.poll(101, true)), Some(RefusalKind::Expired));
        assert_eq!(commands.poll(101, true), None);
        commands.handle_command(command(2, 100), 0);
        assert_eq!(commands.poll(100, true), Some(Step::Propose(command(2, 100))));
    }

    #[test]
    fn commands_wait_for_a_guard_that_is_away_in_order_and_in_number() {
        let mut commands = Commands::default();
        for number in 0..MAX_WAITING as u128 {
            assert_eq!(commands.handle_command(command(number, 100), 0), None);
        }
        assert_eq!(kind(commands.handle_command(command(99, 100), 0)), Some(RefusalKind::Busy));
        assert_eq!(commands.poll(0, false), None);
        for number in 0..MAX_WAITING as u128 {
            assert_eq!(commands.poll(0, true), Some(Step::Propose(command(number, 100))));
        }
    }
}
