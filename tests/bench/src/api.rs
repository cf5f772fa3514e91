//! The API under two hundred clients at once: a list of twenty devices and one device, each with
//! its token judged, and signing in. Latencies are of clients that ask five times a second each;
//! what a CPU second yields is of clients that ask as fast as they are answered.

use crate::figure::{Bench, Figure, quantile};
use crate::ingest::{identity, runtime};
use crate::{clock, process};
use anyhow::{Context, Result, bail};
use flyball_harness::fleet::{Fleet, FleetOptions};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

pub(crate) const BENCH: Bench = Bench {
    names: &[
        "api.list_p99_ms",
        "api.device_p99_ms",
        "api.login_p99_ms",
        "api.list_per_cpu_s",
        "api.device_per_cpu_s",
    ],
    measure,
};

const DEVICES: u32 = 20;
const CLIENTS: u32 = 200;
/// Between two questions of one client.
const PAUSE: Duration = Duration::from_millis(200);
const SPAN: Duration = Duration::from_secs(30);
const SIGN_INS: u32 = 60;
const SIGN_INS_AT_ONCE: u32 = 2;
const PATIENCE: Duration = Duration::from_secs(10);
/// What our own goal is; the requirement's is 100 ms.
const LIMIT_MS: f64 = 20.0;
/// The table of limits is for people; this is a load.
const SETTINGS: &str = "[limits]\nenabled = false\n";

/// What many clients saw.
#[derive(Default)]
struct Seen {
    ms: Vec<f64>,
    errors: u64,
}

fn measure() -> Result<Vec<Figure>> {
    let options = FleetOptions { settings: Some(SETTINGS.into()), ..FleetOptions::default() };
    let fleet = Fleet::with(1, options)?;
    // Beside the machine itself.
    runtime()?.block_on(identity::mint(&fleet, DEVICES - 1))?;
    let api = fleet.api()?;
    let devices = api.get("/api/v1/devices")?.body;
    let id = devices["data"][0]["id"].as_str().context("no device")?.to_owned();
    let server: SocketAddr = fleet.ready()?.api.trim_start_matches("http://").parse()?;
    let aggregator = fleet.pid("aggregator")?;
    let routes = [
        ("api.list_p99_ms", "api.list_per_cpu_s", "/api/v1/devices".to_owned()),
        ("api.device_p99_ms", "api.device_per_cpu_s", format!("/api/v1/devices/{id}")),
    ];
    let mut figures = Vec::new();
    for (latency, yielded, path) in routes {
        let request = Arc::new(format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
            api.token
        ));
        let paced = drive(server, &request, CLIENTS, Some(PAUSE))?;
        figures.push(of_latency(latency, paced, "each asking five times a second"));
        let before = process::cpu_s(aggregator)?;
        let fast = drive(server, &request, CLIENTS, None)?;
        let cpu_s = process::cpu_s(aggregator)? - before;
        let answered = fast.ms.len() as f64;
        let errors = fast.errors;
        let how = of_latency(latency, fast, "each asking as soon as it was answered").how;
        let how = format!("{how}; {errors} errors, {:.0} a second", answered / SPAN.as_secs_f64());
        figures.push(Figure::new(yielded, answered / cpu_s, "1/CPU-s", how));
    }
    figures.push(sign_ins(server, &fleet)?);
    Ok(figures)
}

fn of_latency(name: &'static str, mut seen: Seen, how: &str) -> Figure {
    let answered = seen.ms.len();
    let mut at = |share| quantile(&mut seen.ms, share);
    let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
    let how = format!(
        "{CLIENTS} clients, {how}, {} s: {answered} answers, {} errors, p50 {p50:.2} ms, p99 \
         {p99:.2} ms, p99.9 {p999:.2} ms",
        SPAN.as_secs(),
        seen.errors
    );
    Figure::new(name, p99, "ms", how).against("limit", LIMIT_MS)
}

/// Asks from `clients` connections for [`SPAN`].
fn drive(
    server: SocketAddr,
    request: &Arc<String>,
    clients: u32,
    pause: Option<Duration>,
) -> Result<Seen> {
    runtime()?.block_on(async {
        let mut running = JoinSet::new();
        for number in 0..clients {
            let request = Arc::clone(request);
            running.spawn(async move {
                // Not all of them at the same moment.
                sleep(pause.unwrap_or_default() * number / clients).await;
                client(server, &request, pause).await
            });
        }
        let mut all = Seen::default();
        while let Some(seen) = running.join_next().await {
            let seen = seen??;
            all.ms.extend(seen.ms);
            all.errors += seen.errors;
        }
        if all.ms.is_empty() { bail!("nobody was answered") } else { Ok(all) }
    })
}

async fn client(server: SocketAddr, request: &str, pause: Option<Duration>) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut stream = BufReader::new(TcpStream::connect(server).await?);
    let mut body = Vec::new();
    let began = clock::now();
    let mut pace = interval(pause.unwrap_or(Duration::from_millis(1)));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while began.elapsed() < SPAN {
        if pause.is_some() {
            pace.tick().await;
        }
        let asked = clock::now();
        stream.get_mut().write_all(request.as_bytes()).await?;
        let status = timeout(PATIENCE, answer(&mut stream, &mut body)).await??;
        seen.ms.push(asked.elapsed().as_secs_f64() * 1000.0);
        seen.errors += u64::from(status != 200);
    }
    Ok(seen)
}

/// Reads one answer whole; its status.
pub(crate) async fn answer(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Result<u16> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let status = line.split(' ').nth(1).context("no status")?.parse()?;
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    body.resize(length, 0);
    stream.read_exact(body).await?;
    Ok(status)
}

/// Signing in costs memory and time on purpose; a few at once are let in.
fn sign_ins(server: SocketAddr, fleet: &Fleet) -> Result<Figure> {
    let ready = fleet.ready()?;
    let (email, password) = (ready.admin_email, ready.admin_password);
    let device = json!({ "fingerprint": "bench", "name": "bench", "type": "cli" });
    let body = json!({ "email": email, "password": password, "device": device }).to_string();
    let request = Arc::new(format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    ));
    let mut ms = runtime()?.block_on(async {
        let mut running = JoinSet::new();
        for _ in 0..SIGN_INS_AT_ONCE {
            let request = Arc::clone(&request);
            running.spawn(async move {
                let mut stream = BufReader::new(TcpStream::connect(server).await?);
                let (mut ms, mut body) = (Vec::new(), Vec::new());
                for _ in 0..SIGN_INS / SIGN_INS_AT_ONCE {
                    let asked = clock::now();
                    stream.get_mut().write_all(request.as_bytes()).await?;
                    let status = timeout(PATIENCE, answer(&mut stream, &mut body)).await??;
                    if status != 200 {
                        bail!("signing in answered {status}: {}", String::from_utf8_lossy(&body));
                    }
                    ms.push(asked.elapsed().as_secs_f64() * 1000.0);
                }
                Ok(ms)
            });
        }
        let mut all = Vec::new();
        while let Some(ms) = running.join_next().await {
            all.extend(ms??);
        }
        anyhow::Ok(all)
    })?;
    let p50 = quantile(&mut ms, 0.5);
    let p99 = quantile(&mut ms, 0.99);
    let how = format!("argon2id, {SIGN_INS_AT_ONCE} at once, {SIGN_INS} in all, p50 {p50:.0} ms");
    Ok(Figure::new("api.login_p99_ms", p99, "ms", how))
}
