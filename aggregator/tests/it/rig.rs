//! One aggregator and its agents, in one line each.

use flyball_aggregator::app::{App, replicas};
use flyball_aggregator::clock::Clock;
use flyball_aggregator::config::Config;
use flyball_aggregator::history::HistorySettings;
use flyball_aggregator::ingest::Ingest;
use flyball_aggregator::operations::{Action, Origin, Submission};
use flyball_aggregator::store::Database;
use flyball_harness::counterparts::{Postgres, TestDatabase};
use flyball_protocol::block::BlockBuilder;
use flyball_protocol::command::DeviceId;
use flyball_protocol::entry::{Entry, EntryBody};
use flyball_protocol::frame::{self, Decoder};
use flyball_protocol::message::{
    ALPN, ALPN_ENROL, CURRENT_VERSION, ControlDown, ControlUp, EnrolReply, EnrolRequest, Hello,
    LaneDown, LaneUp, MIN_VERSION, Machine, StreamKind,
};
use flyball_protocol::series::{Reader, SeriesDef, SeriesRef};
use flyball_protocol::sync::{Epoch, Ranges, Seq};
use flyball_units::{Kind, NoData, Ratio, Unit};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::Connection as _;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) const NOW_MS: u64 = 1_795_298_300_000;
const PATIENCE: Duration = Duration::from_secs(20);

/// What the store lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgresql,
}

/// An engine as a type: each suite has a rig of its own.
pub(crate) trait OnEngine: Sized {
    const ENGINE: Engine;
}

pub(crate) struct Sqlite;

impl OnEngine for Sqlite {
    const ENGINE: Engine = Engine::Sqlite;
}

pub(crate) struct Postgresql;

impl OnEngine for Postgresql {
    const ENGINE: Engine = Engine::Postgresql;
}

/// Everything durable of one aggregator.
pub(crate) struct Durable {
    state: TempDir,
    database: Option<TestDatabase>,
    /// The address of a database that somebody else takes away.
    server: Option<String>,
}

pub(crate) struct Rig<E> {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    durable: Durable,
    serving: JoinHandle<()>,
    engine: PhantomData<E>,
}

/// What a machine has after its enrolment.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) device: DeviceId,
    pub(crate) command_key: String,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Durable {
    pub(crate) fn fresh(engine: Engine) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgresql => Some(TestDatabase::create().unwrap()),
        };
        Self { state: tempfile::tempdir().unwrap(), database, server: None }
    }

    /// A database on a server of its own, which the test may end and start again.
    pub(crate) fn on_server(server: &Postgres) -> Self {
        let url = server.create("flyball").unwrap();
        Self { state: tempfile::tempdir().unwrap(), database: None, server: Some(url) }
    }

    /// The same database and the same authority: another replica.
    fn beside(&self) -> Self {
        let state = tempfile::tempdir().unwrap();
        let (from, to) = (self.state.path().join("authority"), state.path().join("authority"));
        std::fs::create_dir(&to).unwrap();
        for file in std::fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        Self { state, database: None, server: self.url().map(str::to_owned) }
    }

    pub(crate) fn url(&self) -> Option<&str> {
        self.database.as_ref().map(TestDatabase::url).or(self.server.as_deref())
    }

    pub(crate) fn database(&self) -> Database {
        Database::parse(self.url().unwrap_or("aggregator.db"), self.state.path())
    }
}

impl<E: OnEngine> Rig<E> {
    pub(crate) async fn start() -> Self {
        Self::on(Durable::fresh(E::ENGINE), Clock::System).await
    }

    /// Another replica on the same database.
    pub(crate) async fn replica(&self) -> Self {
        Self::on(self.durable.beside(), Clock::System).await
    }

    pub(crate) async fn on_server(server: &Postgres) -> Self {
        Self::on(Durable::on_server(server), Clock::System).await
    }

    /// With settings of its own for history, which may lie in the folder of everything durable.
    pub(crate) async fn with_history(
        clock: Clock,
        settings: impl FnOnce(&Path) -> HistorySettings,
    ) -> Self {
        let durable = Durable::fresh(E::ENGINE);
        let history = settings(durable.state.path());
        Self::of(durable, clock, history).await
    }

    async fn on(durable: Durable, clock: Clock) -> Self {
        Self::of(durable, clock, HistorySettings::default()).await
    }

    async fn of(durable: Durable, clock: Clock, history: HistorySettings) -> Self {
        // Every test asks for it; the first one gets it.
        let _ = tracing_subscriber::fmt().with_test_writer().try_init();
        let config = Config {
            state: durable.state.path().to_owned(),
            database: durable.url().map(Into::into),
            ingest: "127.0.0.1:0".parse().unwrap(),
            history,
            ..Config::default()
        };
        let app = App::open(config, clock).await.unwrap();
        let ingest = Ingest::bind(&app).unwrap();
        let address = ingest.address();
        let serving = tokio::spawn(ingest.serve(app.clone()));
        tokio::spawn(replicas::run(app.clone()));
        Self { app, address, durable, serving, engine: PhantomData }
    }

