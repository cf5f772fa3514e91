//! The connection to the aggregator: whom to call and when, what to send, what came back.
//!
//! One owner for all of it. [`Sender`] decides about the sync and [`Commands`] about commands;
//! this module moves bytes and messages as they say. It reads the spool and trims it, and never
//! decides what is kept or what a command may do.

pub(crate) mod endpoint;
pub(crate) mod wire;

mod commands;
mod control;
mod jobs;
mod lanes;
mod link;
mod renewal;
mod routes;
mod session;
mod view;

pub(crate) use jobs::JobRunner;
pub(crate) use view::MachineName;

use crate::clock::Clock;
use crate::config::ServerAddress;
use crate::guard::{Ask, News};
use crate::health::SpoolHealth;
use crate::identity::{Identity, IdentityError};
use crate::recorder::Order;
use crate::spool::{Outbox, SpoolError, Usage};
use commands::Commands;
use endpoint::{Client, Connected};
use flyball_protocol::guard::Equipment;
use flyball_protocol::message::{ControlUp, PluginStatus, Process, close};
use flyball_protocol::sync::{Epoch, Lane, Limits, Sender, Seq, Want};
use link::Link;
pub(crate) use renewal::Kept;
use renewal::Renewal;
pub(crate) use routes::RETRY_QUIC_MS;
use routes::Routes;
use session::{Batch, Event, Loss};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use view::GuardView;

/// Unacknowledged bytes per lane: what the aggregator's stream window takes, so that an outage
/// of a week drains in a few megabytes of memory.
const WINDOW_BYTES: usize = 256 * 1024;
const MAX_EVENTS: usize = 64;
/// From a connection to its `Welcome`.
const WELCOME_MS: u64 = 15_000;
/// What the first call waits for the guard.
const GUARD_PATIENCE: Duration = Duration::from_secs(1);
/// What a shutdown waits for acknowledgements.
const FAREWELL_MS: u64 = 2_000;
/// Between two looks at how full the spool is.
const USAGE_EVERY_MS: u64 = 60_000;
/// Between two looks at the guard's limits, where nothing says that they changed.
const INVENTORY_EVERY_MS: u64 = 10_000;

/// The other ends of the uplink's channels; each is bounded.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) news: mpsc::Receiver<News>,
    /// The first number that the spool has not given.
    pub(crate) appended: watch::Receiver<Seq>,
    pub(crate) processes: mpsc::Receiver<Vec<Process>>,
    pub(crate) plugins: watch::Receiver<Vec<PluginStatus>>,
    /// What this agent itself is the gateway of.
    pub(crate) equipment: watch::Receiver<Vec<Equipment>>,
    /// Flush and close; the answer comes when that is done.
    pub(crate) farewell: oneshot::Receiver<()>,
}

/// What the uplink works with.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) clock: Clock,
    pub(crate) servers: Vec<ServerAddress>,
    pub(crate) client: Client,
    pub(crate) kept: Kept,
    /// How long TCP is believed to be the only way.
    pub(crate) retry_quic_ms: u64,
    pub(crate) name: MachineName,
    pub(crate) outbox: Outbox,
    pub(crate) recorder: mpsc::Sender<Order>,
    pub(crate) guard: mpsc::Sender<Ask>,
    pub(crate) runner: JobRunner,
}

/// Everything that the uplink acts upon.
#[derive(Debug)]
enum Input {
    News(News),
    Appended(Seq),
    Processes(Vec<Process>),
    Plugins,
    Equipment(Vec<Equipment>),
    Session(u64, Event),
    Done(Done),
    Timer,
    Farewell,
}

/// What work that was begun elsewhere has come to.
#[derive(Debug)]
enum Done {
    Connected(Result<Connected, Loss>),
    /// A second connection, to take the place of the first.
    Moved(Result<Connected, Loss>),
    Read {
        session: u64,
        want: Want,
        from_spool: Result<Batch, SpoolError>,
        room: Room,
    },
    Trimmed(Result<(), SpoolError>),
    Renewed(Result<Epoch, SpoolError>),
    /// A new certificate is on disk, or not.
    Kept(Result<Box<Identity>, IdentityError>),
    Usage(Result<Usage, SpoolError>),
}

type Room = mpsc::OwnedPermit<Batch>;

#[derive(Debug)]
pub(crate) struct Uplink {
    means: Means,
    origin: Instant,
    sender: Sender,
    routes: Routes,
    renewal: Renewal,
    commands: Commands,
    guard: GuardView,
    link: Option<Link>,
    sessions: u64,
    /// The last loss that was logged, so that an outage is one line.
    outage: Option<String>,
    events: mpsc::Sender<(u64, Event)>,
    done: mpsc::Sender<Done>,
    next_inventory_ms: u64,
    spool: SpoolHealth,
    next_usage_ms: u64,
    farewell_until_ms: Option<u64>,
}

