//! What leaves the server: webhooks and mail, across a rotation of its keys; and the API on its
//! Unix socket.

use crate::receivers::{Posted, http, mail};
use crate::until::until;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flyball_harness::fleet::{Fleet, FleetOptions};
use ring::hmac;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

/// As any receiver would.
fn is_signed(posted: &Posted, secret: &str) -> bool {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let (id, at) = (posted.header("webhook-id"), posted.header("webhook-timestamp"));
    let signed = format!("{id}.{at}.{}", posted.body);
    posted.header("webhook-signature").split(' ').any(|signature| {
        let tag = STANDARD.decode(signature.trim_start_matches("v1,")).unwrap();
        hmac::verify(&key, signed.as_bytes(), &tag).is_ok()
    })
}

#[test]
fn webhooks_and_mail_leave_signed_and_go_on_when_the_keys_are_rotated() {
    let (receiver, posted) = http();
    let (server, letters) = mail();
    let settings = format!(
        "[webhooks]\nallow = [\"127.0.0.1/32\"]\n[smtp]\nurl = \"smtp://{server}?tls=none\"\n\
         from = \"flyball@example.org\"\n"
    );
    let options = FleetOptions { settings: Some(settings), ..FleetOptions::default() };
    let fleet = Fleet::with(1, options).unwrap();
    let api = fleet.api().unwrap();
    let body = json!({
        "name": "ours", "url": format!("http://{receiver}/hook"), "topics": ["devices"],
    });
    let made = api.post("/api/v1/webhooks", &body).unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    let secret = made.body["data"]["secret"].as_str().unwrap().to_owned();

    fleet.signal("agent", Signal::KILL).unwrap();
    let last = |word: &str| {
        let all = posted.all();
        let found = all.into_iter().rev().find(|posted| posted.body.contains(word));
        found.ok_or_else(|| format!("{:?}", posted.all()))
    };
    // It is started again at once: what changes within a second is told in one.
    let back =
        until("the receiver is told that the machine is back", 60, || last("devices.online"));
    assert!(is_signed(&back, &secret), "{back:?}");
    let told: Value = serde_json::from_str(&back.body).unwrap();
    let device = fleet.ready().unwrap().devices[0].id.clone();
    assert_eq!(told["data"], json!({ "device_id": device, "online": true }));

    let aggregator = fleet.pid("aggregator").unwrap();
    let rotated = Command::new(std::fs::read_link(format!("/proc/{aggregator}/exe")).unwrap())
        .args(["keys", "rotate", "--state"])
        .arg(fleet.state().join("aggregator"))
        .output()
        .unwrap();
    let said = String::from_utf8(rotated.stdout).unwrap();
    assert!(rotated.status.success() && said.starts_with("signing key "), "{said}");
    let job = said.trim_end().rsplit(' ').next().unwrap();
    until("every secret is sealed with the new key", 60, || {
        let job = api.get(&format!("/api/v1/jobs/{job}")).unwrap().body;
        if job["data"]["state"] == "succeeded" { Ok(()) } else { Err(job.to_string()) }
    });
    assert_eq!(api.get("/api/v1/auth/me").unwrap().status, 200, "an old token holds");
    let id = made.body["data"]["id"].as_str().unwrap();
    let test = api.post(&format!("/api/v1/webhooks/{id}/test"), &json!({})).unwrap();
    assert_eq!(test.status, 202, "{}", test.body);
    let test = until("the receiver gets the test", 60, || last("webhook.test"));
    assert!(is_signed(&test, &secret), "{test:?}");

    let email = fleet.ready().unwrap().admin_email;
    let asked =
        api.post("/api/v1/auth/password-reset/request", &json!({ "email": email })).unwrap();
    assert!(asked.status < 300, "{}", asked.body);
    let letter = until("the letter is delivered", 60, || letters.all().pop().ok_or("none"));
    assert!(letter.contains(&format!("To: {email}")), "{letter}");
}

#[test]
fn a_program_on_the_host_asks_and_listens_over_the_unix_socket() {
    let settings = "[ipc]\npath = \"api.sock\"\n".to_owned();
    let options = FleetOptions { settings: Some(settings), ..FleetOptions::default() };
    let fleet = Fleet::with(1, options).unwrap();
    let path = fleet.state().join("aggregator/api.sock");
    let socket = UnixStream::connect(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
    let ask = |call: Value| (&socket).write_all(format!("{call}\n").as_bytes()).unwrap();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };

    ask(json!({ "jsonrpc": "2.0", "id": 1, "method": "devices.list" }));
    let devices = next();
    let device = fleet.ready().unwrap().devices[0].id.clone();
    assert_eq!(devices["id"], 1);
    assert_eq!(devices["result"]["data"][0]["id"], device, "{devices}");
    ask(json!({ "jsonrpc": "2.0", "id": 2, "method": "devices.get", "params": { "id": "no" } }));
    assert_eq!(next()["error"]["code"], 404);

    let topics = json!([format!("readings:{device}")]);
    let params = json!({ "topics": topics, "mode": "event" });
    ask(json!({ "jsonrpc": "2.0", "id": 3, "method": "stream.subscribe", "params": params }));
    let delta = (0..100).map(|_| next()).find(|message| message["params"]["type"] == "delta");
    let delta = delta.expect("no samples within a hundred messages");
    assert_eq!(delta["method"], "stream.message");
    assert_eq!(delta["params"]["data"]["device_id"], device);
    drop(fleet);
    assert!(!path.exists(), "the socket's file goes with the server");
}
