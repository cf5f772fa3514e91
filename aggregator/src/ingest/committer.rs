//! The one task that commits: what many agents sent within a moment goes into one transaction,
//! and whoever waits for it is told after the commit, never before.

use crate::app::App;
use crate::history::budget::Room;
use crate::ingest::arrival::chain;
use crate::ingest::measured::Measured;
use crate::live::{Live, Topic};
use crate::store::{Arrival, ArrivalBody, Committed, EntryKey, Reason, StoreError};
use flyball_protocol::sync::Seq;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the first entry waits for company.
const GATHER: Duration = Duration::from_millis(20);
const MAX_BATCH: usize = 200;
/// Entries that wait for the committer, over all agents; a session waits where it is full.
const QUEUE: usize = 1024;
/// A store that fails is tried again before the sessions are told.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);
/// A database that is away is waited for, a minute at least: a server that restarts, a lock.
/// Until then the sessions wait, and their agents keep what they have.
const AWAY_ATTEMPTS: u32 = 120;
const AWAY_PAUSE: Duration = Duration::from_millis(500);
/// Entries that fail in a row when they are committed alone: then it is the store that fails.
const GIVE_UP: u32 = 3;

/// One entry on its way to the store.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) arrival: Arrival,
    pub(super) measured: Measured,
    /// Has room for every entry that its session may have waiting.
    pub(super) reply: mpsc::Sender<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Durable, now or before, if only kept aside.
    Committed(Seq),
    /// The store failed for good.
    Failed(Seq),
    /// There is no room for blocks: the agent keeps it.
    NoRoom(Seq),
}

pub(super) fn start(app: App) -> (mpsc::Sender<Submission>, tokio::task::JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (sender, tokio::spawn(run(app, receiver)))
}

/// Ends when the last session has dropped its sender and the queue is empty.
async fn run(app: App, mut queue: mpsc::Receiver<Submission>) {
    while let Some(first) = queue.recv().await {
        let batch = gather(first, &mut queue).await;
        commit(&app, batch).await;
    }
}

async fn gather(first: Submission, queue: &mut mpsc::Receiver<Submission>) -> Vec<Submission> {
    let mut batch = vec![first];
    let fill = async {
        while batch.len() < MAX_BATCH {
            match queue.recv().await {
                Some(next) => batch.push(next),
                None => break,
            }
        }
    };
    // Running out of time is the ordinary way to end.
    let _ = tokio::time::timeout(GATHER, fill).await;
    batch
}

async fn commit(app: &App, batch: Vec<Submission>) {
    let batch = refuse_blocks_without_room(app, batch);
    if batch.is_empty() {
        return;
    }
    let (arrivals, rest): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|s| (s.arrival, (s.measured, s.reply))).unzip();
    let answers = match commit_with_patience(app, &arrivals).await {
        Ok(answers) => answers.into_iter().map(Some).collect(),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                entries = arrivals.len(),
                "commit failed, going on one by one"
            );
            commit_one_by_one(app, &arrivals).await
        }
    };
    for ((arrival, (measured, reply)), committed) in arrivals.iter().zip(rest).zip(answers) {
        let told = match committed {
            Some(committed) => tell(app, arrival, &measured, committed),
            None => Answer::Failed(arrival.seq),
        };
        answer(&reply, told);
    }
}

/// Where telemetry's room is full, blocks go back; what guards and operators have to say does not.
fn refuse_blocks_without_room(app: &App, batch: Vec<Submission>) -> Vec<Submission> {
    if app.history.room() != Room::Full {
        return batch;
    }
    let is_block = |one: &Submission| matches!(one.arrival.body, ArrivalBody::Block { .. });
    let (blocks, rest): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_block);
    for block in blocks {
        answer(&block.reply, Answer::NoRoom(block.arrival.seq));
    }
    rest
}

async fn commit_with_patience(
    app: &App,
    arrivals: &[Arrival],
) -> Result<Vec<Committed>, StoreError> {
    let (mut attempt, mut away) = (1, 0);
    loop {
        match app.store.commit(arrivals, app.clock.now_ms()).await {
            Ok(answers) => {
                app.metrics.commits.inc();
                return Ok(answers);
            }
            Err(error) if error.may_pass() && away < AWAY_ATTEMPTS => {
                away += 1;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    away,
                    "the database is away, waiting for it"
                );
                tokio::time::sleep(AWAY_PAUSE).await;
            }
            Err(error) if attempt >= ATTEMPTS || error.is_of_content() => return Err(error),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    attempt,
                    "commit failed, trying again"
                );
                tokio::time::sleep(PAUSE * attempt).await;
                attempt += 1;
            }
        }
    }
}

/// So that what one agent sent fails no other's: each entry in a transaction of its own. `None`
/// stands for what could not be committed.
async fn commit_one_by_one(app: &App, arrivals: &[Arrival]) -> Vec<Option<Committed>> {
    let mut answers = Vec::with_capacity(arrivals.len());
    let mut failures = 0;
    for arrival in arrivals {
        if failures == GIVE_UP {
            answers.push(None);
            continue;
        }
        match commit_alone(app, arrival).await {
            Ok(committed) => {
                app.metrics.commits.inc();
                failures = 0;
                answers.push(committed);
            }
            Err(error) => {
                app.metrics.refused("store");
                let (device, seq) = (arrival.id, arrival.seq.0);
                let error = &error as &dyn std::error::Error;
                tracing::error!(%device, seq, error, "entry not committed");
                failures += 1;
                answers.push(None);
            }
        }
    }
    answers
}

