//! An application that puts a new Idempotency-Key on every request: what the keys take, and what
//! another one notices meanwhile.
//!
//! `FLYBALL_KEYS` changes how many come.

use crate::api::answer;
use crate::figure::{Bench, Figure, quantile};
use crate::ingest::runtime;
use crate::{clock, process};
use anyhow::{Context, Result};
use flyball_harness::fleet::{Api, Fleet, FleetOptions};
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

pub(crate) const BENCH: Bench =
    Bench { names: &["keys.store_mib", "keys.rss_mib", "keys.others_p99_ms"], measure };

const KEYS: u64 = 50_000;
const CLIENTS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(10);
/// The other one asks as often.
const PAUSE: Duration = Duration::from_millis(50);
/// Ten thousand keys with their answers, and what SQLite has not folded in yet.
const STORE_LIMIT_MIB: f64 = 64.0;
const RSS_LIMIT_MIB: f64 = 32.0;
const OTHERS_LIMIT_MS: f64 = 100.0;
/// Without rates, so that only the bounds of the keys themselves hold.
const SETTINGS: &str = "[limits]\nenabled = false\n";

/// The program's own names of what was answered.
#[derive(Default)]
struct Answered {
    taken: AtomicU64,
    refused: AtomicU64,
    other: AtomicU64,
}

fn measure() -> Result<Vec<Figure>> {
    let keys = match std::env::var("FLYBALL_KEYS") {
        Ok(text) => text.parse().context("FLYBALL_KEYS is a number")?,
        Err(_) => KEYS,
    };
    let options = FleetOptions { settings: Some(SETTINGS.into()), ..FleetOptions::default() };
    let fleet = Fleet::with(1, options)?;
    runtime()?.block_on(measured(&fleet, keys))
}

async fn measured(fleet: &Fleet, keys: u64) -> Result<Vec<Figure>> {
    let api = fleet.api()?;
    let base = fleet.ready()?.api;
    let server: SocketAddr = base.trim_start_matches("http://").parse()?;
    let aggregator = fleet.pid("aggregator")?;
    let (rss, store) = (process::rss_mib(aggregator)?, store_mib(fleet.state())?);
    let other = second_account(&api, &base)?;
    let answered = Arc::new(Answered::default());
    let (stop, stopped) = watch::channel(false);
    let others = tokio::spawn(another(server, other, stopped));
    let next = Arc::new(AtomicU64::new(0));
    let began = clock::now();
    let mut flood = JoinSet::new();
    for _ in 0..CLIENTS {
        let (token, next, answered) = (api.token.clone(), Arc::clone(&next), Arc::clone(&answered));
        flood.spawn(async move {
            let mut stream = BufReader::new(TcpStream::connect(server).await?);
            let mut body = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= keys {
                    return anyhow::Ok(());
                }
                let request = heartbeat(&token, &format!("flood-{number}"), "flood");
                stream.get_mut().write_all(request.as_bytes()).await?;
                let count = match timeout(PATIENCE, answer(&mut stream, &mut body)).await?? {
                    200 | 201 => &answered.taken,
                    429 => &answered.refused,
                    _ => &answered.other,
                };
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while let Some(client) = flood.join_next().await {
        client??;
    }
    let took_s = began.elapsed().as_secs_f64();
    stop.send(true)?;
    let mut ms = others.await??;
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let how = format!(
        "{keys} requests with a key each from one account over {CLIENTS} connections in {took_s:.0} s \
         ({:.0} a second): {} answered, {} refused, {} otherwise",
        keys as f64 / took_s,
        read(&answered.taken),
        read(&answered.refused),
        read(&answered.other),
    );
    let others = format!(
        "{how}; {} such requests of another account meanwhile, p50 {:.1} ms",
        ms.len(),
        quantile(&mut ms, 0.5)
    );
    Ok(vec![
        Figure::new(
            "keys.store_mib",
            store_mib(fleet.state())? - store,
            "MiB",
            format!("{how}; what the database has grown by"),
        )
        .against("limit", STORE_LIMIT_MIB),
        Figure::new("keys.rss_mib", process::rss_mib(aggregator)? - rss, "MiB", how)
            .against("limit", RSS_LIMIT_MIB),
        Figure::new("keys.others_p99_ms", quantile(&mut ms, 0.99), "ms", others)
            .against("limit", OTHERS_LIMIT_MS),
    ])
}

fn heartbeat(token: &str, key: &str, client: &str) -> String {
    let body = json!({ "client_id": client, "client_name": client }).to_string();
    format!(
        "POST /api/v1/clients/heartbeat HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         idempotency-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Asks with a new key each, too; how long it waited for each answer.
async fn another(
    server: SocketAddr,
    token: String,
    mut stopped: watch::Receiver<bool>,
) -> Result<Vec<f64>> {
    let mut stream = BufReader::new(TcpStream::connect(server).await?);
    let (mut body, mut ms) = (Vec::new(), Vec::new());
    let mut pace = interval(PAUSE);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(ms),
            _ = pace.tick() => {}
        }
        let asked = clock::now();
        let request = heartbeat(&token, &format!("other-{}", ms.len()), "other");
        stream.get_mut().write_all(request.as_bytes()).await?;
        let status = timeout(PATIENCE, answer(&mut stream, &mut body)).await??;
        anyhow::ensure!(status < 300, "another account was answered {status}");
        ms.push(asked.elapsed().as_secs_f64() * 1_000.0);
    }
}

fn second_account(api: &Api, base: &str) -> Result<String> {
    let (email, password) = ("other@example.org", "a long and quiet river");
    let user = json!({ "email": email, "password": password, "role": "user" });
    api.post("/api/v1/users", &user)?;
    Ok(Api::sign_in(base, email, password)?.token)
}

/// The database with its log.
fn store_mib(state: &Path) -> Result<f64> {
    let mut bytes = 0;
    let mut folders = vec![state.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().contains("aggregator.db") {
                bytes += entry.metadata()?.len();
            }
        }
    }
    Ok(bytes as f64 / (1024.0 * 1024.0))
}
