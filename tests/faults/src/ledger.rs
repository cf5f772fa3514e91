//! The exact account of every device: each whole second of each series was received once, or is
//! in a gap that names its reason.
//!
//! What came is read over the API, as anybody reads it. What must have been sampled is counted
//! without asking the product: by the book of who ran when.

use crate::book::Book;
use crate::fleet::{Fleet, Machine};
use anyhow::{Context, Result, bail};
use flyball_harness::fleet::Api;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One question's span: what an answer may hold is bounded.
const CHUNK_MS: u64 = 60_000;
/// Missing ticks that are shown of a series.
const SHOWN: usize = 12;

/// The series of each device when the faults began.
pub(crate) type Known = BTreeMap<String, BTreeSet<String>>;

/// One device's account; the numbers are ticks, over all of its series.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) device: String,
    pub(crate) name: String,
    /// What the aggregator kept it in.
    pub(crate) engine: &'static str,
    pub(crate) series: usize,
    /// Every whole second of every series.
    pub(crate) due: usize,
    /// Those that its reader certainly sampled, by the book of who ran when, and what came.
    pub(crate) produced: usize,
    pub(crate) received: usize,
    pub(crate) doubled: usize,
    /// Neither received nor in a gap.
    pub(crate) missing: usize,
    /// Not received, by the reason of their gap.
    pub(crate) gaps: BTreeMap<String, usize>,
    /// Seconds that never were: a clock was set forward over them.
    pub(crate) leapt: usize,
    faults: Vec<String>,
}

impl Ledger {
    pub(crate) const fn is_sound(&self) -> bool {
        self.doubled == 0 && self.missing == 0 && self.received > 0
    }

    /// Says which ticks are wrong.
    pub(crate) fn explain(&self) {
        for fault in &self.faults {
            eprintln!("    {}: {fault}", self.name);
        }
    }

    fn add(&mut self, series: &Series, book: &Book, from_ms: u64, to_ms: u64) {
        let due = (from_ms.div_ceil(1000)..=to_ms / 1000).map(|second| second * 1000);
        let running = book.ticks(to_ms);
        let mut missing = Vec::new();
        self.series += 1;
        self.doubled += series.doubled.len();
        for tick in due {
            self.due += 1;
            if series.samples.contains(&tick) {
                self.received += 1;
                self.produced += 1;
                continue;
            }
            self.produced += usize::from(running.contains(&tick));
            if let Some(reason) = series.gaps.get(&tick) {
                *self.gaps.entry(reason.clone()).or_default() += 1;
            } else if book.leapt_over(tick) {
                self.leapt += 1;
            } else {
                missing.push(tick);
            }
        }
        self.missing += missing.len();
        for (what, ticks) in [("missing", &missing), ("doubled", &series.doubled)] {
            if let Some(first) = ticks.get(..ticks.len().min(SHOWN)).filter(|some| !some.is_empty())
            {
                self.faults.push(format!(
                    "{} {what} of {}: {first:?} …",
                    ticks.len(),
                    series.metric
                ));
            }
        }
    }
}

/// What the API tells of one series.
#[derive(Debug, Default)]
struct Series {
    metric: String,
    reader: String,
    samples: BTreeSet<u64>,
    doubled: Vec<u64>,
    gaps: BTreeMap<u64, String>,
}

/// The series that each device has now.
///
/// # Errors
/// Where the API does not say.
pub(crate) fn series(fleet: &mut Fleet) -> Result<Known> {
    let api = fleet.api()?;
    fleet
        .machines
        .iter()
        .map(|machine| {
            Ok((machine.device.clone(), described(&api, machine)?.into_keys().collect()))
        })
        .collect()
}

/// Every device's account between two moments.
///
/// # Errors
/// Where the API does not answer, or not in full.
pub(crate) fn read(
    fleet: &mut Fleet,
    known: &Known,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<Ledger>> {
    let api = fleet.api()?;
    fleet
        .machines
        .iter()
        .map(|machine| {
            let mut ledger = Ledger {
                device: machine.device.clone(),
                name: machine.name(),
                ..Ledger::default()
            };
            for (id, series) in accounts(&api, machine, from_ms, to_ms)? {
                let was_there = known.get(&machine.device).is_some_and(|ids| ids.contains(&id));
                // A series that came later is due from its first sample on, since a gap of its
                // reader may well be older than it is; one that came behind the range never is.
                let first_ms = match series.samples.first() {
                    _ if was_there => from_ms,
                    Some(first_ms) => *first_ms,
                    None => continue,
                };
                let program =
                    if series.reader == "guard" { &machine.guard } else { &machine.agent };
                ledger.add(&series, &program.book, first_ms, to_ms);
            }
            Ok(ledger)
        })
        .collect()
}

fn described(api: &Api, machine: &Machine) -> Result<BTreeMap<String, Series>> {
    let answer = api.get(&format!("/api/v1/devices/{}", machine.device))?;
    let list = answer.body["data"]["series"].as_array().context("a device without series")?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
    list.iter()
        .map(|one| {
            let (metric, reader) = (text(&one["metric"])?, text(&one["reader"])?);
            Ok((text(&one["id"])?, Series { metric, reader, ..Series::default() }))
        })
        .collect()
}

fn accounts(
    api: &Api,
    machine: &Machine,
    from_ms: u64,
    to_ms: u64,
) -> Result<BTreeMap<String, Series>> {
    let mut accounts = described(api, machine)?;
    let mut at_ms = from_ms;
    while at_ms <= to_ms {
        // A range of the API ends before its `to`.
        let end_ms = (at_ms + CHUNK_MS).min(to_ms + 1);
        let path = format!("/api/v1/devices/{}/readings?from={at_ms}&to={end_ms}", machine.device);
        let answer = api.get(&path)?;
        if answer.status != 200 || answer.body["meta"]["truncated"] != Value::Bool(false) {
            bail!("{path} answers {}: {}", answer.status, answer.body["meta"]);
        }
        for part in answer.body["data"].as_array().context("no data")? {
            let id = part["series"]["id"].as_str().context("no id")?;
            take(accounts.entry(id.to_owned()).or_default(), part, at_ms, end_ms)?;
        }
        at_ms = end_ms;
    }
    Ok(accounts)
}

fn take(series: &mut Series, part: &Value, from_ms: u64, end_ms: u64) -> Result<()> {
    for point in part["points"].as_array().context("no points")? {
        let tick = point[0].as_u64().context("a point without a time")?;
        if !series.samples.insert(tick) {
            series.doubled.push(tick);
        }
    }
    for gap in part["gaps"].as_array().context("no gaps")? {
        let from = gap["from_ms"].as_u64().context("a gap without a beginning")?.max(from_ms);
        let to = gap["to_ms"].as_u64().context("a gap without an end")?.min(end_ms);
        let reason = gap["reason"].as_str().context("a gap without a reason")?;
        for second in from.div_ceil(1000)..=to / 1000 {
            series.gaps.insert(second * 1000, reason.to_owned());
        }
    }
    Ok(())
}
