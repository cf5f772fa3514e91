//! Live streams under load: two hundred WebSocket clients follow a hundred machines that measure
//! five thousand values a second, ten of the clients read a byte a second, and in the end the
//! aggregator is killed and everybody goes on from their bookmarks.
//!
//! `FLYBALL_STREAMS_S` changes for how long.

mod client;
mod machine;
mod slow;

use crate::figure::{Bench, Figure};
use crate::ingest::{identity, runtime};
use crate::{clock, process};
use anyhow::{Context, Result, bail, ensure};
use client::{Client, Heard};
use flyball_harness::fleet::{Api, Fleet, FleetOptions};
use machine::Machines;
use rustix::process::Signal;
use slow::SlowReader;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(crate) const BENCH: Bench = Bench {
    names: &[
        "streams.told_per_s",
        "streams.growth_mib",
        "streams.lost",
        "streams.unnamed",
        "streams.resumed_lost",
    ],
    measure,
};

const MACHINES: u32 = 100;
const SERIES: usize = 50;
const CLIENTS: usize = 200;
const SLOW: usize = 10;
/// Clients that keep every sample apart: what they have is held against what was committed.
const EXACT: usize = 2;
const SPAN_S: u32 = 60;
/// Until the buffers of slow readers and of the kernel are full.
const SETTLING: Duration = Duration::from_secs(15);
/// After the last block was acknowledged; a bookmark comes every four seconds.
const QUIET: Duration = Duration::from_secs(12);
/// What is measured on after the restart.
const AFTERWARDS: Duration = Duration::from_secs(20);
const GROWTH_LIMIT_MIB: f64 = 16.0;
const SETTINGS: &str = "[limits]\nenabled = false\n";

fn measure() -> Result<Vec<Figure>> {
    let span = match std::env::var("FLYBALL_STREAMS_S") {
        Ok(text) => text.parse().context("FLYBALL_STREAMS_S is a number")?,
        Err(_) => SPAN_S,
    };
    let options = FleetOptions { settings: Some(SETTINGS.into()), ..FleetOptions::default() };
    let fleet = Fleet::with(1, options)?;
    runtime()?.block_on(measured(&fleet, Duration::from_secs(u64::from(span))))
}

