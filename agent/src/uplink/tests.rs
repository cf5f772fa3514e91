//! The uplink against an aggregator in this process that speaks the protocol and is scripted by
//! each test.

use super::*;
use crate::identity::enrolled_client;
use crate::spool::{self, Spool};
use crate::testing::{Aggregator, Authority, Peer, board, event, job_event, series, soon};
use flyball_protocol::entry::EntryBody;
use flyball_protocol::message::{ControlDown, Job, JobEvent, JobRequest, StreamKind};
use flyball_protocol::series::Reader;
use flyball_protocol::sync::Ranges;
use tempfile::TempDir;
use tokio::task::JoinHandle;

mod commands;
mod control;
mod entries;
mod failover;
mod jobs;
mod renewal;
mod ways;

/// An uplink over a spool, and the other ends of its channels.
struct Rig {
    authority: Authority,
    aggregator: Aggregator,
    spool: Spool<u8>,
    appended: watch::Sender<Seq>,
    orders: mpsc::Receiver<Order>,
    asks: mpsc::Receiver<Ask>,
    news: mpsc::Sender<News>,
    processes: mpsc::Sender<Vec<Process>>,
    farewell: Option<oneshot::Sender<()>>,
    uplink: JoinHandle<()>,
    _plugins: watch::Sender<Vec<PluginStatus>>,
    state: TempDir,
}

/// A job runner that tells the plugin's name, then waits for its end.
fn waiting_runner(cancelled: mpsc::Sender<()>) -> JobRunner {
    struct Told(mpsc::Sender<()>);
    impl Drop for Told {
        fn drop(&mut self) {
            // Not every test listens.
            let _unheard = self.0.try_send(());
        }
    }
    JobRunner::new(move |request: JobRequest, events| {
        let told = Told(cancelled.clone());
        async move {
            let _told = told;
            let note = request.plugin;
            events.send(JobEvent::Progress { done: 1, total: None, note }).await.unwrap();
            if request.deadline_ms == 0 {
                std::future::pending::<()>().await;
            }
            events.send(JobEvent::Done).await.unwrap();
        }
    })
}

impl Rig {
    /// With `entries` in its spool before it starts.
    fn start(entries: usize) -> Self {
        let (unheard, _) = mpsc::channel(16);
        Self::with(entries, waiting_runner(unheard), |servers| servers)
    }

    fn with(
        entries: usize,
        runner: JobRunner,
        servers: impl FnOnce(Vec<ServerAddress>) -> Vec<ServerAddress>,
    ) -> Self {
        let authority = Authority::new();
        let aggregator = Aggregator::listen(&authority);
        Self::assemble(authority, aggregator, entries, RETRY_QUIC_MS, runner, servers)
    }

    /// With an aggregator of its own, and a job runner that says one word.
    fn of(
        authority: Authority,
        aggregator: Aggregator,
        entries: usize,
        retry_quic_ms: u64,
    ) -> Self {
        Self::among(authority, aggregator, entries, retry_quic_ms, &[])
    }

    /// The same with further aggregators behind the first.
    fn among(
        authority: Authority,
        aggregator: Aggregator,
        entries: usize,
        retry_quic_ms: u64,
        others: &[ServerAddress],
    ) -> Self {
        let (unheard, _) = mpsc::channel(16);
        let runner = waiting_runner(unheard);
        Self::assemble(authority, aggregator, entries, retry_quic_ms, runner, |mut servers| {
            servers.extend_from_slice(others);
            servers
        })
    }

    fn assemble(
        authority: Authority,
        aggregator: Aggregator,
        entries: usize,
        retry_quic_ms: u64,
        runner: JobRunner,
        servers: impl FnOnce(Vec<ServerAddress>) -> Vec<ServerAddress>,
    ) -> Self {
        let identity = authority.identity();
        Self::who(identity, authority, aggregator, entries, retry_quic_ms, runner, servers)
    }

    fn who(
        identity: Identity,
        authority: Authority,
        aggregator: Aggregator,
        entries: usize,
        retry_quic_ms: u64,
        runner: JobRunner,
        servers: impl FnOnce(Vec<ServerAddress>) -> Vec<ServerAddress>,
    ) -> Self {
        let state = tempfile::tempdir().unwrap();
        let opened = Spool::open(state.path(), spool::Limits::default(), Epoch(7)).unwrap();
        let mut spool = opened.spool;
        append(&mut spool, entries);
        let tls = enrolled_client(&identity).unwrap();
        let (recorder, orders) = mpsc::channel(16);
        let (guard, asks) = mpsc::channel(16);
        let (news, heard) = mpsc::channel(16);
        let (appended, sealed) = watch::channel(spool.next_seq());
        let (processes, snapshots) = mpsc::channel(1);
        let (plugins, listed) = watch::channel(Vec::new());
        let (farewell, leaving) = oneshot::channel();
        let means = Means {
            clock: Clock,
            servers: servers(vec![aggregator.address()]),
            client: Client::new(tls).unwrap(),
            kept: Kept { identity, state: state.path().to_owned() },
            retry_quic_ms,
            name: MachineName { name: Some("rig".into()), simulated: false },
            outbox: spool.outbox(),
            recorder,
            guard,
            runner,
        };
        let sources = Sources {
            news: heard,
            appended: sealed,
            processes: snapshots,
            plugins: listed,
            equipment: watch::channel(Vec::new()).1,
            farewell: leaving,
        };
        let uplink = tokio::spawn(Uplink::run(means, sources));
        Self {
            authority,
            aggregator,
            spool,
            appended,
            orders,
            asks,
            news,
            processes,
            farewell: Some(farewell),
            uplink,
            _plugins: plugins,
            state,
        }
    }

    fn append(&mut self, entries: usize) {
        append(&mut self.spool, entries);
        self.appended.send_replace(self.spool.next_seq());
    }

    /// The next connection, welcomed with nothing committed.
    async fn peer(&self) -> Peer {
        let mut peer = self.aggregator.accept().await;
        peer.welcome(&Ranges::new()).await;
        peer
    }

    async fn attach_guard(&self) {
        let attached = News::Attached { board: board(), inventory: Box::default() };
        self.news.send(attached).await.unwrap();
    }

    async fn asked(&mut self) -> Ask {
        loop {
            match soon(self.asks.recv()).await.unwrap() {
                Ask::Inventory => {}
                ask => return ask,
            }
        }
    }

    /// Waits until the spool holds nothing.
    async fn trimmed(&self) {
        let outbox = self.spool.outbox();
        let empty = || outbox.read_from(Seq(1), Seq(u64::MAX), 1, 1).unwrap().is_empty();
        soon(async {
            while !empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

fn append(spool: &mut Spool<u8>, entries: usize) {
    spool.register(Reader::Guard, &[series()]).unwrap();
    let bodies: Vec<_> = (0..entries)
        .map(|at| EntryBody::Event { at_ms: at as u64, event: event("something") })
        .collect();
    if !bodies.is_empty() {
        spool.append_batch(&bodies, 0).unwrap();
    }
}

fn seqs(entries: &[(StreamKind, flyball_protocol::entry::Entry)], kind: StreamKind) -> Vec<u64> {
    entries.iter().filter(|(lane, _)| *lane == kind).map(|(_, entry)| entry.seq.0).collect()
}

fn range(from: u64, to: u64) -> Ranges {
    let mut ranges = Ranges::new();
    ranges.insert_range(Seq(from), Seq(to));
    ranges
}

fn request(deadline_ms: u32) -> JobRequest {
    let job = Job::Validate { format: "graphviz".into(), source: String::new() };
    JobRequest { deadline_ms, plugin: "dot".into(), job }
}
