//! The crowd of simulated agents: a task each, several endpoints, one channel back.

use crate::clock;
use crate::ingest::identity::Identity;
use crate::ingest::load::Session;
use crate::ingest::workload::{self, Batch};
use anyhow::{Context, Result, bail};
use quinn::Endpoint;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// One endpoint drives all of its sockets' traffic on one task.
const ENDPOINTS: usize = 16;
/// Handshakes at once, when the crowd gathers.
const AT_ONCE: usize = 64;
const INTERVAL: Duration = Duration::from_secs(10);
/// Without an acknowledgement for so long an agent is starved.
const PATIENCE: Duration = Duration::from_secs(20);
/// Calls again after a loss: jittered between half of it and all of it, doubling to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LAST_PAUSE: Duration = Duration::from_secs(16);
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Different blocks, sent in turns.
const BATCHES: u32 = 8;
const QUEUE: usize = 16_384;

/// What an agent tells.
#[derive(Clone, Copy, Debug)]
enum Word {
    Acknowledged { agent: usize, latency: Duration },
    Lost { agent: usize },
    InVain,
    Back { agent: usize },
}

/// What was heard while the crowd was listened to.
#[derive(Debug)]
pub(crate) struct Told {
    /// From a block's sending to its acknowledgement, in milliseconds.
    pub(crate) latencies: Vec<f64>,
    /// How many blocks of each agent were acknowledged.
    blocks: BTreeMap<usize, u32>,
    agents: usize,
    least: u32,
    lost: usize,
}

/// How everybody came back.
#[derive(Debug)]
pub(crate) struct Storm {
    pub(crate) took: Duration,
    /// Calls without an answer until the first agent was back.
    pub(crate) in_vain: u32,
    /// Those after that.
    pub(crate) failed: u32,
}

pub(crate) struct Crowd {
    words: mpsc::Receiver<Word>,
    agents: usize,
    tasks: JoinSet<Result<()>>,
}

struct Agent {
    number: usize,
    endpoint: Endpoint,
    server: SocketAddr,
    identity: Identity,
    series: usize,
    batches: Arc<Vec<Batch>>,
    words: mpsc::Sender<Word>,
    /// The next entry's number.
    seq: u64,
}

impl Told {
    /// Agents of which a block was not acknowledged.
    pub(crate) fn starved(&self) -> usize {
        let fed = self.blocks.values().filter(|&&blocks| blocks >= self.least).count();
        self.agents - fed + self.lost
    }
}

impl Crowd {
    /// Connects everybody, each under its own identity.
    pub(crate) async fn gather(
        server: SocketAddr,
        identities: Vec<Identity>,
        series: usize,
    ) -> Result<Self> {
        let endpoints = (0..ENDPOINTS)
            .map(|_| Ok(Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?))
            .collect::<Result<Vec<_>>>()?;
        let start_ms = clock::unix_ms() / 10_000 * 10_000;
        let batches = Arc::new(workload::batches(start_ms, BATCHES, 10).collect::<Vec<_>>());
        let (sender, words) = mpsc::channel(QUEUE);
        let agents = identities.len();
        let mut waiting = identities.into_iter().enumerate();
        let mut connecting = JoinSet::new();
        let mut ready = Vec::new();
        loop {
            while connecting.len() < AT_ONCE
                && let Some((number, identity)) = waiting.next()
            {
                let agent = Agent {
                    number,
                    endpoint: endpoints[number % ENDPOINTS].clone(),
                    server,
                    identity,
                    series,
                    batches: Arc::clone(&batches),
                    words: sender.clone(),
                    seq: 1,
                };
                connecting.spawn(async move {
                    let session = agent.connect().await?;
                    anyhow::Ok((agent, session))
                });
            }
            let Some(connected) = connecting.join_next().await else { break };
            ready.push(connected??);
        }
        let mut tasks = JoinSet::new();
        for (agent, session) in ready {
            // Spread over the interval, as machines that were started at any time are.
            let offset = INTERVAL.mul_f64(agent.number as f64 / agents as f64);
            tasks.spawn(agent.live(session, offset));
        }
        Ok(Self { words, agents, tasks })
    }