async fn measured(fleet: &Fleet, span: Duration) -> Result<Vec<Figure>> {
    let before = devices(&fleet.api()?)?;
    let identities = identity::mint(fleet, MACHINES).await?;
    let api = fleet.api()?;
    let minted: Vec<String> = devices(&api)?.difference(&before).cloned().collect();
    ensure!(minted.len() == MACHINES as usize, "{} machines are known", minted.len());
    let topics: Arc<[String]> = minted.iter().map(|id| format!("readings:{id}")).collect();
    let server = fleet.ready()?.api.trim_start_matches("http://").to_owned();

    let (stop, stopped) = watch::channel(false);
    let mut listening = JoinSet::new();
    for number in 0..CLIENTS - SLOW {
        let client = Client {
            server: server.clone(),
            token: api.token.clone(),
            topics: Arc::clone(&topics),
            keeps_all: number < EXACT,
        };
        let connected = client.connect(None).await?;
        listening.spawn(client.listen(connected, Heard::default(), stopped.clone()));
    }
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        slow.push(SlowReader::start(&server, &api.token, &topics).await?);
    }

    let aggregator = fleet.pid("aggregator")?;
    let ingest = fleet.ready()?.ingest.parse()?;
    let machines = Machines::start(ingest, identities, SERIES).await?;
    sleep(SETTLING).await;
    let (rss_before, cpu_before, began) =
        (process::rss_mib(aggregator)?, process::cpu_s(aggregator)?, clock::now());
    let told_before = machines.acknowledged();
    sleep(span).await;
    let took_s = began.elapsed().as_secs_f64();
    let cpu = (process::cpu_s(aggregator)? - cpu_before) / took_s * 100.0;
    let growth = process::rss_mib(aggregator)? - rss_before;
    let values = (machines.acknowledged() - told_before) * SERIES as u64;
    let machines = machines.pause().await?;
    sleep(QUIET).await;

    // Everybody who reads has everything; who reads slowly has it, or was told how much is gone.
    stop.send(true)?;
    let mut heard = Vec::new();
    while let Some(client) = listening.join_next().await {
        heard.push(client??);
    }
    let sent = machines.acknowledged();
    let expected = sent * SERIES as u64;
    let lost = heard.iter().map(|(_, heard)| expected.abs_diff(heard.points)).max();
    let gaps: u64 = heard.iter().map(|(_, heard)| heard.gaps).sum();
    let mut unnamed = 0;
    let mut named = 0;
    let mut finishing = JoinSet::new();
    for reader in slow {
        finishing.spawn(reader.finish(QUIET));
    }
    while let Some(told) = finishing.join_next().await {
        let told = told??;
        named += told.dropped;
        unnamed = sent.abs_diff(told.blocks + told.dropped).max(unnamed);
    }

    let resumed = resume(fleet, machines, heard).await?;
    let told = values as f64 * (CLIENTS - SLOW) as f64 / took_s;
    let how = format!(
        "{CLIENTS} WebSocket clients, {SLOW} of them read a byte a second, each follows {MACHINES} \
         machines of {SERIES} series at 1 Hz ({:.0} values a second), {took_s:.0} s",
        values as f64 / took_s
    );
    let all =
        format!("{how}; the most that one of the others lacks of {expected} values, {gaps} gaps");
    let slow = format!(
        "{how}; messages that a slow reader neither got nor was told of as lost, of {sent}; {named} \
         were named as lost to the {SLOW}"
    );
    Ok(vec![
        Figure::new("streams.told_per_s", told, "values/s", format!("{how}; {cpu:.0} % of a core")),
        Figure::new(
            "streams.growth_mib",
            growth,
            "MiB",
            format!("{how}; from {rss_before:.0} MiB"),
        )
        .against("limit", GROWTH_LIMIT_MIB),
        Figure::new("streams.lost", lost.unwrap_or(expected) as f64, "values", all),
        Figure::new("streams.unnamed", unnamed as f64, "messages", slow),
        Figure::new(
            "streams.resumed_lost",
            resumed as f64,
            "values",
            format!(
                "{how}; then the aggregator is killed, machines and clients come back, the clients with \
             their bookmarks: what they lack of all that was committed"
            ),
        ),
    ])
}

/// Kills the aggregator and lets everybody go on; how many values a client lacks at the end.
async fn resume(fleet: &Fleet, machines: Machines, clients: Vec<(Client, Heard)>) -> Result<u64> {
    let machines = machines.go_on();
    sleep(Duration::from_secs(2)).await;
    fleet.signal("aggregator", Signal::KILL)?;
    let (stop, stopped) = watch::channel(false);
    let mut listening = JoinSet::new();
    for (client, heard) in clients {
        if !client.keeps_all {
            continue;
        }
        let connected = client.come_back(heard.bookmark.clone()).await?;
        listening.spawn(client.listen(connected, heard, stopped.clone()));
    }
    sleep(AFTERWARDS).await;
    let machines = machines.pause().await?;
    sleep(QUIET).await;
    stop.send(true)?;
    let expected = machines.acknowledged() * SERIES as u64;
    let mut lacks = 0;
    while let Some(client) = listening.join_next().await {
        let (_, heard) = client??;
        if heard.resyncs > 0 {
            bail!("a client was told to begin anew");
        }
        lacks = expected.abs_diff(heard.kept.len() as u64).max(lacks);
    }
    Ok(lacks)
}

fn devices(api: &Api) -> Result<BTreeSet<String>> {
    let body = api.get("/api/v1/devices?per_page=200")?.body;
    let devices = body["data"].as_array().context("no list of devices")?;
    Ok(devices.iter().filter_map(|device| device["id"].as_str()).map(str::to_owned).collect())
}
