use super::mail::events;
use crate::access::Role;
use crate::http::tests::machine::enrol;
use crate::http::tests::rig::{ADMIN, PASSWORD, Rig};
use crate::outbound::Teller;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Default)]
struct Receiver {
    taken: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answer: Arc<Mutex<Option<(StatusCode, String)>>>,
}

impl Receiver {
    async fn listen(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let take = |State(receiver): State<Self>, headers: HeaderMap, body: Bytes| async move {
            let body = String::from_utf8(body.to_vec()).unwrap();
            receiver.taken.lock().unwrap().push((headers, body));
            match receiver.answer.lock().unwrap().clone() {
                Some((status, to)) => (status, [("location", to)]),
                None => (StatusCode::NO_CONTENT, [("location", String::new())]),
            }
        };
        let router = Router::new().route("/{*path}", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn answers(&self, status: u16, location: &str) {
        *self.answer.lock().unwrap() =
            Some((StatusCode::from_u16(status).unwrap(), location.into()));
    }

    fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    fn last(&self) -> (HeaderMap, String) {
        self.taken.lock().unwrap().last().cloned().unwrap()
    }
}

/// As any receiver would: one of the signatures is that of a secret that it knows.
fn is_signed(headers: &HeaderMap, body: &str, secret: &str) -> bool {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signed = format!("{}.{}.{body}", text("webhook-id"), text("webhook-timestamp"));
    text("webhook-signature").split(' ').any(|signature| {
        let tag = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
        hmac::verify(&key, signed.as_bytes(), &tag).is_ok()
    })
}

async fn open() -> (Rig, String, Receiver, SocketAddr) {
    let rig = Rig::with(|config| {
        config.webhooks.allow = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let token = rig.admin().await;
    let receiver = Receiver::default();
    let address = receiver.listen().await;
    (rig, token, receiver, address)
}

async fn create(rig: &Rig, token: &str, url: &str) -> Value {
    let body = json!({ "name": "ours", "url": url, "topics": ["events", "operations", "devices"] });
    let made = rig.post("/api/v1/webhooks").by(token).json(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["data"].clone()
}

async fn deliveries(rig: &Rig, token: &str, id: &Value) -> Value {
    let path = format!("/api/v1/webhooks/{}/deliveries", id.as_str().unwrap());
    rig.get(&path).by(token).send().await.json()["data"].clone()
}

/// Tokens end while the clock is moved.
async fn again(rig: &Rig) -> String {
    let answer = rig.sign_in("/api/v1/auth/login", ADMIN, PASSWORD).await;
    answer.json()["data"]["tokens"]["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_receiver_verifies_what_happened_by_its_secret_and_during_a_rotation_by_either() {
    let (rig, token, receiver, address) = open().await;
    let made = create(&rig, &token, &format!("http://{address}/hook")).await;
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let shown = rig.get(&format!("/api/v1/webhooks/{id}")).by(&token).send().await.text;
    assert!(!shown.contains("whsec_"), "{shown}");
    let device = enrol(&rig).await;
    let teller = Teller::new(rig.app.clone());
    teller.turn().await.unwrap();
    events(&rig, device, "limit.tripped", 1).await;
    teller.turn().await.unwrap();
    teller.turn().await.unwrap();
    rig.app.webhooks.turn().await.unwrap();
    rig.app.webhooks.turn().await.unwrap();
    assert_eq!(receiver.count(), 1);
    let (headers, body) = receiver.last();
    assert!(is_signed(&headers, &body, secret));
    assert!(!is_signed(&headers, &format!("{body} "), secret));
    let message: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(message["type"], "events.limit.tripped");
    assert_eq!(message["data"]["device_id"], device.to_string());
    assert_eq!(message["data"]["severity"], "critical");
    let rotate = format!("/api/v1/webhooks/{id}/rotate-secret");
    let rotated = rig.post(&rotate).by(&token).json(&json!({ "overlap_seconds": 60 })).await.json();
    let new = rotated["data"]["secret"].as_str().unwrap();
    let test = format!("/api/v1/webhooks/{id}/test");
    assert_eq!(rig.post(&test).by(&token).json(&json!({})).await.status, 202);
    rig.app.webhooks.turn().await.unwrap();
    let (headers, body) = receiver.last();
    assert!(is_signed(&headers, &body, secret) && is_signed(&headers, &body, new));
    rig.clock.advance(Duration::from_secs(61));
    rig.post(&test).by(&token).json(&json!({})).await;
    rig.app.webhooks.turn().await.unwrap();
    let (headers, body) = receiver.last();
    assert!(!is_signed(&headers, &body, secret) && is_signed(&headers, &body, new));
}

#[tokio::test]
async fn a_failing_receiver_is_tried_for_a_day_then_disabled_and_its_owner_told() {
    let (rig, token, receiver, address) = open().await;
    let made = create(&rig, &token, &format!("http://{address}/hook")).await;
    let id = made["id"].as_str().unwrap();
    receiver.answers(500, "");
    let test = format!("/api/v1/webhooks/{id}/test");
    rig.post(&test).by(&token).json(&json!({})).await;
    for _ in 0..400 {
        rig.app.webhooks.turn().await.unwrap();
        rig.clock.advance(Duration::from_secs(300));
    }
    assert!((8..60).contains(&receiver.count()), "{}", receiver.count());
    let token = again(&rig).await;
    let shown = rig.get(&format!("/api/v1/webhooks/{id}")).by(&token).send().await;
    assert_eq!(shown.json()["data"]["enabled"], false, "{}", shown.text);
    assert_eq!(shown.json()["data"]["disabled_reason"], "it has failed for a day");
    let log = deliveries(&rig, &token, &made["id"]).await;
    assert_eq!((&log[0]["state"], &log[0]["last_status"]), (&json!("failed"), &json!(500)));
    let mail =
        rig.app.mail.list(&Default::default(), crate::page::PageRequest::first(9)).await.unwrap();
    assert_eq!((mail.total, mail.items[0].to.as_str()), (1, ADMIN));
    let audit = rig.get("/api/v1/audit?action=webhook.disable").by(&token).send().await.json();
    assert_eq!(audit["data"].as_array().unwrap().len(), 1);
    // Enabled anew, what failed is sent again under its own name.
    *receiver.answer.lock().unwrap() = None;
    let body =
        json!({ "name": "ours", "url": format!("http://{address}/hook"), "topics": ["events"] });
    let put = rig.ask(Method::PUT, &format!("/api/v1/webhooks/{id}")).by(&token);
    let put = put.header("if-match", shown.header("etag")).json(&body).await;
    assert_eq!(put.json()["data"]["enabled"], true, "{}", put.text);
    let (delivery, message) = (log[0]["id"].as_str().unwrap(), log[0]["message_id"].clone());
    let path = format!("/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver");
    assert_eq!(rig.post(&path).by(&token).json(&json!({})).await.status, 202);
    rig.clock.advance(Duration::from_secs(600));
    rig.app.webhooks.turn().await.unwrap();
    assert_eq!(receiver.last().0["webhook-id"].to_str().unwrap(), message);
    let token = again(&rig).await;
    assert_eq!(deliveries(&rig, &token, &made["id"]).await[0]["state"], "delivered");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_gone_means_gone() {
    let (rig, token, receiver, address) = open().await;
    let elsewhere = Receiver::default();
    let elsewhere_address = elsewhere.listen().await;
    let made = create(&rig, &token, &format!("http://{address}/hook")).await;
    let test = format!("/api/v1/webhooks/{}/test", made["id"].as_str().unwrap());
    for status in [301, 302, 303, 307, 308] {
        receiver.answers(status, &format!("http://{elsewhere_address}/secret"));
        rig.post(&test).by(&token).json(&json!({})).await;
        rig.app.webhooks.turn().await.unwrap();
    }
    assert_eq!(elsewhere.count(), 0);
    let log = deliveries(&rig, &token, &made["id"]).await;
    assert!(log[0]["last_error"].as_str().unwrap().contains("redirect"), "{log}");
    let other = Receiver::default();
    let other_address = other.listen().await;
    other.answers(410, "");
    let made = create(&rig, &token, &format!("http://{other_address}/hook")).await;
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());
    rig.post(&format!("{path}/test")).by(&token).json(&json!({})).await;
    rig.app.webhooks.turn().await.unwrap();
    assert_eq!(rig.get(&path).by(&token).send().await.json()["data"]["enabled"], false);
}

#[tokio::test]
async fn no_form_of_an_address_leads_inside() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let receiver = Receiver::default();
    let port = receiver.listen().await.port();
    let refused = [
        "http://127.0.0.1:PORT/",
        "http://[::1]:PORT/",
        "http://[::ffff:127.0.0.1]:PORT/",
        "http://[::ffff:7f00:1]:PORT/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://0.0.0.0:PORT/",
        "http://100.100.100.200/",
        "http://[64:ff9b::7f00:1]:PORT/",
        "http://user:pass@example.org/",
        "http://example.org@127.0.0.1:PORT/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://example.org/",
        "http://",
        "//example.org/",
        "http://exa mple.org/",
        "http://example.org/\r\nX: y",
        "http://example.org/#f",
        "http:\\\\127.0.0.1\\",
        "",
    ];
    for url in refused {
        let url = url.replace("PORT", &port.to_string());
        let body = json!({ "name": "evil", "url": url, "topics": ["events"] });
        let answer = rig.post("/api/v1/webhooks").by(&token).json(&body).await;
        assert_eq!(answer.refusal(), (422, "validation_error".into()), "{url}: {}", answer.text);
        assert_eq!(answer.json()["field_errors"][0]["field"], "url", "{url}");
    }
    // Names are judged when they are resolved: what they are and how resolvers read numbers.
    let names = [
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0x7f.1",
        "localhost.",
        "0",
    ];
    for name in names {
        let url = format!("http://{name}:{port}/");
        let body = json!({ "name": name, "url": url, "topics": ["events"] });
        let made = rig.post("/api/v1/webhooks").by(&token).json(&body).await;
        if made.status == 422 {
            continue;
        }
        let id = made.json()["data"]["id"].clone();
        let test = format!("/api/v1/webhooks/{}/test", id.as_str().unwrap());
        rig.post(&test).by(&token).json(&json!({})).await;
        rig.app.webhooks.turn().await.unwrap();
        let log = deliveries(&rig, &token, &id).await;
        assert_eq!(log[0]["state"], "pending", "{name}: {log}");
        assert_eq!(log[0]["attempts"], 1, "{name}: {log}");
    }
    assert_eq!(receiver.count(), 0);
}

#[tokio::test]
async fn a_webhook_of_the_server_is_the_administrators_and_others_do_not_see_it() {
    let (rig, token, _, address) = open().await;
    let made = create(&rig, &token, &format!("http://{address}/hook")).await;
    let manager = rig.token("manager@example.org", Role::OrgAdmin).await;
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());
    assert_eq!(rig.get(&path).by(&manager).send().await.status, 404);
    let list = rig.get("/api/v1/webhooks").by(&manager).send().await.json();
    assert_eq!(list["data"], json!([]));
    let body = json!({ "name": "a", "url": "https://example.org/", "topics": ["events"] });
    let answer = rig.post("/api/v1/webhooks").by(&manager).json(&body).await;
    assert_eq!(answer.refusal(), (403, "forbidden".into()));
    let mut of_one = body.clone();
    of_one["organization_id"] = json!(uuid::Uuid::from_u128(5));
    let answer = rig.post("/api/v1/webhooks").by(&manager).json(&of_one).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    // Its organization has no machines: it hears of none.
    let device = enrol(&rig).await;
    let teller = Teller::new(rig.app.clone());
    teller.turn().await.unwrap();
    events(&rig, device, "limit.tripped", 1).await;
    teller.turn().await.unwrap();
    teller.turn().await.unwrap();
    assert_eq!(deliveries(&rig, &manager, &answer.json()["data"]["id"]).await, json!([]));
    assert_eq!(deliveries(&rig, &token, &made["id"]).await.as_array().unwrap().len(), 1);
}
