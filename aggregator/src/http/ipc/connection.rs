//! One client from its first message to its end.

use super::answer::{self, Fault};
use super::call::{self, Call};
use super::frame::{Frame, Frames};
use super::{MAX_BATCH, MAX_FRAME_BYTES, MAX_IN_FLIGHT};
use crate::http::Api;
use crate::http::error::ErrorCode;
use crate::http::live::feed::{Feed, JUDGE_EVERY, Request};
use crate::http::live::message::parse_topics;
use crate::http::live::said::Said;
use crate::http::live::{End, MAX_STREAMS};
use crate::live::Mode;
use axum::Router;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Messages that wait for a client that reads slowly.
const OUTGOING: usize = 4;

pub(super) struct Connection {
    api: Api,
    router: Router,
    account: String,
    outgoing: mpsc::Sender<String>,
    calls: JoinSet<()>,
    feed: Option<Box<Feed>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    topics: Vec<String>,
    #[serde(default)]
    mode: Mode,
    min_interval_ms: Option<u64>,
    resume: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unsubscribe {
    topics: Vec<String>,
}

impl Connection {
    pub(super) async fn run(api: Api, router: Router, stream: UnixStream, account: String) {
        let (reader, writer) = stream.into_split();
        let (outgoing, told) = mpsc::channel(OUTGOING);
        let mut connection =
            Self { api, router, account, outgoing, calls: JoinSet::new(), feed: None };
        let serve = async {
            connection.serve(reader).await;
            // Whoever has said all may still wait for answers.
            while connection.calls.join_next().await.is_some() {}
            drop(connection);
        };
        tokio::join!(serve, write(writer, told));
    }

    /// Until the client has said its last word, or one that can't be understood.
    async fn serve(&mut self, reader: OwnedReadHalf) {
        let mut reader = BufReader::new(reader);
        let mut frames = Frames::default();
        let mut stop = self.api.app.shutdown.subscribe();
        loop {
            let has_room = self.calls.len() < MAX_IN_FLIGHT;
            tokio::select! {
                frame = frames.next(&mut reader), if has_room => match frame {
                    Ok(Frame::Line(line)) => self.handle(&line).await,
                    Ok(Frame::TooLong) => {
                        let said = format!("a message has at most {MAX_FRAME_BYTES} bytes");
                        let fault = answer::fault(&Value::Null, Fault::InvalidRequest, said);
                        return self.say(fault).await;
                    }
                    Ok(Frame::End) | Err(_) => return,
                },
                Some(_) = self.calls.join_next() => {}
                ended = tell(&mut self.feed, &self.outgoing) => {
                    self.feed = None;
                    let params = json!({ "code": ended.code, "reason": ended.reason });
                    self.send(answer::notification("stream.closed", &params)).await;
                }
                // Nobody reads any more.
                () = self.outgoing.closed() => return,
                () = stop.wait() => return,
            }
        }
    }

    async fn handle(&mut self, line: &[u8]) {
        match serde_json::from_slice(line) {
            Ok(Value::Array(batch)) => self.handle_batch(batch).await,
            Ok(message) => self.handle_one(message).await,
            Err(_) => {
                let fault = answer::fault(&Value::Null, Fault::Parse, "the line is no JSON");
                self.say(fault).await;
            }
        }
    }

    async fn handle_one(&mut self, message: Value) {
        let call = match Call::read(message) {
            Ok(call) => call,
            Err(fault) => return self.say(fault).await,
        };
        match call.method.as_str() {
            "stream.subscribe" => self.subscribe(call).await,
            "stream.unsubscribe" => self.unsubscribe(call).await,
            _ => {
                let (api, router) = (self.api.clone(), self.router.clone());
                let (account, outgoing) = (self.account.clone(), self.outgoing.clone());
                self.calls.spawn(async move {
                    let is_wanted = call.id.is_some();
                    let answer = call::make(&api, router, &account, call).await;
                    if is_wanted {
                        // A client that is gone needs no answer.
                        let _ = outgoing.send(answer.to_string()).await;
                    }
                });
            }
        }
    }

    async fn handle_batch(&mut self, batch: Vec<Value>) {
        if batch.is_empty() || batch.len() > MAX_BATCH {
            let said = format!("a batch has 1 to {MAX_BATCH} calls");
            return self.say(answer::fault(&Value::Null, Fault::InvalidRequest, said)).await;
        }
        let (api, router) = (self.api.clone(), self.router.clone());
        let (account, outgoing) = (self.account.clone(), self.outgoing.clone());
        self.calls.spawn(async move {
            let mut answers = Vec::with_capacity(batch.len());
            // One after the other: the later may build on the earlier.
            for message in batch {
                match Call::read(message) {
                    Err(fault) => answers.push(fault),
                    Ok(call) if call.method.starts_with("stream.") => {
                        let said = "a stream's methods don't stand in a batch";
                        answers.push(answer::fault(&call.known(), Fault::InvalidRequest, said));
                    }
                    Ok(call) => {
                        let is_wanted = call.id.is_some();
                        let answer = call::make(&api, router.clone(), &account, call).await;
                        if is_wanted {
                            answers.push(answer);
                        }
                    }
                }
            }
            if !answers.is_empty() {
                // A client that is gone needs no answer.
                let _ = outgoing.send(Value::Array(answers).to_string()).await;
            }
        });
    }

