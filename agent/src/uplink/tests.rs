//! The uplink against an aggregator in this process that speaks the protocol and is scripted by
//! each test.

use super::*;
use crate::identity::enrolled_client;
use crate::spool::{self, Spool};
use crate::testing::{Aggregator, Authority, Peer, board, event, job_event, series, soon};
use flyball_link::{ReadError, Transport};
use flyball_protocol::command::{OperationId, Refusal, RefusalKind, SignedCommand, Verdict};
use flyball_protocol::entry::EntryBody;
use flyball_protocol::message::{
    ALPN, ControlDown, Job, JobEvent, JobRequest, LaneUp, PendingCommand, StreamKind,
};
use flyball_protocol::series::Reader;
use flyball_protocol::sync::Ranges;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

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

fn command(number: u128, not_after_ms: u64) -> PendingCommand {
    PendingCommand {
        operation: OperationId(Uuid::from_u128(number)),
        not_after_ms,
        command: SignedCommand { bytes: vec![1], signature: vec![2] },
    }
}

fn request(deadline_ms: u32) -> JobRequest {
    let job = Job::Validate { format: "graphviz".into(), source: String::new() };
    JobRequest { deadline_ms, plugin: "dot".into(), job }
}

#[tokio::test]
async fn the_first_words_say_who_speaks_and_how_far_its_spool_is() {
    let rig = Rig::start(3);
    let peer = rig.aggregator.accept().await;
    assert_eq!((peer.hello.epoch, peer.hello.next_seq), (Epoch(7), Seq(4)));
    assert_eq!(peer.hello.machine.hostname, "rig");
    assert!(!peer.hello.guard_attached);
}

#[tokio::test]
async fn old_entries_go_behind_their_definitions_on_one_lane_and_new_ones_on_the_other() {
    let mut rig = Rig::start(3);
    let mut peer = rig.peer().await;
    let (kind, first) = peer.lane().await;
    assert_eq!(kind, StreamKind::Backfill);
    let LaneUp::Series(definitions) = first else { panic!("{first:?}") };
    assert_eq!(definitions[0].metric, "hw.temperature");
    let (_, old) = peer.entries(3).await;
    assert_eq!(seqs(&old, StreamKind::Backfill), [1, 2, 3]);
    rig.append(2);
    let (again, new) = peer.entries(2).await;
    assert_eq!(again, definitions, "each lane is told what it refers to");
    assert_eq!(seqs(&new, StreamKind::Fresh), [4, 5]);
    peer.ack(1, 5).await;
    rig.trimmed().await;
}

#[tokio::test]
async fn what_was_cut_off_is_sent_again_and_what_is_committed_is_not() {
    let mut rig = Rig::start(4);
    let mut peer = rig.peer().await;
    peer.entries(4).await;
    peer.connection.close(0_u32, b"cut");
    let mut peer = rig.aggregator.accept().await;
    peer.welcome(&range(2, 3)).await;
    let (_, entries) = peer.entries(2).await;
    assert_eq!(seqs(&entries, StreamKind::Backfill), [1, 4]);
    peer.ack(1, 4).await;
    rig.trimmed().await;
    rig.append(1);
    assert_eq!(seqs(&peer.entries(1).await.1, StreamKind::Fresh), [5]);
}

#[tokio::test]
async fn an_aggregator_that_knows_more_than_the_spool_gave_begins_a_new_epoch() {
    let rig = Rig::start(2);
    let mut peer = rig.aggregator.accept().await;
    peer.welcome(&range(1, 9)).await;
    let mut peer = rig.aggregator.accept().await;
    assert_ne!(peer.hello.epoch, Epoch(7));
    assert_eq!(rig.spool.epoch(), peer.hello.epoch);
    peer.welcome(&Ranges::new()).await;
    assert_eq!(seqs(&peer.entries(2).await.1, StreamKind::Backfill), [1, 2]);
}

