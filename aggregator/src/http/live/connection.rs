//! One WebSocket from its first message to its close.

use super::feed::{Feed, JUDGE_EVERY, Request};
use super::message::{FromClient, parse_topics};
use super::said::Said;
use super::{End, MAX_STREAMS, close};
use crate::access::Caller;
use crate::http::Api;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// How long a client may take to say who it is.
const AUTH_PATIENCE: Duration = Duration::from_secs(5);
/// How long the closing frame may take.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    api: Api,
    outgoing: SplitSink<WebSocket, Message>,
    feed: Feed,
}

impl Connection {
    pub(super) async fn run(api: Api, socket: WebSocket, caller: Option<Caller>) {
        let (mut outgoing, mut incoming) = socket.split();
        let caller = match caller {
            Some(caller) => Some(caller),
            None => timeout(AUTH_PATIENCE, first_auth(&api, &mut incoming)).await.ok().flatten(),
        };
        let Some(caller) = caller else {
            let end = End { code: close::UNAUTHORIZED, reason: "no valid sign-in came in time" };
            return say_goodbye(&mut outgoing, end).await;
        };
        if api.app.live.subscribers() >= MAX_STREAMS {
            let end = End { code: close::TOO_MANY, reason: "too many streams are open" };
            return say_goodbye(&mut outgoing, end).await;
        }
        let feed = Feed::open(api.clone(), caller, true).await;
        let mut connection = Self { api, outgoing, feed };
        if let Err(Some(end)) = connection.serve(&mut incoming).await {
            say_goodbye(&mut connection.outgoing, end).await;
        }
    }

    /// Until something ends it; `None` where the client went by itself.
    async fn serve(&mut self, incoming: &mut SplitStream<WebSocket>) -> Result<(), Option<End>> {
        self.feed.greet().await;
        loop {
            tokio::select! {
                message = incoming.next() => match message {
                    Some(Ok(message)) => self.handle_client(message).await?,
                    Some(Err(_)) | None => return Err(None),
                },
                message = self.feed.next() => self.say(&message.map_err(Some)?).await?,
            }
        }
    }

    async fn handle_client(&mut self, message: Message) -> Result<(), Option<End>> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Err(None),
            Message::Binary(_) => {
                let message = "messages are JSON text";
                self.feed.tell(json!({ "type": "error", "message": message }));
                return Ok(());
            }
            // Answered below this layer.
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        match serde_json::from_str(&text) {
            Ok(FromClient::Ping) => {
                let timestamp = self.api.app.clock.now_ms() as f64 / 1_000.0;
                self.feed.tell(json!({ "type": "pong", "timestamp": timestamp }));
            }
            Ok(FromClient::Auth { id, token }) => {
                let answer = self.feed.authenticate(&token).await;
                self.feed.result(id, answer);
            }
            Ok(FromClient::Subscribe { id, topics, mode, min_interval_ms, resume }) => {
                match parse_topics(&topics, mode) {
                    Ok(topics) => {
                        let request = Request { topics, min_interval_ms, resume };
                        self.feed.subscribe(id, request).await;
                    }
                    Err(message) => self.feed.result(id, Err(message)),
                }
            }
            Ok(FromClient::Unsubscribe { id, topics }) => {
                let answer = parse_topics(&topics, crate::live::Mode::Event)
                    .map(|topics| self.feed.unsubscribe(&topics));
                self.feed.result(id, answer);
            }
            Err(_) => {
                let message = "a message is ping, auth, subscribe or unsubscribe";
                self.feed.tell(json!({ "type": "error", "message": message }));
            }
        }
        // What is queued for a client that sends and does not read stays within bounds.
        self.say_all().await
    }

    async fn say_all(&mut self) -> Result<(), Option<End>> {
        while let Some(message) = self.feed.take_ready() {
            self.say(&message).await?;
        }
        Ok(())
    }

    /// Sends one message. While the client reads slowly, its session is still judged.
    async fn say(&mut self, message: &Said) -> Result<(), Option<End>> {
        let text = Message::Text(message.text().into());
        // Every message is flushed before the next one, so there is room for this one now.
        self.outgoing.feed(text).await.map_err(|_| None)?;
        loop {
            match timeout(JUDGE_EVERY, self.outgoing.flush()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(_)) => return Err(None),
                Err(_) => self.feed.judge().await.map_err(Some)?,
            }
        }
    }
}

/// The caller of the first message, which has to be `auth`.
async fn first_auth(api: &Api, incoming: &mut SplitStream<WebSocket>) -> Option<Caller> {
    loop {
        match incoming.next().await?.ok()? {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(FromClient::Auth { token, .. }) => {
                    return api.app.accounts.caller(&token).await.ok();
                }
                _ => return None,
            },
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Binary(_) | Message::Close(_) => return None,
        }
    }
}

async fn say_goodbye(outgoing: &mut SplitSink<WebSocket, Message>, end: End) {
    let frame = CloseFrame { code: end.code, reason: end.reason.into() };
    // A client that doesn't take the frame is closed all the same.
    let _ = timeout(CLOSE_PATIENCE, outgoing.send(Message::Close(Some(frame)))).await;
}
