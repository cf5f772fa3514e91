//! Spool and connection as the sync wants them: whom to call, what to read and send, what to
//! trim. What may wait for disk or network runs beside the uplink and comes back as [`Done`].

use super::endpoint::{Connected, Way};
use super::link::Link;
use super::session::{self, Batch, Loss, Reports, Session};
use super::{Done, Room, Uplink, WELCOME_MS};
use crate::logging::chain;
use crate::random;
use crate::spool::SpoolError;
use flyball_link::Transport;
use flyball_protocol::message::{CURRENT_VERSION, Hello, MIN_VERSION, close};
use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::{Action, Epoch, Lane, Want};

/// One read of the spool.
const READ_BYTES: usize = 64 * 1024;

impl Uplink {
    pub(super) fn act(&mut self, action: Action) {
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

    pub(super) fn connect(&mut self, address: usize) {
        let Some(server) = self.means.servers.get(address).cloned() else { return };
        let way = self.routes.call(address);
        let (client, done) = (self.means.client.clone(), self.done.clone());
        tokio::spawn(async move {
            let result = session::connect(server, client, way).await;
            // The uplink is gone only when the program stops.
            let _stopping = done.send(Done::Connected(result)).await;
        });
    }

    pub(super) fn renew_epoch(&mut self) {
        tracing::warn!(
            "the aggregator knows numbers that this spool never gave (was it restored from a \
             copy?); going on under a new epoch"
        );
        if let Some(link) = self.link.take() {
            link.session.close(close::DONE, "a new epoch begins");
        }
        let outbox = self.means.outbox.clone();
        self.begin(move || {
            let epoch = Epoch(random::number());
            Done::Renewed(outbox.renew_epoch(epoch).map(|()| epoch))
        });
    }

    /// Runs `work`, which may wait for the disk, beside this thread.
    pub(super) fn begin(&self, work: impl FnOnce() -> Done + Send + 'static) {
        let done = self.done.clone();
        tokio::spawn(async move {
            if let Ok(result) = tokio::task::spawn_blocking(work).await {
                let _stopping = done.send(result).await;
            }
        });
    }

    /// Reads what `lane` can take, one read at a time.
    pub(super) fn fill(&mut self, lane: Lane) {
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

    pub(super) fn handle_done(&mut self, done: Done) {
        match done {
            Done::Connected(Ok(connected)) => self.greet(connected),
            Done::Connected(Err(loss)) => {
                self.routes.handle_failed();
                self.lose(loss);
            }
            Done::Moved(moved) => self.handle_moved(moved),
            Done::Kept(kept) => self.handle_kept(kept),
            Done::Read { session, want, from_spool, room } => {
                self.handle_read(session, want, from_spool, room);
            }
            Done::Trimmed(Ok(())) => {}
            Done::Usage(Ok(usage)) => self.spool.handle_usage(usage),
            Done::Usage(Err(error)) => {
                tracing::debug!(error = chain(&error), "the spool's size is not known");
            }
            Done::Trimmed(Err(error)) => {
                tracing::error!(
                    error = chain(&error),
                    "the spool could not forget what is committed; it is tried with the next"
                );
            }
            Done::Renewed(Ok(epoch)) => {
                self.sender.handle_new_epoch(epoch, self.means.outbox.next_seq());
            }
            Done::Renewed(Err(error)) => {
                tracing::error!(
                    error = chain(&error),
                    "a new epoch could not be stored; the old one holds"
                );
                let (epoch, next_seq) = (self.means.outbox.epoch(), self.means.outbox.next_seq());
                self.sender.handle_new_epoch(epoch, next_seq);
                self.sender.handle_refused(self.now_ms(), random::jitter());
            }
        }
    }

    /// Does the welcomed connection go over TCP?
    pub(super) fn over_tcp(&self) -> bool {
        let welcomed = self.link.as_ref().filter(|link| link.welcome_by_ms.is_none());
        welcomed.is_some_and(|link| link.session.transport() == Transport::Tcp)
    }

    /// Sees whether UDP is open by now, beside the connection that stands.
    pub(super) fn try_quic(&mut self) {
        self.routes.handle_try();
        self.call_beside(Way::Only(Transport::Quic));
    }

    /// Makes a second connection to the aggregator of the first.
    pub(super) fn call_beside(&self, way: Way) {
        let Some(server) = self.means.servers.get(self.routes.called()).cloned() else { return };
        let (client, done) = (self.means.client.clone(), self.done.clone());
        tokio::spawn(async move {
            let result = session::connect(server, client, way).await;
            // The uplink is gone only when the program stops.
            let _stopping = done.send(Done::Moved(result)).await;
        });
    }

    /// Goes on over the second connection. What the first had not acknowledged is sent again, and
    /// taken once.
    fn handle_moved(&mut self, moved: Result<Connected, Loss>) {
        self.routes.handle_tried(moved.is_ok(), self.now_ms(), random::jitter());
        match moved {
            Err(loss) => tracing::debug!(why = loss.why, "the connection stays as it is"),
            Ok(connected) => {
                // Without a first one, a call is on its way that will bring its own.
                let Some(first) = self.link.take() else { return };
                first.session.close(close::DONE, "another connection takes its place");
                self.greet(connected);
            }
        }
    }

    /// A connection stands: say who we are.
    pub(super) fn greet(&mut self, connected: Connected) {
        let (epoch, next_seq) = self.sender.handle_connected();
        let guard = self.means.name.guard_word(&self.guard);
        let hello = Hello {
            min_version: MIN_VERSION,
            max_version: CURRENT_VERSION,
            epoch,
            next_seq,
            machine: self.means.name.machine(&self.guard),
            guard_attached: guard.attached,
        };
        self.sessions += 1;
        let reports = Reports { session: self.sessions, events: self.events.clone() };
        let (address, transport) = (connected.remote_address(), connected.transport());
        tracing::info!(%address, %transport, "connected to an aggregator");
        self.routes.handle_connected(transport, self.now_ms(), random::jitter());
        let session = Session::start(connected, hello, reports, self.means.runner.clone());
        self.link = Some(Link::new(session, self.now_ms() + WELCOME_MS, guard));
    }

    pub(super) fn handle_read(
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
                let why = format!("the spool cannot be read: {}", chain(&error));
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
        link.handle_sent(now_ms);
        room.send(Batch { series: batch.series, entries });
    }

    /// Ends the connection from this side.
    pub(super) fn end(&mut self, loss: Loss, code: u32) {
        if let Some(link) = &self.link {
            link.session.close(code, &loss.why);
        }
        self.lose(loss);
    }

    pub(super) fn lose(&mut self, loss: Loss) {
        self.link = None;
        self.tell_expired();
        let now_ms = self.now_ms();
        if loss.refused {
            self.sender.handle_refused(now_ms, random::jitter());
        } else {
            self.sender.handle_disconnected(now_ms, random::jitter());
        }
        if self.outage.as_deref() != Some(&*loss.why) {
            let wait_ms = self.sender.poll_timeout().map(|at| at.saturating_sub(now_ms));
            tracing::warn!(why = loss.why, wait_ms, "no connection to the aggregator");
            self.outage = Some(loss.why);
        }
    }
}
