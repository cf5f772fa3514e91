use super::machine::connect;
use super::rig::{Answer, Rig};
use crate::access::Role;
use axum::http::Method;
use flyball_protocol::command::Verdict;
use flyball_protocol::message::{
    Component, Job, JobEvent, JobFailure, JobFailureKind, PluginKind, PluginOrder,
};
use minisign::KeyPair;
use serde_json::{Value, json};
use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ITEMS: &str = "/api/v1/plugins";
const PATIENCE: Duration = Duration::from_secs(10);

/// What a component of the tests is: an id and a version, or a fault, behind the right first bytes.
fn component(text: &str) -> Vec<u8> {
    [&b"\0asm\x0d\0\x01\0"[..], text.as_bytes()].concat()
}

/// A machine with a sandbox: it keeps components, says what they are, and runs what it is ordered.
#[derive(Clone, Debug, Default)]
struct Machine {
    kept: Arc<Mutex<Vec<String>>>,
    orders: Arc<Mutex<Vec<PluginOrder>>>,
    told: Arc<Mutex<u32>>,
}

impl Machine {
    fn answer(&self, job: Job) -> Vec<JobEvent> {
        match job {
            Job::Keep { bytes } => {
                let hash = crate::plugins::identify(&bytes).unwrap();
                let text = String::from_utf8(bytes[8..].to_vec()).unwrap();
                let words: Vec<&str> = text.split(' ').collect();
                let [id, version, wants @ ..] = &words[..] else {
                    let message = "the component imports wasi:cli/environment".to_owned();
                    let kind = JobFailureKind::InvalidInput;
                    let diagnostics = Vec::new();
                    return vec![JobEvent::Failed(JobFailure { kind, message, diagnostics })];
                };
                self.kept.lock().unwrap().push(hash.clone());
                let schema = json!({ "type": "object", "properties": { "url": {} } });
                let wants = wants.iter().map(|want| ("wants".to_owned(), (*want).to_owned()));
                let schema = ("settings-schema".to_owned(), schema.to_string());
                let said = Component {
                    hash,
                    id: (*id).into(),
                    name: (*id).into(),
                    version: (*version).into(),
                    author: "tests".into(),
                    licence: "MIT".into(),
                    description: String::new(),
                    kind: PluginKind::Importer,
                    handles: vec![(*id).into()],
                    attributes: wants.chain([schema]).collect(),
                };
                vec![JobEvent::Component(said), JobEvent::Done]
            }
            Job::Order { plugins } => {
                let kept = self.kept.lock().unwrap();
                let lacking = plugins.iter().map(|order| order.hash.clone());
                let lacking = lacking.filter(|hash| !kept.contains(hash)).collect();
                *self.orders.lock().unwrap() = plugins;
                *self.told.lock().unwrap() += 1;
                vec![JobEvent::Lacking(lacking), JobEvent::Done]
            }
            job => panic!("{job:?}"),
        }
    }

    fn hashes(&self) -> Vec<String> {
        self.orders.lock().unwrap().iter().map(|order| order.hash.clone()).collect()
    }
}

struct Fleet {
    rig: Rig,
    token: String,
    machine: Machine,
    device: String,
}

impl Fleet {
    async fn start(unsigned: bool) -> Self {
        let rig = Rig::with(|config| config.plugins.unsigned = unsigned).await;
        let token = rig.admin().await;
        let machine = Machine::default();
        let own = machine.clone();
        let connected =
            connect(&rig, Vec::new(), Verdict::Accepted, move |job| own.answer(job)).await;
        let device = connected.device.0.to_string();
        Self { rig, token, machine, device }
    }

    async fn install(&self, bytes: &[u8], words: &[(&str, &str)]) -> Answer {
        self.rig.post(ITEMS).by(&self.token).form("x.wasm", bytes, words).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.rig.get(&format!("{ITEMS}/{path}")).by(&self.token).send().await
    }

    async fn put(&self, plugin: &str, body: Value) -> Answer {
        let path = format!("{ITEMS}/{plugin}/rollout");
        self.rig.ask(Method::PUT, &path).by(&self.token).json(&body).await
    }

    async fn delete(&self, path: &str) -> Answer {
        let path = format!("{ITEMS}/{path}");
        self.rig.ask(Method::DELETE, &path).by(&self.token).send().await
    }

