//! What one stream tells, whatever carries it: snapshots, what happened, what changed, gaps and
//! bookmarks, one message at a time. It knows no socket.

mod starts;
mod telling;

use super::message::{self, Wanted};
use super::replay::Replay;
use super::said::Said;
use super::{End, close};
use crate::access::{Caller, Right};
use crate::http::Api;
use crate::http::resources::stats;
use crate::http::time::rfc3339;
use crate::imports::Progress;
use crate::live::newest::Newest;
use crate::live::{Audience, Delivery, Devices, Interest, Place, Subscription};
use crate::store::Watermark;
use crate::telemetry::SeriesId;
use crate::tenancy::Sight;
use serde_json::{Value, json};
use starts::{MAX_STARTS, Start};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often the session behind a stream is looked at. Revocation acts within five seconds.
pub(in crate::http) const JUDGE_EVERY: Duration = Duration::from_secs(1);
/// Two of them lie between a commit and the bookmark that vouches for it: by then it has been
/// published, and stands in the ring before its mark.
const BOOKMARK_EVERY: Duration = Duration::from_secs(4);
/// The longest pause that a client may ask for between two messages about state.
const MAX_INTERVAL: Duration = Duration::from_secs(60);

/// What a client subscribes to, and how.
#[derive(Debug, Default)]
pub(in crate::http) struct Request {
    pub(in crate::http) topics: Vec<Wanted>,
    pub(in crate::http) min_interval_ms: Option<u64>,
    pub(in crate::http) resume: Option<String>,
}

pub(in crate::http) struct Feed {
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
    /// What the caller may see, as it was a second ago.
    sight: Sight,
    flat: bool,
    seq: HashMap<String, u64>,
    known: HashSet<(Place, SeriesId)>,
    replay: Replay,
    /// Still to be told before anything live.
    starts: VecDeque<Start>,
    ready: VecDeque<Said>,
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
    pub(in crate::http) async fn open(api: Api, caller: Caller, flat: bool) -> Self {
        let sight = look(&api, &caller).await;
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
            sight,
            flat,
            seq: HashMap::new(),
            known: HashSet::new(),
            replay: Replay::default(),
            starts: VecDeque::new(),
            ready: VecDeque::new(),
            api,
            caller,
        };
        feed.narrow();
        feed
    }

    pub(in crate::http) async fn greet(&mut self) {
        let stats = match stats::gather(&self.api, &self.caller).await {
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
    pub(in crate::http) fn tell(&mut self, message: Value) {
        self.ready.push_back(Said::Own(message));
    }

    /// What can be told without waiting.
    pub(in crate::http) fn take_ready(&mut self) -> Option<Said> {
        self.ready.pop_front()
    }

    /// The next message. Nothing is lost where this is dropped while it waits.
    pub(in crate::http) async fn next(&mut self) -> Result<Said, End> {
        let mut stop = self.api.app.shutdown.subscribe();
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(message);
            }
            if !self.starts.is_empty() {
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
    pub(in crate::http) async fn judge(&mut self) -> Result<(), End> {
        let code = close::UNAUTHORIZED;
        if self.caller.expires_at_ms <= self.api.app.clock.now_ms() {
            return Err(End { code, reason: "the access token has expired" });
        }
        match self.api.app.accounts.still_stands(&self.caller).await {
            Ok(true) => {
                let sight = look(&self.api, &self.caller).await;
                if sight != self.sight {
                    self.sight = sight;
                    self.narrow();
                }
                Ok(())
            }
            Ok(false) => Err(End { code, reason: "the session has ended" }),
            Err(error) => {
                let error = crate::http::error::error_chain(&error);
                tracing::error!(%error, "a session can't be judged");
                Ok(())
            }
        }
    }

    pub(in crate::http) async fn authenticate(&mut self, token: &str) -> Result<(), String> {
        let caller =
            self.api.app.accounts.caller(token).await.map_err(|error| error.to_string())?;
        if caller.user != self.caller.user {
            return Err("the token is another user's".into());
        }
        self.caller = caller;
        self.narrow();
        Ok(())
    }

    /// Adds topics; what they start from is told before anything else. The subscription stands
    /// before the store is read, so that nothing falls between the two.
    pub(in crate::http) async fn subscribe(&mut self, id: Option<Value>, request: Request) {
        if self.starts.len() > MAX_STARTS {
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

    pub(in crate::http) fn unsubscribe(&mut self, topics: &[Wanted]) {
        for wanted in topics {
            message::remove(&mut self.asked, wanted);
        }
        self.forget_selections();
        self.narrow();
    }

    pub(in crate::http) fn result(&mut self, id: Option<Value>, answer: Result<(), String>) {
        let mut result = json!({ "type": "result", "id": id, "ok": answer.is_ok() });
        if let Err(message) = answer {
            result["message"] = message.into();
        }
        self.tell(result);
    }

    /// Lets what was committed before the last time be followed by its mark.
    async fn mark(&mut self) {
        if let Some((at_ms, reached)) = self.reached.take() {
            self.subscription.mark(at_ms, reached);
        }
        if self.asked == Interest::default() {
            return;
        }
        let now_ms = self.api.app.clock.now_ms();
        // A store that does not answer now has no bookmark to give.
        self.reached = self.api.app.store.watermark().await.ok().map(|mark| (now_ms, mark));
    }

    /// Tells the hub what to deliver.
    fn narrow(&self) {
        let mut interest = Interest { sight: self.sight.clone(), ..self.asked.clone() };
        if self.flat {
            interest.device_states = Devices::all();
            let own = self.caller.only_own();
            interest.platform = Some(own.map_or(Audience::All, Audience::Of));
        }
        self.subscription.set_interest(interest);
    }

    /// A selection is known by its position, which others take; one that is gone is not counted
    /// any more.
    fn forget_selections(&mut self) {
        self.known.retain(|(place, _)| matches!(place, Place::Device(_)));
        let kept: HashSet<String> = self.asked.selections.iter().map(message::selection).collect();
        self.seq.retain(|topic, _| !message::is_selection(topic) || kept.contains(topic));
    }
}

/// What the caller sees; nothing where the store can't be asked.
async fn look(api: &Api, caller: &Caller) -> Sight {
    match api.app.tenancy.sight(&caller.grants, Right::Read).await {
        Ok(sight) => sight,
        Err(error) => {
            let error = crate::http::error::error_chain(&error);
            tracing::error!(%error, "what a stream may show can't be judged");
            Sight::Only(Arc::default())
        }
    }
}
