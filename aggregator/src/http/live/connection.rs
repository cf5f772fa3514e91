//! One stream from its first message to its close.

use super::message::{self, FromClient, Wanted, change, parse_topics};
use crate::access::Caller;
use crate::http::Api;
use crate::http::resources::stats;
use crate::http::time::rfc3339;
use crate::imports::Progress;
use crate::live::subscriber::Devices;
use crate::live::{Delivery, Interest, Live, Subscription, Topic};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

/// How long a client may take to say who it is.
const AUTH_PATIENCE: Duration = Duration::from_secs(5);
/// How often the session behind a stream is looked at. Revocation acts within five seconds.
const JUDGE_EVERY: Duration = Duration::from_secs(1);
/// How long the closing frame may take.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Streams at once.
const MAX_STREAMS: usize = 2_000;

mod close {
    pub(super) const GOING_AWAY: u16 = 1001;
    pub(super) const UNAUTHORIZED: u16 = 4401;
    pub(super) const TOO_MANY: u16 = 4429;
}

/// Why a stream ends.
struct End {
    code: u16,
    reason: &'static str,
}

/// What can happen on a stream.
enum Input {
    Client(Option<Result<Message, axum::Error>>),
    Live(Delivery),
    Import(Result<Progress, broadcast::error::RecvError>),
    Judge,
    Stop,
}

