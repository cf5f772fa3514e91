//! The guard's Unix socket: one agent, and now and then a person who asks for the status.
//!
//! One thread polls everything. A frame that is torn, too large or out of turn closes its own
//! connection with a log line, and nothing else notices. A slow agent is never waited for: what
//! it doesn't take stays in the ring.

mod client;
mod doors;
mod orders;
mod pace;

use crate::command::{self, Authority};
use crate::desk::{Answer, ClientId, Purpose, Question};
use crate::journal::Journal;
use crate::log;
use crate::ring;
use crate::shared::Shared;
use crate::words::Now;
use client::{Client, Closed, Role};
pub(crate) use doors::{Doors, control};
use flyball_command::{Action, OperationId, RefusalKind, SignedCommand, Verdict};
use flyball_guard_messages::{AttachRefusal, FromAgent, FromGuard, Inventory, Status, VERSION};
use pace::Pace;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread::{self, Thread};
use std::time::Duration;

const STACK_BYTES: usize = 512 * 1024;
/// An agent, its successor, and a few people.
const MAX_CLIENTS: usize = 6;
/// Who connects and doesn't say what for is sent away.
const SAY_WITHIN: Duration = Duration::from_secs(10);
/// Records of one frame.
const BATCH_BYTES: usize = 64 * 1024;
/// Series of one frame: a long list goes in several.
const SERIES_PER_FRAME: usize = 512;
const POLL: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// Operations whose verdict is remembered for an agent that asks again.
const REMEMBERED: usize = 64;

/// The link's thread.
pub(crate) struct Link {
    pub(crate) shared: Arc<Shared>,
    pub(crate) authority: Authority,
    pub(crate) journal: Journal,
    pub(crate) questions: SyncSender<Question>,
    pub(crate) answers: Receiver<Answer>,
    pub(crate) waiter: Thread,
    clients: Vec<Client>,
    next_client: u64,
    verdicts: VecDeque<(OperationId, Verdict)>,
    pace: Pace,
    /// Orders of this run: they number the operations.
    orders: u128,
}

impl Link {
    pub(crate) fn new(
        shared: Arc<Shared>,
        authority: Authority,
        journal: Journal,
        questions: SyncSender<Question>,
        answers: Receiver<Answer>,
        waiter: Thread,
    ) -> Self {
        let (clients, verdicts) = (Vec::new(), VecDeque::with_capacity(REMEMBERED));
        Self {
            shared,
            authority,
            journal,
            questions,
            answers,
            waiter,
            clients,
            next_client: 0,
            verdicts,
            pace: Pace::new(),
            orders: 0,
        }
    }

    /// # Errors
    /// Where the thread can't be started.
    pub(crate) fn start(mut self, doors: Doors) -> io::Result<()> {
        let link = thread::Builder::new().name("link".into()).stack_size(STACK_BYTES);
        link.spawn(move || {
            loop {
                self.turn(&doors);
            }
        })?;
        Ok(())
    }

    fn turn(&mut self, doors: &Doors) {
        let ready = self.wait(doors);
        self.shared.bell.silence();
        if ready {
            self.accept(&doors.agent, false);
            self.accept(&doors.control, true);
        }
        self.pass_on_answers();
        for index in 0..self.clients.len() {
            self.serve(index);
        }
        let now = self.shared.clock.now();
        self.shared.buses.watch(now);
        for client in &mut self.clients {
            if client.role == Role::Stranger && now.saturating_sub(client.since) > SAY_WITHIN {
                client.close(Closed::Silent);
            }
        }
        self.clients.retain(|client| !client.is_closed());
    }

    /// Sleeps until there is something to do. True where somebody knocks.
    fn wait(&self, doors: &Doors) -> bool {
        let mut fds = vec![
            PollFd::new(&doors.agent, PollFlags::IN),
            PollFd::new(&doors.control, PollFlags::IN),
            PollFd::new(self.shared.bell.fd(), PollFlags::IN),
        ];
        for client in &self.clients {
            let mut flags = PollFlags::IN;
            if client.has_output() {
                flags |= PollFlags::OUT;
            }
            fds.push(PollFd::new(client.stream(), flags));
        }
        if poll(&mut fds, Some(&POLL)).is_err() {
            // Interrupted: everything is non-blocking, so looking costs nothing.
            return true;
        }
        fds.iter().take(2).any(|fd| !fd.revents().is_empty())
    }

    fn accept(&mut self, listener: &UnixListener, control: bool) {
        while let Ok((stream, _)) = listener.accept() {
            let person = control.then(|| doors::person(&stream));
            if let Some(Err(uid)) = person {
                log::warn(format_args!("the control socket was opened by a stranger uid={uid}"));
                continue;
            }
            if self.clients.len() == MAX_CLIENTS {
                log::warn("a connection was turned away: too many are open");
                continue;
            }
            self.next_client += 1;
            let id = ClientId(self.next_client);
            match Client::new(id, stream, self.shared.clock.now()) {
                Ok(mut client) => {
                    if let Some(Ok(uid)) = person {
                        client.role = Role::Person { uid };
                    }
                    self.clients.push(client);
                }
                Err(error) => log::warn(format_args!("a connection failed cause={error}")),
            }
        }
    }

