//! Sampling: every reading of guard and agent, once each, from arrival to the spool.
//!
//! Owns the interval that is running: a file that is written as it grows, so that `kill -9` loses
//! nothing, and its seal into blocks, events and gaps that the spool makes durable. A restart
//! finds each reading in exactly one of the two. It reads no sensor, no clock and no socket;
//! every call may wait for the disk, so it lives on a thread of its own.

mod file;
mod input;
mod interval;
mod ledger;
mod pending;
mod ticks;

#[cfg(test)]
mod tests;

use crate::spool::{self, Limits, Opened, Outbox, Seal, Spool, SpoolError};
use file::{FileError, IntervalFile};
use flyball_protocol::command::Outcome;
use flyball_protocol::guard::{GuardEvent, Record, RecordBody, Sample, Series};
use flyball_protocol::series::{Reader, SeriesRef};
use flyball_protocol::sync::{Epoch, Seq};
use input::{Input, Reading, RecordId, What};
use interval::Interval;
use ledger::Ledger;
use serde::{Deserialize, Serialize};
use std::path::Path;
use uuid::Uuid;

/// Every tick is a whole second.
pub(crate) const TICK_MS: u64 = 1000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SamplingError {
    #[error("the spool cannot take the interval")]
    Spool(#[from] SpoolError),
    #[error("the running interval cannot be kept")]
    File(#[from] FileError),
}

/// What the spool keeps beside its entries. In postcard: fields are only ever added behind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Meta {
    /// Interval files up to this id are in the spool.
    sealed: u64,
    ledger: Ledger,
}

/// What was found at the start.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) spool: spool::Report,
    /// Inputs that a process before this one had taken and not sealed.
    pub(crate) replayed: usize,
    /// Bytes at the end of its file that were no whole input.
    pub(crate) torn_bytes: u64,
    /// The spool had lost numbers that it had given; it goes on under another epoch.
    pub(crate) lost_tail: bool,
}

#[derive(Debug)]
pub(crate) struct Sampling {
    spool: Spool<Meta>,
    file: IntervalFile,
    interval: Interval,
    /// Taken, and not in the file because it could not be written: whatever is confirmed later
    /// has to stand behind them. Gone with the seal.
    unwritten: Vec<Input>,
    /// By their place in the readers' lists; `None` is left out.
    guard_series: Vec<Option<SeriesRef>>,
    agent_series: Vec<Option<SeriesRef>>,
}

impl Sampling {
    /// Opens spool and interval under `state` and takes up where the last process left off.
    /// `fresh` is a random epoch for the case that one is needed.
    ///
    /// # Errors
    /// Where another agent holds the spool, or the folder cannot be written.
    pub(crate) fn open(
        state: &Path,
        limits: Limits,
        seal: Option<&Seal>,
        fresh: Epoch,
    ) -> Result<(Self, Report), SamplingError> {
        let Opened { mut spool, report } =
            Spool::<Meta>::open_sealed(&state.join("spool"), limits, seal, fresh)?;
        let meta = spool.meta().cloned().unwrap_or_default();
        let mut interval = Interval::new(meta.ledger);
        let found = IntervalFile::open(&state.join("interval"), meta.sealed)?;
        let mut lost_tail = false;
        let (file, replay) = match found {
            Some((file, replay)) => {
                lost_tail =
                    file.head().epoch == spool.epoch() && file.head().next_seq > spool.next_seq();
                (file, replay)
            }
            None => {
                let head = file::Head::new(meta.sealed + 1, spool.epoch(), spool.next_seq());
                (IntervalFile::create(&state.join("interval"), head)?, file::Replay::default())
            }
        };
        if lost_tail {
            spool.renew_epoch(fresh)?;
        }
        let replayed = replay.inputs.len();
        for input in &replay.inputs {
            interval.take(input);
        }
        let report = Report { spool: report, replayed, torn_bytes: replay.torn_bytes, lost_tail };
        let (guard_series, agent_series) = (Vec::new(), Vec::new());
        let mut sampling =
            Self { spool, file, interval, unwritten: Vec::new(), guard_series, agent_series };
        sampling.take([Input::own(What::Started)])?;
        let usage = sampling.outbox().usage()?;
        tracing::info!(
            live_bytes = usage.live_bytes,
            disk_bytes = usage.disk_bytes,
            quota_bytes = usage.quota_bytes,
            "the spool is open"
        );
        Ok((sampling, report))
    }

    /// What the uplink drains.
    pub(crate) fn outbox(&self) -> Outbox {
        self.spool.outbox()
    }

    /// Where to attach to the guard: its run and the last record that is taken.
    pub(crate) fn attach_point(&self) -> (Option<Uuid>, u64) {
        self.interval.ledger().attach_point()
    }

    /// The guard answered with its series. Its records are awaited before an interval is sealed.
    ///
    /// # Errors
    /// Where the dictionary cannot be written.
    pub(crate) fn handle_attached(&mut self, series: &[Series]) -> Result<(), SamplingError> {
        self.guard_series = self.spool.register(Reader::Guard, series)?;
        self.interval.expect_guard(true);
        Ok(())
    }

    /// The guard reads more series than it said: `first` is the place of the first of them.
    ///
    /// # Errors
    /// Where they can't be registered.
    pub(crate) fn handle_more_series(
        &mut self,
        first: u16,
        series: &[Series],
    ) -> Result<(), SamplingError> {
        let refs = self.spool.register(Reader::Guard, series)?;
        self.guard_series.truncate(usize::from(first));
        self.guard_series.extend(refs);
        Ok(())
    }

    /// The guard is away; intervals are sealed without it.
    pub(crate) const fn handle_detached(&mut self) {
        self.interval.expect_guard(false);
    }

