//! A month of a hundred machines as history: what it takes on disk, how long compaction takes,
//! and what a day's, a week's and the month's question take then, on both engines.
//!
//! The month is sent as machines that were cut off send it, as fast as it is taken. Every machine
//! has the same one: segments are a machine's own, so that neither size nor time knows the other.

use crate::clock;
use crate::figure::{Bench, Figure, quantile};
use crate::ingest::load::Session;
use crate::ingest::{identity, runtime};
use crate::mix::{Host, SERIES};
use crate::query;
use anyhow::{Context, Result, bail};
use flyball_harness::counterparts::Postgres;
use flyball_harness::fleet::{Api, Fleet, FleetOptions};
use flyball_protocol::block::BlockBuilder;
use flyball_protocol::entry::{Entry, EntryBody};
use flyball_protocol::series::SeriesRef;
use flyball_protocol::sync::Seq;
use quinn::Endpoint;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const NAMES: [&str; 5] = [
    "month.disk_bytes_per_sample",
    "month.compact_s",
    "month.day_ms",
    "month.week_ms",
    "month.month_ms",
];
const POSTGRESQL_NAMES: [&str; 5] = [
    "month.postgresql_disk_bytes_per_sample",
    "month.postgresql_compact_s",
    "month.postgresql_day_ms",
    "month.postgresql_week_ms",
    "month.postgresql_month_ms",
];

pub(crate) const SQLITE: Bench = Bench { names: &NAMES, measure: || on(None, &NAMES) };

pub(crate) const POSTGRESQL: Bench = Bench {
    names: &POSTGRESQL_NAMES,
    measure: || {
        if !Postgres::is_installed() {
            return Ok(Vec::new());
        }
        let server = Postgres::durable()?;
        on(Some(&server.create("flyball")?), &POSTGRESQL_NAMES)
    },
};

const MACHINES: u32 = 100;
const DAYS: u64 = 30;
const CADENCE_S: u64 = 30;
/// Blocks of an hour: what waits in a spool is sealed so.
const BLOCK_S: u64 = 3_600;
const DAY_MS: u64 = 86_400_000;
/// Machines that send at once, and entries of each under way.
const AT_ONCE: usize = 8;
const WINDOW: u64 = 32;
/// A question's series, steps and how often it is asked.
const ASKED_SERIES: usize = 10;
const TIMES: usize = 15;
const QUESTIONS: [(&str, u64, &str); 3] =
    [("day", 1, "60s"), ("week", 7, "600s"), ("month", DAYS, "3600s")];

/// The month until the last midnight, in entries of an hour.
fn entries() -> Result<Vec<Entry>> {
    let to_ms = clock::unix_ms() / DAY_MS * DAY_MS;
    let from_ms = to_ms - DAYS * DAY_MS;
    let mut host = Host::new(1);
    let starts = (from_ms..to_ms).step_by(usize::try_from(BLOCK_S * 1000)?);
    (1..)
        .zip(starts)
        .map(|(seq, start_ms)| {
            let mut builder = BlockBuilder::new(start_ms, u32::try_from(BLOCK_S * 1000)?);
            for second in 0..BLOCK_S {
                let values = host.step();
                if second % CADENCE_S != 0 {
                    continue;
                }
                for (number, value) in (0..).zip(values) {
                    builder.push(SeriesRef(number), start_ms + second * 1000, Ok(value))?;
                }
            }
            Ok(Entry::new(Seq(seq), EntryBody::Block(builder.build()?.encode()).encode()?))
        })
        .collect()
}

/// The settings: nothing becomes history by itself while `settle_minutes` are longer than a month.
fn settings(database: Option<&str>, settle_minutes: u64) -> String {
    let database = database.map(|url| format!("database = \"{url}\"\n")).unwrap_or_default();
    format!("{database}[history]\nlinger_minutes = 0\nsettle_minutes = {settle_minutes}\n")
}

