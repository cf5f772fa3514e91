//! Sensors that are asked, against servers that this test plays.

use super::*;
use crate::testing::pem::Authority;
use crate::testing::soon;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

/// A sensor that gives the same answer to everybody, and keeps what it was asked.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(answer: Option<String>, tls: Option<TlsAcceptor>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                match &tls {
                    None => serve(stream, answer.as_deref(), &heard).await,
                    Some(tls) => {
                        // Whoever does not trust it goes away.
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, answer.as_deref(), &heard).await;
                        }
                    }
                }
            }
        });
        Self { address, asked, task }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: Option<&str>,
    asked: &Mutex<Vec<String>>,
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    asked.lock().unwrap().push(String::from_utf8(request).unwrap());
    match answer {
        Some(answer) => {
            // An asker that has had enough is gone already.
            let _gone = stream.write_all(answer.as_bytes()).await;
            let _gone = stream.shutdown().await;
        }
        None => std::future::pending().await,
    }
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn polled(url: &str, more: &str) -> Rig {
    Rig::new(&format!(
        "[[sensor]]\nkey = \"cold\"\nurl = \"{url}\"\nevery_s = 1\n\
         readings = [\"TEMPERATURE\"]\n{more}"
    ))
}

impl Rig {
    fn ask(&self) -> JoinHandle<()> {
        let poll = self.config.sensors[0].poll.clone().unwrap();
        tokio::spawn(poll::ask("cold".into(), poll, self.door.clone(), Clock))
    }

    /// Waits until `name` reads `expected`.
    async fn reads(&mut self, name: &str, expected: Value) {
        while self.read_at(Moment::read(Clock))[name] != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_sensor_is_asked_with_its_token_and_its_reading_taken() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "t0ken\n").unwrap();
    let server = Server::start(Some(answer(&temperature("-18.5"))), None).await;
    let url = format!("http://{}/r?probe=1", server.address);
    let mut rig = polled(&url, &format!("token_file = {token:?}\n"));
    let asking = rig.ask();
    soon(rig.reads("cold/temperature", Ok(-18.5))).await;
    assert_eq!(rig.states(), [EquipmentState::Connected]);
    let asked = &server.asked()[0];
    assert!(asked.starts_with("GET /r?probe=1 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("authorization: Bearer t0ken\r\n"), "{asked}");
    // Nobody else gives this sensor's readings.
    let message = "{\"device\":\"cold\",\"reading_type\":\"TEMPERATURE\",\"value\":1}";
    assert_eq!(rig.post(0, message), Err(Cause::UnknownDevice));
    asking.abort();
}

#[tokio::test]
async fn every_way_to_fail_has_its_name_and_is_told_of_the_equipment() {
    let unreachable = format!("http://{}/", free_address());
    let large = format!("{:5000}", 1);
    let foreign = "{\"device\":\"x\",\"reading_type\":\"TEMPERATURE\",\"value\":1}";
    let fahrenheit = "{\"reading_type\":\"TEMPERATURE\",\"value\":1,\"unit\":\"[degF]\"}";
    for (response, name, trouble) in [
        (None, "timed_out", "did not answer within 1000 ms"),
        (Some("HTTP/1.1 503 Busy\r\n\r\n".to_owned()), "bad_status", "it answered 503"),
        (Some("hello\r\n\r\n".to_owned()), "bad_answer", "no HTTP"),
        (Some("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".into()), "bad_answer", "cut off"),
        (Some(answer(&large)), "oversized", "more than 4096 bytes"),
        (Some(answer("21.5")), "not_json", ""),
        (Some(answer(foreign)), "unknown_device", ""),
        (Some(answer(fahrenheit)), "wrong_unit", ""),
    ] {
        let server = Server::start(response, None).await;
        let mut rig = polled(&format!("http://{}/", server.address), "");
        let asking = rig.ask();
        soon(rig.reads(name, Ok(1.0))).await;
        assert_eq!(rig.read_at(Moment::read(Clock))["cold/temperature"], Err(NoData::Missing));
        let state = format!("{:?}", rig.states());
        assert!(state.contains(trouble), "{name}: {state}");
        asking.abort();
    }
    let mut rig = polled(&unreachable, "");
    let asking = rig.ask();
    soon(rig.reads("unreachable", Ok(1.0))).await;
    let state = format!("{:?}", rig.states());
    assert!(state.contains("Unreachable") && state.contains("can't be reached"), "{state}");
    asking.abort();
}

#[tokio::test]
async fn a_sensor_behind_tls_is_asked_where_its_authority_is_the_one() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let issued = authority.issue("127.0.0.1");
    let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::start(Some(answer(&temperature("4"))), Some(acceptor)).await;
    for (authority, name, expected) in
        [(&Authority::new(), "untrusted", Ok(1.0)), (&authority, "cold/temperature", Ok(4.0))]
    {
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, authority.certificate()).unwrap();
        let url = format!("https://{}/", server.address);
        let mut rig = polled(&url, &format!("[sensor.tls]\nca_file = {ca:?}\n"));
        let asking = rig.ask();
        soon(rig.reads(name, expected)).await;
        asking.abort();
    }
}
