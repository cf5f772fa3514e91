//! Machines that send a block a second, stop when they are told, and go on after a loss.

use crate::clock;
use crate::ingest::identity::Identity;
use crate::ingest::load::Session;
use crate::ingest::workload::{self, Batch};
use anyhow::{Context, Result};
use quinn::Endpoint;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

const EVERY: Duration = Duration::from_secs(1);
/// For an acknowledgement, and for a welcome.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);
/// Different blocks, sent in turns.
const BATCHES: u32 = 8;

struct Machine {
    number: u32,
    endpoint: Endpoint,
    server: SocketAddr,
    identity: Identity,
    series: usize,
    batches: Arc<Vec<Batch>>,
    start_ms: u64,
    /// The next entry's number.
    seq: u64,
}

pub(crate) struct Machines {
    running: JoinSet<Result<Machine>>,
    resting: Vec<Machine>,
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicU64>,
}

impl Machines {
    pub(crate) async fn start(
        server: SocketAddr,
        identities: Vec<Identity>,
        series: usize,
    ) -> Result<Self> {
        let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let start_ms = clock::unix_ms() / 1_000 * 1_000;
        let batches = Arc::new(workload::batches(start_ms, BATCHES, 1).collect::<Vec<_>>());
        let resting = (0..)
            .zip(identities)
            .map(|(number, identity)| Machine {
                number,
                endpoint: endpoint.clone(),
                server,
                identity,
                series,
                batches: Arc::clone(&batches),
                start_ms,
                seq: 1,
            })
            .collect();
        let (acknowledged, stop) = (Arc::default(), Arc::default());
        Ok(Self { running: JoinSet::new(), resting, acknowledged, stop }.go_on())
    }

    /// Blocks that were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    pub(crate) fn go_on(mut self) -> Self {
        self.stop.store(0, Ordering::Relaxed);
        for machine in self.resting.drain(..) {
            let (acknowledged, stop) = (Arc::clone(&self.acknowledged), Arc::clone(&self.stop));
            self.running.spawn(machine.live(acknowledged, stop));
        }
        self
    }

    /// Lets every machine end with an acknowledged block.
    pub(crate) async fn pause(mut self) -> Result<Self> {
        self.stop.store(1, Ordering::Relaxed);
        while let Some(machine) = self.running.join_next().await {
            self.resting.push(machine??);
        }
        Ok(self)
    }
}

impl Machine {
    async fn live(mut self, acknowledged: Arc<AtomicU64>, stop: Arc<AtomicU64>) -> Result<Self> {
        // Spread over the second, as machines that were started at any time are.
        sleep(EVERY.mul_f64(f64::from(self.number % 100) / 100.0)).await;
        let mut session = self.connect().await.context("a machine is not welcomed")?;
        let mut beat = interval(EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.load(Ordering::Relaxed) == 0 {
            beat.tick().await;
            while !matches!(timeout(PATIENCE, self.block(&mut session)).await, Ok(Ok(()))) {
                session = self.come_back().await;
            }
            acknowledged.fetch_add(1, Ordering::Relaxed);
            self.seq += 1;
        }
        session.close();
        Ok(self)
    }

    async fn connect(&self) -> Result<Session> {
        let opening =
            Session::open(&self.endpoint, self.server, &self.identity, self.seq, self.series);
        timeout(PATIENCE, opening).await.context("no welcome in time")?
    }

    async fn come_back(&self) -> Session {
        loop {
            sleep(PAUSE).await;
            if let Ok(session) = self.connect().await {
                return session;
            }
        }
    }

    /// Sends the block of this number until it is acknowledged.
    async fn block(&self, session: &mut Session) -> Result<()> {
        let batch = &self.batches[usize::try_from(self.seq)? % self.batches.len()];
        let batch = Batch { from_ms: self.start_ms + self.seq * 1_000, rows: batch.rows.clone() };
        let entry = workload::entry(&batch, self.seq, self.series)?;
        session.send(&entry).await?;
        while session.acknowledged().await? < self.seq {}
        Ok(())
    }
}