#[tokio::test]
async fn another_address_is_tried_where_one_is_not_to_be_trusted() {
    let stranger = Aggregator::listen(&Authority::new());
    let (unheard, _) = mpsc::channel(16);
    let rig = Rig::with(0, waiting_runner(unheard), |mut servers| {
        servers.insert(0, stranger.address());
        servers
    });
    stranger.refused().await;
    assert_eq!(rig.aggregator.accept().await.hello.machine.hostname, "rig");
}

#[tokio::test]
async fn frames_that_are_none_end_the_connection_with_their_code() {
    let rig = Rig::start(0);
    let cases: [(&[u8], u32); 3] = [
        (&0x8000_0000_u32.to_le_bytes(), close::FRAME_TOO_LARGE),
        (&[1, 0, 0, 0, 0x7f], close::MALFORMED),
        (&[2, 0, 0, 0, 3, 3], close::MALFORMED),
    ];
    for (bytes, code) in cases {
        let mut peer = rig.peer().await;
        peer.say_bytes(bytes).await;
        assert_eq!(peer.closed().await, code, "{bytes:?}");
    }
    let mut peer = rig.peer().await;
    peer.say_bytes(&[9, 0, 0, 0, 1]).await;
    peer.finish_control();
    assert_eq!(peer.closed().await, close::MALFORMED, "a torn frame");
}

#[tokio::test]
async fn a_version_that_was_not_offered_ends_the_connection() {
    let rig = Rig::start(0);
    let mut peer = rig.aggregator.accept().await;
    let (acked, pending) = (Ranges::new(), Vec::new());
    peer.say(&ControlDown::Welcome { version: 9, acked, pending, now_ms: 0 }).await;
    assert_eq!(peer.closed().await, close::VERSION);
}

#[tokio::test]
async fn a_command_goes_to_the_guard_once_and_its_verdict_comes_back() {
    let mut rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.peer().await;
    for number in [1, 1, 2] {
        peer.say(&ControlDown::Command(command(number, u64::MAX - 1))).await;
    }
    for number in [1, 2] {
        let Ask::Propose { operation, .. } = rig.asked().await else { panic!() };
        assert_eq!(operation, command(number, 0).operation);
        rig.news.send(News::Verdict { operation, verdict: Verdict::Accepted }).await.unwrap();
        let told = peer
            .control(|message| match message {
                ControlUp::Verdict { operation, verdict } => Some((operation, verdict)),
                _ => None,
            })
            .await;
        assert_eq!(told, (operation, Verdict::Accepted));
    }
}

#[tokio::test]
async fn what_came_with_a_welcome_that_ended_the_connection_is_not_done() {
    let mut rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.peer().await;
    let (acked, pending) = (Ranges::new(), vec![command(1, u64::MAX - 1)]);
    peer.say(&ControlDown::Welcome { version: 1, acked, pending, now_ms: 0 }).await;
    assert_eq!(peer.closed().await, close::MALFORMED);
    let mut peer = rig.peer().await;
    peer.say(&ControlDown::Command(command(2, u64::MAX - 1))).await;
    let Ask::Propose { operation, .. } = rig.asked().await else { panic!() };
    assert_eq!(operation, command(2, 0).operation, "the first that was proposed");
}

#[tokio::test]
async fn a_command_that_the_guard_had_taken_before_ends_with_its_word() {
    let rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.peer().await;
    peer.control(|message| matches!(message, ControlUp::Plugins(_)).then_some(())).await;
    let operation = command(1, 0).operation;
    let verdict = Verdict::Refused(Refusal {
        kind: RefusalKind::Replayed,
        interlock: String::new(),
        reading: None,
        limit: None,
        unit: None,
        since_ms: None,
        clears_when: "a new command is issued".into(),
        reason: "its counter has been taken up already".into(),
    });
    rig.news.send(News::Verdict { operation, verdict: verdict.clone() }).await.unwrap();
    let told = peer
        .control(|message| match message {
            ControlUp::Verdict { operation, verdict } => Some((operation, verdict)),
            _ => None,
        })
        .await;
    assert_eq!(told, (operation, verdict));
}