    /// Lets plugins be brought to machines until `is` says so.
    async fn until(&self, is: impl AsyncFn() -> bool) {
        let wait = async {
            while !is().await {
                self.rig.app.distribution.pass().await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    /// Installs a component that is described then; its hash.
    async fn installed(&self, text: &str) -> String {
        let made = self.install(&component(text), &[]).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let hash = made.json()["data"]["hash"].as_str().unwrap().to_owned();
        let path = format!("packages/{hash}");
        self.until(async || self.get(&path).await.json()["data"]["state"] != "waiting").await;
        hash
    }
}

fn signed(pair: &KeyPair, bytes: &[u8]) -> String {
    let signature = minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(bytes), None, None);
    signature.unwrap().to_string()
}

#[tokio::test]
async fn a_component_counts_by_the_signature_of_a_trusted_publisher() {
    let fleet = Fleet::start(false).await;
    let bytes = component("feed 1");
    assert_eq!(fleet.install(&bytes, &[]).await.refusal(), (422, "missing_field".into()));
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let signature = signed(&pair, &bytes);
    let words = [("signature", signature.as_str())];
    let strange = fleet.install(&bytes, &words).await;
    assert_eq!(strange.refusal(), (422, "validation_error".into()));
    assert!(strange.text.contains("no trusted publisher"), "{}", strange.text);
    let publishers = format!("{ITEMS}/publishers");
    let key = json!({ "name": "Example", "public_key": pair.pk.to_box().unwrap().to_string() });
    let trusted = fleet.rig.post(&publishers).by(&fleet.token).json(&key).await;
    assert_eq!(trusted.status, 201, "{}", trusted.text);
    let again = fleet.rig.post(&publishers).by(&fleet.token).json(&key).await;
    assert_eq!(again.refusal(), (409, "conflict".into()));
    let wrong = json!({ "name": "Example", "public_key": "abc" });
    let wrong = fleet.rig.post(&publishers).by(&fleet.token).json(&wrong).await;
    assert_eq!(wrong.refusal(), (422, "validation_error".into()));
    let other = component("feed 2");
    let forged = fleet.install(&other, &words).await;
    assert!(forged.text.contains("not of this file"), "{}", forged.text);
    let made = fleet.install(&bytes, &words).await;
    assert_eq!((made.status.as_u16(), &made.json()["data"]["publisher"]), (201, &json!("Example")));
    assert_eq!(fleet.install(&bytes, &words).await.refusal(), (409, "conflict".into()));
    let id = trusted.json()["data"]["key_id"].as_str().unwrap().to_owned();
    assert_eq!(fleet.delete(&format!("publishers/{id}")).await.status, 200);
    let late = fleet.install(&other, &[("signature", &signed(&pair, &other))]).await;
    assert_eq!(late.refusal(), (422, "validation_error".into()));
    let viewer = fleet.rig.token("viewer@example.org", Role::Viewer).await;
    let by_viewer = fleet.rig.post(ITEMS).by(&viewer).form("x.wasm", &bytes, &words).await;
    assert_eq!(by_viewer.refusal(), (403, "forbidden".into()));
}

#[tokio::test]
async fn a_plugin_runs_where_it_is_rolled_out_with_what_it_was_granted() {
    let fleet = Fleet::start(true).await;
    let hash = fleet.installed("feed 1 http:example.org").await;
    let package = fleet.get(&format!("packages/{hash}")).await.json()["data"].clone();
    assert_eq!(
        (&package["state"], &package["plugin_id"], &package["wants"]),
        (&json!("described"), &json!("feed"), &json!(["http:example.org"]))
    );
    assert_eq!(package["settings_schema"]["type"], "object");
    let silent = fleet.put("feed", json!({ "hash": hash })).await;
    assert_eq!(silent.refusal(), (409, "confirmation_required".into()));
    assert_eq!(silent.json()["details"]["wants"], json!(["http:example.org"]));
    let more = json!({ "hash": hash, "grants": ["http:example.com"] });
    assert_eq!(fleet.put("feed", more).await.refusal(), (422, "validation_error".into()));
    let other = json!({ "hash": hash, "grants": [] });
    assert_eq!(fleet.put("bars", other).await.refusal(), (422, "validation_error".into()));
    let granted = json!({ "hash": hash, "grants": ["http:example.org"], "selector": "site=north" });
    let out = fleet.put("feed", granted).await;
    assert_eq!(out.status, 200, "{}", out.text);
    fleet.until(async || *fleet.machine.told.lock().unwrap() > 0).await;
    assert_eq!(fleet.machine.hashes(), [""; 0]);
    let here = json!({ "hash": hash, "device_ids": [fleet.device] });
    let out = fleet.put("feed", here).await.json()["data"].clone();
    assert_eq!((&out["grants"], &out["ungranted"]), (&json!(["http:example.org"]), &json!([])));
    assert_eq!(out["devices"][0]["state"], "waiting");
    fleet.until(async || fleet.machine.hashes() == [hash.clone()]).await;
    let settings = json!({ "settings": { "url": "x", "key": "geheim" } });
    let path = format!("{ITEMS}/feed/configure");
    assert_eq!(fleet.rig.post(&path).by(&fleet.token).json(&settings).await.status, 200);
    let wanted = [("key".to_owned(), "\"geheim\"".to_owned()), ("url".into(), "\"x\"".into())];
    fleet
        .until(async || {
            let orders = fleet.machine.orders.lock().unwrap();
            let mut settings = orders[0].settings.clone();
            settings.sort();
            settings == wanted && orders[0].grants == ["http:example.org"]
        })
        .await;
}

#[tokio::test]
async fn an_update_takes_no_new_right_along_and_can_be_taken_back() {
    let fleet = Fleet::start(true).await;
    let old = fleet.installed("feed 1").await;
    let new = fleet.installed("feed 2 mqtt:*").await;
    assert_eq!(fleet.put("feed", json!({ "hash": old })).await.status, 200);
    let silent = fleet.put("feed", json!({ "hash": new })).await;
    assert_eq!(silent.refusal(), (409, "confirmation_required".into()));
    let granted = json!({ "hash": new, "grants": ["mqtt:broker.example.org:1883"] });
    let out = fleet.put("feed", granted).await.json()["data"].clone();
    assert_eq!((&out["version"], &out["previous_hash"]), (&json!("2"), &json!(old)));
    fleet.until(async || fleet.machine.hashes() == [new.clone()]).await;
    assert_eq!(fleet.delete(&format!("packages/{new}")).await.refusal(), (409, "conflict".into()));
    let back = fleet.rig.post(&format!("{ITEMS}/feed/rollback")).by(&fleet.token).send().await;
    assert_eq!(
        (&back.json()["data"]["version"], &back.json()["data"]["grants"]),
        (&json!("1"), &json!([]))
    );
    fleet.until(async || fleet.machine.hashes() == [old.clone()]).await;
    assert_eq!(fleet.delete("feed").await.status, 200);
    fleet.until(async || fleet.machine.hashes().is_empty()).await;
    assert_eq!(fleet.get("feed/rollout").await.refusal(), (404, "not_found".into()));
    assert_eq!(fleet.get("packages").await.json()["data"], json!([]));
    assert_eq!(fleet.delete("feed").await.refusal(), (404, "not_found".into()));
}

#[tokio::test]
async fn what_is_no_plugin_is_named_by_its_first_bytes_or_by_a_machine() {
    let fleet = Fleet::start(true).await;
    let text = fleet.install(b"<html>", &[]).await;
    assert!(text.text.contains("it begins with <html>"), "{}", text.text);
    let module = fleet.install(b"\0asm\x01\0\0\0", &[]).await;
    assert!(module.text.contains("core module"), "{}", module.text);
    let large = fleet.install(&component(&"x".repeat(41 << 20)), &[]).await;
    assert_eq!(large.refusal(), (413, "payload_too_large".into()));
    let python = fleet.install(&component(&"x".repeat(18 << 20)), &[]).await;
    assert_eq!(python.status, 201, "{}", python.text);
    let hash = fleet.installed("broken").await;
    let package = fleet.get(&format!("packages/{hash}")).await.json()["data"].clone();
    assert_eq!(package["state"], "rejected");
    assert_eq!(package["reason"], "the component imports wasi:cli/environment");
    let refused = fleet.put("broken", json!({ "hash": hash })).await;
    assert_eq!(refused.refusal(), (422, "validation_error".into()));
    assert_eq!(fleet.delete(&format!("packages/{hash}")).await.status, 200);
    let reserved = fleet.installed("publishers 1").await;
    let package = fleet.get(&format!("packages/{reserved}")).await.json()["data"].clone();
    assert!(package["reason"].as_str().unwrap().contains("word of the API"), "{package}");
}

#[tokio::test]
async fn without_a_machine_a_component_waits_and_a_machine_is_told_on_every_connection() {
    let fleet = Fleet::start(true).await;
    let hash = fleet.installed("feed 1").await;
    assert_eq!(fleet.put("feed", json!({ "hash": hash })).await.status, 200);
    fleet.until(async || fleet.machine.hashes() == [hash.clone()]).await;
    let told = *fleet.machine.told.lock().unwrap();
    for _ in 0..10 {
        fleet.rig.app.distribution.pass().await.unwrap();
    }
    assert_eq!(*fleet.machine.told.lock().unwrap(), told);
    let second = Machine::default();
    let own = second.clone();
    connect(&fleet.rig, Vec::new(), Verdict::Accepted, move |job| own.answer(job)).await;
    fleet.until(async || second.hashes() == [hash.clone()]).await;
    fleet.until(async || second.kept.lock().unwrap().contains(&hash)).await;
}

#[tokio::test]
async fn a_machine_that_runs_no_plugins_is_asked_ever_more_seldom() {
    let fleet = Fleet::start(true).await;
    let asked = Arc::new(Mutex::new(0_u64));
    let count = Arc::clone(&asked);
    connect(&fleet.rig, Vec::new(), Verdict::Accepted, move |_| {
        *count.lock().unwrap() += 1;
        let (kind, message) = (JobFailureKind::Unavailable, "this agent runs no plugins".into());
        vec![JobEvent::Failed(JobFailure { kind, message, diagnostics: Vec::new() })]
    })
    .await;
    let mut minutes = Vec::new();
    for minute in 0_u32..=16 {
        let before = *asked.lock().unwrap();
        // What a pass begins is over long before the next.
        for _ in 0..20 {
            fleet.rig.app.distribution.pass().await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if *asked.lock().unwrap() > before {
            minutes.push(minute);
        }
        fleet.rig.clock.advance(Duration::from_secs(61));
    }
    assert_eq!(minutes, [0, 1, 3, 7, 15]);
}
