use super::machine::connect;
use super::rig::Rig;
use axum::http::Method;
use flyball_protocol::command::Verdict;
use flyball_protocol::message::{Job, JobEvent, JobFailure, JobFailureKind, ShelfPiece};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ITEMS: &str = "/api/v1/curricula";
const PATIENCE: Duration = Duration::from_secs(10);

/// What one curriculum has become on a machine.
#[derive(Clone, Debug, Default, PartialEq)]
struct Copy {
    revision: u64,
    document: Vec<u8>,
    assets: BTreeMap<String, Vec<u8>>,
}

/// A machine that keeps content: what has come, and what readers get.
#[derive(Clone, Debug, Default)]
struct Shelf {
    incoming: Arc<Mutex<BTreeMap<String, Copy>>>,
    kept: Arc<Mutex<BTreeMap<String, Copy>>>,
    pieces: Arc<Mutex<u32>>,
}

impl Shelf {
    fn answer(&self, job: Job) -> Vec<JobEvent> {
        let mut kept = self.kept.lock().unwrap();
        let mut incoming = self.incoming.lock().unwrap();
        match job {
            Job::Shelf => {
                let held = kept.iter().map(|(id, copy)| (id.clone(), copy.revision)).collect();
                vec![JobEvent::Shelf(held), JobEvent::Done]
            }
            Job::Shelve { curriculum, revision, piece } => {
                *self.pieces.lock().unwrap() += 1;
                match piece {
                    ShelfPiece::Document { bytes: document, .. } => {
                        let assets = BTreeMap::new();
                        incoming.insert(curriculum, Copy { revision, document, assets });
                    }
                    ShelfPiece::Asset { about, offset, bytes } => {
                        let copy = incoming.get_mut(&curriculum).unwrap();
                        assert_eq!(copy.revision, revision);
                        let own = copy.assets.entry(about.id).or_default();
                        assert_eq!(own.len() as u64, offset);
                        own.extend(bytes);
                        assert!(own.len() as u64 <= about.size);
                    }
                    ShelfPiece::Whole { assets } => {
                        let copy = incoming.remove(&curriculum).unwrap();
                        assert_eq!(copy.assets.len(), assets as usize);
                        kept.insert(curriculum, copy);
                    }
                    ShelfPiece::Removed => drop(kept.remove(&curriculum)),
                }
                vec![JobEvent::Done]
            }
            // Of plugins, which this machine runs none of.
            _ => vec![unavailable("this agent runs no plugins")],
        }
    }

    fn copy(&self, id: &str) -> Option<Copy> {
        self.kept.lock().unwrap().get(id).cloned()
    }
}

fn unavailable(message: &str) -> JobEvent {
    let kind = JobFailureKind::Unavailable;
    JobEvent::Failed(JobFailure { kind, message: message.into(), diagnostics: Vec::new() })
}

fn document(title: &str) -> Value {
    json!({
        "formatIdentifier": "umcf", "id": { "value": "biology" }, "title": title,
        "version": { "number": "1.0.0" },
        "content": [{ "id": { "value": "root" }, "title": title, "type": "curriculum", "children": [
            { "id": { "value": "cells" }, "title": "Cells", "type": "topic" },
        ]}],
    })
}

async fn until(rig: &Rig, is: impl AsyncFn() -> bool) {
    let wait = async {
        while !is().await {
            rig.app.delivery.pass().await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

async fn with_biology() -> (Rig, String) {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let made = rig.post(ITEMS).by(&token).json(&document("Biology")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (rig, token)
}

async fn place(rig: &Rig, token: &str, body: Value) -> super::rig::Answer {
    let path = format!("{ITEMS}/biology/placement");
    rig.ask(Method::PUT, &path).by(token).json(&body).await
}

#[tokio::test]
async fn a_placed_curriculum_is_kept_whole_with_every_later_version_until_it_is_withdrawn() {
    let (rig, token) = with_biology().await;
    let shelf = Shelf::default();
    let own = shelf.clone();
    let connected = connect(&rig, Vec::new(), Verdict::Accepted, move |job| own.answer(job)).await;
    let device = connected.device.0.to_string();
    let assets = format!("{ITEMS}/biology/topics/cells/assets");
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'/>";
    let made = rig.post(&assets).by(&token).form("a.svg", svg.as_bytes(), &[]).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let placed = place(&rig, &token, json!({ "device_ids": [device] })).await;
    assert_eq!(placed.status, 200, "{}", placed.text);
    assert_eq!(placed.json()["data"]["devices"][0]["state"], "waiting");
    until(&rig, async || shelf.copy("biology").is_some()).await;
    let copy = shelf.copy("biology").unwrap();
    let kept: Value = serde_json::from_slice(&copy.document).unwrap();
    assert_eq!((&kept["title"], copy.assets.len()), (&json!("Biology"), 1));
    let path = format!("{ITEMS}/biology/placement");
    until(&rig, async || {
        let shown = rig.get(&path).by(&token).send().await.json();
        shown["data"]["devices"][0]["state"] == "kept"
    })
    .await;
    let pieces = *shelf.pieces.lock().unwrap();
    for _ in 0..10 {
        rig.app.delivery.pass().await.unwrap();
    }
    assert_eq!(*shelf.pieces.lock().unwrap(), pieces, "what is there is not sent again");
    let changed = rig.ask(Method::PUT, &format!("{ITEMS}/biology")).by(&token);
    let changed = changed.header("if-match", "*").json(&document("Biology II")).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    until(&rig, async || {
        let copy = shelf.copy("biology").unwrap();
        String::from_utf8(copy.document).unwrap().contains("Biology II")
    })
    .await;
    let gone = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    until(&rig, async || shelf.copy("biology").is_none()).await;
    assert_eq!(rig.get(&path).by(&token).send().await.refusal(), (404, "not_found".into()));
}

#[tokio::test]
async fn a_machine_that_keeps_nothing_says_why_and_wrong_requests_are_named() {
    let (rig, token) = with_biology().await;
    let why = "this machine keeps no content: its agent runs without --content-listen";
    connect(&rig, Vec::new(), Verdict::Accepted, move |_| vec![unavailable(why)]).await;
    assert_eq!(place(&rig, &token, json!({})).await.status, 200);
    let path = format!("{ITEMS}/biology/placement");
    until(&rig, async || {
        let shown = rig.get(&path).by(&token).send().await.json();
        let on = &shown["data"]["devices"][0];
        on["state"] == "failed" && on["reason"] == why
    })
    .await;
    for wrong in [
        json!({ "selector": "a in" }),
        json!({ "selector": "a=b", "device_ids": [] }),
        json!({ "machines": 1 }),
    ] {
        assert_eq!(place(&rig, &token, wrong.clone()).await.status, 422, "{wrong}");
    }
    let nowhere = rig.ask(Method::PUT, &format!("{ITEMS}/nothing/placement")).by(&token);
    assert_eq!(nowhere.json(&json!({})).await.refusal(), (404, "not_found".into()));
}

#[tokio::test]
async fn a_deleted_curriculum_leaves_the_machines() {
    let (rig, token) = with_biology().await;
    let shelf = Shelf::default();
    let own = shelf.clone();
    connect(&rig, Vec::new(), Verdict::Accepted, move |job| own.answer(job)).await;
    place(&rig, &token, json!({})).await;
    until(&rig, async || shelf.copy("biology").is_some()).await;
    let path = format!("{ITEMS}/biology?confirm=true");
    let deleted = rig.ask(Method::DELETE, &path).by(&token).send().await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    until(&rig, async || shelf.copy("biology").is_none()).await;
}
