use super::*;
use crate::shelf;
use flyball_protocol::message::{
    Job, JobEvent, JobFailureKind, JobRequest, ShelfAsset, ShelfPiece,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

struct Site {
    _state: tempfile::TempDir,
    shelf: Shelf,
    address: SocketAddr,
}

impl Site {
    async fn open(token: Option<&str>) -> Self {
        let state = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(state.path(), 1 << 20).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let token = token.map(|token| Secret::new(token.to_owned()));
        tokio::spawn(serve(Serving { listen: address, token }, shelf.clone()));
        for _ in 0..500 {
            if TcpStream::connect(address).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { _state: state, shelf, address }
    }

    async fn job(&self, job: Job) -> JobEvent {
        let (sender, mut events) = mpsc::channel(4);
        let request = JobRequest { deadline_ms: 1_000, plugin: String::new(), job };
        assert!(shelf::is_for(&request));
        shelf::run(Some(self.shelf.clone()), request.job, sender).await;
        events.recv().await.unwrap()
    }

    async fn shelve(&self, revision: u64, audio: &[u8]) {
        let piece = |piece| Job::Shelve { curriculum: "bio 1".into(), revision, piece };
        let document = format!("{{\"revision\":{revision}}}").into_bytes();
        let document = ShelfPiece::Document { title: "Biology".into(), bytes: document };
        let about = ShelfAsset {
            id: "lecture".into(),
            topic: Some("cells".into()),
            kind: "audio".into(),
            title: "Cells".into(),
            media_type: "audio/ogg".into(),
            size: audio.len() as u64,
        };
        let (first, rest) = audio.split_at(audio.len() / 2);
        let half = |offset: usize, bytes: &[u8]| ShelfPiece::Asset {
            about: about.clone(),
            offset: offset as u64,
            bytes: bytes.to_vec(),
        };
        let whole = ShelfPiece::Whole { assets: 1 };
        for each in [document, half(0, first), half(first.len(), rest), whole] {
            assert_eq!(self.job(piece(each)).await, JobEvent::Done);
        }
    }

    /// The head and the body of one answer.
    async fn ask(&self, request: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let text = request.replace('\n', "\r\n");
        let text = format!("{text}\r\nHost: site\r\nConnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        (String::from_utf8(bytes[..end].to_vec()).unwrap(), bytes[end + 4..].to_vec())
    }
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn readers_get_a_curriculum_its_recordings_and_parts_of_them() {
    let site = Site::open(None).await;
    assert_eq!(site.job(Job::Shelf).await, JobEvent::Shelf(Vec::new()));
    let audio: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    site.shelve(1, &audio).await;
    assert_eq!(site.job(Job::Shelf).await, JobEvent::Shelf(vec![("bio 1".into(), 1)]));
    let (head, body) = site.ask("GET /api/curricula HTTP/1.1").await;
    let list: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status(&head), &list["curricula"][0]["title"]), (200, &json!("Biology")));
    let (head, body) = site.ask("GET /api/curricula/bio%201/full HTTP/1.1").await;
    assert_eq!((status(&head), body), (200, b"{\"revision\":1}".to_vec()));
    assert!(head.contains("etag: \"1\""), "{head}");
    let known = "GET /api/curricula/bio%201/full HTTP/1.1\nIf-None-Match: \"1\"";
    assert_eq!(status(&site.ask(known).await.0), 304);
    let speech = "GET /api/curricula/bio%201/topics/cells/stream-audio HTTP/1.1";
    let (head, body) = site.ask(speech).await;
    assert!(head.contains("audio/ogg") && body == audio, "{head}");
    let (head, body) = site.ask(&format!("{speech}\nRange: bytes=299990-")).await;
    assert_eq!((status(&head), &body[..]), (206, &audio[299_990..]));
    assert!(head.contains("content-range: bytes 299990-299999/300000"), "{head}");
    let (head, _) = site.ask(&format!("{speech}\nRange: bytes=300000-")).await;
    assert_eq!(status(&head), 416);
    let (head, body) = site.ask(&speech.replace("GET", "HEAD")).await;
    assert!(head.contains("content-length: 300000") && body.is_empty(), "{head}");
    let (_, body) = site.ask("GET /api/curricula/bio%201/assets HTTP/1.1").await;
    let assets: Value = serde_json::from_slice(&body).unwrap();
    let url = assets["assets"][0]["url"].as_str().unwrap();
    let (head, body) = site.ask(&format!("GET {url} HTTP/1.1")).await;
    assert_eq!((status(&head), body.len()), (200, 300_000));
}

#[tokio::test]
async fn a_new_version_and_a_removal_show_at_once() {
    let site = Site::open(None).await;
    site.shelve(1, b"first").await;
    site.shelve(2, b"second").await;
    let speech = "GET /api/curricula/bio%201/topics/cells/stream-audio HTTP/1.1";
    assert_eq!(site.ask(speech).await.1, b"second");
    let piece = ShelfPiece::Removed;
    site.job(Job::Shelve { curriculum: "bio 1".into(), revision: 2, piece }).await;
    assert_eq!(status(&site.ask(speech).await.0), 404);
}

#[tokio::test]
async fn strangers_and_strange_requests_get_nothing() {
    let site = Site::open(Some("geheim")).await;
    site.shelve(1, b"first").await;
    let list = "GET /api/curricula HTTP/1.1";
    assert_eq!(status(&site.ask(list).await.0), 401);
    assert_eq!(status(&site.ask(&format!("{list}\nAuthorization: Bearer nein")).await.0), 401);
    let (head, _) = site.ask(&format!("{list}\nAuthorization: Bearer geheim")).await;
    assert_eq!(status(&head), 200);
    assert!(!head.contains("access-control-allow-origin"), "{head}");
    let site = Site::open(None).await;
    for path in ["/", "/api/curricula/../../etc/passwd", "/api/curricula/%2e%2e/full", "/%ff"] {
        assert_eq!(status(&site.ask(&format!("GET {path} HTTP/1.1")).await.0), 404, "{path}");
    }
    assert_eq!(status(&site.ask("POST /api/curricula HTTP/1.1\nContent-Length: 0").await.0), 405);
    let long = format!("GET /api/curricula HTTP/1.1\nX-Long: {}", "x".repeat(64 * 1024));
    assert_eq!(status(&site.ask(&long).await.0), 431);
}

#[tokio::test]
async fn a_machine_that_keeps_nothing_says_so() {
    let (sender, mut events) = mpsc::channel(4);
    shelf::run(None, Job::Shelf, sender).await;
    match events.recv().await.unwrap() {
        JobEvent::Failed(failure) => {
            assert_eq!(failure.kind, JobFailureKind::Unavailable);
            assert!(failure.message.contains("--content-listen"), "{}", failure.message);
        }
        other => panic!("{other:?}"),
    }
}
