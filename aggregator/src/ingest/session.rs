//! One agent's session: its greeting, what it reports, what it is sent, and how it ends. The
//! task owns its state; streams are read by tasks of their own that hand over whole messages.

mod greeting;
mod identity;
mod report;
mod streams;

use crate::app::App;
use crate::fleet::DeviceId;
use crate::fleet::sessions::{Order, SESSION_QUEUE};
use crate::ingest::arrival::Origin;
use crate::ingest::committer::{Answer, Submission};
use crate::ingest::fault::Fault;
use crate::ingest::job;
use crate::ingest::peer::Certificate;
use crate::ingest::stream::{End, write};
use flyball_link::{Connection, SendStream};
use flyball_protocol::entry::Entry;
use flyball_protocol::message::{ControlDown, ControlUp, LaneDown, LaneUp, close};
use flyball_protocol::sync::{Receipt, Receiver};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use streams::{Input, LaneId};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// Entries of one agent that may wait for their commit: both of its lanes' windows.
const MAX_PENDING: usize = 512;
/// Entries of one agent on their way through the committer, repetitions too.
const MAX_SUBMITTED: usize = 2 * MAX_PENDING;
/// Whole messages that wait for the session's task.
const INPUT_QUEUE: usize = 16;
/// Jobs of one agent at once; it runs fewer and says so itself.
const MAX_JOBS: usize = 8;

/// How a session that did nothing wrong ends.
enum Farewell {
    Revoked,
    Replaced,
    Shutdown,
    /// The same identity speaks from somewhere else.
    Quarantined,
    /// The certificate's time is over.
    Expired,
    /// The agent has closed its control stream.
    Done,
}

struct Session<'a> {
    app: &'a App,
    connection: &'a Connection,
    origin: Origin,
    receiver: Receiver,
    control: SendStream,
    /// Of the certificate that was shown.
    serial: String,
    renewals: u32,
    /// The counter of the last command that went out on this connection.
    last_counter: u64,
    /// The machine has told on this connection how it stands.
    reported: bool,
    lanes: BTreeMap<LaneId, SendStream>,
    commits: mpsc::Sender<Submission>,
    answers: mpsc::Sender<Answer>,
    /// Entries whose answer is still to come; the answers' channel has room for all of them.
    submitted: usize,
    job_room: Arc<Semaphore>,
    jobs: JoinSet<()>,
}

pub(super) async fn serve(
    app: &App,
    connection: &Connection,
    shown: &Certificate,
    commits: mpsc::Sender<Submission>,
) -> Result<(), End> {
    let device = shown.device;
    let greeted = greeting::greet(app, connection, shown).await?;
    let (order_sender, mut orders) = mpsc::channel(SESSION_QUEUE);
    let number = app.sessions.join(device, order_sender);
    app.metrics.connections.inc();
    let (address, transport) = (connection.remote_address(), connection.transport());
    tracing::info!(%device, %address, %transport, "agent connected");
    let (answer_sender, mut answers) = mpsc::channel(MAX_SUBMITTED);
    let (input_sender, mut inputs) = mpsc::channel(INPUT_QUEUE);
    let readers = streams::read(connection.clone(), greeted.control_reader, input_sender);
    let mut session = Session {
        app,
        connection,
        origin: greeted.origin,
        receiver: Receiver::new(greeted.epoch, greeted.committed, MAX_PENDING),
        control: greeted.control,
        serial: shown.serial.clone(),
        renewals: 0,
        last_counter: 0,
        reported: false,
        lanes: BTreeMap::new(),
        commits,
        answers: answer_sender,
        submitted: 0,
        job_room: Arc::new(Semaphore::new(MAX_JOBS)),
        jobs: JoinSet::new(),
    };
    let ended = match session.open(shown).await {
        Ok(()) => session.run(shown.not_after_ms, &mut orders, &mut answers, &mut inputs).await,
        Err(end) => Err(end),
    };
    drop(readers);
    app.metrics.connections.dec();
    let own = app.sessions.leave(device, number);
    session.leave(device, own).await;
    match ended {
        Ok(farewell) => session.part(&farewell),
        Err(end) => return Err(end),
    }
    Ok(())
}