/// What the store refuses for its own sake is kept aside.
async fn commit_alone(app: &App, arrival: &Arrival) -> Result<Option<Committed>, StoreError> {
    let now_ms = app.clock.now_ms();
    let answers = match app.store.commit(std::slice::from_ref(arrival), now_ms).await {
        Err(error) if error.is_of_content() => {
            let body = ArrivalBody::Unreadable { reason: Reason::Unstorable, why: chain(&error) };
            app.store.commit(&[Arrival { body, ..arrival.clone() }], now_ms).await?
        }
        Err(error) => return Err(error),
        Ok(answers) => answers,
    };
    Ok(answers.into_iter().next())
}

/// Publishes what is new and says what the session shall know.
fn tell(app: &App, arrival: &Arrival, measured: &Measured, committed: Committed) -> Answer {
    match committed {
        Committed::New { event, operation } => {
            app.metrics.entries_committed.inc();
            if let ArrivalBody::Block { data, .. } = &arrival.body {
                app.metrics.block_bytes.inc_by(data.len() as u64);
                let entry = EntryKey { epoch: arrival.epoch, seq: arrival.seq };
                publish(app, entry, measured, data);
            }
            if let Some(event) = event {
                app.live.publish(Live::Event(event));
            }
            if let Some(operation) = operation {
                app.operations.announce(operation);
            }
            Answer::Committed(arrival.seq)
        }
        Committed::Repeated => {
            app.metrics.entries_repeated.inc();
            Answer::Committed(arrival.seq)
        }
        Committed::Quarantined { reason, event } => {
            app.metrics.quarantined(reason.name());
            tracing::error!(
                device = %arrival.id,
                seq = arrival.seq.0,
                reason = reason.name(),
                "{}",
                event.message
            );
            app.live.publish(Live::Event(event));
            Answer::Committed(arrival.seq)
        }
    }
}

/// Hands every device its own: equipment is a device beside the machine that reads it.
fn publish(app: &App, entry: EntryKey, measured: &Measured, block: &[u8]) {
    app.metrics.samples.inc_by(measured.samples());
    app.latest.update(measured.newest());
    if app.live.subscribers() == 0 {
        return;
    }
    let mut followed = measured.devices();
    followed.retain(|device| app.live.is_wanted(Topic::Readings(*device)));
    if followed.is_empty() {
        return;
    }
    // It was decoded before: the error does not come.
    for (device, sampled) in measured.sampled(block, &followed).unwrap_or_default() {
        app.live.publish(Live::readings(device, entry, sampled));
    }
}

fn answer(reply: &mpsc::Sender<Answer>, answer: Answer) {
    // A session that is gone needs no answer: its agent asks again with its next Hello.
    let _ = reply.try_send(answer);
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::fleet::tests::device;
    use flyball_protocol::guard::{EventKind, GuardEvent, Severity};
    use flyball_protocol::sync::Epoch;
    use sqlx::{ConnectOptions, Connection};
    use uuid::Uuid;

    const NOW_MS: u64 = 1_795_298_300_000;

    async fn arrival(app: &App, number: u128, subject: &str) -> Arrival {
        let device = device(Uuid::from_u128(number));
        app.store.add_device(&device).await.unwrap();
        let opened = app.store.open_epoch(device.id, Epoch(1), NOW_MS).await.unwrap().unwrap();
        let event = GuardEvent {
            kind: EventKind::SensorLost,
            severity: Severity::Info,
            subject: subject.into(),
            message: String::new(),
            reading: None,
            threshold: None,
            unit: None,
        };
        Arrival {
            id: device.id,
            device: opened.device,
            epoch: opened.epoch,
            seq: Seq(1),
            checksum: 1,
            raw: vec![1],
            body: ArrivalBody::Event { at_ms: NOW_MS, event },
        }
    }

    #[tokio::test]
    async fn an_entry_that_the_store_refuses_fails_no_other() {
        let state = tempfile::tempdir().unwrap();
        let config = Config { state: state.path().to_owned(), ..Config::default() };
        let database = state.path().join("aggregator.db");
        let app = App::open(config, Clock::manual(NOW_MS)).await.unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
        let mut beside = options.connect().await.unwrap();
        sqlx::query(
            "CREATE TRIGGER guilty BEFORE INSERT ON events WHEN NEW.subject = 'guilty'
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .execute(&mut beside)
        .await
        .unwrap();
        beside.close().await.unwrap();
        let (reply, mut answers) = mpsc::channel(8);
        let mut batch = Vec::new();
        for (number, subject) in (1..).zip(["good", "guilty", "good"]) {
            let arrival = arrival(&app, number, subject).await;
            batch.push(Submission { arrival, measured: Measured::default(), reply: reply.clone() });
        }
        commit(&app, batch).await;
        for _ in 0..3 {
            assert_eq!(answers.recv().await.unwrap(), Answer::Committed(Seq(1)));
        }
        let quarantined = app
            .metrics
            .entries_quarantined
            .get_or_create(&crate::metrics::RefusalLabels { reason: Reason::Unstorable.name() });
        assert_eq!(quarantined.get(), 1);
        // Two that are good and the one that tells of the third.
        assert_eq!(app.store.counts().await.unwrap().events, 3);
    }
}
