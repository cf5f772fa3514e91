//! The one task that commits: what many agents sent within a moment goes into one transaction,
//! and whoever waits for it is told after the commit, never before.

use crate::app::App;
use crate::fleet::DeviceId;
use crate::live::{Live, Topic};
use crate::store::{Arrival, ArrivalBody, Committed, StoreError};
use crate::telemetry::{Point, Sampled};
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

/// One entry on its way to the store.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) arrival: Arrival,
    pub(super) sampled: Vec<Sampled>,
    /// Has room for every entry that its session may have waiting.
    pub(super) reply: mpsc::Sender<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Durable, now or before, if only kept aside.
    Committed(Seq),
    /// The store failed for good.
    Failed(Seq),
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
    let (arrivals, rest): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|s| (s.arrival, (s.sampled, s.reply))).unzip();
    let answers = match commit_with_patience(app, &arrivals).await {
        Ok(answers) => answers,
        Err(error) => {
            app.metrics.refused("store");
            let entries = arrivals.len();
            tracing::error!(error = &error as &dyn std::error::Error, entries, "nothing committed");
            for (arrival, (_, reply)) in arrivals.iter().zip(&rest) {
                answer(reply, Answer::Failed(arrival.seq));
            }
            return;
        }
    };
    app.metrics.commits.inc();
    for ((arrival, (sampled, reply)), committed) in arrivals.iter().zip(rest).zip(answers) {
        answer(&reply, tell(app, arrival, &sampled, committed));
    }
}

async fn commit_with_patience(
    app: &App,
    arrivals: &[Arrival],
) -> Result<Vec<Committed>, StoreError> {
    let mut attempt = 1;
    loop {
        match app.store.commit(arrivals, app.clock.now_ms()).await {
            Ok(answers) => return Ok(answers),
            Err(error) if attempt >= ATTEMPTS => return Err(error),
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

/// Publishes what is new and says what the session shall know.
fn tell(app: &App, arrival: &Arrival, sampled: &[Sampled], committed: Committed) -> Answer {
    match committed {
        Committed::New { event, operation } => {
            app.metrics.entries_committed.inc();
            if let ArrivalBody::Block { data, .. } = &arrival.body {
                app.metrics.block_bytes.inc_by(data.len() as u64);
                publish(app, arrival.id, sampled);
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

fn publish(app: &App, device: DeviceId, sampled: &[Sampled]) {
    let samples: usize = sampled.iter().map(|series| series.samples.len()).sum();
    app.metrics.samples.inc_by(samples as u64);
    app.latest.update(device, sampled);
    if !app.live.is_wanted(Topic::Readings(device)) {
        return;
    }
    let points = sampled
        .iter()
        .flat_map(|Sampled { series, samples }| {
            let series = series.id;
            samples.iter().map(move |&(at_ms, value)| Point { series, at_ms, value })
        })
        .collect();
    app.live.publish(Live::Readings { device, points });
}

fn answer(reply: &mpsc::Sender<Answer>, answer: Answer) {
    // A session that is gone needs no answer: its agent asks again with its next Hello.
    let _ = reply.try_send(answer);
}
