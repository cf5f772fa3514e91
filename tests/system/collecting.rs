//! Collectors, from their installation to their readings in the API, on real programs: a machine
//! reads an endpoint of metrics, a device that answers with JSON, and a broker.

use crate::packages::{ITEMS, install, runs, signed};
use crate::receivers::pages;
use crate::until::until;
use flyball_harness::counterparts::Broker;
use flyball_harness::fleet::{Api, Fleet};
use minisign::KeyPair;
use rumqttc::{Client, MqttOptions, QoS};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, atomic::AtomicBool};
use std::thread;
use std::time::Duration;

const EACH_S: Duration = Duration::from_millis(300);

/// A series of the plugin with its last point or the reason that there is none.
fn newest(api: &Api, device: &str, metric: &str) -> Result<(Value, Result<f64, String>), Value> {
    let query = format!("/api/v1/devices/{device}/readings?metric={metric}");
    let answer = api.get(&query).unwrap().body;
    let Some(part) = answer["data"].as_array().and_then(|parts| parts.last().cloned()) else {
        return Err(answer);
    };
    let last = |list: &Value, field: &str| {
        let last = list.as_array().and_then(|list| list.last().cloned()).unwrap_or_default();
        (last[field].clone(), last)
    };
    let point = part["points"].as_array().and_then(|points| points.last().cloned());
    let at = point.as_ref().and_then(|point| point[0].as_u64()).unwrap_or_default();
    let (until, gap) = last(&part["gaps"], "to_ms");
    let value = match point.and_then(|point| point[1].as_f64()) {
        Some(value) if until.as_u64().unwrap_or_default() <= at => Ok(value),
        _ => Err(gap["reason"].as_str().unwrap_or_default().to_owned()),
    };
    Ok((part["series"].clone(), value))
}

fn reads(
    api: &Api,
    device: &str,
    metric: &str,
    is: impl Fn(&Result<f64, String>) -> bool,
) -> Value {
    until(&format!("{metric} is read"), 60, || match newest(api, device, metric)? {
        (series, value) if is(&value) => Ok(series),
        (series, value) => Err(json!({ "series": series, "value": format!("{value:?}") })),
    })
}

fn configured(api: &Api, plugin: &str, settings: &Value) {
    let body = json!({ "settings": settings });
    let done = api.post(&format!("{ITEMS}/{plugin}/configure"), &body).unwrap();
    assert_eq!(done.status, 200, "{}", done.body);
}

fn rolled_out(api: &Api, plugin: &str, hash: &str, grants: &[&str]) {
    let body = json!({ "hash": hash, "grants": grants });
    let put = api.put(&format!("{ITEMS}/{plugin}/rollout"), "*", &body).unwrap();
    assert_eq!(put.status, 200, "{}", put.body);
    runs(api, plugin, hash);
}

/// Publishes a message several times a second until it is dropped.
struct Device(Arc<AtomicBool>);

