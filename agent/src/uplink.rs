//! The connection to the aggregator: whom to call and when, what to send, what came back.
//!
//! One owner for all of it. [`Sender`] decides about the sync and [`Commands`] about commands;
//! this module moves bytes and messages as they say. It reads the spool and trims it, and never
//! decides what is kept or what a command may do.

pub(crate) mod endpoint;
pub(crate) mod wire;

mod commands;
mod jobs;
mod session;
mod view;

use crate::clock::Clock;
use crate::config::ServerAddress;
use crate::guard::{Ask, News};
use crate::recorder::Order;
use crate::spool::{Outbox, SpoolError};
use commands::{Commands, Step};
use endpoint::Connected;
use flyball_protocol::command::{Outcome, Refusal, RefusalKind, Verdict};
use flyball_protocol::message::{
    CURRENT_VERSION, ControlDown, ControlUp, Hello, MIN_VERSION, PluginStatus, Process, close,
};
use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::{Action, Epoch, Lane, Limits, Ranges, Sender, Seq, Want};
use session::{Batch, Event, Loss, Reports, Session};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use view::GuardView;

/// Unacknowledged bytes per lane: what the aggregator's stream window takes, so that an outage
/// of a week drains in a few megabytes of memory.
const WINDOW_BYTES: usize = 256 * 1024;
/// One read of the spool.
const READ_BYTES: usize = 64 * 1024;
const MAX_EVENTS: usize = 64;
/// From a connection to its `Welcome`.
const WELCOME_MS: u64 = 15_000;
/// What a shutdown waits for acknowledgements.
const FAREWELL_MS: u64 = 2_000;
/// Between two looks at the guard's limits, where nothing says that they changed.
const LIMITS_EVERY_MS: u64 = 10_000;
/// A difference between the two clocks that is worth a log line.
const CLOCK_DIFFERENCE_MS: u64 = 2_000;

/// The other ends of the uplink's channels; each is bounded.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) news: mpsc::Receiver<News>,
    /// The first number that the spool has not given.
    pub(crate) appended: watch::Receiver<Seq>,
    pub(crate) processes: mpsc::Receiver<Vec<Process>>,
    pub(crate) plugins: watch::Receiver<Vec<PluginStatus>>,
    /// Flush and close; the answer comes when that is done.
    pub(crate) farewell: oneshot::Receiver<()>,
}

/// What the uplink works with.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) clock: Clock,
    pub(crate) servers: Vec<ServerAddress>,
    pub(crate) client: quinn::ClientConfig,
    pub(crate) name: MachineName,
    pub(crate) outbox: Outbox,
    pub(crate) recorder: mpsc::Sender<Order>,
    pub(crate) guard: mpsc::Sender<Ask>,
    pub(crate) runner: JobRunner,
}

pub(crate) use jobs::JobRunner;
pub(crate) use view::MachineName;

/// Everything that the uplink acts upon.
#[derive(Debug)]
enum Input {
    News(News),
    Appended(Seq),
    Processes(Vec<Process>),
    Plugins,
    Session(u64, Event),
    Done(Done),
    Timer,
    Farewell,
    /// Another part of the program has stopped.
    Closed,
}

/// What work that was begun elsewhere has come to.
#[derive(Debug)]
enum Done {
    Connected(Result<Connected, Loss>),
    Read { session: u64, want: Want, from_spool: Result<Batch, SpoolError>, room: Room },
    Trimmed(Result<(), SpoolError>),
    Renewed(Result<Epoch, SpoolError>),
}

type Room = mpsc::OwnedPermit<Batch>;

#[derive(Debug)]
pub(crate) struct Uplink {
    means: Means,
    origin: Instant,
    sender: Sender,
    commands: Commands,
    guard: GuardView,
    link: Option<Link>,
    sessions: u64,
    /// The last loss that was logged, so that an outage is one line.
    outage: Option<String>,
    events: mpsc::Sender<(u64, Event)>,
    done: mpsc::Sender<Done>,
    next_limits_ms: u64,
    farewell_until_ms: Option<u64>,
}

/// A session and what was sent over it.
#[derive(Debug)]
struct Link {
    session: Session,
    /// `None` once `Welcome` has come.
    welcome_by_ms: Option<u64>,
    /// Definitions that each lane has been given.
    announced: [SeriesRef; Lane::ALL.len()],
    reading: [bool; Lane::ALL.len()],
    sent: Ranges,
    acked: Ranges,
}

