//! A client that reads as fast as it is told.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Attempts to come back, a few a second.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) type Connected = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) server: String,
    pub(crate) token: String,
    pub(crate) topics: Arc<[String]>,
    /// Each sample, by its series and time?
    pub(crate) keeps_all: bool,
}

/// What a client has been told.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) points: u64,
    pub(crate) gaps: u64,
    pub(crate) resyncs: u64,
    pub(crate) bookmark: Option<String>,
    pub(crate) kept: HashSet<(u64, u64)>,
}

#[derive(Deserialize)]
pub(super) struct Said<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    token: Option<&'a str>,
    pub(super) topic: Option<&'a str>,
    pub(super) dropped: Option<u64>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    points: Vec<Point<'a>>,
}

#[derive(Deserialize)]
struct Point<'a> {
    series: &'a str,
    t: u64,
}

pub(super) fn subscription(topics: &[String], resume: Option<&str>) -> String {
    json!({ "type": "subscribe", "topics": topics, "mode": "event", "resume": resume }).to_string()
}

impl Client {
    pub(crate) async fn connect(&self, resume: Option<&str>) -> Result<Connected> {
        let mut request = format!("ws://{}/api/v1/stream", self.server).into_client_request()?;
        let bearer = format!("Bearer {}", self.token).parse()?;
        request.headers_mut().insert("authorization", bearer);
        let (mut socket, _) = timeout(PATIENCE, connect_async(request)).await??;
        let text = subscription(&self.topics, resume);
        socket.send(Message::Text(text.into())).await?;
        Ok(socket)
    }

    /// Connects again to a server that was away.
    pub(crate) async fn come_back(&self, bookmark: Option<String>) -> Result<Connected> {
        let bookmark = bookmark.context("a client has no bookmark")?;
        for _ in 0..ATTEMPTS {
            sleep(PAUSE).await;
            if let Ok(connected) = self.connect(Some(&bookmark)).await {
                return Ok(connected);
            }
        }
        bail!("the aggregator has not come back")
    }

    /// Listens until it is stopped; gives back all that was heard.
    pub(crate) async fn listen(
        self,
        mut socket: Connected,
        mut heard: Heard,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(Self, Heard)> {
        loop {
            let message = tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return Ok((self, heard)),
                message = socket.next() => message.context("the stream has ended")??,
            };
            match message {
                Message::Text(text) => heard.take(&text, self.keeps_all)?,
                Message::Close(frame) => bail!("the stream was closed: {frame:?}"),
                _ => {}
            }
        }
    }
}

impl Heard {
    fn take(&mut self, text: &str, keeps_all: bool) -> Result<()> {
        let said: Said<'_> = serde_json::from_str(text)?;
        match (said.kind, said.data) {
            ("delta", Some(data)) if keeps_all => {
                let data: Data<'_> = serde_json::from_str(data.get())?;
                self.points += data.points.len() as u64;
                for point in data.points {
                    self.kept.insert((point.series.parse()?, point.t));
                }
            }
            ("delta", Some(data)) => self.points += data.get().matches("\"t\":").count() as u64,
            ("gap", _) => self.gaps += 1,
            ("bookmark", _) => self.bookmark = said.token.map(str::to_owned),
            ("resync_required", _) => self.resyncs += 1,
            _ => {}
        }
        Ok(())
    }
}
