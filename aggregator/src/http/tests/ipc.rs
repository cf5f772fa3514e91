use super::machine::enrol;
use super::rig::{ADMIN, PASSWORD, Rig, VIEWER};
use super::sockets::sampled;
use crate::access::Role;
use crate::accounts::{LOCAL, create_user};
use crate::config::IpcPeer;
use crate::http::ipc::{ListenError, Listener};
use crate::live::Live;
use crate::store::EntryKey;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

struct Client {
    writer: OwnedWriteHalf,
    lines: Lines<BufReader<OwnedReadHalf>>,
}

impl Client {
    async fn say(&mut self, message: &Value) {
        self.writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn line(&mut self) -> Option<Value> {
        let line = timeout(Duration::from_secs(10), self.lines.next_line()).await.unwrap();
        line.unwrap().map(|line| serde_json::from_str(&line).unwrap())
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        let call = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        self.say(&call).await;
        loop {
            let answer = self.line().await.unwrap();
            if answer.get("id").is_some() {
                assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)));
                return answer;
            }
        }
    }

    /// The next message of the stream of that type.
    async fn told(&mut self, kind: &str) -> Value {
        loop {
            let message = self.line().await.unwrap();
            if message["method"] == "stream.message" && message["params"]["type"] == kind {
                return message["params"].clone();
            }
        }
    }
}

fn path(rig: &Rig) -> PathBuf {
    rig.state.path().join("api.sock")
}

async fn serve(rig: &Rig) {
    let socket = Listener::bind(&rig.app, path(rig)).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    tokio::spawn(crate::http::serve_with(rig.app.clone(), listener, Some(socket)));
}

async fn connect(rig: &Rig) -> Client {
    let (reader, writer) = UnixStream::connect(path(rig)).await.unwrap().into_split();
    Client { writer, lines: BufReader::new(reader).lines() }
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// A rig whose own user has the account.
async fn as_account(email: &str, role: Role) -> Rig {
    let peer = IpcPeer { uid: own_uid(), user: email.into() };
    let rig = Rig::with(|config| config.ipc.allow = vec![peer]).await;
    create_user(&rig.app.store, &rig.clock, email, PASSWORD, role).await.unwrap();
    serve(&rig).await;
    rig
}

#[tokio::test]
async fn a_local_caller_reads_changes_and_is_told_what_went_wrong() {
    let rig = Rig::start().await;
    serve(&rig).await;
    let mode = std::fs::metadata(path(&rig)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let mut client = connect(&rig).await;
    let me = client.call("auth.me.get", json!({})).await;
    let result = &me["result"];
    assert_eq!((&result["status"], &result["error"]), (&json!("ok"), &json!(null)), "{me}");
    assert!(me.to_string().contains(LOCAL));

    let body = json!({ "name": "Nordhafen" });
    let made = client
        .call("organizations.create", json!({ "body": body, "idempotency_key": "k-1" }))
        .await;
    assert_eq!(made["result"]["data"]["name"], "Nordhafen", "{made}");
    let id = made["result"]["data"]["id"].clone();
    let location = format!("/api/v1/organizations/{}", id.as_str().unwrap());
    assert_eq!(made["result"]["meta"]["location"], json!(location));
    let again = client
        .call("organizations.create", json!({ "body": body, "idempotency_key": "k-1" }))
        .await;
    assert_eq!(again["result"]["data"]["id"], id);

    let list = client.call("organizations.list", json!({ "per_page": 1 })).await;
    assert_eq!(list["result"]["meta"]["per_page"], 1);
    assert_eq!(list["result"]["data"][0]["id"], id);
    let one = client.call("organizations.get", json!({ "id": id })).await;
    let etag = one["result"]["meta"]["etag"].clone();
    let known = client.call("organizations.get", json!({ "id": id, "if_none_match": etag })).await;
    assert_eq!(known["result"]["status"], "not_modified");
    let change = json!({ "id": id, "body": { "name": "Südhafen" } });
    let refused = client.call("organizations.update", change.clone()).await;
    assert_eq!(refused["error"]["code"], 428);
    assert_eq!(refused["error"]["data"]["error"], "precondition_required");
    let mut change = change;
    change["if_match"] = etag;
    let changed = client.call("organizations.update", change).await;
    assert_eq!(changed["result"]["data"]["name"], "Südhafen", "{changed}");

    let nothing = client.call("devices.get", json!({ "id": uuid::Uuid::nil() })).await;
    assert_eq!(nothing["error"]["code"], 404);
    let problem = &nothing["error"]["data"];
    assert_eq!((&problem["error"], &problem["status"]), (&json!("not_found"), &json!(404)));
    assert_eq!(nothing["error"]["message"], problem["message"]);
    assert!(nothing.get("result").is_none());
}

#[tokio::test]
async fn faults_of_the_protocol_have_the_protocols_numbers() {
    let rig = Rig::start().await;
    serve(&rig).await;
    let mut client = connect(&rig).await;
    for (line, code) in [
        ("{", -32_700),
        ("3", -32_600),
        ("{}", -32_600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"health.get"}"#, -32_600),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"health.get"}"#, -32_600),
        (r#"{"jsonrpc":"2.0","id":1,"method":3}"#, -32_600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"weather.get"}"#, -32_601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"health.get","params":[1]}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"devices.get"}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"devices.get","params":{"id":{}}}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"devices.list","params":{"pgae":1}}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"devices.list","params":{"body":{}}}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"stream.subscribe","params":{}}"#, -32_602),
        ("[]", -32_600),
    ] {
        client.writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let answer = client.line().await.unwrap();
        assert_eq!(answer["error"]["code"], code, "{line}: {answer}");
    }
    // An id is a segment, never a step to another route.
    let stepped = client.call("devices.get", json!({ "id": "../users" })).await;
    assert_eq!(stepped["error"]["code"], 404);
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order_and_has_a_bound() {
    let rig = Rig::start().await;
    serve(&rig).await;
    let mut client = connect(&rig).await;
    let call = |id: u32, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method });
    let silent = json!({ "jsonrpc": "2.0", "method": "health.get" });
    let batch = [
        call(1, "health.get"),
        silent.clone(),
        json!(3),
        call(2, "nothing"),
        call(3, "stream.subscribe"),
        call(4, "devices.list"),
    ];
    client.say(&json!(batch)).await;
    let answers = client.line().await.unwrap();
    let seen: Vec<(Value, Value)> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| (answer["id"].clone(), answer["error"]["code"].clone()))
        .collect();
    let expected = json!([[1, null], [null, -32_600], [2, -32_601], [3, -32_600], [4, null],]);
    assert_eq!(json!(seen), expected);
    client.say(&json!(vec![silent; 51])).await;
    assert_eq!(client.line().await.unwrap()["error"]["code"], -32_600);
}

#[tokio::test]
async fn a_frame_beyond_the_bound_ends_the_connection_and_no_other() {
    let rig = Rig::start().await;
    serve(&rig).await;
    let mut other = connect(&rig).await;
    let mut client = connect(&rig).await;
    let long = vec![b' '; 1024 * 1024 + 1];
    // The server stops reading before the end.
    let _ = client.writer.write_all(&long).await;
    let answer = client.line().await.unwrap();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(null), &json!(-32_600)));
    let end = timeout(Duration::from_secs(10), client.lines.next_line()).await.unwrap();
    assert!(matches!(end, Ok(None) | Err(_)), "{end:?}");
    assert_eq!(other.call("health.get", json!({})).await["result"]["status"], "ok");
}

