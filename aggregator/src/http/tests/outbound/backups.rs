use crate::app::App;
use crate::backups::{RestoreError, restore};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::tests::rig::{NOW_MS, Rig};
use crate::http::tests::telemetry::measured;
use crate::mail::Mail;
use crate::outbound::run_due;
use serde_json::json;

const PASSPHRASE: &str = "long enough it is";

fn is_postgres() -> bool {
    std::env::var("FLYBALL_STORE").is_ok_and(|engine| engine == "postgresql")
}

#[tokio::test]
async fn a_backup_that_is_taken_while_others_write_is_restored_into_a_new_state() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let body = json!({ "passphrase": PASSPHRASE });
    let answer = rig.post("/api/v1/backups").by(&token).json(&body).await;
    if is_postgres() {
        assert_eq!(answer.refusal(), (409, "conflict".into()));
        assert!(answer.text.contains("pg_dump"));
        return;
    }
    assert_eq!(answer.status, 202, "{}", answer.text);
    let path = answer.header("location").to_owned();
    let device = measured(&rig, 20.0).await;
    let letter = |number: u32| Mail {
        to: "a@example.org".into(),
        subject: number.to_string(),
        text: format!("text {number}"),
    };
    rig.app.mail.queue(letter(0)).await.unwrap();
    // One writes all the while that the backup is taken.
    let writer = {
        let app = rig.app.clone();
        tokio::spawn(async move {
            for number in 1..200 {
                let mail = Mail {
                    to: "a@example.org".into(),
                    subject: number.to_string(),
                    text: String::new(),
                };
                app.mail.queue(mail).await.unwrap();
            }
        })
    };
    run_due(&rig.app).await.unwrap();
    writer.await.unwrap();
    let shown = rig.get(&path).by(&token).send().await.json();
    assert_eq!(shown["data"]["state"], "succeeded", "{shown}");
    let file = rig.get(&format!("{path}/content")).by(&token).send().await;
    assert_eq!(file.header("content-type"), "application/octet-stream");
    assert_eq!(file.bytes.len() as u64, shown["data"]["bytes"].as_u64().unwrap());
    use sha2::{Digest, Sha256};
    let sum: String = Sha256::digest(&file.bytes).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(sum, shown["data"]["sha256"]);
    // No key lies open in it.
    let keyring = std::fs::read_to_string(rig.state.path().join("keyring.json")).unwrap();
    let key = keyring.lines().find(|line| line.contains("=\"")).unwrap().trim();
    assert!(!file.bytes.windows(key.len()).any(|part| part == key.as_bytes()));

    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("b.flyball");
    std::fs::write(&backup, &file.bytes).unwrap();
    let state = folder.path().join("state");
    let wrong = restore(&backup, "another passphrase", &state, false);
    assert!(matches!(wrong, Err(RestoreError::Archive(_))), "{wrong:?}");
    assert!(!state.exists());
    restore(&backup, PASSPHRASE, &state, false).unwrap();
    let full = restore(&backup, PASSPHRASE, &state, false);
    assert!(matches!(full, Err(RestoreError::NotEmpty(_))), "{full:?}");
    let config = Config { state: state.clone(), ..Config::default() };
    let app = App::open(config, Clock::manual(NOW_MS)).await.unwrap();
    assert!(app.fleet.subject(device).await.unwrap().is_some());
    assert_eq!(app.store.counts().await.unwrap().blocks, 6);
    // What was sealed opens with the keys that came along.
    let values = app.store.sealed_values(("mail", "text"), "", 500).await.unwrap();
    let texts: Vec<Vec<u8>> = values
        .iter()
        .map(|(id, sealed)| {
            app.sealing.open_sealed(&format!("mail.text:{id}"), sealed).unwrap().to_vec()
        })
        .collect();
    assert!(texts.iter().any(|text| text == b"text 0"));
    app.store.close().await;
    let restored = restore(&backup, PASSPHRASE, &state, true).unwrap();
    assert!(restored.before.unwrap().join("aggregator.db").exists());

    let delete = rig.ask(axum::http::Method::DELETE, &path).by(&token);
    assert_eq!(delete.send().await.status, 200);
    assert_eq!(rig.get(&path).by(&token).send().await.status, 404);
    assert_eq!(std::fs::read_dir(rig.state.path().join("backups")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_backup_that_was_cut_or_changed_is_refused_and_leaves_nothing() {
    if is_postgres() {
        return;
    }
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let body = json!({ "passphrase": PASSPHRASE });
    rig.post("/api/v1/backups").by(&token).json(&body).await;
    run_due(&rig.app).await.unwrap();
    let id = rig.app.backups.list().await.unwrap()[0].id;
    let bytes = std::fs::read(rig.app.backups.path(id)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (backup, state) = (folder.path().join("b"), folder.path().join("state"));
    let length = bytes.len();
    for place in [3, 18, 25, 5_000, length / 2, length - 3_000, length - 600, length - 5] {
        let mut changed = bytes.clone();
        changed[place] ^= 0x55;
        std::fs::write(&backup, &changed).unwrap();
        assert!(restore(&backup, PASSPHRASE, &state, false).is_err(), "changed at {place}");
        std::fs::write(&backup, &bytes[..place]).unwrap();
        assert!(restore(&backup, PASSPHRASE, &state, false).is_err(), "cut at {place}");
        assert!(!state.exists());
    }
    let short =
        rig.post("/api/v1/backups").by(&token).json(&json!({ "passphrase": "short" })).await;
    assert_eq!(short.refusal(), (422, "validation_error".into()));
}