impl Uplink {
    /// Runs until the farewell is done.
    pub(crate) async fn run(means: Means, mut sources: Sources) {
        let (events, mut session_events) = mpsc::channel(MAX_EVENTS);
        let (done, mut finished) = mpsc::channel(MAX_EVENTS);
        let mut uplink = Self::new(means, events, done);
        uplink.guard.own(sources.equipment.borrow_and_update().clone());
        // The first words say what the guard knows of the machine, where there is a guard.
        if let Ok(Some(news)) = tokio::time::timeout(GUARD_PATIENCE, sources.news.recv()).await {
            uplink.handle_news(news);
        }
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
                Input::Equipment(equipment) => {
                    uplink.guard.own(equipment);
                    uplink.tell_inventory();
                }
                Input::Session(number, event) => {
                    uplink.handle_event(number, event, &sources.plugins).await;
                }
                Input::Done(done) => uplink.handle_done(done),
                Input::Timer => uplink.handle_timer(),
                Input::Farewell => uplink.handle_farewell(),
            }
        }
    }

    fn new(means: Means, events: mpsc::Sender<(u64, Event)>, done: mpsc::Sender<Done>) -> Self {
        let limits = Limits { window_bytes: WINDOW_BYTES, ..Limits::default() };
        let (epoch, next_seq) = (means.outbox.epoch(), means.outbox.next_seq());
        Self {
            origin: means.clock.now(),
            sender: Sender::new(limits, means.servers.len(), epoch, next_seq),
            routes: Routes::new(means.servers.len(), means.retry_quic_ms),
            renewal: Renewal::default(),
            commands: Commands::default(),
            guard: GuardView::default(),
            link: None,
            sessions: 0,
            outage: None,
            events,
            done,
            next_inventory_ms: 0,
            spool: SpoolHealth::default(),
            next_usage_ms: 0,
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
            Some(news) = sources.news.recv() => Input::News(news),
            Ok(()) = sources.appended.changed() => {
                Input::Appended(*sources.appended.borrow_and_update())
            }
            Some(processes) = sources.processes.recv() => Input::Processes(processes),
            Ok(()) = sources.plugins.changed() => Input::Plugins,
            Ok(()) = sources.equipment.changed() => {
                Input::Equipment(sources.equipment.borrow_and_update().clone())
            }
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
        let limits = self.wants_inventory().then_some(self.next_inventory_ms);
        let quic = self.over_tcp().then(|| self.routes.next_try_ms()).flatten();
        let sign = self.link.as_ref().and_then(Link::sign_by_ms);
        let farewell = self.farewell_until_ms;
        let renewal = self.renewal_due_ms();
        let first = [self.sender.poll_timeout(), expiry, welcome, limits];
        let next_ms = [farewell, quic, sign, renewal]
            .into_iter()
            .chain(first)
            .flatten()
            .fold(self.next_usage_ms, u64::min);
        Duration::from_millis(next_ms.saturating_sub(now_ms))
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

    fn handle_timer(&mut self) {
        let now_ms = self.now_ms();
        let late = self.link.as_ref().and_then(|link| link.welcome_by_ms);
        if late.is_some_and(|by_ms| by_ms <= now_ms) {
            self.end(Loss::new("the aggregator did not welcome in time"), close::DONE);
        }
        if self.link.as_mut().is_some_and(|link| link.is_dead(now_ms)) {
            self.end(Loss::new("the aggregator's machine or the way to it is gone"), close::DONE);
        }
        if self.over_tcp() && self.routes.next_try_ms().is_some_and(|at| at <= now_ms) {
            self.try_quic();
        }
        if self.renewal_due_ms().is_some_and(|at| at <= now_ms) {
            self.ask_renewal();
        }
        if self.next_usage_ms <= now_ms {
            self.next_usage_ms = now_ms + USAGE_EVERY_MS;
            let outbox = self.means.outbox.clone();
            self.begin(move || Done::Usage(outbox.usage()));
        }
        if self.wants_inventory() && self.next_inventory_ms <= now_ms {
            self.next_inventory_ms = now_ms + INVENTORY_EVERY_MS;
            // A full line means that the guard is busy; the next look comes soon enough.
            let _busy = self.means.guard.try_send(Ask::Inventory);
        }
    }

    /// What was sealed last may not have been heard of yet.
    fn handle_farewell(&mut self) {
        self.sender.handle_appended(self.means.outbox.next_seq());
        self.farewell_until_ms = Some(self.now_ms() + FAREWELL_MS);
    }

    /// Is there nothing left to wait for before the program may end?
    fn said_farewell(&self) -> bool {
        let Some(until_ms) = self.farewell_until_ms else { return false };
        let waits = Lane::ALL.iter().any(|&lane| self.sender.want(lane).is_some());
        let settled = self.link.as_ref().is_none_or(|link| link.is_quiet() && !waits);
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

#[cfg(test)]
mod tests;
