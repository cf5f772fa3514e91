//! The whole agent between a guard and an aggregator that the test scripts, on this machine's
//! own `/proc`.

use super::*;
use crate::config::Sensors;
use crate::testing::{Aggregator, Authority, Guard, Peer, record, soon};
use flyball_protocol::block::Block;
use flyball_protocol::entry::{EntryBody, GapScope};
use flyball_protocol::guard::{
    EQUIPMENT_ATTRIBUTE, Equipment, EquipmentKind, EquipmentState, FromAgent, FromGuard,
};
use flyball_protocol::message::{ControlUp, close};
use flyball_protocol::series::{Reader, SeriesDef};
use flyball_protocol::sync::{Ranges, Seq};
use flyball_units::{NoData, Unit};
use std::net::TcpListener;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use uuid::Uuid;

const RUN: Uuid = Uuid::from_u128(1);

struct Rig {
    aggregator: Aggregator,
    guard: Guard,
    folder: TempDir,
    committed: Ranges,
}

/// One run of the agent.
struct Running {
    stop: oneshot::Sender<()>,
    agent: JoinHandle<Result<(), RunError>>,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        authority.identity().save(folder.path()).unwrap();
        let guard = Guard::listen(folder.path());
        Self { aggregator: Aggregator::listen(&authority), guard, folder, committed: Ranges::new() }
    }

    fn start(&self) -> Running {
        self.start_with(Sensors::default())
    }

    fn start_with(&self, sensors: Sensors) -> Running {
        let config = RunConfig {
            state: self.folder.path().to_owned(),
            servers: vec![self.aggregator.address()],
            guard_socket: self.folder.path().join("guard.sock"),
            runner_socket: None,
            compiler: None,
            plugins: None,
            procfs_root: PathBuf::from("/proc"),
            name: None,
            simulated: false,
            seal_spool: false,
            spool_mib: 64,
            spool_days: None,
            sensors,
            content: None,
        };
        let (stop, stopped) = oneshot::channel();
        let shutdown = Box::pin(async move {
            // A test that drops the sender stops the agent just as well.
            let _dropped = stopped.await;
        });
        Running { stop, agent: tokio::spawn(run(config, shutdown)) }
    }

    async fn welcomed(&self) -> Peer {
        let mut peer = self.aggregator.accept().await;
        peer.welcome(&self.committed).await;
        peer
    }

    /// Commits entries until `done` says that what came suffices.
    async fn commit(&mut self, peer: &mut Peer, done: impl Fn(&Came) -> bool) -> Came {
        let mut came = Came::default();
        while !done(&came) {
            let (series, entries) = peer.entries(1).await;
            came.series.extend(series);
            for (_, entry) in entries {
                let Seq(seq) = entry.seq;
                assert!(self.committed.insert(entry.seq), "entry {seq} came twice");
                came.bodies.push(entry.open().unwrap());
                peer.ack(seq, seq).await;
            }
        }
        came
    }
}

impl Running {
    async fn end(self) {
        self.stop.send(()).unwrap();
        soon(self.agent).await.unwrap().unwrap();
    }
}

#[derive(Default)]
struct Came {
    series: Vec<SeriesDef>,
    bodies: Vec<EntryBody>,
}

impl Came {
    fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
        self.bodies.iter().filter_map(|body| match body {
            EntryBody::Block(bytes) => Some(Block::decode(bytes).unwrap()),
            EntryBody::Event { .. } | EntryBody::Outcome(_) | EntryBody::Gap(_) => None,
        })
    }

    /// The ticks of the series that `reader` reads under this name.
    fn ticks(&self, reader: Reader, metric: &str) -> Vec<u64> {
        let is_it = |def: &&SeriesDef| def.reader == reader && def.metric == metric;
        let Some(def) = self.series.iter().find(is_it) else { return Vec::new() };
        let mut ticks = Vec::new();
        for block in self.blocks() {
            for group in &block.groups {
                if group.columns.iter().any(|column| column.series == def.number) {
                    ticks.extend(group.ticks_ms());
                }
            }
        }
        ticks
    }

    fn gaps(&self, reader: Reader) -> Vec<(u64, u64, NoData)> {
        let of = |body: &EntryBody| match body {
            EntryBody::Gap(gap) if gap.scope == GapScope::Reader(reader) => {
                Some((gap.from_ms, gap.to_ms, gap.reason))
            }
            _ => None,
        };
        self.bodies.iter().filter_map(of).collect()
    }
}

