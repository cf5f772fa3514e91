use crate::config::Config;
use crate::fleet::DeviceId;
use crate::http::tests::machine::enrol;
use crate::http::tests::rig::Rig;
use crate::mail::Mail;
use crate::outbound::Teller;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail server that takes what comes, or answers `RCPT` as it is told.
#[derive(Clone, Default)]
struct Sink {
    taken: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Option<&'static str>>>,
}

impl Sink {
    async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sink = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(sink.clone().serve(stream));
            }
        });
        address
    }

    async fn serve(self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 sink\r\n").await.ok()?;
        let mut envelope = String::new();
        while let Some(line) = lines.next_line().await.ok()? {
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let answer = match verb.as_str() {
                "EHLO" => "250-sink\r\n250 8BITMIME\r\n",
                "RCPT" => {
                    envelope.push_str(&format!("{line}\n"));
                    let told = *self.answer.lock().unwrap();
                    told.unwrap_or("250 ok\r\n")
                }
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await.ok()?;
                    while let Some(line) = lines.next_line().await.ok()? {
                        if line == "." {
                            break;
                        }
                        envelope.push_str(&format!("{line}\n"));
                    }
                    self.taken.lock().unwrap().push(std::mem::take(&mut envelope));
                    "250 taken\r\n"
                }
                "QUIT" => {
                    write.write_all(b"221 bye\r\n").await.ok()?;
                    return Some(());
                }
                _ => "250 ok\r\n",
            };
            write.write_all(answer.as_bytes()).await.ok()?;
        }
        None
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

fn server(config: &mut Config, address: SocketAddr) {
    config.smtp.url = Some(format!("smtp://{address}"));
    config.smtp.from = Some("Flyball <flyball@example.org>".into());
}

fn letter(to: &str, subject: &str) -> Mail {
    Mail { to: to.into(), subject: subject.into(), text: "Hello.\n.\nEnd\n".into() }
}

#[tokio::test]
async fn a_mail_is_taken_by_the_server_once_and_listed_as_sent() {
    let sink = Sink::default();
    let address = sink.listen().await;
    let rig = Rig::with(|config| server(config, address)).await;
    let token = rig.admin().await;
    rig.app.mail.queue(letter("a@example.org", "Grüße")).await.unwrap();
    rig.app.mail.turn().await.unwrap();
    rig.app.mail.turn().await.unwrap();
    let taken = sink.taken();
    assert_eq!(taken.len(), 1);
    for part in [
        "RCPT TO:<a@example.org>",
        "To: a@example.org",
        "From: Flyball <flyball@example.org>",
        "Subject: =?utf-8?b?",
    ] {
        assert!(taken[0].contains(part), "{part}: {}", taken[0]);
    }
    let list = rig.get("/api/v1/mail").by(&token).send().await.json();
    assert_eq!(list["data"][0]["state"], "sent", "{list}");
    assert_eq!(list["meta"]["configured"], true);
}

#[tokio::test]
async fn without_a_server_mail_is_kept_and_never_said_to_be_sent() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    rig.app.mail.queue(letter("a@example.org", "s")).await.unwrap();
    rig.app.mail.turn().await.unwrap();
    let list = async || rig.get("/api/v1/mail").by(&token).send().await.json();
    let listed = list().await;
    assert_eq!(listed["data"][0]["state"], "not_configured");
    assert_eq!(listed["meta"]["configured"], false);
    rig.clock.advance(Duration::from_secs(3 * 24 * 3600));
    rig.app.mail.turn().await.unwrap();
    let dead =
        rig.app.mail.list(&Default::default(), crate::page::PageRequest::first(1)).await.unwrap();
    assert_eq!(dead.items[0].state, crate::mail::MailState::Dead);
    // The text lies sealed.
    let values = rig.app.store.sealed_values(("mail", "text"), "", 1).await.unwrap();
    assert!(!values[0].1.windows(5).any(|part| part == b"Hello"));
}

#[tokio::test]
async fn no_address_and_no_subject_brings_a_header_of_its_own() {
    let sink = Sink::default();
    let address = sink.listen().await;
    let rig = Rig::with(|config| server(config, address)).await;
    let evil = "s\r\nBcc: evil@example.org\r\n\r\nbody";
    rig.app.mail.queue(letter("a@example.org", evil)).await.unwrap();
    for to in [
        "a@example.org\r\nBcc: evil@example.org",
        "a@example.org>\r\nDATA",
        "nobody",
        "",
        "a b@example.org, c@example.org",
    ] {
        rig.app.mail.queue(letter(to, "s")).await.unwrap();
    }
    rig.app.mail.turn().await.unwrap();
    let taken = sink.taken();
    assert_eq!(taken.len(), 1);
    let headers = taken[0].split("\n\n").next().unwrap();
    assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
    assert_eq!(taken[0].matches("RCPT").count(), 1);
    let page = crate::page::PageRequest::first(9);
    let kept = rig.app.mail.list(&Default::default(), page).await.unwrap();
    let dead = kept.items.iter().filter(|one| one.state == crate::mail::MailState::Dead);
    assert_eq!(dead.count(), 5);
}

