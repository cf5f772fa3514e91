//! The listener: TLS and its certificates, and clients that are slow or many.

use super::rig::Rig;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const PATIENCE: Duration = Duration::from_secs(10);
const READY: &[u8] = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n";

async fn connect(
    address: SocketAddr,
    root: &CertificateDer<'static>,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// The answer's first bytes, up to where they contain `end`.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), head: &[u8], end: &str) -> String {
    stream.write_all(head).await.unwrap();
    let mut answer = String::new();
    let mut buffer = [0; 4096];
    while !answer.contains(end) {
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(read, 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    answer
}

/// A certificate for localhost that is its own authority, as files.
fn write_certificate(folder: &std::path::Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

fn with_provider() {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test]
async fn the_internal_authority_gives_https_with_hsts_and_http_2() {
    with_provider();
    let rig = Rig::with(|config| config.tls.internal = true).await;
    let address = rig.listen().await;
    let root = rig.app.authority.certificate_der().clone();
    let mut stream = connect(address, &root, "http/1.1").await.unwrap();
    let answer = ask(&mut stream, READY, "internal authority").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
    let mut stream = connect(address, &root, "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    timeout(PATIENCE, stream.read_exact(&mut frame)).await.unwrap().unwrap();
    assert_eq!(frame[3], 4, "the first frame is SETTINGS");
    let plain = rig.get("/readyz").send().await;
    assert!(plain.headers.get("strict-transport-security").is_none());
}

#[tokio::test]
async fn a_new_certificate_is_shown_while_old_connections_stay_and_a_bad_one_is_not_taken() {
    with_provider();
    let folder = tempfile::tempdir().unwrap();
    let old = write_certificate(folder.path());
    let path = folder.path().to_owned();
    let rig = Rig::with(|config| {
        config.tls.cert = Some(path.join("cert.pem"));
        config.tls.key = Some(path.join("key.pem"));
    })
    .await;
    let address = rig.listen().await;
    let mut early = connect(address, &old, "http/1.1").await.unwrap();
    ask(&mut early, READY, "certificate of files").await;
    let new = write_certificate(folder.path());
    let exchanged = timeout(PATIENCE, async {
        while connect(address, &new, "http/1.1").await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    exchanged.await.unwrap();
    assert!(connect(address, &old, "http/1.1").await.is_err());
    ask(&mut early, READY, "certificate of files").await;
    std::fs::write(folder.path().join("cert.pem"), "nonsense").unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    connect(address, &new, "http/1.1").await.unwrap();
}

#[tokio::test]
async fn the_plain_listener_leads_to_https() {
    with_provider();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = free.local_addr().unwrap();
    drop(free);
    let rig = Rig::with(|config| {
        config.tls.internal = true;
        config.tls.redirect = Some(plain);
    })
    .await;
    let address = rig.listen().await;
    let stream = timeout(PATIENCE, async {
        loop {
            if let Ok(stream) = TcpStream::connect(plain).await {
                return stream;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut stream = stream.await.unwrap();
    let head = b"GET /api/v1/devices?page=2 HTTP/1.1\r\nhost: flyball.example.org:80\r\n\r\n";
    let answer = ask(&mut stream, head, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    let there =
        format!("location: https://flyball.example.org:{}/api/v1/devices?page=2", address.port());
    assert!(answer.contains(&there), "{answer}");
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_is_cut_off() {
    let rig = Rig::with(|config| config.listener.head_patience_ms = 300).await;
    let mut stream = TcpStream::connect(rig.listen().await).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: ").await.unwrap();
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_answered_and_cut_off() {
    let rig = Rig::with(|config| config.listener.body_patience_ms = 300).await;
    let mut stream = TcpStream::connect(rig.listen().await).await.unwrap();
    let head = b"POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
        content-length: 100\r\n\r\n{\"a\":";
    let answer = ask(&mut stream, head, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn more_connections_than_are_allowed_wait_for_their_turn() {
    let rig = Rig::with(|config| config.listener.max_connections = 2).await;
    let address = rig.listen().await;
    let live = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        ask(&mut stream, live, "ok\n").await;
        held.push(stream);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    third.write_all(live).await.unwrap();
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(300), third.read_exact(&mut byte)).await.is_err());
    held.pop();
    timeout(PATIENCE, third.read_exact(&mut byte)).await.unwrap().unwrap();
}