impl Uplink {
    /// Runs until the farewell is done or another part of the program is gone.
    pub(crate) async fn run(means: Means, mut sources: Sources) {
        let (events, mut session_events) = mpsc::channel(MAX_EVENTS);
        let (done, mut finished) = mpsc::channel(MAX_EVENTS);
        let mut uplink = Self::new(means, events, done);
        loop {
            uplink.drive().await;
            if uplink.said_farewell() {
                break uplink.leave().await;
            }
            match uplink.next_input(&mut sources, &mut session_events, &mut finished).await {
                Input::News(news) => uplink.handle_news(news),
                Input::Appended(next_seq) => uplink.sender.handle_appended(next_seq),
                Input::Processes(processes) => uplink.say(ControlUp::Processes(processes)),
                Input::Plugins => uplink.handle_plugins(&sources.plugins),
                Input::Session(number, event) => {
                    uplink.handle_event(number, event, &sources.plugins).await;
                }
                Input::Done(done) => uplink.handle_done(done),
                Input::Timer => uplink.handle_timer(),
                Input::Farewell => {
                    uplink.farewell_until_ms = Some(uplink.now_ms() + FAREWELL_MS);
                }
                Input::Closed => break uplink.leave().await,
            }
        }
    }

    fn new(means: Means, events: mpsc::Sender<(u64, Event)>, done: mpsc::Sender<Done>) -> Self {
        let limits = Limits { window_bytes: WINDOW_BYTES, ..Limits::default() };
        let (epoch, next_seq) = (means.outbox.epoch(), means.outbox.next_seq());
        Self {
            origin: means.clock.now(),
            sender: Sender::new(limits, means.servers.len(), epoch, next_seq),
            commands: Commands::default(),
            guard: GuardView::default(),
            link: None,
            sessions: 0,
            outage: None,
            events,
            done,
            next_limits_ms: 0,
            farewell_until_ms: None,
            means,
        }
    }

    async fn next_input(
        &self,
        sources: &mut Sources,
        events: &mut mpsc::Receiver<(u64, Event)>,
        finished: &mut mpsc::Receiver<Done>,
    ) -> Input {
        let leaving = self.farewell_until_ms.is_some();
        tokio::select! {
            Some((number, event)) = events.recv() => Input::Session(number, event),
            Some(done) = finished.recv() => Input::Done(done),
            news = sources.news.recv(), if !leaving => news.map_or(Input::Closed, Input::News),
            changed = sources.appended.changed() => match changed {
                Ok(()) => Input::Appended(*sources.appended.borrow_and_update()),
                Err(_) if leaving => std::future::pending().await,
                Err(_) => Input::Closed,
            },
            Some(processes) = sources.processes.recv() => Input::Processes(processes),
            Ok(()) = sources.plugins.changed() => Input::Plugins,
            _ = &mut sources.farewell, if !leaving => Input::Farewell,
            () = tokio::time::sleep(self.until_timer()) => Input::Timer,
        }
    }

    /// How long nothing has to be looked at, unless something happens.
    fn until_timer(&self) -> Duration {
        let now_ms = self.now_ms();
        let wall_ms = self.means.clock.unix_ms();
        let expiry = self.commands.next_expiry_ms().map(|at| now_ms + at.saturating_sub(wall_ms));
        let welcome = self.link.as_ref().and_then(|link| link.welcome_by_ms);
        let limits = self.wants_limits().then_some(self.next_limits_ms);
        let next = [self.sender.poll_timeout(), expiry, welcome, limits, self.farewell_until_ms]
            .into_iter()
            .flatten()
            .min();
        next.map_or(Duration::from_secs(60), |at| Duration::from_millis(at.saturating_sub(now_ms)))
    }

