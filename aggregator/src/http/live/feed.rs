//! What one stream tells, whatever carries it: snapshots, what happened, what changed, gaps and
//! bookmarks, one message at a time. It knows no socket.

use super::bookmark::{Bookmark, Resync};
use super::message::{self, CHUNK, Wanted};
use super::replay::{Found, Replay, Step};
use super::{End, close};
use crate::access::Caller;
use crate::fleet::DeviceId;
use crate::http::Api;
use crate::http::resources::stats;
use crate::http::time::rfc3339;
use crate::imports::Progress;
use crate::live::newest::Newest;
use crate::live::{Delivery, Devices, Interest, Live, Mode, Place, Selection, Subscription, Topic};
use crate::store::Watermark;
use crate::telemetry::SeriesId;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often the session behind a stream is looked at. Revocation acts within five seconds.
pub(super) const JUDGE_EVERY: Duration = Duration::from_secs(1);
/// Two of them lie between a commit and the bookmark that vouches for it: by then it has been
/// published, and stands in the ring before its mark.
const BOOKMARK_EVERY: Duration = Duration::from_secs(2);
/// The longest pause that a client may ask for between two messages about state.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// Series that a stream has told of; past it they are told of as new once more.
const MAX_KNOWN: usize = 20_000;

/// What a client subscribes to, and how.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) topics: Vec<Wanted>,
    pub(super) min_interval_ms: Option<u64>,
    pub(super) resume: Option<String>,
}

/// Starts that are still to be told; whoever asks for more is asked to read first.
const MAX_TODO: usize = 20_000;

/// What is still to be told before anything live.
#[derive(Debug)]
enum Todo {
    Latest(DeviceId),
    /// Of the devices that are left, one at a time.
    Selected(Selection, Vec<DeviceId>),
    State(DeviceId),
    Step(Step),
}

pub(super) struct Feed {
    api: Api,
    caller: Caller,
    subscription: Subscription,
    imports: broadcast::Receiver<Progress>,
    judge: Interval,
    bookmark: Interval,
    /// The commits that the next mark vouches for, and when they were looked at.
    reached: Option<(u64, Watermark)>,
    pace: Option<Interval>,
    may_tell_state: bool,
    /// What the client asked for; presence is delivered besides, for the flat broadcasts.
    asked: Interest,
    flat: bool,
    seq: HashMap<String, u64>,
    known: HashSet<(Place, SeriesId)>,
    replay: Replay,
    todo: VecDeque<Todo>,
    ready: VecDeque<Value>,
}

/// What can happen to a stream besides what its client says.
enum Input {
    Live(Delivery),
    Newest(Newest),
    Import(Result<Progress, broadcast::error::RecvError>),
    Judge,
    Bookmark,
    Pace,
    Stop,
}

impl Feed {
    /// A feed with no topic yet. `flat` adds the broadcasts of the flat dialect.
    pub(super) fn open(api: Api, caller: Caller, flat: bool) -> Self {
        let every = |period| {
            let mut every = interval(period);
            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
            every
        };
        let feed = Self {
            subscription: api.app.live.subscribe(),
            imports: api.app.imports.progress(),
            judge: every(JUDGE_EVERY),
            bookmark: every(BOOKMARK_EVERY),
            reached: None,
            pace: None,
            may_tell_state: true,
            asked: Interest::default(),
            flat,
            seq: HashMap::new(),
            known: HashSet::new(),
            replay: Replay::default(),
            todo: VecDeque::new(),
            ready: VecDeque::new(),
            api,
            caller,
        };
        feed.narrow();
        feed
    }

    pub(super) async fn greet(&mut self) {
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
        self.tell(json!({ "type": "connected", "data": told }));
    }

    /// Queues an answer to the client.
    pub(super) fn tell(&mut self, message: Value) {
        self.ready.push_back(message);
    }

    /// What can be told without waiting.
    pub(super) fn take_ready(&mut self) -> Option<Value> {
        self.ready.pop_front()
    }

