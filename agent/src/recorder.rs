//! The thread that owns the sampling: what is to be stored comes in as orders, what is durable
//! goes out. Everything here may wait for the disk, so nothing of it runs beside the network.

use crate::clock::Clock;
use crate::guard::{Cursor, Delivery};
use crate::logging::chain;
use crate::sampling::{Report, Sampling, SamplingError};
use crate::spool;
use flyball_protocol::command::Outcome;
use flyball_protocol::guard::{EventKind, GuardEvent, Sample, Series, Severity};
use flyball_protocol::sync::Seq;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// Orders that may wait while the disk is slow; senders wait behind them.
pub(crate) const MAX_ORDERS: usize = 64;
/// Ranges of lost numbers that a message names.
const MAX_SHOWN: usize = 8;

#[derive(Debug)]
pub(crate) enum Order {
    Guard(Delivery),
    /// The agent's own series; again whenever their list has grown.
    Series(Vec<Series>),
    /// The agent's own readings of one tick.
    Samples {
        tick_ms: u64,
        samples: Vec<Sample>,
    },
    /// A command that ended in the agent.
    Outcome(Outcome),
    /// Something that the agent saw.
    Event {
        at_ms: u64,
        event: GuardEvent,
    },
    /// Seal everything and stop.
    Finish,
}

/// Where the recorder says how far it is.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) appended: watch::Sender<Seq>,
    pub(crate) durable: watch::Sender<Option<Cursor>>,
}

pub(crate) struct Recorder {
    sampling: Sampling,
    clock: Clock,
    guard_run: Option<Uuid>,
    progress: Progress,
    /// The running interval could not be written at the last try.
    failing: bool,
}

impl Recorder {
    pub(crate) fn new(sampling: Sampling, clock: Clock, progress: Progress) -> Self {
        Self { sampling, clock, guard_run: None, progress, failing: false }
    }

    /// Starts the thread. It ends after [`Order::Finish`], or where the spool fails: what the disk
    /// holds is then only known to a new process.
    pub(crate) fn start(
        self,
        orders: mpsc::Receiver<Order>,
    ) -> std::io::Result<JoinHandle<Result<(), SamplingError>>> {
        std::thread::Builder::new().name("recorder".into()).spawn(move || self.run(orders))
    }

    fn run(mut self, mut orders: mpsc::Receiver<Order>) -> Result<(), SamplingError> {
        while let Some(order) = orders.blocking_recv() {
            match order {
                Order::Guard(delivery) => self.handle_delivery(delivery)?,
                Order::Series(series) => self.sampling.handle_agent_series(&series)?,
                Order::Samples { tick_ms, samples } => {
                    let kept = self.sampling.handle_agent_samples(tick_ms, &samples);
                    self.note(kept);
                }
                Order::Outcome(outcome) => {
                    let kept = self.sampling.handle_outcome(outcome);
                    self.note(kept);
                }
                Order::Event { at_ms, event } => {
                    let kept = self.sampling.handle_event(at_ms, event);
                    self.note(kept);
                }
                Order::Finish => {
                    let sealed = self.sampling.shutdown()?;
                    self.publish(sealed);
                    return Ok(());
                }
            }
            let sealed = self.sampling.handle_time(self.clock.unix_ms())?;
            self.publish(sealed);
        }
        Ok(())
    }

    fn handle_delivery(&mut self, delivery: Delivery) -> Result<(), SamplingError> {
        match delivery {
            Delivery::Attached { run, series } => {
                self.guard_run = Some(run);
                self.sampling.handle_attached(&series)
            }
            Delivery::Series { first, series } => self.sampling.handle_more_series(first, &series),
            Delivery::Detached => {
                self.sampling.handle_detached();
                Ok(())
            }
            Delivery::Records { first, records } => {
                let Some(run) = self.guard_run else { return Ok(()) };
                let kept = self.sampling.handle_records(run, first, records);
                if let Some(Some(through)) = self.note(kept) {
                    self.progress.durable.send_replace(Some(Cursor { run, through }));
                }
                Ok(())
            }
        }
    }

    /// What could not be written stays in memory until the interval is sealed, so it is said and
    /// not more; the guard gets no confirmation for it.
    fn note<T>(&mut self, kept: Result<T, SamplingError>) -> Option<T> {
        match kept {
            Ok(value) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("the running interval is written again");
                }
                Some(value)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    let error = chain(&error);
                    tracing::error!(
                        error,
                        "the running interval cannot be written; a power cut or kill would lose it"
                    );
                }
                None
            }
        }
    }

    fn publish(&self, sealed: Option<Seq>) {
        if let Some(next_seq) = sealed {
            self.progress.appended.send_replace(next_seq);
        }
    }
}

/// Says what was found at the start, where an operator should know of it.
/// What an operator far away should hear of a spool that lost something.
pub(crate) fn loss_event(report: &spool::Report) -> Option<GuardEvent> {
    let message = match &report.set_aside {
        Some((path, why)) => {
            format!("the spool was damaged and lies aside in {}: {why}", path.display())
        }
        None if report.missing.is_empty() => return None,
        None => {
            let shown = report.missing.iter().take(MAX_SHOWN).map(|(from, to)| {
                if from == to { from.0.to_string() } else { format!("{} to {}", from.0, to.0) }
            });
            let numbers = shown.collect::<Vec<_>>().join(", ");
            let count = report.missing.count();
            format!("{count} entries of the spool are lost, numbered {numbers}")
        }
    };
    Some(GuardEvent {
        kind: EventKind::SpoolDamaged,
        severity: Severity::Critical,
        subject: "spool".into(),
        message,
        reading: None,
        threshold: None,
        unit: None,
    })
}

pub(crate) fn log_report(report: &Report) {
    if let Some((path, why)) = &report.spool.set_aside {
        let path = path.display();
        tracing::error!(%path, why, "the spool could not be opened; it lies aside, a new one is begun");
    }
    if !report.spool.missing.is_empty() {
        let entries = report.spool.missing.count();
        tracing::error!(entries, "entries of the spool are lost");
    }
    if report.spool.new_epoch || report.lost_tail {
        tracing::info!(lost_tail = report.lost_tail, "the spool begins a new epoch");
    }
    if report.replayed > 0 || report.torn_bytes > 0 {
        let (inputs, torn_bytes) = (report.replayed, report.torn_bytes);
        tracing::info!(inputs, torn_bytes, "took up an interval that was not sealed");
    }
}