fn on(database: Option<&str>, names: &[&'static str; 5]) -> Result<Vec<Figure>> {
    let entries = Arc::new(entries()?);
    let options =
        FleetOptions { settings: Some(settings(database, 1_000_000)), ..FleetOptions::default() };
    let fleet = Fleet::with(1, options)?;
    let began = clock::now();
    runtime()?.block_on(send(&fleet, &entries))?;
    let sent_s = began.elapsed().as_secs_f64();
    fleet.set(&settings(database, 10))?;
    let began = clock::now();
    let told = compact(&fleet)?;
    let compact_s = began.elapsed().as_secs_f64();
    let bytes = folder_bytes(&fleet.state().join("aggregator/history"))?;
    let samples = (u64::from(MACHINES) * DAYS * DAY_MS / 1000 / CADENCE_S) as f64 * SERIES as f64;
    let how = format!(
        "{MACHINES} machines of {SERIES} series every {CADENCE_S} s for {DAYS} days, {:.2} G \
         samples, on {}",
        samples / 1e9,
        database.map_or("SQLite", |_| "PostgreSQL")
    );
    let mut figures = vec![
        Figure::new(names[0], bytes as f64 / samples, "B", format!("{how}; {bytes} B of segments")),
        Figure::new(
            names[1],
            compact_s,
            "s",
            format!(
                "{how}; {:.0} ns a sample, after they were sent in {sent_s:.0} s; {}",
                compact_s * 1e9 / samples,
                told.trim()
            ),
        ),
    ];
    let api = fleet.api()?;
    let (device, series) = query::loaded(&api)?;
    let ids = series.get(..ASKED_SERIES).context("too few series")?.join(",");
    let to_ms = clock::unix_ms() / DAY_MS * DAY_MS;
    for (name, (what, days, step)) in names[2..].iter().zip(QUESTIONS) {
        let path = format!(
            "/api/v1/devices/{device}/readings?from={}&to={to_ms}&step={step}&aggregate=avg&series={ids}",
            to_ms - days * DAY_MS
        );
        let (took_ms, points) = ask(&api, &path)?;
        let how = format!(
            "{how}; a {what} of {ASKED_SERIES} series, average by {step}, {points} points, the \
             median of {TIMES}"
        );
        figures.push(Figure::new(name, took_ms, "ms", how));
    }
    Ok(figures)
}

async fn send(fleet: &Fleet, entries: &Arc<Vec<Entry>>) -> Result<()> {
    let server: SocketAddr = fleet.ready()?.ingest.parse()?;
    let mut identities = identity::mint(fleet, MACHINES).await?.into_iter();
    let mut sending = JoinSet::new();
    loop {
        while sending.len() < AT_ONCE
            && let Some(identity) = identities.next()
        {
            let entries = Arc::clone(entries);
            sending.spawn(async move {
                let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?;
                let next_seq = entries.len() as u64 + 1;
                let mut session =
                    Session::open(&endpoint, server, &identity, next_seq, SERIES).await?;
                session.send_all(&entries, WINDOW, Duration::ZERO).await?;
                session.close();
                endpoint.wait_idle().await;
                anyhow::Ok(())
            });
        }
        match sending.join_next().await {
            Some(sent) => sent??,
            None => return Ok(()),
        }
    }
}

/// Makes history of all that is settled, beside the aggregator that runs; gives back what the
/// program tells of it.
pub(crate) fn compact(fleet: &Fleet) -> Result<String> {
    let program = std::fs::read_link(format!("/proc/{}/exe", fleet.pid("aggregator")?))?;
    let state = fleet.state().join("aggregator");
    let output = Command::new(program).args(["compact", "--state"]).arg(state).output()?;
    if !output.status.success() {
        bail!("compact failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The bytes of every file below, whoever they belong to.
fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let data = entry.metadata()?;
        bytes += if data.is_dir() { folder_bytes(&entry.path())? } else { data.len() };
    }
    Ok(bytes)
}

/// The median of the wall time, and the points of an answer.
fn ask(api: &Api, path: &str) -> Result<(f64, usize)> {
    let mut took = Vec::new();
    let mut points = 0;
    for _ in 0..TIMES {
        let began = clock::now();
        let answer = api.get(path)?;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
        if answer.status != 200 {
            bail!("{path} answered {}: {}", answer.status, answer.body);
        }
        let parts = answer.body["data"].as_array().context("no data")?;
        points = parts.iter().map(|part| part["points"].as_array().map_or(0, Vec::len)).sum();
    }
    Ok((quantile(&mut took, 0.5), points))
}