    async fn subscribe(&mut self, call: Call) {
        let id = call.known();
        let asked: Subscribe = match typed(&call) {
            Ok(asked) => asked,
            Err(fault) => return self.say(fault).await,
        };
        let topics = match parse_topics(&asked.topics, asked.mode) {
            Ok(topics) => topics,
            Err(said) => return self.say(answer::fault(&id, Fault::InvalidParams, said)).await,
        };
        if self.feed.is_none() {
            match self.open().await {
                Ok(feed) => self.feed = Some(Box::new(feed)),
                Err((code, said)) => return self.say(answer::refusal(&id, code, &said)).await,
            }
        }
        if let Some(feed) = &mut self.feed {
            let (min_interval_ms, resume) = (asked.min_interval_ms, asked.resume);
            feed.subscribe(call.id, Request { topics, min_interval_ms, resume }).await;
        }
    }

    async fn open(&self) -> Result<Feed, (ErrorCode, String)> {
        let api = &self.api;
        if api.app.live.subscribers() >= MAX_STREAMS {
            return Err((ErrorCode::Unavailable, "too many streams are open".into()));
        }
        match api.app.accounts.local_caller(&self.account).await {
            Ok(Some(caller)) => Ok(Feed::open(api.clone(), caller, false).await),
            Ok(None) => {
                let said = format!("the account {} is not there, or is disabled", self.account);
                Err((ErrorCode::AccountInactive, said))
            }
            Err(error) => {
                let error = crate::http::error::error_chain(&error);
                tracing::error!(%error, "an account can't be judged");
                Err((ErrorCode::Unavailable, "accounts can't be read now".into()))
            }
        }
    }

    async fn unsubscribe(&mut self, call: Call) {
        let id = call.known();
        let asked: Unsubscribe = match typed(&call) {
            Ok(asked) => asked,
            Err(fault) => return self.say(fault).await,
        };
        match parse_topics(&asked.topics, Mode::Event) {
            Ok(topics) => {
                if let Some(feed) = &mut self.feed {
                    feed.unsubscribe(&topics);
                }
                if call.id.is_some() {
                    self.say(answer::result(&id, ok())).await;
                }
            }
            Err(said) => self.say(answer::fault(&id, Fault::InvalidParams, said)).await,
        }
    }

    async fn say(&self, message: Value) {
        self.send(message.to_string()).await;
    }

    async fn send(&self, line: String) {
        // A client that is gone needs no answer.
        let _ = self.outgoing.send(line).await;
    }
}

fn ok() -> Value {
    json!({ "status": "ok", "data": null, "error": null, "meta": {} })
}

fn typed<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, Value> {
    serde_json::from_value(Value::Object(call.params.clone())).map_err(|_| {
        let said = "`params` has `topics`, a list of strings, and for a subscription `mode`, \
            `min_interval_ms` and `resume`";
        answer::fault(&call.known(), Fault::InvalidParams, said)
    })
}

/// Tells what the feed has to tell until it ends. While the client reads slowly nothing is taken
/// from the feed, whose own bounds hold then, and its account is still judged.
async fn tell(feed: &mut Option<Box<Feed>>, outgoing: &mpsc::Sender<String>) -> End {
    let Some(feed) = feed else { return std::future::pending().await };
    loop {
        let place = match timeout(JUDGE_EVERY, outgoing.reserve()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => match feed.judge().await {
                Ok(()) => continue,
                Err(end) => return end,
            },
        };
        match feed.next().await {
            Ok(message) => {
                if let Some(message) = carried(&message) {
                    place.send(message);
                }
            }
            Err(end) => return end,
        }
    }
}

/// A message of the stream as the socket has it: what answers a call is its answer.
fn carried(message: &Said) -> Option<String> {
    let result = match message {
        Said::Own(result) if message.kind() == Some("result") => result,
        _ => return Some(answer::notification("stream.message", message)),
    };
    let id = &result["id"];
    if id.is_null() {
        return None;
    }
    let answer = match result["message"].as_str() {
        Some(said) => answer::fault(id, Fault::InvalidParams, said),
        None => answer::result(id, ok()),
    };
    Some(answer.to_string())
}

async fn write(mut writer: OwnedWriteHalf, mut told: mpsc::Receiver<String>) {
    while let Some(mut line) = told.recv().await {
        line.push('\n');
        if writer.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}
