//! What other systems get, taken by those systems: promtool reads the exposition, VictoriaMetrics
//! takes remote write, and a receiver of our own takes OTLP and fails at times.

use super::rig::{NOW_MS, Rig};
use super::telemetry::{BEGIN_MS, measured};
use crate::config::{Config, Export, ExportKind};
use crate::export::otlp::ExportMetrics;
use crate::telemetry::{Kind, Reader, Sampled, SeriesId, SeriesInfo, Unit};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use prost::Message;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often and how far apart an outcome is looked for.
const LOOKS: usize = 200;
const PAUSE: Duration = Duration::from_millis(100);

fn is_there(program: &str) -> bool {
    let there = Path::new("/usr/bin").join(program).exists();
    if !there {
        eprintln!("skipped: {program} is not installed");
    }
    there
}

fn export(config: &mut Config, kind: ExportKind, url: String) {
    let url = url.try_into().unwrap();
    config.export.push(Export { name: "test".into(), kind, url, headers: [].into() });
}

#[tokio::test]
async fn promtool_finds_no_fault_in_the_exposition() {
    if !is_there("promtool") {
        return;
    }
    let rig = Rig::start().await;
    let device = measured(&rig, 20.0).await;
    let series = |id, metric: &str, unit, label: &str| SeriesInfo {
        id: SeriesId(id),
        metric: metric.into(),
        kind: Kind::Temperature,
        unit,
        attributes: vec![("hw.id".into(), label.into())],
        cadence_ms: 1_000,
        reader: Reader::Guard,
    };
    let sampled = [
        series(1, "hw.temperature", Unit::Celsius, "cpu"),
        series(2, "hw.temperature", Unit::Celsius, "board \"left\"\n"),
        series(3, "hw.energy", Unit::Joule, "psu"),
        series(4, "hw.fan.speed_ratio", Unit::One, "fan1"),
    ];
    let sampled = sampled.map(|series| Sampled {
        device,
        series: Arc::new(series),
        samples: vec![(NOW_MS, Ok(1.5))],
    });
    rig.app.latest.update(sampled.iter().filter_map(Sampled::newest));
    let text = rig.get("/metrics").send().await.text;
    assert!(text.contains("hw_energy_joules_total{"), "{text}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}\n{text}");
}

/// A server that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn get(url: String) -> Option<serde_json::Value> {
    let answer = tokio::task::spawn_blocking(move || {
        ureq::get(&url).call().ok()?.body_mut().read_to_string().ok()
    });
    serde_json::from_str(&answer.await.unwrap()?).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victoria_metrics_takes_what_remote_write_sends() {
    if !is_there("victoria-metrics") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let rig = Rig::with(|config| {
        export(config, ExportKind::RemoteWrite, format!("http://{address}/api/v1/write"));
    })
    .await;
    let exports = tokio::spawn(crate::export::run(rig.app.clone()));
    // Begins at what is committed after it; the receiver is away at first.
    begun(&rig).await;
    let device = measured(&rig, 20.0).await;
    let server = Command::new("victoria-metrics")
        .arg(format!("-httpListenAddr={address}"))
        .arg(format!("-storageDataPath={}", folder.path().display()))
        .arg("-retentionPeriod=100y")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Running(server);
    let query = format!(
        "http://{address}/api/v1/export?match[]=%7Bdevice_id%3D%22{device}%22%2Chw_id%3D%22cpu%22%7D"
    );
    for _ in 0..LOOKS {
        // New samples are shown once they are flushed.
        let _ = get(format!("http://{address}/internal/force_flush")).await;
        if let Some(found) = get(query.clone()).await
            && found["values"].as_array().is_some_and(|values| values.len() == 60)
        {
            assert_eq!(found["metric"]["__name__"], "hw_temperature_celsius");
            assert_eq!(found["metric"]["rack"], "r12");
            assert_eq!(found["timestamps"][0], BEGIN_MS);
            assert_eq!((&found["values"][0], &found["values"][59]), (&20.into(), &79.into()));
            rig.app.shutdown.start();
            exports.await.unwrap();
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("VictoriaMetrics has not got the samples: {}", rig.app.metrics.expose().unwrap());
}

/// Waits until the export has its cursor.
async fn begun(rig: &Rig) {
    for _ in 0..LOOKS {
        if rig.app.store.export_cursor("test").await.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("the export has not begun");
}

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<Option<ExportMetrics>>>>);

/// Fails with 503 at first, then takes what comes.
async fn receive(State(received): State<Received>, body: Bytes) -> StatusCode {
    let mut all = received.0.lock().unwrap();
    if all.is_empty() {
        all.push(None);
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    all.push(Some(ExportMetrics::decode(body).unwrap()));
    StatusCode::OK
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_of_otlp_gets_every_sample_though_it_fails_once() {
    let received = Received::default();
    let receiver = Router::new().route("/v1/metrics", post(receive)).with_state(received.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, receiver).await });
    let rig = Rig::with(|config| {
        export(config, ExportKind::Otlp, format!("http://{address}/v1/metrics"));
    })
    .await;
    let exports = tokio::spawn(crate::export::run(rig.app.clone()));
    begun(&rig).await;
    let device = measured(&rig, 20.0).await;
    let newest = rig.app.store.newest_block().await.unwrap();
    for _ in 0..LOOKS {
        if rig.app.store.export_cursor("test").await.unwrap() == Some(newest) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    rig.app.shutdown.start();
    exports.await.unwrap();
    let (mut gauges, mut sums) = (0, 0);
    for request in received.0.lock().unwrap().iter().flatten() {
        for resource in &request.resource_metrics {
            let attributes = &resource.resource.as_ref().unwrap().attributes;
            let id = attributes.iter().find(|attribute| attribute.key == "device.id").unwrap();
            let id = id.value.as_ref().unwrap().string_value.as_ref().unwrap();
            assert_eq!(*id, device.to_string());
            for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
                let gauge = metric.gauge.iter().flat_map(|gauge| &gauge.data_points);
                gauges += gauge.filter(|point| point.as_double.is_some()).count();
                if let Some(sum) = &metric.sum {
                    assert_eq!((metric.name.as_str(), metric.unit.as_str()), ("hw.energy", "J"));
                    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
                    sums += sum.data_points.len();
                }
            }
        }
    }
    // Ten ticks of one temperature are stale: they are sent without a value.
    assert_eq!((gauges, sums), (60 + 50, 60));
    let text = rig.app.metrics.expose().unwrap();
    assert!(text.contains("flyball_export_failures_total{export=\"test\"} 1"), "{text}");
}
