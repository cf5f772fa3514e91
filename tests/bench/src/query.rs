//! A day's question by the minute, over one series and over a hundred: the same samples in the
//! aggregator and in a peer, the same question to both.

use crate::figure::{Bench, Figure};
use crate::ingest::identity;
use crate::ingest::load::Session;
use crate::ingest::victoria::{self, Victoria};
use crate::ingest::{entries, recent, runtime};
use crate::mix::SERIES;
use crate::{clock, month, process};
use anyhow::{Context, Result, bail};
use flyball_harness::fleet::{Api, Fleet, FleetOptions};
use quinn::Endpoint;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) const BENCH: Bench =
    Bench { names: &["query.day_minute_1_cpu_ms", "query.day_minute_100_cpu_ms"], measure };

const DAY_S: u32 = 86_400;
const BLOCK_S: u32 = 10;
const WINDOW: u64 = 128;
const MANY: usize = 100;
/// Questions of each kind: /proc counts CPU in steps of 10 ms.
const ASKED: [(usize, u32); 2] = [(1, 60), (MANY, 12)];
const NAMES: [&str; 2] = ["query.day_minute_1_cpu_ms", "query.day_minute_100_cpu_ms"];

/// A day of one machine, and where it is.
struct Day {
    fleet: Fleet,
    api: Api,
    device: String,
    /// The ids of its series, in the order of their numbers.
    series: Vec<String>,
    from_ms: u64,
    to_ms: u64,
}

/// What answers cost: CPU and wall time of one, and its points.
struct Cost {
    cpu_ms: f64,
    wall_ms: f64,
    points: usize,
}

fn measure() -> Result<Vec<Figure>> {
    let day = Day::load()?;
    let victoria = Victoria::start()?;
    if let Some(victoria) = &victoria {
        victoria.write(&recent(DAY_S / 60, 60), 1)?;
        victoria.flush()?;
    }
    let mut figures = Vec::new();
    for (name, (series, times)) in NAMES.into_iter().zip(ASKED) {
        let aggregator = day.fleet.pid("aggregator")?;
        let own = cost(times, || process::cpu_s(aggregator), || day.ask(series))?;
        let mut how = format!(
            "{SERIES} series at 1 Hz for a day, average by the minute of {series}, {} points, the \
             mean of {times}; {:.1} ms of wall time",
            own.points, own.wall_ms
        );
        let mut figure = Figure::new(name, own.cpu_ms, "ms", String::new());
        if let Some(victoria) = &victoria {
            let below = if series == 1 { "0".to_owned() } else { "[0-9]{1,2}".to_owned() };
            let query = format!("avg_over_time(load_generated{{number=~\"{below}\"}}[1m])");
            let (from_s, to_s) = (day.from_ms / 1000, day.to_ms / 1000);
            let ask = || victoria.query(&query, from_s, to_s);
            let peer = cost(times, || victoria.cpu_s(), ask)?;
            how += &format!("; the peer's: {} points, {:.1} ms", peer.points, peer.wall_ms);
            figure = figure.against(victoria::NAME, peer.cpu_ms);
        }
        figure.how = how;
        figures.push(figure);
    }
    Ok(figures)
}

/// The mean of `times` questions, after one that warms up.
fn cost(
    times: u32,
    cpu_s: impl Fn() -> Result<f64>,
    ask: impl Fn() -> Result<usize>,
) -> Result<Cost> {
    let points = ask()?;
    let before = cpu_s()?;
    let started = clock::now();
    for _ in 0..times {
        if ask()? != points {
            bail!("the same question had another answer");
        }
    }
    let wall_ms = started.elapsed().as_secs_f64() * 1000.0 / f64::from(times);
    Ok(Cost { cpu_ms: (cpu_s()? - before) * 1000.0 / f64::from(times), wall_ms, points })
}

impl Day {
    /// Sends a whole day of one machine and waits until it is committed.
    fn load() -> Result<Self> {
        let settings = Some("[history]\nlinger_minutes = 0\n".into());
        let fleet = Fleet::with(1, FleetOptions { settings, ..FleetOptions::default() })?;
        let batches = recent(DAY_S / BLOCK_S, BLOCK_S);
        let from_ms = batches.first().context("a day has batches")?.from_ms;
        runtime()?.block_on(async {
            let identities = identity::mint(&fleet, 1).await?;
            let server = fleet.ready()?.ingest.parse()?;
            let entries = entries(&batches, SERIES)?;
            let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?;
            let next_seq = entries.len() as u64 + 1;
            let identity = identities.first().context("nobody was enrolled")?;
            let mut session = Session::open(&endpoint, server, identity, next_seq, SERIES).await?;
            session.send_all(&entries, WINDOW, Duration::ZERO).await?;
            session.close();
            endpoint.wait_idle().await;
            anyhow::Ok(())
        })?;
        // As a day lies in the product: the last two hours in blocks, before them segments.
        month::compact(&fleet)?;
        let api = fleet.api()?;
        let (device, series) = loaded(&api)?;
        Ok(Self { fleet, api, device, series, from_ms, to_ms: from_ms + u64::from(DAY_S) * 1000 })
    }

    fn ask(&self, series: usize) -> Result<usize> {
        let ids = self.series.get(..series).context("too few series")?.join(",");
        let path = format!(
            "/api/v1/devices/{}/readings?from={}&to={}&step=60s&aggregate=avg&series={ids}",
            self.device, self.from_ms, self.to_ms
        );
        let answer = self.api.get(&path)?;
        if answer.status != 200 {
            bail!("the day's question answered {}: {}", answer.status, answer.body);
        }
        let parts = answer.body["data"].as_array().context("no data")?;
        Ok(parts.iter().map(|part| part["points"].as_array().map_or(0, Vec::len)).sum())
    }
}

/// The device that the day was sent for, and its series.
pub(crate) fn loaded(api: &Api) -> Result<(String, Vec<String>)> {
    let devices = api.get("/api/v1/devices?limit=100")?.body;
    let devices = devices["data"].as_array().context("no devices")?.clone();
    let load = devices.iter().find(|device| device["name"] == "load-0");
    let id = load.and_then(|device| device["id"].as_str()).context("the machine is not listed")?;
    let device = api.get(&format!("/api/v1/devices/{id}"))?.body;
    let number =
        |one: &Value| -> Option<u32> { one["attributes"]["number"].as_str()?.parse().ok() };
    let mut series: Vec<(u32, String)> = device["data"]["series"]
        .as_array()
        .context("no series")?
        .iter()
        .filter_map(|one| Some((number(one)?, one["id"].as_str()?.to_owned())))
        .collect();
    series.sort();
    Ok((id.to_owned(), series.into_iter().map(|(_, id)| id).collect()))
}