impl Device {
    fn publishing(broker: &Broker, topic: &'static str, payload: &'static str) -> Self {
        let (host, port) =
            broker.address().rsplit_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
        let (client, mut connection) =
            Client::new(MqttOptions::new("sensor", host, port.parse().unwrap()), 8);
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        thread::spawn(move || {
            for event in connection.iter() {
                if event.is_err() {
                    break;
                }
            }
        });
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed)
                && client.publish(topic, QoS::AtLeastOnce, false, payload).is_ok()
            {
                thread::sleep(EACH_S);
            }
        });
        Self(ended)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_collectors_read_is_in_the_api_as_far_as_they_were_granted_it() {
    let built = PathBuf::from(std::env::var_os("FLYBALL_TARGET_DIR").unwrap());
    let none = tempfile::tempdir().unwrap();
    let fleet = Fleet::with_plugins(1, Some(none.path().to_owned())).unwrap();
    let device = fleet.ready().unwrap().devices[0].id.clone();
    let api = fleet.api().unwrap();
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let key = json!({ "name": "Example", "public_key": pair.pk.to_box().unwrap().to_string() });
    assert_eq!(api.post(&format!("{ITEMS}/publishers"), &key).unwrap().status, 201);
    let installed = |plugin: &str| {
        let component = std::fs::read(built.join(format!("plugins/{plugin}.wasm"))).unwrap();
        install(&api, &component, &signed(&pair, &component))
    };

    let asked = Arc::new(AtomicU64::new(0));
    let counts = Arc::clone(&asked);
    let (address, requests) = pages(move |path| match path {
        "/metrics" => {
            let times = counts.fetch_add(1, Ordering::Relaxed) + 1;
            Some(format!(
                "# TYPE boiler_celsius gauge\nboiler_celsius{{room=\"cellar\"}} 61.5\n\
                 # TYPE asked_total counter\nasked_total {times}\nskipped 1\n"
            ))
        }
        "/status" => Some(
            r#"{ "mains": { "volts": "229.5" }, "outlets": [
            { "name": "pump", "milliwatts": 4200 }, { "name": "fan", "milliwatts": null } ] }"#
                .to_owned(),
        ),
        _ => None,
    });
    let grant = format!("http:{address}");

    // An endpoint of metrics. What it wants is nothing that comes by itself.
    let hash = installed("prometheus");
    let rollout = format!("{ITEMS}/prometheus/rollout");
    let asks = api.put(&rollout, "*", &json!({ "hash": hash })).unwrap();
    assert_eq!(
        (asks.status, &asks.body["details"]["wants"]),
        (409, &json!(["http:*"])),
        "{}",
        asks.body
    );
    let endpoint = format!("http://{address}/metrics");
    let wrong = json!({ "settings": { "endpoint": "ftp://h/" } });
    let refused = api.post(&format!("{ITEMS}/prometheus/configure"), &wrong).unwrap();
    assert_eq!(refused.status, 422, "{}", refused.body);
    configured(
        &api,
        "prometheus",
        &json!({
            "endpoint": endpoint, "interval_s": 1, "bearer_token": "s3cret", "match": ["boiler_", "asked_"],
        }),
    );
    rolled_out(&api, "prometheus", &hash, &[]);
    reads(&api, &device, "up", |value| *value == Ok(0.0));
    assert_eq!(requests.all().len(), 0, "nothing was granted");
    rolled_out(&api, "prometheus", &hash, &[&grant]);
    let series = reads(&api, &device, "boiler_celsius", |value| *value == Ok(61.5));
    assert_eq!(
        (&series["unit"], &series["attributes"]["room"], &series["attributes"]["plugin"]),
        (&json!("Cel"), &json!("cellar"), &json!("prometheus")),
        "{series}"
    );
    reads(&api, &device, "asked_total", |value| value.as_ref().is_ok_and(|times| *times >= 3.0));
    assert_eq!(requests.all()[0].header("authorization"), "Bearer s3cret");
    let skipped = newest(&api, &device, "skipped").unwrap_err();
    assert_eq!(skipped["data"], json!([]), "{skipped}");
    let shown = api.get(&format!("{ITEMS}/prometheus")).unwrap().body.to_string();
    assert!(!shown.contains("s3cret"), "{shown}");

    // A device that answers with JSON, by a mapping.
    let hash = installed("http-json");
    configured(
        &api,
        "http-json",
        &json!({
            "url": format!("http://{address}/status"), "interval_s": 1,
            "readings": [
                { "name": "pdu.voltage", "unit": "V", "path": "/mains/volts" },
                { "name": "outlet.power", "unit": "W", "path": "/outlets/*/milliwatts", "scale": 0.001,
                  "labels": { "outlet": "{/name}" } },
            ],
        }),
    );
    rolled_out(&api, "http-json", &hash, &[&grant]);
    reads(&api, &device, "pdu.voltage", |value| *value == Ok(229.5));
    let outlets = until("both outlets are read", 60, || {
        let query = format!("/api/v1/devices/{device}/readings?metric=outlet.power");
        let answer = api.get(&query).unwrap().body;
        let parts = answer["data"].as_array().cloned().unwrap_or_default();
        if parts.len() == 2 { Ok(parts) } else { Err(answer) }
    });
    let outlet = |name: &str| {
        let named = |part: &&Value| part["series"]["attributes"]["outlet"] == name;
        outlets.iter().find(named).cloned().unwrap()
    };
    assert_eq!(outlet("pump")["points"][0][1], json!(4.2), "{outlets:?}");
    assert_eq!(outlet("fan")["gaps"][0]["reason"], json!("busy"), "{outlets:?}");

    // A broker.
    let broker = Broker::start().unwrap();
    let _sensor = Device::publishing(&broker, "site/lab/climate", r#"{ "temperature": 21.5 }"#);
    let hash = installed("mqtt-json");
    configured(
        &api,
        "mqtt-json",
        &json!({
            "broker": format!("mqtt://{}", broker.address()), "interval_s": 1,
            "topics": ["site/+/climate"],
            "readings": [{ "name": "room.temperature", "unit": "Cel", "path": "/temperature",
                           "labels": { "room": "{2}" } }],
        }),
    );
    rolled_out(&api, "mqtt-json", &hash, &[&format!("mqtt:{}", broker.address())]);
    let series = reads(&api, &device, "room.temperature", |value| *value == Ok(21.5));
    assert_eq!(series["attributes"]["room"], json!("lab"), "{series}");

    // What all that costs the machine are series too.
    let denied =
        reads(&api, &device, "flyball.plugin.requests.denied", |value| value.as_ref().is_ok());
    assert_eq!(denied["reader"], json!("agent"), "{denied}");
    until("each plugin's calls are counted", 60, || {
        let query = format!("/api/v1/devices/{device}/readings?metric=flyball.plugin.memory.peak");
        let answer = api.get(&query).unwrap().body;
        let parts = answer["data"].as_array().cloned().unwrap_or_default();
        let peak = |plugin: &str| {
            let of = parts.iter().find(|part| part["series"]["attributes"]["plugin"] == plugin)?;
            of["points"].as_array()?.last()?[1].as_f64()
        };
        let counted = ["prometheus", "http-json", "mqtt-json"].map(peak);
        if counted.iter().all(|peak| peak.is_some_and(|bytes| bytes >= 65_536.0)) {
            Ok(())
        } else {
            Err(answer)
        }
    });

    // What is taken back is read no more, and the series says why.
    rolled_out(&api, "prometheus", &api_hash(&api, "prometheus"), &[]);
    reads(&api, &device, "boiler_celsius", |value| *value == Err("denied".into()));
    assert_eq!(api.post(&format!("{ITEMS}/http-json/disable"), &json!({})).unwrap().status, 200);
    reads(&api, &device, "pdu.voltage", |value| *value == Err("disabled".into()));
}

fn api_hash(api: &Api, plugin: &str) -> String {
    let rollout = api.get(&format!("{ITEMS}/{plugin}/rollout")).unwrap().body;
    rollout["data"]["hash"].as_str().unwrap().to_owned()
}