pub(super) struct Connection {
    api: Api,
    caller: Caller,
    outgoing: SplitSink<WebSocket, Message>,
    subscription: Subscription,
    imports: broadcast::Receiver<Progress>,
    judge: Interval,
    /// What the client asked for; presence is delivered besides, for the flat broadcasts.
    asked: Interest,
    seq: HashMap<Topic, u64>,
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
        let mut judge = interval(JUDGE_EVERY);
        judge.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let subscription = api.app.live.subscribe();
        let imports = api.app.imports.progress();
        let asked = Interest::default();
        let seq = HashMap::new();
        let mut connection =
            Self { api, caller, outgoing, subscription, imports, judge, asked, seq };
        if let Err(Some(end)) = connection.serve(&mut incoming).await {
            say_goodbye(&mut connection.outgoing, end).await;
        }
    }

    /// Until something ends it; `None` where the client went by itself.
    async fn serve(&mut self, incoming: &mut SplitStream<WebSocket>) -> Result<(), Option<End>> {
        self.narrow();
        self.greet().await?;
        let mut stop = self.api.app.shutdown.subscribe();
        loop {
            let input = tokio::select! {
                () = stop.wait() => Input::Stop,
                _ = self.judge.tick() => Input::Judge,
                message = incoming.next() => Input::Client(message),
                delivery = self.subscription.next() => Input::Live(delivery),
                progress = self.imports.recv() => Input::Import(progress),
            };
            match input {
                Input::Stop => {
                    let reason = "the server is shutting down";
                    return Err(Some(End { code: close::GOING_AWAY, reason }));
                }
                Input::Judge => self.judge().await?,
                Input::Client(Some(Ok(message))) => self.handle_client(message).await?,
                Input::Client(Some(Err(_)) | None) => return Err(None),
                Input::Live(delivery) => self.handle_live(delivery).await?,
                Input::Import(Ok(progress)) => self.handle_import(&progress).await?,
                // Progress is state: the next one says it all.
                Input::Import(Err(_)) => {}
            }
        }
    }

    async fn greet(&mut self) -> Result<(), Option<End>> {
        let stats = match stats::gather(&self.api).await {
            Ok(stats) => json!(stats),
            Err(_) => json!({}),
        };
        let total = stats["total_logs_received"].clone();
        let online = stats["online_clients"].clone();
        let server_time = rfc3339(self.api.app.clock.now_ms());
        let mut told = json!({ "server_time": server_time, "stats": stats });
        told["stats"]["total_logs"] = total;
        told["stats"]["online_clients"] = online;
        self.say(json!({ "type": "connected", "data": told })).await
    }

    /// Ends the stream with its token or its session.
    async fn judge(&self) -> Result<(), Option<End>> {
        let code = close::UNAUTHORIZED;
        if self.caller.expires_at_ms <= self.api.app.clock.now_ms() {
            return Err(Some(End { code, reason: "the access token has expired" }));
        }
        match self.api.app.accounts.still_stands(&self.caller).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Some(End { code, reason: "the session has ended" })),
            Err(error) => {
                tracing::error!(error = %crate::http::error::error_chain(&error), "a session can't be judged");
                Ok(())
            }
        }
    }

    async fn handle_client(&mut self, message: Message) -> Result<(), Option<End>> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Err(None),
            Message::Binary(_) => {
                let message = "messages are JSON text";
                return self.say(json!({ "type": "error", "message": message })).await;
            }
            // Answered below this layer.
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        match serde_json::from_str(&text) {
            Ok(FromClient::Ping) => {
                let timestamp = self.api.app.clock.now_ms() as f64 / 1_000.0;
                self.say(json!({ "type": "pong", "timestamp": timestamp })).await
            }
            Ok(FromClient::Auth { id, token }) => {
                let answer = self.authenticate(&token).await;
                self.result(id, answer).await
            }
            Ok(FromClient::Subscribe { id, topics }) => self.subscribe(id, &topics).await,
            Ok(FromClient::Unsubscribe { id, topics }) => {
                let answer = parse_topics(&topics).map(|wanted| {
                    for wanted in wanted {
                        change(&mut self.asked, wanted, false);
                    }
                    self.narrow();
                });
                self.result(id, answer).await
            }
            Err(_) => {
                let message = "a message is ping, auth, subscribe or unsubscribe";
                self.say(json!({ "type": "error", "message": message })).await
            }
        }
    }

    async fn authenticate(&mut self, token: &str) -> Result<(), String> {
        let caller =
            self.api.app.accounts.caller(token).await.map_err(|error| error.to_string())?;
        if caller.user != self.caller.user {
            return Err("the token is another user's".into());
        }
        self.caller = caller;
        Ok(())
    }

    async fn subscribe(&mut self, id: Option<Value>, topics: &[String]) -> Result<(), Option<End>> {
        let wanted = match parse_topics(topics) {
            Ok(wanted) => wanted,
            Err(message) => return self.result(id, Err(message)).await,
        };
        for wanted in &wanted {
            change(&mut self.asked, *wanted, true);
        }
        self.narrow();
        self.result(id, Ok(())).await?;
        for wanted in wanted {
            self.snapshot(wanted).await?;
        }
        Ok(())
    }

    /// The state that a topic starts from.
    async fn snapshot(&mut self, wanted: Wanted) -> Result<(), Option<End>> {
        match wanted {
            Wanted::Readings(Some(device)) => {
                let data = message::latest(device, &self.api.app.latest.of(device));
                self.say_snapshot(Topic::Readings(device), data).await
            }
            Wanted::Readings(None) => {
                for (device, values) in self.api.app.latest.all() {
                    let data = message::latest(device, &values);
                    self.say_snapshot(Topic::Readings(device), data).await?;
                }
                Ok(())
            }
            Wanted::DeviceState(which) => {
                let now_ms = self.api.app.clock.now_ms();
                let devices = match which {
                    Some(device) => vec![device],
                    None => self.api.app.fleet.present(),
                };
                for device in devices {
                    let subject = self.api.app.fleet.subject(device).await.map_err(|_| None)?;
                    let online = subject.is_some_and(|subject| subject.is_online());
                    let data = message::device_state(device, online, now_ms);
                    self.say_snapshot(Topic::DeviceState(device), data).await?;
                }
                Ok(())
            }
            Wanted::Events | Wanted::Operations => Ok(()),
        }
    }

    async fn say_snapshot(&mut self, topic: Topic, data: Value) -> Result<(), Option<End>> {
        self.say(json!({ "type": "snapshot", "topic": message::name(topic), "data": data })).await
    }

    /// Tells the hub what to deliver.
    fn narrow(&self) {
        let interest = Interest { device_states: Devices::all(), ..self.asked.clone() };
        self.subscription.set_interest(interest);
    }

    async fn handle_live(&mut self, delivery: Delivery) -> Result<(), Option<End>> {
        match delivery {
            Delivery::Gap { topic, dropped } => {
                self.say(json!({
                    "type": "gap", "topic": message::name(topic),
                    "dropped": dropped, "reason": "slow_reader",
                }))
                .await
            }
            Delivery::Live(live) => {
                if let Live::Device { device, online, at_ms } = *live {
                    self.broadcast_presence(&message::device_state(device, online, at_ms)).await?;
                }
                if !self.asked.wants(live.topic()) {
                    return Ok(());
                }
                let seq = self.seq.entry(live.topic()).or_default();
                *seq += 1;
                let seq = *seq;
                let (kind, data) = message::happened(&live);
                let topic = message::name(live.topic());
                self.say(json!({ "type": kind, "topic": topic, "seq": seq, "data": data })).await
            }
        }
    }

    /// Under both names that the flat dialect's clients know.
    async fn broadcast_presence(&mut self, state: &Value) -> Result<(), Option<End>> {
        let data = json!({ "client_id": state["device_id"], "status": state["status"] });
        for name in ["client_status_changed", "client_update"] {
            self.say(json!({ "type": name, "data": data })).await?;
        }
        Ok(())
    }

    async fn handle_import(&mut self, progress: &Progress) -> Result<(), Option<End>> {
        let data = crate::http::resources::imports::progress(progress);
        self.say(json!({ "type": "import_progress", "data": data })).await
    }

    async fn result(
        &mut self,
        id: Option<Value>,
        answer: Result<(), String>,
    ) -> Result<(), Option<End>> {
        let mut result = json!({ "type": "result", "id": id, "ok": answer.is_ok() });
        if let Err(message) = answer {
            result["message"] = message.into();
        }
        self.say(result).await
    }

    /// Sends one message. While the client reads slowly, its session is still judged.
    async fn say(&mut self, message: Value) -> Result<(), Option<End>> {
        let text = Message::Text(message.to_string().into());
        // Every message is flushed before the next one, so there is room for this one now.
        self.outgoing.feed(text).await.map_err(|_| None)?;
        loop {
            match timeout(JUDGE_EVERY, self.outgoing.flush()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(_)) => return Err(None),
                Err(_) => self.judge().await?,
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
