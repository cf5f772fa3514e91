//! How reliably the API answers: clients that read and write for a while, each answer judged, and
//! how long nobody is answered when the server is killed in the middle.
//!
//! `FLYBALL_SOAK_S` changes for how long.

use crate::api::answer;
use crate::clock;
use crate::figure::{Bench, Figure};
use crate::ingest::{identity, runtime};
use anyhow::{Context, Result};
use flyball_harness::fleet::{Fleet, FleetOptions};
use rustix::process::Signal;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

pub(crate) const BENCH: Bench =
    Bench { names: &["soak.error_percent", "soak.unavailable_percent", "soak.restart_s"], measure };

const CLIENTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);
const SPAN_S: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks whether the server is there again.
const LOOK: Duration = Duration::from_millis(20);
const BACK: Duration = Duration::from_secs(60);
/// 004: less than 0.1 % of errors, 99.9 % of the time.
const LIMIT_PERCENT: f64 = 0.1;
const SETTINGS: &str = "[limits]\nenabled = false\n";

/// What one client does, over and over.
struct Turn {
    request: Vec<u8>,
    expected: u16,
}

#[derive(Default)]
struct Seen {
    answered: u64,
    failed: u64,
    /// Seconds since the start, and whether a request of theirs failed.
    seconds: BTreeMap<u64, bool>,
    why: BTreeMap<String, u64>,
}

fn measure() -> Result<Vec<Figure>> {
    let span = match std::env::var("FLYBALL_SOAK_S") {
        Ok(text) => text.parse().context("FLYBALL_SOAK_S is a number")?,
        Err(_) => SPAN_S,
    };
    let options = FleetOptions { settings: Some(SETTINGS.into()), ..FleetOptions::default() };
    let fleet = Fleet::with(1, options)?;
    runtime()?.block_on(measured(&fleet, Duration::from_secs(u64::from(span))))
}

async fn measured(fleet: &Fleet, span: Duration) -> Result<Vec<Figure>> {
    identity::mint(fleet, 19).await?;
    let api = fleet.api()?;
    let devices = api.get("/api/v1/devices")?.body;
    let device = devices["data"][0]["id"].as_str().context("no device")?.to_owned();
    let server: SocketAddr = fleet.ready()?.api.trim_start_matches("http://").parse()?;
    let turns = Arc::new(turns(&api.token, &device));
    let mut running = JoinSet::new();
    let began: Instant = clock::now().into();
    for number in 0..CLIENTS {
        let turns = Arc::clone(&turns);
        running.spawn(async move {
            sleep(PAUSE * number / CLIENTS).await;
            client(server, &turns, began, span, number).await
        });
    }
    let mut seen = Seen::default();
    while let Some(client) = running.join_next().await {
        seen.add(client?);
    }
    let restart_s = restart(fleet, server, &turns).await?;
    let all = seen.answered + seen.failed;
    let bad = seen.seconds.values().filter(|failed| **failed).count();
    let how = format!(
        "{CLIENTS} clients, a request every {} ms each, of {} kinds that read and write, {} s: \
         {all} requests, {} errors {:?}",
        PAUSE.as_millis(),
        turns.len(),
        span.as_secs(),
        seen.failed,
        seen.why,
    );
    let percent = |part: f64, whole: f64| part / whole * 100.0;
    let errors = percent(seen.failed as f64, all as f64);
    let away = percent(bad as f64, seen.seconds.len() as f64);
    let seconds = format!("{how}; seconds in which any of them failed, of {}", seen.seconds.len());
    let killed = format!("{how}; then from `kill -9` until a request is answered again");
    Ok(vec![
        Figure::new("soak.error_percent", errors, "%", how).against("limit", LIMIT_PERCENT),
        Figure::new("soak.unavailable_percent", away, "%", seconds).against("limit", LIMIT_PERCENT),
        Figure::new("soak.restart_s", restart_s, "s", killed),
    ])
}

fn turns(token: &str, device: &str) -> Vec<Turn> {
    let get = |path: &str| Turn { request: request("GET", path, token, ""), expected: 200 };
    let invited = json!({ "email": "soak@example.org", "role": "viewer" }).to_string();
    vec![
        get("/api/v1/devices"),
        get(&format!("/api/v1/devices/{device}")),
        get(&format!("/api/v1/devices/{device}/readings")),
        get("/api/v1/events"),
        get("/api/v1/stats"),
        get("/api/v1/audit"),
        get("/health"),
        get("/metrics"),
        Turn { request: request("POST", "/api/v1/invitations", token, &invited), expected: 201 },
    ]
}

fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn client(
    server: SocketAddr,
    turns: &[Turn],
    began: Instant,
    span: Duration,
    number: u32,
) -> Seen {
    let mut seen = Seen::default();
    let mut stream = None;
    let mut at = number as usize;
    while began.elapsed() < span {
        let second = began.elapsed().as_secs();
        let turn = &turns[at % turns.len()];
        at += 1;
        let asked = timeout(PATIENCE, ask(&mut stream, server, turn)).await;
        let fault = match asked {
            Ok(Ok(status)) if status == turn.expected => None,
            Ok(Ok(status)) => Some(format!("status {status}")),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("no answer in time".into()),
        };
        let failed = seen.seconds.entry(second).or_default();
        *failed |= fault.is_some();
        match fault {
            None => seen.answered += 1,
            Some(why) => {
                stream = None;
                seen.failed += 1;
                *seen.why.entry(why).or_default() += 1;
            }
        }
        sleep(PAUSE).await;
    }
    seen
}

async fn ask(
    stream: &mut Option<BufReader<TcpStream>>,
    server: SocketAddr,
    turn: &Turn,
) -> Result<u16> {
    let mut open = match stream.take() {
        Some(open) => open,
        None => BufReader::new(TcpStream::connect(server).await?),
    };
    open.get_mut().write_all(&turn.request).await?;
    let status = answer(&mut open, &mut Vec::new()).await?;
    *stream = Some(open);
    Ok(status)
}

/// Kills the server; seconds until it answers again.
async fn restart(fleet: &Fleet, server: SocketAddr, turns: &[Turn]) -> Result<f64> {
    let turn = turns.first().context("no turns")?;
    let killed = clock::now();
    fleet.signal("aggregator", Signal::KILL)?;
    loop {
        sleep(LOOK).await;
        let asked = timeout(PATIENCE, ask(&mut None, server, turn)).await;
        if matches!(asked, Ok(Ok(status)) if status == turn.expected) {
            return Ok(killed.elapsed().as_secs_f64());
        }
        anyhow::ensure!(killed.elapsed() < BACK, "the aggregator has not come back");
    }
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        for (second, failed) in other.seconds {
            *self.seconds.entry(second).or_default() |= failed;
        }
        for (why, times) in other.why {
            *self.why.entry(why).or_default() += times;
        }
    }
}