#[tokio::test]
async fn whoever_has_said_all_still_gets_the_answers() {
    let rig = Rig::start().await;
    serve(&rig).await;
    let mut client = connect(&rig).await;
    for id in 0..20 {
        client.say(&json!({ "jsonrpc": "2.0", "id": id, "method": "health.get" })).await;
    }
    client.writer.shutdown().await.unwrap();
    let mut seen = Vec::new();
    while let Some(answer) = client.line().await {
        assert_eq!(answer["result"]["status"], "ok");
        seen.push(answer["id"].as_u64().unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_listed_user_has_the_rights_of_its_account() {
    let rig = as_account(VIEWER, Role::Viewer).await;
    let mut client = connect(&rig).await;
    assert_eq!(client.call("devices.list", json!({})).await["result"]["data"], json!([]));
    let refused = client.call("audit.list", json!({})).await;
    assert_eq!(refused["error"]["code"], 403);
    assert_eq!(refused["error"]["data"]["error"], "forbidden");
    // The same limit as over HTTP: a hundred at once, then so many a second.
    let mut limited = None;
    for _ in 0..120 {
        let answer = client.call("auth.me.get", json!({})).await;
        limited = limited.or_else(|| answer.get("error").cloned());
    }
    let limited = limited.unwrap();
    assert_eq!(limited["code"], 429);
    assert_eq!(limited["data"]["error"], "rate_limit_exceeded");
}

#[tokio::test]
async fn an_account_that_is_not_there_may_nothing() {
    let peer = IpcPeer { uid: own_uid(), user: ADMIN.into() };
    let rig = Rig::with(|config| config.ipc.allow = vec![peer]).await;
    serve(&rig).await;
    let mut client = connect(&rig).await;
    for (method, params) in
        [("devices.list", json!({})), ("stream.subscribe", json!({ "topics": ["events"] }))]
    {
        let refused = client.call(method, params).await;
        assert_eq!(refused["error"]["data"]["error"], "account_inactive", "{refused}");
    }
}

#[tokio::test]
async fn a_stream_tells_what_was_subscribed_to_until_it_is_not() {
    let rig = Rig::start().await;
    let device = enrol(&rig).await;
    serve(&rig).await;
    let mut client = connect(&rig).await;
    let topic = format!("readings:{device}");
    let taken = client.call("stream.subscribe", json!({ "topics": [topic] })).await;
    assert_eq!(taken["result"]["status"], "ok", "{taken}");
    assert_eq!(client.told("snapshot").await["topic"], json!(topic));
    let publish = |seq| {
        let sampled = vec![sampled(device, 4, vec![(1_000, Ok(41.5))])];
        let entry = EntryKey::for_test(1, seq);
        rig.app.live.publish(Live::readings(device, entry, sampled));
    };
    publish(1);
    let delta = client.told("delta").await;
    assert_eq!((&delta["topic"], &delta["seq"]), (&json!(topic), &json!(1)));
    assert_eq!(delta["data"]["points"][0]["v"], 41.5);
    let wrong = client.call("stream.subscribe", json!({ "topics": ["weather"] })).await;
    assert_eq!(wrong["error"]["code"], -32_602);
    let left = client.call("stream.unsubscribe", json!({ "topics": [topic] })).await;
    assert_eq!(left["result"]["status"], "ok");
    publish(2);
    assert_eq!(client.call("health.get", json!({})).await["result"]["status"], "ok");
}

#[tokio::test]
async fn a_slow_reader_is_told_of_the_gap_and_keeps_its_connection() {
    let rig = Rig::start().await;
    let device = enrol(&rig).await;
    serve(&rig).await;
    let mut client = connect(&rig).await;
    let taken = client.call("stream.subscribe", json!({ "topics": ["readings:*"] })).await;
    assert_eq!(taken["result"]["status"], "ok");
    let sampled = vec![sampled(device, 4, vec![(1_000, Ok(41.5)); 400])];
    for seq in 0..4_000 {
        let entry = EntryKey::for_test(1, seq);
        rig.app.live.publish(Live::readings(device, entry, sampled.clone()));
    }
    let (mut dropped, mut delivered) = (0, 0);
    while dropped + delivered < 4_000 {
        let message = client.line().await.unwrap();
        match message["params"]["type"].as_str().unwrap() {
            "gap" => dropped += message["params"]["dropped"].as_u64().unwrap(),
            "delta" => delivered += 1,
            _ => {}
        }
    }
    assert!(dropped > 0);
    assert_eq!(client.call("health.get", json!({})).await["result"]["status"], "ok");
}

#[tokio::test]
async fn a_stream_ends_when_the_account_has_other_rights() {
    let rig = as_account(VIEWER, Role::Viewer).await;
    let mut client = connect(&rig).await;
    let taken = client.call("stream.subscribe", json!({ "topics": ["events"] })).await;
    assert_eq!(taken["result"]["status"], "ok");
    let caller = rig.app.accounts.local_caller(VIEWER).await.unwrap().unwrap();
    assert!(rig.app.accounts.still_stands(&caller).await.unwrap());
    let admin = rig.admin().await;
    let organization = rig
        .post("/api/v1/organizations")
        .by(&admin)
        .json(&json!({ "name": "Nordhafen" }))
        .await
        .json();
    let id = organization["data"]["id"].as_str().unwrap();
    let member = json!({ "email": VIEWER, "role": "operator" });
    let path = format!("/api/v1/organizations/{id}/members");
    let answer = rig.post(&path).by(&admin).json(&member).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    loop {
        let message = client.line().await.unwrap();
        if message["method"] == "stream.closed" {
            assert_eq!(message["params"]["code"], 4401);
            break;
        }
    }
    assert!(!rig.app.accounts.still_stands(&caller).await.unwrap());
}

#[tokio::test]
async fn a_stale_socket_is_taken_over_and_a_live_one_is_not() {
    let rig = Rig::start().await;
    let path = path(&rig);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    serve(&rig).await;
    assert_eq!(connect(&rig).await.call("health.get", json!({})).await["result"]["status"], "ok");
    let second = Listener::bind(&rig.app, path.clone()).await;
    assert!(matches!(second, Err(ListenError::InUse(at)) if at == path));
    assert_eq!(connect(&rig).await.call("health.get", json!({})).await["result"]["status"], "ok");
    let file = rig.state.path().join("notes.txt");
    std::fs::write(&file, "keep me").unwrap();
    let refused = Listener::bind(&rig.app, file.clone()).await;
    assert!(matches!(refused, Err(ListenError::NoSocket(_))));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "keep me");
}

#[tokio::test]
async fn the_file_goes_with_the_server() {
    let rig = Rig::start().await;
    serve(&rig).await;
    let mut client = connect(&rig).await;
    assert_eq!(client.call("health.get", json!({})).await["result"]["status"], "ok");
    rig.app.shutdown.start();
    assert_eq!(client.line().await, None);
    let gone = async {
        while path(&rig).exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.unwrap();
}