    /// The next message. Nothing is lost where this is dropped while it waits.
    pub(super) async fn next(&mut self) -> Result<Value, End> {
        let mut stop = self.api.app.shutdown.subscribe();
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(message);
            }
            if !self.todo.is_empty() {
                self.work().await;
                continue;
            }
            let pace = async {
                match &mut self.pace {
                    Some(pace) if !self.may_tell_state => pace.tick().await,
                    _ => std::future::pending().await,
                }
            };
            let input = tokio::select! {
                () = stop.wait() => Input::Stop,
                _ = self.judge.tick() => Input::Judge,
                _ = self.bookmark.tick() => Input::Bookmark,
                delivery = self.subscription.next() => Input::Live(delivery),
                newest = self.subscription.newest(), if self.may_tell_state => Input::Newest(newest),
                _ = pace => Input::Pace,
                progress = self.imports.recv() => Input::Import(progress),
            };
            match input {
                Input::Stop => {
                    let reason = "the server is shutting down";
                    return Err(End { code: close::GOING_AWAY, reason });
                }
                Input::Judge => self.judge().await?,
                Input::Bookmark => self.mark().await,
                Input::Live(delivery) => self.handle_delivery(delivery),
                Input::Newest(newest) => self.handle_newest(&newest),
                Input::Pace => self.may_tell_state = true,
                Input::Import(Ok(progress)) => {
                    let data = crate::http::resources::imports::progress(&progress);
                    self.tell(json!({ "type": "import_progress", "data": data }));
                }
                // Progress is state: the next one says it all.
                Input::Import(Err(_)) => {}
            }
        }
    }

    /// Ends the stream with its token or its session.
    pub(super) async fn judge(&self) -> Result<(), End> {
        let code = close::UNAUTHORIZED;
        if self.caller.expires_at_ms <= self.api.app.clock.now_ms() {
            return Err(End { code, reason: "the access token has expired" });
        }
        match self.api.app.accounts.still_stands(&self.caller).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(End { code, reason: "the session has ended" }),
            Err(error) => {
                let error = crate::http::error::error_chain(&error);
                tracing::error!(%error, "a session can't be judged");
                Ok(())
            }
        }
    }

    pub(super) async fn authenticate(&mut self, token: &str) -> Result<(), String> {
        let caller =
            self.api.app.accounts.caller(token).await.map_err(|error| error.to_string())?;
        if caller.user != self.caller.user {
            return Err("the token is another user's".into());
        }
        self.caller = caller;
        Ok(())
    }

    /// Adds topics; what they start from is told before anything else. The subscription stands
    /// before the store is read, so that nothing falls between the two.
    pub(super) async fn subscribe(&mut self, id: Option<Value>, request: Request) {
        if self.todo.len() > MAX_TODO {
            let message = "read what earlier subscriptions start from, then subscribe again";
            return self.result(id, Err(message.into()));
        }
        let mut asked = self.asked.clone();
        for wanted in &request.topics {
            if let Err(message) = message::add(&mut asked, wanted.clone()) {
                return self.result(id, Err(message));
            }
        }
        self.asked = asked;
        self.forget_selections();
        self.narrow();
        if let Some(ms) = request.min_interval_ms {
            let pause = Duration::from_millis(ms).min(MAX_INTERVAL);
            self.pace = (!pause.is_zero()).then(|| {
                let mut pace = interval(pause);
                pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
                pace
            });
            self.may_tell_state = true;
        }
        self.result(id, Ok(()));
        let from = match request.resume {
            None => None,
            Some(token) => match self.find(&token, &request.topics).await {
                Ok(bookmark) => Some(bookmark),
                Err(resync) => {
                    self.tell(json!({ "type": "resync_required", "reason": resync.name() }));
                    None
                }
            },
        };
        self.begin(&request.topics, from);
    }

    pub(super) fn unsubscribe(&mut self, topics: &[Wanted]) {
        for wanted in topics {
            message::remove(&mut self.asked, wanted);
        }
        self.forget_selections();
        self.narrow();
    }

    pub(super) fn result(&mut self, id: Option<Value>, answer: Result<(), String>) {
        let mut result = json!({ "type": "result", "id": id, "ok": answer.is_ok() });
        if let Err(message) = answer {
            result["message"] = message.into();
        }
        self.tell(result);
    }

    async fn find(&self, token: &str, topics: &[Wanted]) -> Result<Bookmark, Resync> {
        let now_ms = self.api.app.clock.now_ms();
        Replay::check(&self.api.app.store, token, now_ms, topics.iter().any(is_followed)).await
    }

    /// Puts down what the topics start from: what was missed since the bookmark, or a snapshot.
    fn begin(&mut self, topics: &[Wanted], from: Option<Bookmark>) {
        if let Some(bookmark) = from {
            if topics.iter().any(is_followed) {
                let after = bookmark.told.block;
                self.todo.push_back(Todo::Step(Step::Blocks { after }));
            }
            if topics.contains(&Wanted::Operations) {
                let since_ms = bookmark.at_ms;
                self.todo.push_back(Todo::Step(Step::Operations { since_ms }));
            }
            if topics.contains(&Wanted::Events) {
                let after = bookmark.told.event;
                self.todo.push_back(Todo::Step(Step::Events { after }));
            }
        }
        for wanted in topics {
            match wanted {
                wanted if from.is_some() && is_followed(wanted) => {}
                Wanted::Readings(Some(device), _) => self.todo.push_back(Todo::Latest(*device)),
                Wanted::Readings(None, _) => {
                    let devices = self.api.app.latest.devices();
                    self.todo.extend(devices.into_iter().map(Todo::Latest));
                }
                Wanted::Metrics(selection) => {
                    let devices = self.api.app.latest.devices();
                    self.todo.push_back(Todo::Selected(selection.clone(), devices));
                }
                Wanted::DeviceState(Some(device)) => self.todo.push_back(Todo::State(*device)),
                Wanted::DeviceState(None) => {
                    let present = self.api.app.fleet.present();
                    self.todo.extend(present.into_iter().map(Todo::State));
                }
                Wanted::Events | Wanted::Operations => {}
            }
        }
    }

    /// Does the first thing that is to be told. It stays to be done until it is.
    async fn work(&mut self) {
        match self.todo.front_mut() {
            Some(Todo::Selected(selection, devices)) => {
                let Some(device) = devices.pop() else {
                    self.todo.pop_front();
                    return;
                };
                let mut values = self.api.app.latest.of(device);
                values.retain(|latest| selection.holds(device, &latest.series));
                let topic = message::selection(selection);
                for chunk in values.chunks(CHUNK) {
                    let data = message::latest(device, chunk, false);
                    self.ready.push_back(snapshot(&topic, data));
                }
            }
            Some(&mut Todo::Latest(device)) => {
                let topic = message::name(Topic::Readings(device));
                let values = self.api.app.latest.of(device);
                let chunks = values.chunks(CHUNK).count().max(1);
                for index in 0..chunks {
                    let chunk = values.chunks(CHUNK).nth(index).unwrap_or_default();
                    let data = message::latest(device, chunk, index + 1 < chunks);
                    self.ready.push_back(snapshot(&topic, data));
                }
                self.todo.pop_front();
            }
            Some(&mut Todo::State(device)) => {
                let subject = self.api.app.fleet.subject(device).await;
                let online = match subject {
                    Ok(subject) => subject.is_some_and(|subject| subject.is_online()),
                    Err(error) => {
                        let error = crate::http::error::error_chain(&error);
                        tracing::error!(%error, "a device's state can't be told");
                        false
                    }
                };
                let now_ms = self.api.app.clock.now_ms();
                let topic = message::name(Topic::DeviceState(device));
                let data = message::device_state(device, online, now_ms);
                self.todo.pop_front();
                self.tell(snapshot(&topic, data));
            }
            Some(&mut Todo::Step(step)) => self.go_on(step).await,
            None => {}
        }
    }

    async fn go_on(&mut self, step: Step) {
        let asked = &self.asked;
        let wants = |device| asked.wants(Topic::Readings(device));
        let page = self.replay.read(&self.api.app.store, step, wants).await;
        self.todo.pop_front();
        match page {
            Ok(page) => {
                if let Some(next) = page.next {
                    self.todo.push_front(Todo::Step(next));
                }
                match page.found {
                    Found::Events(events) => {
                        for event in events {
                            let data = message::event(&event);
                            self.tell_of("events".into(), "event", data);
                        }
                    }
                    Found::Operations(operations) => {
                        for operation in operations {
                            let data = message::operation(&operation);
                            self.tell_of("operations".into(), "event", data);
                        }
                    }
                    Found::Readings(readings) => {
                        for (device, sampled) in readings {
                            self.tell_readings(device, &sampled);
                        }
                    }
                }
            }
            Err(error) => {
                let error = crate::http::error::error_chain(&error);
                tracing::error!(%error, "a stream can't go on");
                let reason = Resync::StoreFailed.name();
                self.tell(json!({ "type": "resync_required", "reason": reason }));
            }
        }
    }

    /// Lets what was committed before the last time be followed by its mark.
    async fn mark(&mut self) {
        if let Some((at_ms, reached)) = self.reached.take() {
            self.subscription.mark(at_ms, reached);
        }
        let now_ms = self.api.app.clock.now_ms();
        // A store that does not answer now has no bookmark to give.
        self.reached = self.api.app.store.watermark().await.ok().map(|mark| (now_ms, mark));
    }

    /// Tells the hub what to deliver.
    fn narrow(&self) {
        let mut interest = self.asked.clone();
        if self.flat {
            interest.device_states = Devices::all();
        }
        self.subscription.set_interest(interest);
    }

    /// A selection is known by its position, which others take.
    fn forget_selections(&mut self) {
        self.known.retain(|(place, _)| matches!(place, Place::Device(_)));
    }

    fn handle_delivery(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Gap { topic, dropped } => self.tell(json!({
                "type": "gap", "topic": message::name(topic),
                "dropped": dropped, "reason": "slow_reader",
            })),
            Delivery::Mark(at_ms, told) => {
                if let Some(token) = Bookmark::new(at_ms, told).text() {
                    self.tell(json!({ "type": "bookmark", "token": token }));
                }
            }
            Delivery::Live(live) => match &*live {
                Live::Readings { entry, .. } if self.replay.has_told_entry(entry) => {}
                Live::Event(event) if self.replay.has_told_event(event) => {}
                Live::Readings { device, sampled, .. } => self.tell_readings(*device, sampled),
                Live::Event(event) => {
                    let data = message::event(event);
                    self.tell_of("events".into(), "event", data);
                }
                Live::Operation(operation) => {
                    let data = message::operation(operation);
                    self.tell_of("operations".into(), "event", data);
                }
                Live::Device { .. } | Live::Changed(_) => {}
            },
        }
    }

    /// Every sample, under each topic that follows it.
    fn tell_readings(&mut self, device: DeviceId, sampled: &[crate::telemetry::Sampled]) {
        if self.asked.readings.contains(device) {
            let topic = message::name(Topic::Readings(device));
            self.tell_of(topic, "delta", message::readings(device, sampled.iter()));
        }
        let mut told = Vec::new();
        for selection in self.asked.selections.iter().filter(|s| s.mode == Mode::Event) {
            let mut held = sampled.iter().filter(|s| selection.holds(device, &s.series)).peekable();
            if held.peek().is_some() {
                told.push((message::selection(selection), message::readings(device, held)));
            }
        }
        for (topic, data) in told {
            self.tell_of(topic, "delta", data);
        }
    }

    fn handle_newest(&mut self, newest: &Newest) {
        self.may_tell_state = self.pace.is_none();
        for (device, now) in &newest.devices {
            if self.flat && now.presence {
                self.broadcast_presence(*device, now.online);
            }
            if self.asked.device_states.contains(*device) {
                let topic = message::name(Topic::DeviceState(*device));
                self.tell_of(topic, "delta", message::device_now(*device, now));
            }
        }
        for (place, samples) in &newest.samples {
            let topic = match place {
                Place::Device(device) => message::name(Topic::Readings(*device)),
                Place::Selection(position) => match self.asked.selections.get(*position) {
                    Some(selection) => message::selection(selection),
                    None => continue,
                },
            };
            if self.known.len() + samples.len() > MAX_KNOWN {
                self.known.clear();
            }
            let known = &mut self.known;
            let samples =
                samples.iter().map(|(id, sample)| (*id, sample, !known.insert((*place, *id))));
            let data = message::newest(samples);
            self.tell_of(topic, "delta", data);
        }
    }

    /// Under both names that the flat dialect's clients know.
    fn broadcast_presence(&mut self, device: DeviceId, online: bool) {
        let status = if online { "online" } else { "offline" };
        let data = json!({ "client_id": device.0, "status": status });
        for name in ["client_status_changed", "client_update"] {
            self.tell(json!({ "type": name, "data": data }));
        }
    }

    /// Counts within its topic.
    fn tell_of(&mut self, topic: String, kind: &str, data: Value) {
        let seq = self.seq.entry(topic.clone()).or_default();
        *seq += 1;
        let message = json!({ "type": kind, "topic": topic, "seq": *seq, "data": data });
        self.tell(message);
    }
}

/// Is every sample of it told, so that it can go on from a bookmark?
fn is_followed(wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Readings(_, mode) => *mode == Mode::Event,
        Wanted::Metrics(selection) => selection.mode == Mode::Event,
        Wanted::DeviceState(_) | Wanted::Events | Wanted::Operations => false,
    }
}

fn snapshot(topic: &str, data: Value) -> Value {
    json!({ "type": "snapshot", "topic": topic, "data": data })
}