    /// Ends this aggregator and starts another one on its state.
    pub(crate) async fn restart(self) -> Self {
        self.app.shutdown.start();
        self.serving.await.unwrap();
        self.app.store.close().await;
        Self::on(self.durable, Clock::System).await
    }

    pub(crate) async fn token(&self) -> String {
        self.app.enrolment.create_token("test", "test", 60_000).await.unwrap().text
    }

    /// Asks for enrolment with `token`.
    pub(crate) async fn ask(&self, token: &str) -> (EnrolReply, Vec<u8>) {
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
        let csr = csr.der().to_vec();
        let request = EnrolRequest { token: token.into(), csr, machine: machine() };
        let connection = self.connect(ALPN_ENROL, None).await.unwrap();
        let (mut send, recv) = connection.open_bi().await.unwrap();
        send.write_all(&frame::encode(&request).unwrap()).await.unwrap();
        send.finish().unwrap();
        let reply = Messages::new(recv).next().await.unwrap();
        connection.close(0_u32.into(), b"");
        (reply, key.serialize_der())
    }

    pub(crate) async fn enrol(&self) -> Identity {
        let (reply, key) = self.ask(&self.token().await).await;
        let EnrolReply::Enrolled { device, certificate, authority, command_key } = reply else {
            panic!("{reply:?}");
        };
        assert_eq!(authority, self.app.authority.certificate_der().as_ref());
        Identity { device, command_key, certificate: certificate.into(), key }
    }

    /// A connection that has not said anything yet.
    pub(crate) async fn connect(
        &self,
        alpn: &[u8],
        identity: Option<&Identity>,
    ) -> Result<Connection, ConnectionError> {
        let crypto = QuicClientConfig::try_from(self.tls(alpn, identity)).unwrap();
        let mut endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        endpoint.set_default_client_config(ClientConfig::new(Arc::new(crypto)));
        endpoint.connect(self.address, "flyball-aggregator").unwrap().await
    }

    /// What a machine with `identity` speaks TLS with.
    pub(crate) fn tls(&self, alpn: &[u8], identity: Option<&Identity>) -> rustls::ClientConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.app.authority.certificate_der().clone()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let mut tls = match identity {
            Some(identity) => builder
                .with_client_auth_cert(
                    vec![identity.certificate.clone()],
                    PrivateKeyDer::try_from(identity.key.clone()).unwrap(),
                )
                .unwrap(),
            None => builder.with_no_client_auth(),
        };
        tls.alpn_protocols = vec![alpn.to_vec()];
        tls
    }

    pub(crate) async fn agent(&self, identity: &Identity, epoch: u64) -> Agent {
        let connection = self.connect(ALPN, Some(identity)).await.unwrap();
        let (mut control, recv) = connection.open_bi().await.unwrap();
        control.write_all(&[StreamKind::Control as u8]).await.unwrap();
        send(&mut control, &ControlUp::Hello(hello(epoch))).await;
        let mut down = Messages::new(recv);
        let welcome = down.next().await.unwrap();
        Agent { connection, control, down, lane: None, welcome, seen: Ranges::new() }
    }

    /// A number that the database itself gives.
    pub(crate) async fn number(&self, words: &'static str) -> u64 {
        let address = self.durable.url().unwrap();
        let mut connection = sqlx::AnyConnection::connect(address).await.unwrap();
        let count: i64 = sqlx::query_scalar(words).fetch_one(&mut connection).await.unwrap();
        u64::try_from(count).unwrap()
    }

    /// How often a refusal was counted under `reason`.
    pub(crate) fn refusals(&self, reason: &str) -> u64 {
        self.counted("ingest_refusals", reason)
    }

    /// How many entries were kept aside under `reason`.
    pub(crate) fn quarantined(&self, reason: &str) -> u64 {
        self.counted("ingest_entries_quarantined", reason)
    }

    fn counted(&self, counter: &str, reason: &str) -> u64 {
        let line = format!("flyball_{counter}_total{{reason=\"{reason}\"}} ");
        let text = self.app.metrics.expose().unwrap();
        text.lines().find_map(|l| l.strip_prefix(&line)?.parse().ok()).unwrap_or(0)
    }
}

impl Identity {
    /// The same machine with another key and the certificate for it.
    pub(crate) fn renewed(&self, certificate: Vec<u8>, key: Vec<u8>) -> Self {
        Self { certificate: certificate.into(), key, ..self.clone() }
    }

    /// The same names, certified by an authority of somebody else's.
    pub(crate) fn forged(&self) -> Self {
        let state = tempfile::tempdir().unwrap();
        let foreign = flyball_aggregator::authority::Authority::open(state.path(), NOW_MS).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
        let issued = foreign.certify(self.device, csr.der(), Clock::System.now_ms()).unwrap();
        Self { certificate: issued.der.into(), key: key.serialize_der(), ..self.clone() }
    }
}

/// An agent as far as the wire shows one.
pub(crate) struct Agent {
    pub(crate) connection: Connection,
    pub(crate) control: SendStream,
    pub(crate) down: Messages,
    pub(crate) welcome: ControlDown,
    lane: Option<(SendStream, Messages)>,
    /// What was acknowledged on this connection.
    seen: Ranges,
}

