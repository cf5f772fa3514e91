//! A small listener: `POST /readings` with what [`super::payload`] describes.
//!
//! One request a connection, everything bounded, nothing served but this. 202 says that the
//! readings are taken, anything else why they are not, in one sentence of JSON.

use super::cause::Cause;
use super::door::{Door, Origin};
use super::payload::MAX_MESSAGE_BYTES;
use crate::clock::Clock;
use crate::config::{Http, Secret};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const PATH: &str = "/readings";
const MAX_HEAD_BYTES: usize = 4096;
const MAX_HEADERS: usize = 32;
const MAX_CONNECTIONS: usize = 16;
/// For a whole request and its answer.
const PATIENCE: Duration = Duration::from_secs(10);
const BIND_AGAIN: Duration = Duration::from_secs(10);

/// What a request is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    status: &'static str,
    says: &'static str,
}

const TAKEN: Answer = Answer { status: "202 Accepted", says: "" };

/// Listens for ever.
pub(super) async fn listen(http: Http, door: Arc<Door>, clock: Clock) {
    let listener = bind(&http).await;
    let token = Arc::new(http.token);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The kernel's queue holds who comes meanwhile.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, peer)) = listener.accept().await else {
            // No descriptor is free; others end.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (door, token) = (Arc::clone(&door), Arc::clone(&token));
        tokio::spawn(async move {
            let served = serve(stream, &door, token.as_ref().as_ref(), clock);
            if tokio::time::timeout(PATIENCE, served).await.is_err() {
                door.refuse(Cause::BadRequest, &peer.to_string());
            }
            drop(place);
        });
    }
}

async fn bind(http: &Http) -> TcpListener {
    let mut reported = false;
    loop {
        match TcpListener::bind(http.listen).await {
            Ok(listener) => {
                tracing::info!(listen = %http.listen, "readings are taken over HTTP");
                return listener;
            }
            Err(error) => {
                if !std::mem::replace(&mut reported, true) {
                    tracing::error!(listen = %http.listen, %error, "no readings over HTTP yet");
                }
                tokio::time::sleep(BIND_AGAIN).await;
            }
        }
    }
}

async fn serve(mut stream: TcpStream, door: &Door, token: Option<&Secret>, clock: Clock) {
    let from = stream.peer_addr().map_or_else(|_| "http".to_owned(), |peer| peer.to_string());
    let answer = match request(&mut stream, token).await {
        Ok(body) => match door.take(Origin::Http, &body, clock.now()) {
            Ok(()) => TAKEN,
            Err(cause) => answer_to(cause),
        },
        Err(cause) => {
            door.refuse(cause, &from);
            answer_to(cause)
        }
    };
    // Whoever doesn't wait for the answer doesn't want it.
    let _gone = respond(&mut stream, answer).await;
}

/// The body of a request that may be served.
async fn request(stream: &mut TcpStream, token: Option<&Secret>) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        let room = MAX_HEAD_BYTES + MAX_MESSAGE_BYTES - bytes.len();
        let read = stream.take(room as u64).read_buf(&mut bytes).await;
        if !matches!(read, Ok(1..)) {
            return Err(Cause::BadRequest);
        }
        let Some((head_bytes, body_bytes)) = head(&bytes, token)? else {
            if bytes.len() >= MAX_HEAD_BYTES {
                return Err(Cause::Oversized);
            }
            continue;
        };
        if bytes.len() >= head_bytes + body_bytes {
            bytes.truncate(head_bytes + body_bytes);
            bytes.drain(..head_bytes);
            return Ok(bytes);
        }
    }
}

/// How long head and body are, once the head is whole.
fn head(bytes: &[u8], token: Option<&Secret>) -> Result<Option<(usize, usize)>, Cause> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head_bytes = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Cause::BadRequest),
    };
    if request.method != Some("POST") || request.path != Some(PATH) {
        return Err(Cause::BadRequest);
    }
    let header = |name: &str| {
        let mut found = request.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name));
        // A request that says it twice may mean either.
        found.next().filter(|_| found.next().is_none()).map(|header| header.value)
    };
    if let Some(token) = token {
        let given = header("authorization").and_then(|value| value.strip_prefix(b"Bearer "));
        let same = given.is_some_and(|given| bool::from(given.ct_eq(token.reveal().as_bytes())));
        if !same {
            return Err(Cause::Unauthorized);
        }
    }
    let length = header("content-length").and_then(|value| std::str::from_utf8(value).ok());
    let body_bytes: usize = length.and_then(|text| text.parse().ok()).ok_or(Cause::BadRequest)?;
    if body_bytes > MAX_MESSAGE_BYTES || head_bytes > MAX_HEAD_BYTES {
        return Err(Cause::Oversized);
    }
    Ok(Some((head_bytes, body_bytes)))
}

const fn answer_to(cause: Cause) -> Answer {
    let status = match cause {
        Cause::Oversized => "413 Content Too Large",
        Cause::Unauthorized => "401 Unauthorized",
        Cause::Busy => "503 Service Unavailable",
        Cause::UnknownDevice | Cause::UnknownTopic => "404 Not Found",
        Cause::NotJson
        | Cause::UnknownReadingType
        | Cause::WrongUnit
        | Cause::NotANumber
        | Cause::OutOfRange => "422 Unprocessable Content",
        Cause::BadRequest
        | Cause::Retained
        | Cause::Unreachable
        | Cause::Untrusted
        | Cause::TimedOut
        | Cause::BadStatus
        | Cause::BadAnswer => "400 Bad Request",
    };
    Answer { status, says: cause.advice() }
}

async fn respond(stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    let Answer { status, says } = answer;
    let body = match says {
        "" => String::new(),
        says => serde_json::json!({ "detail": says }).to_string(),
    };
    let length = body.len();
    let response = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}
