//! A plugin's requests to servers on loopback.

use super::*;
use crate::plugins::services::trust::believing;
use crate::testing::pem::Authority;
use crate::testing::soon;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers every request with what it was given, and keeps what it was asked.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, answer) = (Arc::new(Mutex::new(Vec::new())), answer.into());
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap() == 0 {
                        break;
                    }
                }
                kept.lock().unwrap().push(String::from_utf8(request).unwrap());
                // Who has heard enough goes away.
                let _gone = stream.write_all(&answer).await;
            }
        });
        Self { port, asked }
    }

    async fn with(body: &str) -> Self {
        let length = body.len();
        Self::answering(format!(
            "HTTP/1.1 200 OK\r\nX-Kind: a\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    async fn leading_to(place: &str) -> Self {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
        Self::answering(head).await
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics?x=1", self.port)
    }

    fn grant(&self) -> String {
        format!("http:127.0.0.1:{}", self.port)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn get(url: &str) -> Fetch {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Fetch {
        method: "GET".into(),
        url: url.into(),
        headers: vec![header("Authorization", "Bearer t0ken"), header("Accept", "text/plain")],
        body: Vec::new(),
        timeout_ms: 2_000,
    }
}

async fn fetch(fetch: Fetch, grants: &[String]) -> Result<Fetched, Failure> {
    let fetcher = Fetcher::new(believing(RootCertStore::empty()).unwrap());
    soon(fetcher.fetch(fetch, &Grants::parse(grants))).await.map_err(Failure::from)
}

#[tokio::test]
async fn a_granted_host_is_asked_with_the_plugins_headers() {
    let server = Server::with("load 0.5\n").await;
    let fetched = fetch(get(&server.url()), &[server.grant()]).await.unwrap();
    assert_eq!((fetched.status, fetched.body.as_slice()), (200, &b"load 0.5\n"[..]));
    assert!(fetched.headers.contains(&("x-kind".into(), "a".into())));
    let asked = server.asked().remove(0).to_ascii_lowercase();
    assert!(asked.starts_with("get /metrics?x=1 http/1.1\r\n"), "{asked}");
    for line in [
        format!("host: 127.0.0.1:{}", server.port),
        "authorization: bearer t0ken".into(),
        "accept: text/plain".into(),
    ] {
        assert!(asked.contains(&line), "{line}: {asked}");
    }
}

#[tokio::test]
async fn what_is_not_granted_is_never_asked() {
    let server = Server::with("secret").await;
    for grants in [vec![], vec!["http:127.0.0.1:1".into()], vec!["http:example.org".into()]] {
        let failure = fetch(get(&server.url()), &grants).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied, "{grants:?}");
        assert!(failure.message.contains("is not granted"), "{}", failure.message);
    }
    // A star grants no address of this machine, by whatever name it comes.
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "127.1"] {
        let url = format!("http://{host}:{}/", server.port);
        let failure = fetch(get(&url), &["http:*".into()]).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied, "{host}: {}", failure.message);
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_is_checked_as_the_first_address_was() {
    let secret = Server::with("secret").await;
    let leading = Server::leading_to(&secret.url()).await;
    let failure = fetch(get(&leading.url()), &[leading.grant()]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert_eq!(secret.asked(), Vec::<String>::new());
    // Where it is granted it is followed, and the token stays behind.
    let grants = [leading.grant(), secret.grant()];
    assert_eq!(fetch(get(&leading.url()), &grants).await.unwrap().body, b"secret");
    let asked = secret.asked().remove(0).to_ascii_lowercase();
    assert!(asked.contains("accept: text/plain") && !asked.contains("t0ken"), "{asked}");
    let round = Server::leading_to("/again").await;
    let failure = fetch(get(&round.url()), &[round.grant()]).await.unwrap_err();
    assert_eq!((failure.kind, round.asked().len()), (FailureKind::Limit, 6));
}

#[tokio::test]
async fn an_answer_that_is_too_large_too_slow_or_none_is_named() {
    let mut large = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    large.resize(9 * 1024 * 1024, b'x');
    let server = Server::answering(large).await;
    let failure = fetch(get(&server.url()), &[server.grant()]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Limit, "{}", failure.message);
    let broken = Server::answering(*b"220 smtp.example\r\n").await;
    let failure = fetch(get(&broken.url()), &[broken.grant()]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Upstream);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let slow = Fetch { timeout_ms: 100, ..get(&format!("http://127.0.0.1:{port}/")) };
    let failure = fetch(slow, &[format!("http:127.0.0.1:{port}")]).await.unwrap_err();
    assert_eq!(failure.message, "it did not answer within 100 ms");
}

#[tokio::test]
async fn what_belongs_to_the_connection_is_not_a_plugins() {
    let server = Server::with("").await;
    for name in ["Host", "content-length", "Transfer-Encoding", "Connection", "a b"] {
        let mut request = get(&server.url());
        request.headers.push((name.to_owned(), "x".to_owned()));
        let failure = fetch(request, &[server.grant()]).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{name}");
    }
    for method in ["CONNECT", "TRACE", "get", ""] {
        let request = Fetch { method: method.into(), ..get(&server.url()) };
        let failure = fetch(request, &[server.grant()]).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{method}");
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}

/// A fetcher for which names lead where the test says, one lookup after another.
fn played(lookups: &[&[SocketAddr]]) -> Fetcher {
    let answers = lookups.iter().map(|addresses| addresses.to_vec()).collect();
    let tls = believing(RootCertStore::empty()).unwrap();
    Fetcher { tls, names: Names::Played(Arc::new(Mutex::new(answers))) }
}

fn near(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[tokio::test]
async fn a_granted_name_that_is_led_to_this_machine_is_not_followed() {
    let secret = Server::with("secret").await;
    let port = secret.port;
    let grants = Grants::parse(&[format!("http:feed.example:{port}")]);
    let far = SocketAddr::from(([1, 1, 1, 1], port));
    let metadata = SocketAddr::from(([169, 254, 169, 254], port));
    for addresses in [vec![near(port)], vec![far, near(port)], vec![metadata]] {
        let asked = get(&format!("http://feed.example:{port}/"));
        let failure = Failure::from(played(&[&addresses]).fetch(asked, &grants).await.unwrap_err());
        assert_eq!(failure.kind, FailureKind::Denied, "{addresses:?}");
        assert!(failure.message.starts_with("feed.example leads to this machine"), "{failure:?}");
    }
    assert_eq!(secret.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_is_asked_for_once_and_a_change_between_does_nothing() {
    let (first, second) = (Server::with("first").await, Server::with("second").await);
    let grants = Grants::parse(&["http:localhost".into()]);
    // The second answer waits for whoever would look again before it connects.
    let fetcher = played(&[&[near(first.port)], &[near(second.port)]]);
    let fetched = fetcher.fetch(get(&format!("http://localhost:{}/", first.port)), &grants);
    assert_eq!(soon(fetched).await.unwrap().body, b"first");
    assert_eq!(second.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_back_to_a_name_that_has_changed_meanwhile_is_checked_again() {
    let leading = Server::leading_to("http://feed.example:80/").await;
    let own = Server::with("secret").await;
    let grants = Grants::parse(&["http:localhost".into(), "http:feed.example".into()]);
    let fetcher = played(&[&[near(leading.port)], &[near(own.port)]]);
    let fetched = fetcher.fetch(get(&format!("http://localhost:{}/", leading.port)), &grants);
    let failure = Failure::from(soon(fetched).await.unwrap_err());
    assert_eq!(failure.kind, FailureKind::Denied, "{failure:?}");
    assert_eq!((leading.asked().len(), own.asked().len()), (1, 0));
}

/// A server of `authority`'s for `name`, whose every answer is `secret`.
async fn with_tls(authority: &Authority, name: &str) -> u16 {
    let issued = authority.issue(name);
    let chain = vec![CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(builder.with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&config));
            // Who does not believe this server goes away.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let _asked = stream.read(&mut request).await;
            let _gone =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret").await;
        }
    });
    port
}

fn believing_in(authority: &Authority) -> Fetcher {
    let mut roots = RootCertStore::empty();
    let pem = authority.certificate();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    Fetcher::new(believing(roots).unwrap())
}

#[tokio::test]
async fn a_server_with_tls_is_believed_by_the_machines_authorities_under_its_own_name() {
    let (authority, other) = (Authority::new(), Authority::new());
    let grants = Grants::parse(&["http:localhost".into(), "http:127.0.0.1".into()]);
    let port = with_tls(&authority, "localhost").await;
    let url = format!("https://localhost:{port}/");
    let fetcher = believing_in(&authority);
    let fetched = soon(fetcher.fetch(get(&url), &grants)).await.unwrap();
    assert_eq!(fetched.body, b"secret");
    // Another authority's word, and another name, are worth nothing.
    let strange = soon(believing_in(&other).fetch(get(&url), &grants)).await.unwrap_err();
    let by_address = format!("https://127.0.0.1:{port}/");
    let fetched = fetcher.fetch(get(&by_address), &grants);
    for error in [strange, soon(fetched).await.unwrap_err()] {
        let failure = Failure::from(error);
        assert_eq!(failure.kind, FailureKind::Upstream);
        assert!(failure.message.contains("can't be trusted"), "{}", failure.message);
    }
}