#[tokio::test]
async fn a_command_past_its_time_ends_in_the_agent_with_an_outcome_that_is_kept() {
    let mut rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.aggregator.accept().await;
    let (acked, pending) = (Ranges::new(), vec![command(1, 5)]);
    peer.say(&ControlDown::Welcome { version: 1, acked, pending, now_ms: 0 }).await;
    let Some(Order::Outcome(outcome)) = soon(rig.orders.recv()).await else { panic!() };
    assert_eq!(outcome.operation, command(1, 5).operation);
    let Verdict::Refused(refusal) = outcome.verdict else { panic!() };
    assert_eq!(refusal.kind, RefusalKind::Expired);
    rig.asks.close();
    assert!(!matches!(rig.asks.recv().await, Some(Ask::Propose { .. })));
}

#[tokio::test]
async fn inventory_and_processes_are_told_over_the_control_stream() {
    let rig = Rig::start(0);
    rig.attach_guard().await;
    let mut peer = rig.peer().await;
    peer.control(|message| matches!(message, ControlUp::Inventory(_)).then_some(())).await;
    peer.control(|message| matches!(message, ControlUp::Plugins(_)).then_some(())).await;
    let process = Process { pid: 1, name: "init".into(), cpu_percent: 0.5, memory_bytes: 7 };
    rig.processes.send(vec![process.clone()]).await.unwrap();
    let told = peer
        .control(|message| match message {
            ControlUp::Processes(processes) => Some(processes),
            _ => None,
        })
        .await;
    assert_eq!(told, [process]);
}

#[tokio::test]
async fn a_guard_that_comes_or_goes_behind_the_first_words_is_told() {
    let rig = Rig::start(0);
    let mut peer = rig.aggregator.accept().await;
    assert!(!peer.hello.guard_attached);
    // Before the welcome nothing can be said; it is told behind it.
    rig.attach_guard().await;
    peer.welcome(&Ranges::new()).await;
    let told = |message| match message {
        ControlUp::Guard { attached, simulated } => Some((attached, simulated)),
        _ => None,
    };
    let simulated = board().simulated;
    assert_eq!(peer.control(told).await, (true, simulated));
    rig.news.send(News::Detached).await.unwrap();
    assert_eq!(peer.control(told).await, (false, simulated));
    rig.attach_guard().await;
    assert_eq!(peer.control(told).await, (true, simulated));
}

#[tokio::test]
async fn a_job_runs_and_its_events_come_back() {
    let rig = Rig::start(0);
    let peer = rig.peer().await;
    let (_writer, mut events) = peer.job(&request(1000)).await;
    let progress = JobEvent::Progress { done: 1, total: None, note: "dot".into() };
    assert_eq!(job_event(&mut events).await, progress);
    assert_eq!(job_event(&mut events).await, JobEvent::Done);
}

#[tokio::test]
async fn a_job_whose_stream_is_dropped_is_cancelled() {
    let (cancelled, mut heard) = mpsc::channel(16);
    let rig = Rig::with(0, waiting_runner(cancelled), |servers| servers);
    let peer = rig.peer().await;
    let (_writer, mut events) = peer.job(&request(0)).await;
    job_event(&mut events).await;
    drop(events);
    soon(heard.recv()).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_brings_no_job_is_reset_and_nothing_else_suffers() {
    let mut rig = Rig::start(0);
    let mut peer = rig.peer().await;
    let (mut send, mut receive) = soon(peer.connection.open_bi()).await.unwrap();
    soon(send.write_all(&0x8000_0000_u32.to_le_bytes())).await.unwrap();
    let reset = soon(receive.read_chunk(16)).await.unwrap_err();
    assert!(matches!(reset, ReadError::Reset(close::FRAME_TOO_LARGE)), "{reset}");
    rig.append(1);
    peer.entries(1).await;
}

#[tokio::test]
async fn a_farewell_waits_for_what_is_under_way_and_says_why_it_goes() {
    let mut rig = Rig::start(2);
    let mut peer = rig.peer().await;
    peer.entries(2).await;
    rig.append(1);
    rig.farewell.take().unwrap().send(()).unwrap();
    peer.entries(1).await;
    peer.ack(1, 3).await;
    assert_eq!(peer.closed().await, close::SHUTDOWN);
    soon(rig.uplink).await.unwrap();
}
