//! The control stream's conversation: welcome, commands, verdicts, inventory.

use super::Uplink;
use super::commands::{self, Step};
use super::session::{Event, Loss};
use super::view::GuardWord;
use crate::guard::{Ask, News};
use crate::recorder::Order;
use flyball_protocol::command::{Action, Outcome, Verdict};
use flyball_protocol::message::{
    CURRENT_VERSION, ControlDown, ControlUp, MIN_VERSION, PendingCommand, PluginStatus, close,
};
use flyball_protocol::sync::Ranges;
use tokio::sync::watch;

/// A difference between the two clocks that is worth a log line.
const CLOCK_DIFFERENCE_MS: u64 = 2_000;

impl Uplink {
    pub(super) async fn handle_event(
        &mut self,
        number: u64,
        event: Event,
        plugins: &watch::Receiver<Vec<PluginStatus>>,
    ) {
        if number != self.sessions || self.link.is_none() {
            return;
        }
        match event {
            Event::Down(message) => self.handle_down(message, plugins).await,
            Event::Ack(ranges) => {
                self.sender.handle_ack(&ranges);
                if let Some(link) = &mut self.link {
                    link.handle_acked(&ranges);
                }
            }
            Event::Lost(loss) => self.lose(loss),
        }
    }

    pub(super) async fn handle_down(
        &mut self,
        message: ControlDown,
        plugins: &watch::Receiver<Vec<PluginStatus>>,
    ) {
        match message {
            ControlDown::Welcome { version, acked, pending, now_ms } => {
                if !self.handle_welcome(version, &acked, now_ms) {
                    return;
                }
                self.handle_plugins(plugins);
                for command in pending {
                    self.handle_command(command).await;
                }
            }
            ControlDown::Refused { reason } => self.end(Loss::refusal(reason), close::DONE),
            ControlDown::Command(command) => self.handle_command(command).await,
            ControlDown::Inventory => {
                self.tell_inventory();
                self.next_inventory_ms = self.now_ms();
            }
            ControlDown::Validate { request, action } => self.validate(request, action),
            ControlDown::Echo { number } => self.say(ControlUp::Echo { number }),
            ControlDown::Renewed { certificate } => self.handle_renewed(certificate),
            ControlDown::NotRenewed { reason } => self.handle_not_renewed(&reason),
        }
    }

    /// False where the link has ended over it: nothing else that came with it counts then.
    fn handle_welcome(&mut self, version: u8, acked: &Ranges, theirs_ms: u64) -> bool {
        if !(MIN_VERSION..=CURRENT_VERSION).contains(&version) {
            let why = format!("the aggregator chose version {version}, which was not offered");
            self.end(Loss::refusal(why), close::VERSION);
            return false;
        }
        let Some(link) = &mut self.link else { return false };
        if link.welcome_by_ms.take().is_none() {
            self.end(Loss::new("the aggregator welcomed twice"), close::MALFORMED);
            return false;
        }
        let apart_ms = theirs_ms.abs_diff(self.means.clock.unix_ms());
        if apart_ms > CLOCK_DIFFERENCE_MS {
            tracing::warn!(apart_ms, "this machine's clock and the aggregator's differ");
        }
        self.sender.handle_welcome(acked);
        self.outage = None;
        tracing::info!(version, committed = acked.count(), "the aggregator welcomes this machine");
        self.tell_guard();
        self.tell_inventory();
        true
    }

    pub(super) async fn handle_command(&mut self, command: PendingCommand) {
        let wall_ms = self.means.clock.unix_ms();
        if let Some(step) = self.commands.handle_command(command, wall_ms) {
            self.take_step(step).await;
        }
    }

    pub(super) async fn take_step(&mut self, step: Step) {
        match step {
            Step::Propose(command) => {
                let operation = command.operation;
                tracing::info!(%operation, "proposing a command to the guard");
                let ask = Ask::Propose { operation, command: command.command };
                if self.means.guard.try_send(ask).is_err() {
                    tracing::error!(%operation, "the guard's link is gone; the command is lost");
                }
            }
            Step::Settle(outcome) => self.settle(outcome).await,
        }
    }

    /// A command that ends in the agent: told at once, and stored like any outcome.
    pub(super) async fn settle(&mut self, outcome: Outcome) {
        let (operation, verdict) = (outcome.operation, outcome.verdict.clone());
        tracing::warn!(%operation, ?verdict, "a command ends before the guard");
        self.say(ControlUp::Verdict { operation, verdict });
        if self.means.recorder.send(Order::Outcome(outcome)).await.is_err() {
            tracing::error!(%operation, "the recorder is gone; an outcome is lost");
        }
    }

    pub(super) fn guard_takes(&self) -> bool {
        self.guard.attached && self.means.guard.capacity() > 0
    }

    pub(super) fn handle_news(&mut self, news: News) {
        match news {
            News::Attached { board, inventory } => {
                self.guard.attach(board, inventory);
                self.tell_guard();
                self.tell_inventory();
            }
            News::Detached => {
                self.guard.attached = false;
                self.tell_guard();
            }
            News::Verdict { operation, verdict } => {
                // A replay too: the guard answers so where it no longer knows what came of the
                // command. An outcome in the spool outranks the verdict at the aggregator.
                self.say(ControlUp::Verdict { operation, verdict });
            }
            News::Inventory(inventory) => {
                if self.guard.take_inventory(inventory) {
                    self.tell_inventory();
                }
            }
            News::Validated { request, verdict } => {
                self.say(ControlUp::Validated { request, verdict });
            }
        }
    }

    /// Asks the guard. Where it is away nobody can know, which is an answer too.
    fn validate(&mut self, request: u64, action: Action) {
        let ask = Ask::Validate { request, action };
        if !self.guard.attached || self.means.guard.try_send(ask).is_err() {
            let verdict = Verdict::Refused(commands::unanswered());
            self.say(ControlUp::Validated { request, verdict });
        }
    }

    pub(super) fn handle_plugins(&mut self, plugins: &watch::Receiver<Vec<PluginStatus>>) {
        let plugins = plugins.borrow().clone();
        self.say(ControlUp::Plugins(plugins));
    }

    pub(super) fn wants_inventory(&self) -> bool {
        self.guard.attached && self.sender.is_streaming()
    }

    /// Says where the guard is, if a welcomed aggregator does not know it.
    fn tell_guard(&mut self) {
        let word = self.means.name.guard_word(&self.guard);
        let welcomed = self.link.as_mut().filter(|link| link.welcome_by_ms.is_none());
        let known = welcomed.map(|link| std::mem::replace(&mut link.guard, word));
        if known.is_some_and(|known| known != word) {
            let GuardWord { attached, simulated } = word;
            self.say(ControlUp::Guard { attached, simulated });
        }
    }

    pub(super) fn tell_inventory(&mut self) {
        let inventory = self.guard.inventory();
        self.say(ControlUp::Inventory(inventory));
    }

    /// Says something over a welcomed connection. Without one it is dropped: inventory is told
    /// anew after every `Welcome`, and verdicts are ahead of outcomes that are durable.
    pub(super) fn say(&mut self, message: ControlUp) {
        let Some(link) = self.link.as_ref().filter(|link| link.welcome_by_ms.is_none()) else {
            return;
        };
        if !link.session.say(message) {
            self.end(Loss::new("the aggregator no longer reads its control stream"), close::DONE);
        }
    }
}