#[tokio::test]
async fn readings_of_guard_and_agent_go_up_and_a_stop_seals_what_is_left() {
    let mut rig = Rig::new();
    let agent = rig.start();
    let (mut guard, _) = rig.guard.attach(RUN).await;
    let mut peer = rig.welcomed().await;
    let now_ms = Clock.unix_ms() / 1000 * 1000;
    let records = vec![record(now_ms, 40.0), record(now_ms + 1000, 41.0)];
    guard.say(&FromGuard::Records { first: 1, records }).await;
    loop {
        if guard.hear().await == (FromAgent::Confirm { through: 2 }) {
            break;
        }
    }
    let uptime = |came: &Came| came.ticks(Reader::Agent, "system.uptime").len();
    let mut came = rig.commit(&mut peer, |came| uptime(came) > 0).await;
    // The second tick would lie here until its interval is over.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ((), last) = tokio::join!(agent.end(), async {
        let last = rig.commit(&mut peer, |came| !came.bodies.is_empty()).await;
        assert_eq!(peer.closed().await, close::SHUTDOWN);
        last
    });
    came.bodies.extend(last.bodies);
    assert_eq!(came.ticks(Reader::Guard, "hw.temperature"), [now_ms, now_ms + 1000]);
    let ticks = came.ticks(Reader::Agent, "system.uptime");
    assert!(ticks.len() > 1 && ticks.windows(2).all(|pair| pair[1] == pair[0] + 1000), "{ticks:?}");
}

#[tokio::test]
async fn seconds_without_an_agent_are_a_gap_that_says_so_and_the_guard_is_asked_for_the_rest() {
    let mut rig = Rig::new();
    let first = rig.start();
    let (mut guard, _) = rig.guard.attach(RUN).await;
    let mut peer = rig.welcomed().await;
    let tick_ms = Clock.unix_ms() / 1000 * 1000;
    guard.say(&FromGuard::Records { first: 1, records: vec![record(tick_ms, 40.0)] }).await;
    let uptime = |came: &Came| came.ticks(Reader::Agent, "system.uptime");
    let before = rig.commit(&mut peer, |came| !uptime(came).is_empty()).await;
    first.end().await;
    let last_ms = *uptime(&before).last().unwrap();
    while Clock.unix_ms() < last_ms + 3500 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let second = rig.start();
    let (_guard, asked) = rig.guard.attach(RUN).await;
    assert!(matches!(asked, FromAgent::Attach { run: Some(RUN), after: 1, .. }), "{asked:?}");
    let mut peer = rig.welcomed().await;
    let after = rig.commit(&mut peer, |came| !came.gaps(Reader::Agent).is_empty()).await;
    let gaps = after.gaps(Reader::Agent);
    let [(from_ms, to_ms, NoData::NotRunning)] = gaps[..] else { panic!("{gaps:?}") };
    // The stop sealed what the first commit had not waited for.
    assert!(from_ms > last_ms && to_ms >= from_ms, "{from_ms} to {to_ms} after {last_ms}");
    second.end().await;
}

#[tokio::test]
async fn a_machine_that_was_never_enrolled_says_what_to_do() {
    let rig = Rig::new();
    std::fs::remove_file(Identity::path(rig.folder.path())).unwrap();
    let error = soon(rig.start().agent).await.unwrap().unwrap_err();
    assert!(crate::logging::chain(&error).contains("flyball-agent enrol"), "{error:?}");
}

#[tokio::test]
async fn a_sensor_that_speaks_over_http_is_equipment_with_series_of_its_own() {
    let mut rig = Rig::new();
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = rig.folder.path().join("sensors.toml");
    let text = format!(
        "[http]\nlisten = \"{listen}\"\n\
         [[sensor]]\nkey = \"greenhouse-1\"\nreadings = [\"TEMPERATURE\"]\n"
    );
    std::fs::write(&file, text).unwrap();
    let agent = rig.start_with(Sensors::load(Some(&file)).unwrap());
    let (_guard, _) = rig.guard.attach(RUN).await;
    let mut peer = rig.welcomed().await;
    let known = peer.control(equipment).await;
    assert_eq!((known.key.as_str(), known.kind), ("greenhouse-1", EquipmentKind::Sensor));
    assert_eq!(known.state, EquipmentState::Connecting);

    let body = "{\"device\":\"greenhouse-1\",\"reading_type\":\"TEMPERATURE\",\"value\":21.5}";
    let length = body.len();
    let request = format!("POST /readings HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{body}");
    let mut stream = soon(TcpStream::connect(listen)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    soon(stream.read_to_string(&mut response)).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 202 "), "{response}");
    let connected = peer
        .control(|message| equipment(message).filter(|e| e.state == EquipmentState::Connected))
        .await;
    assert_eq!(connected.key, "greenhouse-1");

    let is_its_own = |def: &&SeriesDef| {
        let attribute = (EQUIPMENT_ATTRIBUTE.to_owned(), "greenhouse-1".to_owned());
        def.metric == "hw.temperature" && def.attributes.contains(&attribute)
    };
    let came = rig.commit(&mut peer, |came| came.series.iter().any(|def| is_its_own(&def))).await;
    let def = came.series.iter().find(is_its_own).unwrap();
    assert_eq!((def.reader, def.unit), (Reader::Agent, Unit::Celsius));
    agent.end().await;
}

/// The equipment of an inventory, where it has one piece.
fn equipment(message: ControlUp) -> Option<Equipment> {
    match message {
        ControlUp::Inventory(inventory) => match &inventory.equipment[..] {
            [equipment] => Some(equipment.clone()),
            _ => None,
        },
        _ => None,
    }
}