    fn serve(&mut self, index: usize) {
        if let Some(client) = self.clients.get_mut(index) {
            client.receive();
        }
        while let Some(message) = self.clients.get_mut(index).and_then(Client::next) {
            self.handle(index, message);
            // A command costs a sync: what the loop answers meanwhile must find room.
            self.pass_on_answers();
        }
        self.feed(index);
    }

    /// Gives an attached agent the next records, as far as it takes them.
    fn feed(&mut self, index: usize) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        while client.flush() {
            let Role::Agent { sent, series } = client.role else {
                return;
            };
            let (first, records) = ring::lock(&self.shared.ring).read_after(sent, BATCH_BYTES);
            // Looked at after the records were taken: a series is known before it is used.
            if self.shared.series_count.load(Ordering::Acquire) > series {
                let list = self.shared.series();
                let more: Vec<_> =
                    list.iter().skip(series).take(SERIES_PER_FRAME).cloned().collect();
                drop(list);
                client.role = Role::Agent { sent, series: series + more.len() };
                let first = u16::try_from(series).unwrap_or(u16::MAX);
                client.send(&FromGuard::Series { first, series: more });
                continue;
            }
            let Some(last) =
                (first + records.len() as u64).checked_sub(1).filter(|_| !records.is_empty())
            else {
                return;
            };
            client.role = Role::Agent { sent: last, series };
            client.send(&FromGuard::Records { first, records });
        }
    }

    fn handle(&mut self, index: usize, message: FromAgent) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        let (id, role) = (client.id, client.role);
        match (message, role) {
            (FromAgent::Order { action, person, until_ms }, _) => {
                self.order(index, action, &person, until_ms);
            }
            (FromAgent::Attach { .. }, Role::Person { .. }) => client.close(Closed::OutOfTurn),
            (FromAgent::Attach { version, run, after }, _) => {
                if version != VERSION {
                    client.send(&FromGuard::Refused(AttachRefusal::Version { known: VERSION }));
                    client.close(Closed::Version(version));
                    return;
                }
                let after = if run == Some(self.shared.facts.run) { after } else { 0 };
                self.ask(index, Purpose::Attach { after });
            }
            (FromAgent::Status, _) => {
                client.role = if role == Role::Stranger { Role::Onlooker } else { role };
                self.ask(index, Purpose::Status);
            }
            (FromAgent::Confirm { through }, Role::Agent { sent, .. }) => {
                ring::lock(&self.shared.ring).confirm(through.min(sent));
            }
            (FromAgent::Inventory, Role::Agent { .. }) => self.ask(index, Purpose::Inventory),
            (FromAgent::Validate { request, action }, Role::Agent { .. }) => {
                self.validate(index, request, action);
            }
            (FromAgent::Propose { operation, command }, Role::Agent { .. }) => {
                if let Some(verdict) = self.propose(id, operation, &command)
                    && let Some(client) = self.clients.get_mut(index)
                {
                    client.send(&FromGuard::Verdict { operation, verdict });
                }
            }
            (
                FromAgent::Confirm { .. }
                | FromAgent::Inventory
                | FromAgent::Propose { .. }
                | FromAgent::Validate { .. },
                _,
            ) => {
                client.send(&FromGuard::Refused(AttachRefusal::NotAttached));
                client.close(Closed::OutOfTurn);
            }
        }
    }

    /// Asks the loop what it would say. A full queue is an answer too.
    fn validate(&mut self, index: usize, request: u64, action: Action) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        let question = Question::Validate { client: client.id, request, action };
        if self.questions.try_send(question).is_ok() {
            self.waiter.unpark();
            return;
        }
        let reason = "the guard has more questions than it takes at once";
        let refusal = command::refusal(RefusalKind::Busy, reason, "it is asked again");
        client.send(&FromGuard::Validated { request, verdict: Verdict::Refused(*refusal) });
    }

    fn ask(&mut self, index: usize, purpose: Purpose) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        let question = Question::View { client: client.id, purpose };
        match self.questions.try_send(question) {
            Ok(()) => self.waiter.unpark(),
            Err(_) => client.close(Closed::Busy),
        }
    }

    /// Checks a command and hands it to the loop. Gives back the verdict where it is known.
    fn propose(
        &mut self,
        client: ClientId,
        operation: OperationId,
        signed: &SignedCommand,
    ) -> Option<Verdict> {
        if let Some((_, verdict)) = self.verdicts.iter().find(|(known, _)| *known == operation) {
            return Some(verdict.clone());
        }
        let clock = self.shared.clock;
        let now = Now { mono: clock.now(), wall_ms: clock.wall_ms() };
        // Before its counter goes to disk: a flood must cost neither the disk nor the loop.
        if !self.pace.take(now.mono) {
            let reason = "more commands come than the guard takes in a second";
            let refusal = command::refusal(RefusalKind::Busy, reason, "a new command is issued");
            return Some(Verdict::Refused(*refusal));
        }
        let opened = self.authority.open(operation, signed, now);
        let question = match opened {
            Ok(command) => Question::Propose { client, command },
            Err(refusal) => {
                let refusal = *refusal;
                let question = Question::Refused { operation, refusal: refusal.clone() };
                if self.questions.try_send(question).is_err() {
                    log::warn(format_args!(
                        "a refused command could not be recorded operation={operation}"
                    ));
                }
                self.waiter.unpark();
                return Some(Verdict::Refused(refusal));
            }
        };
        if self.questions.try_send(question).is_ok() {
            self.waiter.unpark();
            return None;
        }
        let reason = "the guard has more commands than it takes at once";
        let refusal = command::refusal(RefusalKind::Busy, reason, "a new command is issued");
        Some(Verdict::Refused(*refusal))
    }

    fn pass_on_answers(&mut self) {
        while let Ok(answer) = self.answers.try_recv() {
            self.pass_on(answer);
        }
    }

    /// An answer of the loop to the client that asked, if it is still there.
    fn pass_on(&mut self, answer: Answer) {
        match answer {
            Answer::Verdict { client, operation, verdict } => {
                if self.verdicts.len() == REMEMBERED {
                    self.verdicts.pop_front();
                }
                self.verdicts.push_back((operation, verdict.clone()));
                self.send(client, &FromGuard::Verdict { operation, verdict });
            }
            Answer::Validated { client, request, verdict } => {
                self.send(client, &FromGuard::Validated { request, verdict });
            }
            Answer::Ordered { client, operation, verdict } => {
                self.send(client, &FromGuard::Ordered { operation, verdict });
            }
            Answer::Ended { client, outcome } => {
                self.send(client, &FromGuard::Ended(Box::new(outcome)));
            }
            Answer::View { client, purpose, inventory } => match purpose {
                Purpose::Inventory => self.send(client, &FromGuard::Inventory(inventory)),
                Purpose::Status => {
                    let status = self.status(*inventory);
                    self.send(client, &FromGuard::Status(Box::new(status)));
                }
                Purpose::Attach { after } => {
                    let facts = &self.shared.facts;
                    let list = self.shared.series();
                    let series: Vec<_> = list.iter().take(SERIES_PER_FRAME).cloned().collect();
                    drop(list);
                    let known = series.len();
                    let attached = FromGuard::Attached {
                        run: facts.run,
                        boot: facts.boot,
                        board: facts.board.clone(),
                        series,
                        inventory,
                    };
                    self.send(client, &attached);
                    self.attach(client, after, known);
                }
            },
        }
    }

    /// The client is the agent from now on; who was it before is sent away.
    fn attach(&mut self, id: ClientId, after: u64, series: usize) {
        for client in &mut self.clients {
            if client.id == id {
                client.role = Role::Agent { sent: after, series };
            } else if matches!(client.role, Role::Agent { .. }) {
                client.close(Closed::Replaced);
            }
        }
        log::info(format_args!("an agent is attached after={after}"));
    }

    fn send(&mut self, id: ClientId, message: &FromGuard) {
        if let Some(client) = self.clients.iter_mut().find(|client| client.id == id) {
            client.send(message);
        }
    }

    fn status(&self, inventory: Inventory) -> Status {
        let Shared { facts, meters, ring, clock, .. } = &*self.shared;
        let ring = ring::lock(ring);
        Status {
            run: facts.run,
            uptime_ms: u64::try_from(clock.now().as_millis()).unwrap_or(u64::MAX),
            dry_run: facts.dry_run,
            board: facts.board.clone(),
            series: u32::try_from(self.shared.series().len()).unwrap_or(u32::MAX),
            inventory,
            remarks: facts.remarks.iter().chain(&*self.shared.notes()).cloned().collect(),
            agent_attached: self.clients.iter().any(|c| matches!(c.role, Role::Agent { .. })),
            records_held: ring.len() as u64,
            records_lost: ring.lost_records(),
            journal_dropped: self.journal.dropped(),
            cycles: meters.cycles.load(Ordering::Relaxed),
            cycle_p50_ms: meters.cycle.percentile_ms(0.5),
            cycle_p999_ms: meters.cycle.percentile_ms(0.999),
            reactions: meters.reaction.count(),
            reaction_p999_ms: meters.reaction.percentile_ms(0.999),
            late_p999_ms: meters.late.percentile_ms(0.999),
            buses: self.shared.buses.accounts(),
        }
    }
}