impl Session<'_> {
    /// Welcomes the agent with what is committed of its epoch and what waits for it.
    async fn open(&mut self, shown: &Certificate) -> Result<(), End> {
        let device = self.origin.id;
        // What was revoked after the greeting and before the registration had no session to end.
        greeting::check_standing(self.app, shown).await?;
        let now_ms = self.app.clock.now_ms();
        report::presence(self.app, device, true, now_ms);
        let pending = self.app.operations.pending(device, 0).await.map_err(Fault::Store)?;
        self.last_counter = pending.last().map_or(0, |(counter, _)| *counter);
        let pending: Vec<_> = pending.into_iter().map(|(_, command)| command).collect();
        let sent: Vec<_> = pending.iter().map(|command| command.operation).collect();
        let welcome = ControlDown::Welcome {
            version: flyball_protocol::message::CURRENT_VERSION,
            acked: self.receiver.committed().clone(),
            pending,
            now_ms,
        };
        write(&mut self.control, &welcome).await?;
        for operation in sent {
            self.app.operations.handle_sent(operation).await.map_err(Fault::Store)?;
        }
        Ok(())
    }

    async fn run(
        &mut self,
        not_after_ms: u64,
        orders: &mut mpsc::Receiver<Order>,
        answers: &mut mpsc::Receiver<Answer>,
        inputs: &mut mpsc::Receiver<Input>,
    ) -> Result<Farewell, End> {
        let mut stop = self.app.shutdown.subscribe();
        let left_ms = not_after_ms.saturating_sub(self.app.clock.now_ms());
        let expiry = tokio::time::sleep(Duration::from_millis(left_ms));
        tokio::pin!(expiry);
        loop {
            let farewell = tokio::select! {
                () = stop.wait() => Some(Farewell::Shutdown),
                () = &mut expiry => Some(Farewell::Expired),
                order = orders.recv() => match order {
                    Some(order) => {
                        let farewell = self.handle_order(order, inputs).await?;
                        // Where the queue was full, the last orders to come were turned away.
                        if farewell.is_none() && orders.is_empty() {
                            self.send_commands().await?;
                        }
                        farewell
                    }
                    None => Some(self.replaced(inputs).await?),
                },
                Some(answer) = answers.recv() => {
                    self.handle_answers(answer, answers).await?;
                    None
                }
                input = inputs.recv() => match input {
                    Some(input) => self.handle_input(input).await?,
                    None => return Err(End::Lost),
                },
                Some(_) = self.jobs.join_next() => None,
            };
            if let Some(farewell) = farewell {
                return Ok(farewell);
            }
        }
    }

    async fn handle_order(
        &mut self,
        order: Order,
        inputs: &mut mpsc::Receiver<Input>,
    ) -> Result<Option<Farewell>, End> {
        match order {
            Order::Command => self.send_commands().await?,
            Order::Job { request, events } => {
                let Ok(permit) = Arc::clone(&self.job_room).try_acquire_owned() else {
                    // Its reader sees the channel close and says so.
                    return Ok(None);
                };
                let connection = self.connection.clone();
                self.jobs.spawn(async move {
                    job::run(connection, request, events).await;
                    drop(permit);
                });
            }
            Order::Validate { request, action } => {
                write(&mut self.control, &ControlDown::Validate { request, action }).await?;
            }
            Order::Revoke => return Ok(Some(Farewell::Revoked)),
            Order::Replace => return Ok(Some(self.replaced(inputs).await?)),
            Order::Quarantine => return Ok(Some(Farewell::Quarantined)),
        }
        Ok(None)
    }

    /// Another connection of the device has taken this one's place.
    async fn replaced(&mut self, inputs: &mut mpsc::Receiver<Input>) -> Result<Farewell, End> {
        if !self.is_elsewhere(inputs).await {
            return Ok(Farewell::Replaced);
        }
        self.quarantine(self.origin.id).await?;
        Ok(Farewell::Quarantined)
    }

    /// Sends what waits in the store and has not gone out on this connection.
    async fn send_commands(&mut self) -> Result<(), End> {
        let operations = &self.app.operations;
        let pending = operations.pending(self.origin.id, self.last_counter).await;
        for (counter, command) in pending.map_err(Fault::Store)? {
            let operation = command.operation;
            write(&mut self.control, &ControlDown::Command(command)).await?;
            self.last_counter = counter;
            operations.handle_sent(operation).await.map_err(Fault::Store)?;
        }
        Ok(())
    }

    async fn handle_input(&mut self, input: Input) -> Result<Option<Farewell>, End> {
        match input {
            Input::Control(message) => self.handle_control(message).await?,
            Input::ControlEnded => return Ok(Some(Farewell::Done)),
            Input::LaneOpened(lane, stream) => {
                self.lanes.insert(lane, stream);
            }
            Input::Lane(message) => self.handle_lane(message).await?,
            Input::LaneEnded(lane) => {
                self.lanes.remove(&lane);
            }
            Input::Ended(end) => return Err(end),
        }
        Ok(None)
    }

    async fn handle_control(&mut self, message: ControlUp) -> Result<(), End> {
        let device = self.origin.id;
        let at_ms = Some(self.app.clock.now_ms());
        let sessions = &self.app.sessions;
        match message {
            ControlUp::Hello(_) => return Err(Fault::Opening.into()),
            // An answer that comes after its time.
            ControlUp::Echo { .. } => {}
            ControlUp::Renew { csr } => self.renew(&csr).await?,
            ControlUp::Inventory(board) => {
                let first = !std::mem::replace(&mut self.reported, true);
                report::inventory(self.app, device, *board, first).await.map_err(Fault::Store)?;
            }
            ControlUp::Validated { request, verdict } => {
                sessions.settle_validation(device, request, verdict);
            }
            ControlUp::Plugins(plugins) => sessions.update(device, |inventory| {
                inventory.plugins = plugins;
                inventory.at_ms = at_ms;
            }),
            ControlUp::Processes(processes) => sessions.update(device, |inventory| {
                inventory.processes = processes;
                inventory.at_ms = at_ms;
            }),
            ControlUp::Guard { attached, simulated } => {
                let taken = report::guard(self.app, device, attached, simulated).await;
                taken.map_err(Fault::Store)?;
            }
            ControlUp::Verdict { operation, verdict } => {
                let operations = &self.app.operations;
                operations
                    .handle_verdict(device, operation, verdict)
                    .await
                    .map_err(Fault::Store)?;
            }
        }
        Ok(())
    }

    async fn handle_lane(&mut self, message: LaneUp) -> Result<(), End> {
        match message {
            LaneUp::Series(definitions) => {
                let unknown = self.origin.unknown(definitions)?;
                if unknown.is_empty() {
                    return Ok(());
                }
                let (device, epoch) = (self.origin.device, self.origin.epoch);
                let now_ms = self.app.clock.now_ms();
                let store = &self.app.store;
                let defined = store.define_series(device, epoch, &unknown, now_ms).await;
                self.origin.learn(defined.map_err(Fault::Store)?);
                Ok(())
            }
            LaneUp::Entry(entry) => self.handle_entry(entry).await,
        }
    }

    async fn handle_entry(&mut self, entry: Entry) -> Result<(), End> {
        let seq = entry.seq.0;
        if i64::try_from(seq).is_err() {
            // The store's numbers end there.
            return Err(Fault::Damaged { seq }.into());
        }
        match self.receiver.handle_entry(&entry) {
            // The store compares with what it has: the same number with another body is an
            // error, never a repetition, and is kept aside there.
            Receipt::New | Receipt::Committed | Receipt::Conflict => {}
            Receipt::Pending => return Ok(()),
            Receipt::Damaged => return Err(Fault::Damaged { seq }.into()),
            Receipt::OverWindow => return Err(Fault::OverWindow(MAX_PENDING).into()),
        }
        if self.submitted >= MAX_SUBMITTED {
            return Err(Fault::OverWindow(MAX_SUBMITTED).into());
        }
        let (arrival, measured) = self.origin.open(entry);
        let reply = self.answers.clone();
        let submission = Submission { arrival, measured, reply };
        self.commits.send(submission).await.map_err(|_| Fault::Uncommitted)?;
        self.submitted += 1;
        Ok(())
    }

    /// Takes every answer that is there, then acknowledges all of them at once.
    async fn handle_answers(
        &mut self,
        first: Answer,
        answers: &mut mpsc::Receiver<Answer>,
    ) -> Result<(), End> {
        let mut next = Some(first);
        while let Some(answer) = next {
            self.submitted = self.submitted.saturating_sub(1);
            match answer {
                Answer::Committed(seq) => self.receiver.handle_committed([seq]),
                Answer::Failed(seq) => {
                    self.receiver.handle_failed([seq]);
                    return Err(Fault::Uncommitted.into());
                }
                Answer::NoRoom(seq) => {
                    self.receiver.handle_failed([seq]);
                    return Err(Fault::NoRoom.into());
                }
            }
            next = answers.try_recv().ok();
        }
        self.acknowledge().await
    }

    /// Acknowledgements may go down any lane; the newest one stands longest.
    async fn acknowledge(&mut self) -> Result<(), End> {
        let Some(mut lane) = self.lanes.last_entry() else {
            return Ok(());
        };
        match self.receiver.poll_ack() {
            Some(ranges) => write(lane.get_mut(), &LaneDown::Ack(ranges)).await,
            None => Ok(()),
        }
    }

    async fn leave(&mut self, device: DeviceId, own: bool) {
        let now_ms = self.app.clock.now_ms();
        tracing::info!(%device, "agent disconnected");
        if !own {
            return;
        }
        if let Err(error) = self.app.store.device_left(device, self.app.instance, now_ms).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(%device, error, "its leave was not stored");
        }
        report::presence(self.app, device, false, now_ms);
    }

    fn part(&self, farewell: &Farewell) {
        let (code, reason) = match farewell {
            Farewell::Revoked => (close::REVOKED, "the device's certificate was revoked"),
            Farewell::Replaced => (close::REPLACED, "the device has connected anew"),
            Farewell::Quarantined => (close::REFUSED, "the device is in two places at once"),
            Farewell::Expired => (close::REFUSED, "the device's certificate has expired"),
            Farewell::Shutdown => (close::SHUTDOWN, "the aggregator shuts down"),
            Farewell::Done => (close::DONE, "done"),
        };
        self.connection.close(code, reason.as_bytes());
    }
}