#[tokio::test]
async fn a_refusal_for_good_is_a_dead_letter_and_a_busy_server_is_tried_again() {
    let sink = Sink::default();
    let address = sink.listen().await;
    let rig = Rig::with(|config| server(config, address)).await;
    let first = async || {
        rig.app
            .mail
            .list(&Default::default(), crate::page::PageRequest::first(9))
            .await
            .unwrap()
            .items[0]
            .clone()
    };
    *sink.answer.lock().unwrap() = Some("550 no such user\r\n");
    rig.app.mail.queue(letter("gone@example.org", "s")).await.unwrap();
    rig.app.mail.turn().await.unwrap();
    assert_eq!(first().await.state.name(), "dead");
    assert!(first().await.last_error.unwrap().contains("no such user"));
    *sink.answer.lock().unwrap() = Some("451 later\r\n");
    rig.clock.advance(Duration::from_secs(1));
    rig.app.mail.queue(letter("a@example.org", "s")).await.unwrap();
    rig.app.mail.turn().await.unwrap();
    assert_eq!((first().await.state.name(), first().await.attempts), ("queued", 1));
    *sink.answer.lock().unwrap() = None;
    rig.app.mail.turn().await.unwrap();
    assert!(sink.taken().is_empty());
    rig.clock.advance(Duration::from_secs(31));
    rig.app.mail.turn().await.unwrap();
    assert_eq!(first().await.state.name(), "sent");
}

#[tokio::test]
async fn a_server_that_is_away_opens_the_breaker_and_gets_its_mail_later() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let rig = Rig::with(|config| server(config, address)).await;
    for number in 0..8 {
        rig.app.mail.queue(letter("a@example.org", &number.to_string())).await.unwrap();
    }
    rig.app.mail.turn().await.unwrap();
    let queued =
        rig.app.mail.list(&Default::default(), crate::page::PageRequest::first(9)).await.unwrap();
    let tried: u32 = queued.items.iter().map(|mail| mail.attempts).sum();
    assert_eq!(tried, 5, "the breaker spares the others");
    let metrics = rig.get("/metrics").send().await.text;
    let line = format!("flyball_outbound_circuit_state{{kind=\"mail\",target=\"{address}\"}} 2");
    assert!(metrics.contains(&line), "{metrics}");
}

/// So many events of a machine, as its guard would tell them.
pub(super) async fn events(rig: &Rig, device: DeviceId, kind: &str, count: u64) {
    for _ in 0..count {
        let sql = format!(
            "INSERT INTO events (device, at_ms, kind, severity, subject, message)
             SELECT key, {}, '{kind}', 2, 'cpu', 'too hot' FROM devices WHERE id = '{device}'",
            rig.clock.now_ms()
        );
        assert_eq!(rig.app.store.tamper(sql).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn people_are_told_of_events_and_of_a_flood_by_a_summary() {
    let rig = Rig::start().await;
    let token = rig.admin().await;
    let device = enrol(&rig).await;
    events(&rig, device, "limit.tripped", 1).await;
    let teller = Teller::new(rig.app.clone());
    // What was there before anybody listened is not told.
    teller.turn().await.unwrap();
    let body = json!({ "severity": "warning", "kinds": ["limit.*"], "per_hour": 3 });
    let made = rig.post("/api/v1/notifications").by(&token).json(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    events(&rig, device, "limit.tripped", 5).await;
    events(&rig, device, "fan.stalled", 5).await;
    // Told a look after they came, each once, also by another replica.
    teller.turn().await.unwrap();
    let other = Teller::new(rig.app.clone());
    teller.turn().await.unwrap();
    other.turn().await.unwrap();
    other.turn().await.unwrap();
    let mail = async || {
        rig.app.mail.list(&Default::default(), crate::page::PageRequest::first(50)).await.unwrap()
    };
    assert_eq!(mail().await.total, 3);
    assert!(mail().await.items[0].subject.contains("limit.tripped"));
    let list = rig.get("/api/v1/notifications").by(&token).send().await.json();
    assert_eq!(list["data"][0]["held_back"], 2);
    rig.clock.advance(Duration::from_secs(3601));
    teller.turn().await.unwrap();
    teller.turn().await.unwrap();
    assert_eq!(mail().await.total, 4);
    assert_eq!(mail().await.items[0].subject, "2 more events");
}

#[tokio::test]
async fn who_may_see_a_machine_no_more_is_told_of_it_no_more() {
    let rig = Rig::start().await;
    let viewer = rig.token("v@example.org", crate::access::Role::Viewer).await;
    let device = enrol(&rig).await;
    let body = json!({ "severity": "info" });
    assert_eq!(rig.post("/api/v1/notifications").by(&viewer).json(&body).await.status, 201);
    let teller = Teller::new(rig.app.clone());
    teller.turn().await.unwrap();
    let sql = "UPDATE users SET role = 'user' WHERE email = 'v@example.org'";
    rig.app.store.tamper(sql.to_owned()).await.unwrap();
    events(&rig, device, "limit.tripped", 1).await;
    teller.turn().await.unwrap();
    teller.turn().await.unwrap();
    let mail =
        rig.app.mail.list(&Default::default(), crate::page::PageRequest::first(1)).await.unwrap();
    assert_eq!(mail.total, 0);
}
