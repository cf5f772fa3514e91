//! Orders of people at the machine: no signature, because they hold the machine itself; the
//! kernel has said who they are.

use super::Link;
use super::client::{Closed, Role};
use crate::command;
use crate::desk::Question;
use flyball_command::{Action, Command, DeviceId, OperationId, Origin, RefusalKind, Verdict};
use flyball_guard_messages::{AttachRefusal, FromGuard};
use uuid::Uuid;

/// The longest name that a person may give.
const MAX_NAME_BYTES: usize = 128;

impl Link {
    /// Hands an order to the loop.
    pub(super) fn order(
        &mut self,
        index: usize,
        action: Action,
        person: &str,
        until_ms: Option<u64>,
    ) {
        let run = self.shared.facts.run.as_u128();
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        let Role::Person { uid } = client.role else {
            client.send(&FromGuard::Refused(AttachRefusal::NotAttached));
            client.close(Closed::OutOfTurn);
            return;
        };
        self.orders += 1;
        let operation = OperationId(Uuid::from_u128(run.wrapping_add(self.orders)));
        let name = match person.trim() {
            name if name.is_empty() || name.len() > MAX_NAME_BYTES => format!("uid {uid}"),
            name => format!("{name} (uid {uid})"),
        };
        let command = Command {
            // It came by no wire: there is no other machine that it could be meant for, nor a
            // time after which it could come.
            device: DeviceId(Uuid::nil()),
            operation,
            counter: 0,
            not_after_ms: u64::MAX,
            action,
            issuer: format!("{name} at the machine"),
            origin: Origin::Local,
            until_ms,
        };
        let question = Question::Order { client: client.id, command };
        if self.questions.try_send(question).is_ok() {
            self.waiter.unpark();
            return;
        }
        let reason = "the guard has more commands than it takes at once";
        let refusal = command::refusal(RefusalKind::Busy, reason, "it is asked again");
        client.send(&FromGuard::Ordered { operation, verdict: Verdict::Refused(*refusal) });
    }
}