impl Agent {
    pub(crate) fn acked(&self) -> Ranges {
        match &self.welcome {
            ControlDown::Welcome { acked, .. } => acked.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn say(&mut self, message: &ControlUp) {
        send(&mut self.control, message).await;
    }

    /// The lane, opened with the test's series when first needed.
    pub(crate) async fn lane(&mut self) -> &mut (SendStream, Messages) {
        if self.lane.is_none() {
            let (mut up, down) = self.connection.open_bi().await.unwrap();
            up.write_all(&[StreamKind::Fresh as u8]).await.unwrap();
            send(&mut up, &LaneUp::Series(series())).await;
            self.lane = Some((up, Messages::new(down)));
        }
        self.lane.as_mut().unwrap()
    }

    pub(crate) async fn send(&mut self, entry: Entry) {
        send(&mut self.lane().await.0, &LaneUp::Entry(entry)).await;
    }

    /// Waits until all of `1..=through` are acknowledged on this connection.
    pub(crate) async fn acknowledged(&mut self, through: u64) -> Ranges {
        while (1..=through).any(|seq| !self.seen.contains(Seq(seq))) {
            self.acknowledgement().await;
        }
        self.seen.clone()
    }

    /// Waits for the next acknowledgement, whatever it names.
    pub(crate) async fn acknowledgement(&mut self) -> Ranges {
        let LaneDown::Ack(ranges) = self.lane().await.1.next().await.unwrap();
        self.seen.merge(&ranges);
        ranges
    }

    /// The application code that the aggregator closes with.
    pub(crate) async fn closed_with(&self) -> u64 {
        code(&tokio::time::timeout(PATIENCE, self.connection.closed()).await.unwrap())
    }
}

pub(crate) fn code(error: &ConnectionError) -> u64 {
    match error {
        ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
        other => panic!("{other:?}"),
    }
}

/// Whole messages from a stream.
pub(crate) struct Messages {
    stream: RecvStream,
    decoder: Decoder,
}

impl Messages {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self { stream, decoder: Decoder::new() }
    }

    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Option<T> {
        loop {
            if let Some(message) = self.decoder.next_message().unwrap() {
                return Some(message);
            }
            let read = tokio::time::timeout(PATIENCE, self.stream.read_chunk(65_536, true));
            match read.await.unwrap() {
                Ok(Some(chunk)) => self.decoder.push(&chunk.bytes),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

pub(crate) async fn send<T: Serialize>(stream: &mut SendStream, message: &T) {
    stream.write_all(&frame::encode(message).unwrap()).await.unwrap();
}

pub(crate) fn hello(epoch: u64) -> Hello {
    Hello {
        min_version: MIN_VERSION,
        max_version: CURRENT_VERSION,
        epoch: Epoch(epoch),
        next_seq: Seq(1),
        machine: machine(),
        guard_attached: true,
    }
}

pub(crate) fn machine() -> Machine {
    Machine {
        hostname: "board-1".into(),
        os: "Debian".into(),
        kernel: "6.12".into(),
        arch: "x86_64".into(),
        vendor: None,
        product: Some("Test board".into()),
        serial: None,
        cpus: 2,
        memory_bytes: 1 << 30,
        simulated: true,
        agent_version: "0.1.0".into(),
    }
}

/// Two temperatures of the guard and a load of the agent.
pub(crate) fn series() -> Vec<SeriesDef> {
    let define = |number: u32, metric: &str, kind, unit, reader| SeriesDef {
        number: SeriesRef(number),
        metric: metric.into(),
        kind,
        unit,
        attributes: vec![("hw.id".into(), format!("s{number}"))],
        cadence_ms: 1000,
        reader,
    };
    vec![
        define(0, "hw.temperature", Kind::Temperature, Unit::Celsius, Reader::Guard),
        define(1, "hw.temperature", Kind::Temperature, Unit::Celsius, Reader::Guard),
        define(2, "system.cpu.utilization", Kind::Utilization, Unit::One, Reader::Agent),
    ]
}

/// A sample: series number, tick, and the value or why there is none.
pub(crate) type Sample = (u32, u64, Result<f64, NoData>);

/// An entry with one block of 10 s from `start_ms`.
pub(crate) fn block(seq: u64, start_ms: u64, samples: &[Sample]) -> Entry {
    let mut builder = BlockBuilder::new(start_ms, 10_000);
    for &(series, at_ms, value) in samples {
        builder.push(SeriesRef(series), at_ms, value).unwrap();
    }
    entry(seq, &EntryBody::Block(builder.build().unwrap().encode()))
}

pub(crate) fn entry(seq: u64, body: &EntryBody) -> Entry {
    Entry::new(Seq(seq), body.encode().unwrap())
}

/// A command that every board can carry out.
pub(crate) fn fan_floor(device: DeviceId) -> Submission {
    let action = Action::SetFanFloor { actuator: None, floor: Ratio(0.2) };
    Submission::new(device, action, "operator@example.org", Origin::Remote)
}