    /// Does everything that can be done without waiting for another part.
    async fn drive(&mut self) {
        while let Some(action) = self.sender.poll(self.now_ms()) {
            self.act(action);
        }
        for lane in Lane::ALL {
            self.fill(lane);
        }
        let wall_ms = self.means.clock.unix_ms();
        while let Some(step) = self.commands.poll(wall_ms, self.guard_takes()) {
            self.take_step(step).await;
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Connect { address } => self.connect(address),
            Action::Disconnect => {
                self.end(Loss::new("the aggregator acknowledged nothing in time"), close::DONE);
            }
            Action::Trim(ranges) => {
                let outbox = self.means.outbox.clone();
                self.begin(move || Done::Trimmed(outbox.trim(&ranges)));
            }
            Action::NewEpoch => self.renew_epoch(),
        }
    }

    fn connect(&mut self, address: usize) {
        let Some(server) = self.means.servers.get(address).cloned() else { return };
        let (client, done) = (self.means.client.clone(), self.done.clone());
        tokio::spawn(async move {
            let result = session::connect(server, client).await;
            // The uplink is gone only when the program stops.
            let _stopping = done.send(Done::Connected(result)).await;
        });
    }

    fn renew_epoch(&mut self) {
        tracing::warn!(
            "the aggregator knows numbers that this spool never gave (was it restored from a \
             copy?); going on under a new epoch"
        );
        if let Some(link) = self.link.take() {
            link.session.close(close::DONE, "a new epoch begins");
        }
        let outbox = self.means.outbox.clone();
        self.begin(move || {
            let epoch = Epoch(random_u64());
            Done::Renewed(outbox.renew_epoch(epoch).map(|()| epoch))
        });
    }

    /// Runs `work`, which may wait for the disk, beside this thread.
    fn begin(&self, work: impl FnOnce() -> Done + Send + 'static) {
        let done = self.done.clone();
        tokio::spawn(async move {
            if let Ok(result) = tokio::task::spawn_blocking(work).await {
                let _stopping = done.send(result).await;
            }
        });
    }

    /// Reads what `lane` can take, one read at a time.
    fn fill(&mut self, lane: Lane) {
        let (session, outbox) = (self.sessions, self.means.outbox.clone());
        let Some(want) = self.sender.want(lane) else { return };
        let Some(link) = self.link.as_mut().filter(|link| !link.reading[lane as usize]) else {
            return;
        };
        let Some(room) = link.session.room(lane) else { return };
        link.reading[lane as usize] = true;
        let first = link.announced[lane as usize];
        self.begin(move || {
            let bytes = want.bytes.min(READ_BYTES);
            let read = || {
                // Entries first: a definition that is made meanwhile may come too early, never late.
                let entries = outbox.read_from(want.from, want.before, want.entries, bytes)?;
                let series = outbox.series_from(first)?;
                Ok(Batch { series, entries })
            };
            Done::Read { session, want, from_spool: read(), room }
        });
    }