    /// Listens for `span`.
    pub(crate) async fn listen(&mut self, span: Duration) -> Result<Told> {
        let until = clock::now() + span;
        let whole = span.as_secs() / INTERVAL.as_secs();
        // The first and the last block of a span may lie outside of it.
        let least = u32::try_from(whole.saturating_sub(1))?;
        let (latencies, blocks) = (Vec::new(), BTreeMap::new());
        let mut told = Told { latencies, blocks, agents: self.agents, least, lost: 0 };
        while let Some(word) = self.word(until).await? {
            match word {
                Word::Acknowledged { agent, latency } => {
                    told.latencies.push(latency.as_secs_f64() * 1000.0);
                    *told.blocks.entry(agent).or_default() += 1;
                }
                Word::Lost { .. } => told.lost += 1,
                Word::InVain | Word::Back { .. } => {}
            }
        }
        Ok(told)
    }

    /// Waits until everybody was lost and is back.
    pub(crate) async fn storm(&mut self, limit: Duration) -> Result<Storm> {
        let began = clock::now();
        let mut back = std::collections::BTreeSet::new();
        let mut storm = Storm { took: limit, in_vain: 0, failed: 0 };
        while let Some(word) = self.word(began + limit).await? {
            match word {
                Word::Back { agent } => {
                    back.insert(agent);
                }
                Word::Lost { agent } => {
                    back.remove(&agent);
                }
                Word::InVain if back.is_empty() => storm.in_vain += 1,
                Word::InVain => storm.failed += 1,
                Word::Acknowledged { .. } => {}
            }
            if back.len() == self.agents {
                storm.took = began.elapsed();
                return Ok(storm);
            }
        }
        bail!("{} of {} agents are back after {} s", back.len(), self.agents, limit.as_secs())
    }

    /// The next word; `None` at `until`.
    async fn word(&mut self, until: Instant) -> Result<Option<Word>> {
        tokio::select! {
            word = self.words.recv() => word.context("every agent has ended").map(Some),
            ended = self.tasks.join_next(), if !self.tasks.is_empty() => match ended {
                Some(ended) => ended?.context("an agent gave up").map(|()| None),
                None => Ok(None),
            },
            () = tokio::time::sleep_until(until.into()) => Ok(None),
        }
    }
}

impl Agent {
    async fn connect(&self) -> Result<Session> {
        let opening =
            Session::open(&self.endpoint, self.server, &self.identity, self.seq, self.series);
        tokio::time::timeout(CALL_LIMIT, opening).await.context("no welcome in time")?
    }

    /// Sends a block every interval for ever; comes back where the connection is lost.
    async fn live(mut self, mut session: Session, offset: Duration) -> Result<()> {
        tokio::time::sleep(offset).await;
        let mut beat = tokio::time::interval(INTERVAL);
        loop {
            beat.tick().await;
            let began = clock::now();
            let spoken = tokio::time::timeout(PATIENCE, self.block(&mut session)).await;
            let agent = self.number;
            if matches!(spoken, Ok(Ok(()))) {
                let latency = began.elapsed();
                self.words.send(Word::Acknowledged { agent, latency }).await?;
                continue;
            }
            self.words.send(Word::Lost { agent }).await?;
            session = self.come_back().await?;
            self.words.send(Word::Back { agent }).await?;
        }
    }

    async fn block(&mut self, session: &mut Session) -> Result<()> {
        let batch = &self.batches[usize::try_from(self.seq)? % self.batches.len()];
        // Its own time: a machine's blocks don't repeat a time.
        let from_ms = batch.from_ms + self.seq / u64::from(BATCHES) * u64::from(BATCHES) * 10_000;
        let batch = Batch { from_ms, rows: batch.rows.clone() };
        let entry = workload::entry(&batch, self.seq, self.series)?;
        session.send(&entry).await?;
        while session.acknowledged().await? < self.seq {}
        self.seq += 1;
        Ok(())
    }

    async fn come_back(&self) -> Result<Session> {
        let mut pause = FIRST_PAUSE;
        let mut round = 0_u64;
        loop {
            // Different for everybody and every round, and the same in every run.
            let chance = (self.number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 + round) >> 40;
            let share = 0.5 + 0.5 * chance as f64 / f64::from(1_u32 << 24);
            tokio::time::sleep(pause.mul_f64(share)).await;
            match self.connect().await {
                Ok(session) => return Ok(session),
                Err(_) => self.words.send(Word::InVain).await?,
            }
            pause = (pause * 2).min(LAST_PAUSE);
            round += 1;
        }
    }
}