    /// Takes consecutive records of guard run `run`, the first of them numbered `first`. What it
    /// gives back is to be confirmed to the guard.
    ///
    /// # Errors
    /// Where the running interval cannot be written: they are taken, but not to be confirmed.
    pub(crate) fn handle_records(
        &mut self,
        run: Uuid,
        first: u64,
        records: Vec<Record>,
    ) -> Result<Option<u64>, SamplingError> {
        let last = (first + records.len() as u64).checked_sub(1);
        let series = &self.guard_series;
        let inputs: Vec<Input> = (first..)
            .zip(records)
            .map(|(number, record)| Input {
                record: Some(RecordId { run, number }),
                what: match record.body {
                    RecordBody::Samples(samples) => What::Samples {
                        reader: Reader::Guard,
                        tick_ms: record.at_ms,
                        readings: readings(series, &samples),
                    },
                    RecordBody::Event(event) => What::Event { at_ms: record.at_ms, event },
                    RecordBody::Outcome(outcome) => What::Outcome(outcome),
                    RecordBody::Lost { from_ms, to_ms, records } => {
                        What::Lost { from_ms, to_ms, records }
                    }
                },
            })
            .collect();
        self.take(inputs)?;
        Ok(last)
    }

    /// The agent's own series; called again whenever its list has grown.
    ///
    /// # Errors
    /// Where the dictionary cannot be written.
    pub(crate) fn handle_agent_series(&mut self, series: &[Series]) -> Result<(), SamplingError> {
        self.agent_series = self.spool.register(Reader::Agent, series)?;
        Ok(())
    }

    /// Takes what the agent read at `tick_ms`, a whole second of Unix time. `Sample::series` is a
    /// place in the list of [`Self::handle_agent_series`].
    ///
    /// # Errors
    /// Where the running interval cannot be written: the samples are taken, but only in memory.
    pub(crate) fn handle_agent_samples(
        &mut self,
        tick_ms: u64,
        samples: &[Sample],
    ) -> Result<(), SamplingError> {
        let readings = readings(&self.agent_series, samples);
        self.take([Input::own(What::Samples { reader: Reader::Agent, tick_ms, readings })])
    }

    /// Takes an outcome that the agent gave: of a command that never reached the guard.
    ///
    /// # Errors
    /// Where the running interval cannot be written: it is taken, but only in memory.
    pub(crate) fn handle_outcome(&mut self, outcome: Outcome) -> Result<(), SamplingError> {
        self.take([Input::own(What::Outcome(outcome))])
    }

    /// Takes an event that the agent saw.
    ///
    /// # Errors
    /// As [`Self::handle_outcome`].
    pub(crate) fn handle_event(
        &mut self,
        at_ms: u64,
        event: GuardEvent,
    ) -> Result<(), SamplingError> {
        self.take([Input::own(What::Event { at_ms, event })])
    }

    /// Seals what is due at `now_ms` of Unix time, and says the number behind the newest entry
    /// where it did. To be called after every tick and every batch of records.
    ///
    /// # Errors
    /// Where the spool cannot take it. The process has to end then: what the disk holds is only
    /// known after it is opened again, and nothing of the interval is lost.
    pub(crate) fn handle_time(&mut self, now_ms: u64) -> Result<Option<Seq>, SamplingError> {
        if self.interval.is_due(now_ms) { self.seal(now_ms) } else { Ok(None) }
    }

    /// Seals everything, for an end in good order.
    ///
    /// # Errors
    /// As [`Self::handle_time`].
    pub(crate) fn shutdown(&mut self) -> Result<Option<Seq>, SamplingError> {
        self.seal(0)
    }

    fn take(&mut self, inputs: impl IntoIterator<Item = Input>) -> Result<(), SamplingError> {
        let interval = &mut self.interval;
        self.unwritten.extend(inputs.into_iter().filter(|input| interval.take(input)));
        self.file.append(&self.unwritten)?;
        self.unwritten.clear();
        Ok(())
    }

    fn seal(&mut self, now_ms: u64) -> Result<Option<Seq>, SamplingError> {
        if self.interval.is_empty() {
            return Ok(None);
        }
        let next_seq = self.append_interval()?;
        self.interval.handle_sealed(now_ms);
        self.unwritten.clear();
        self.renew_file()?;
        Ok(Some(next_seq))
    }

    /// Makes the interval durable: from here on its file is void.
    fn append_interval(&mut self) -> Result<Seq, SamplingError> {
        let bodies = self.interval.bodies();
        let meta = Meta { sealed: self.file.head().id, ledger: self.interval.ledger().clone() };
        let appended = self.spool.append_batch(&bodies, meta)?;
        let spool::Appended { thinned_blocks, dropped_blocks, .. } = appended;
        if thinned_blocks + dropped_blocks > 0 {
            tracing::warn!(
                thinned_blocks,
                dropped_blocks,
                "the spool's quota was reached; its oldest blocks are thinned or dropped"
            );
        }
        Ok(appended.next_seq)
    }

    fn renew_file(&mut self) -> Result<(), SamplingError> {
        let id = self.file.head().id + 1;
        let head = file::Head::new(id, self.spool.epoch(), self.spool.next_seq());
        Ok(self.file.replace(head)?)
    }
}

/// Samples under their numbers of the dictionary.
fn readings(series: &[Option<SeriesRef>], samples: &[Sample]) -> Vec<Reading> {
    let place = |sample: &Sample| series.get(usize::from(sample.series)).copied();
    let numbered = samples.iter().filter_map(|sample| Some((place(sample)??, sample.value)));
    let readings: Vec<Reading> = numbered.collect();
    let unknown = samples.iter().filter(|sample| place(sample).is_none()).count();
    if unknown > 0 {
        tracing::error!(unknown, "samples of series that were never announced are left out");
    }
    readings
}