    async fn take_step(&mut self, step: Step) {
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
    async fn settle(&mut self, outcome: Outcome) {
        let (operation, verdict) = (outcome.operation, outcome.verdict.clone());
        tracing::warn!(%operation, ?verdict, "a command ends before the guard");
        self.say(ControlUp::Verdict { operation, verdict });
        if self.means.recorder.send(Order::Outcome(outcome)).await.is_err() {
            tracing::error!(%operation, "the recorder is gone; an outcome is lost");
        }
    }

    fn guard_takes(&self) -> bool {
        self.guard.attached && self.means.guard.capacity() > 0
    }

    fn handle_news(&mut self, news: News) {
        match news {
            News::Attached { board, actuators, limits } => {
                self.guard.attach(board, actuators, limits);
                self.tell_inventory();
            }
            News::Detached => self.guard.attached = false,
            News::Verdict { operation, verdict } => {
                // The guard has judged this command before; that outcome stands in the spool.
                if is_replay(&verdict) {
                    tracing::warn!(%operation, "the guard had taken this command before");
                } else {
                    self.say(ControlUp::Verdict { operation, verdict });
                }
            }
            News::Limits(limits) => {
                if let Some(limits) = self.guard.take_limits(limits) {
                    self.say(ControlUp::Limits(limits));
                }
            }
        }
    }

    fn handle_plugins(&mut self, plugins: &watch::Receiver<Vec<PluginStatus>>) {
        let plugins = plugins.borrow().clone();
        self.say(ControlUp::Plugins(plugins));
    }

    fn handle_done(&mut self, done: Done) {
        match done {
            Done::Connected(Ok(connected)) => self.greet(connected),
            Done::Connected(Err(loss)) => self.lose(loss),
            Done::Read { session, want, from_spool, room } => {
                self.handle_read(session, want, from_spool, room);
            }
            Done::Trimmed(Ok(())) => {}
            Done::Trimmed(Err(error)) => {
                tracing::error!(
                    error = crate::logging::chain(&error),
                    "the spool could not forget what is committed; it is tried with the next"
                );
            }
            Done::Renewed(Ok(epoch)) => {
                self.sender.handle_new_epoch(epoch, self.means.outbox.next_seq());
            }
            Done::Renewed(Err(error)) => {
                tracing::error!(
                    error = crate::logging::chain(&error),
                    "a new epoch could not be stored; the old one holds"
                );
                let (epoch, next_seq) = (self.means.outbox.epoch(), self.means.outbox.next_seq());
                self.sender.handle_new_epoch(epoch, next_seq);
                self.sender.handle_refused(self.now_ms(), jitter());
            }
        }
    }

    /// A connection stands: say who we are.
    fn greet(&mut self, connected: Connected) {
        let (epoch, next_seq) = self.sender.handle_connected();
        let hello = Hello {
            min_version: MIN_VERSION,
            max_version: CURRENT_VERSION,
            epoch,
            next_seq,
            machine: self.means.name.machine(&self.guard),
            guard_attached: self.guard.attached,
        };
        self.sessions += 1;
        let reports = Reports { session: self.sessions, events: self.events.clone() };
        let address = connected.remote_address();
        tracing::debug!(%address, "connected");
        let session = Session::start(connected, hello, reports, self.means.runner.clone());
        self.link = Some(Link::new(session, self.now_ms() + WELCOME_MS));
    }

    fn handle_read(
        &mut self,
        session: u64,
        want: Want,
        from_spool: Result<Batch, SpoolError>,
        room: Room,
    ) {
        let now_ms = self.now_ms();
        let Some(link) = self.link.as_mut().filter(|_| session == self.sessions) else { return };
        link.reading[want.lane as usize] = false;
        let batch = match from_spool {
            Ok(batch) => batch,
            Err(error) => {
                let why = format!("the spool cannot be read: {}", crate::logging::chain(&error));
                return self.end(Loss::refusal(why), close::DONE);
            }
        };
        let entries = self.sender.supply(now_ms, want, batch.entries);
        if let Some(last) = batch.series.last() {
            link.announced[want.lane as usize] = SeriesRef(last.number.0 + 1);
        }
        if entries.is_empty() && batch.series.is_empty() {
            return;
        }
        link.sent.merge(&entries.iter().map(|entry| entry.seq).collect());
        room.send(Batch { series: batch.series, entries });
    }

    async fn handle_event(
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
                    link.acked.merge(&ranges);
                }
            }
            Event::Lost(loss) => self.lose(loss),
        }
    }

    async fn handle_down(
        &mut self,
        message: ControlDown,
        plugins: &watch::Receiver<Vec<PluginStatus>>,
    ) {
        match message {
            ControlDown::Welcome { version, acked, pending, now_ms } => {
                self.handle_welcome(version, &acked, now_ms);
                self.handle_plugins(plugins);
                for command in pending {
                    self.handle_command(command).await;
                }
            }
            ControlDown::Refused { reason } => self.end(Loss::refusal(reason), close::DONE),
            ControlDown::Command(command) => self.handle_command(command).await,
            ControlDown::Inventory => {
                self.tell_inventory();
                self.next_limits_ms = self.now_ms();
            }
        }
    }

    fn handle_welcome(&mut self, version: u8, acked: &Ranges, theirs_ms: u64) {
        if !(MIN_VERSION..=CURRENT_VERSION).contains(&version) {
            let why = format!("the aggregator chose version {version}, which was not offered");
            return self.end(Loss::refusal(why), close::VERSION);
        }
        let Some(link) = &mut self.link else { return };
        if link.welcome_by_ms.take().is_none() {
            return self.end(Loss::new("the aggregator welcomed twice"), close::MALFORMED);
        }
        let apart_ms = theirs_ms.abs_diff(self.means.clock.unix_ms());
        if apart_ms > CLOCK_DIFFERENCE_MS {
            tracing::warn!(apart_ms, "this machine's clock and the aggregator's differ");
        }
        self.sender.handle_welcome(acked);
        self.outage = None;
        tracing::info!(version, committed = acked.count(), "the aggregator welcomes this machine");
        self.tell_inventory();
    }

    async fn handle_command(&mut self, command: flyball_protocol::message::PendingCommand) {
        let wall_ms = self.means.clock.unix_ms();
        if let Some(step) = self.commands.handle_command(command, wall_ms) {
            self.take_step(step).await;
        }
    }

    fn handle_timer(&mut self) {
        let now_ms = self.now_ms();
        let late = self.link.as_ref().and_then(|link| link.welcome_by_ms);
        if late.is_some_and(|by_ms| by_ms <= now_ms) {
            self.end(Loss::new("the aggregator did not welcome in time"), close::DONE);
        }
        if self.wants_limits() && self.next_limits_ms <= now_ms {
            self.next_limits_ms = now_ms + LIMITS_EVERY_MS;
            // A full line means that the guard is busy; the next look comes soon enough.
            let _busy = self.means.guard.try_send(Ask::Limits);
        }
    }

    fn wants_limits(&self) -> bool {
        self.guard.attached && self.sender.is_streaming()
    }

    fn tell_inventory(&mut self) {
        let limits = self.guard.limits().to_vec();
        let actuators = self.guard.actuators.clone();
        self.say(ControlUp::Limits(limits));
        self.say(ControlUp::Actuators(actuators));
    }

    /// Says something over a welcomed connection. Without one it is dropped: inventory is told
    /// anew after every `Welcome`, and verdicts are ahead of outcomes that are durable.
    fn say(&mut self, message: ControlUp) {
        let Some(link) = self.link.as_ref().filter(|link| link.welcome_by_ms.is_none()) else {
            return;
        };
        if !link.session.say(message) {
            self.end(Loss::new("the aggregator no longer reads its control stream"), close::DONE);
        }
    }

    /// Ends the connection from this side.
    fn end(&mut self, loss: Loss, code: u32) {
        if let Some(link) = &self.link {
            link.session.close(code, &loss.why);
        }
        self.lose(loss);
    }

    fn lose(&mut self, loss: Loss) {
        self.link = None;
        let now_ms = self.now_ms();
        if loss.refused {
            self.sender.handle_refused(now_ms, jitter());
        } else {
            self.sender.handle_disconnected(now_ms, jitter());
        }
        if self.outage.as_deref() != Some(&*loss.why) {
            let wait_ms = self.sender.poll_timeout().map(|at| at.saturating_sub(now_ms));
            tracing::warn!(why = loss.why, wait_ms, "no connection to the aggregator");
            self.outage = Some(loss.why);
        }
    }

    /// Is there nothing left to wait for before the program may end?
    fn said_farewell(&self) -> bool {
        let Some(until_ms) = self.farewell_until_ms else { return false };
        let settled = self.link.as_ref().is_none_or(|link| {
            let waits = Lane::ALL.iter().any(|&lane| self.sender.want(lane).is_some());
            let unread = link.reading.contains(&true);
            !waits && !unread && link.acked.missing_from(&link.sent).is_empty()
        });
        settled || until_ms <= self.now_ms()
    }

    async fn leave(&mut self) {
        if let Some(link) = self.link.take() {
            link.session.close_and_drain(close::SHUTDOWN, "the agent stops").await;
        }
    }

    fn now_ms(&self) -> u64 {
        let elapsed = self.means.clock.now().saturating_duration_since(self.origin);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Link {
    fn new(session: Session, welcome_by_ms: u64) -> Self {
        Self {
            session,
            welcome_by_ms: Some(welcome_by_ms),
            announced: [SeriesRef(0); Lane::ALL.len()],
            reading: [false; Lane::ALL.len()],
            sent: Ranges::new(),
            acked: Ranges::new(),
        }
    }
}

fn is_replay(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refused(Refusal { kind: RefusalKind::Replayed, .. }))
}

pub(crate) fn random_u64() -> u64 {
    // The kernel's source fails only before the first boot's entropy is in.
    getrandom::u64().unwrap_or_else(|_| uuid::Uuid::new_v4().as_u64_pair().0)
}

/// 0 to 1.
fn jitter() -> f64 {
    f64::from(u32::try_from(random_u64() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
