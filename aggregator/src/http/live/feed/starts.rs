//! What a stream starts from: snapshots of its topics, or what it missed since a bookmark. Told one
//! thing at a time and before anything live, so that no fleet stands in memory at once.

use super::Feed;
use crate::fleet::DeviceId;
use crate::http::live::bookmark::{Bookmark, Resync};
use crate::http::live::message::{self, CHUNK, Wanted};
use crate::http::live::replay::{Found, Replay, Step};
use crate::live::{Mode, Selection, Topic, Written};
use crate::operations::Operation;
use serde_json::{Value, json};

/// Starts that are still to be told; whoever asks for more is asked to read first.
pub(super) const MAX_STARTS: usize = 20_000;

/// What one topic starts from.
#[derive(Debug)]
pub(super) enum Start {
    Latest(DeviceId),
    /// Of the devices that are left, one at a time.
    Selected(Selection, Vec<DeviceId>),
    State(DeviceId),
    Step(Step),
}

impl Feed {
    pub(super) async fn find(&self, token: &str, topics: &[Wanted]) -> Result<Bookmark, Resync> {
        let now_ms = self.api.app.clock.now_ms();
        Replay::check(&self.api.app.store, token, now_ms, topics.iter().any(is_followed)).await
    }

    /// Puts down what the topics start from: what was missed since the bookmark, or a snapshot.
    pub(super) fn begin(&mut self, topics: &[Wanted], from: Option<Bookmark>) {
        if let Some(bookmark) = from {
            if topics.iter().any(is_followed) {
                let after = bookmark.told.block;
                self.starts.push_back(Start::Step(Step::Blocks { after }));
            }
            if topics.contains(&Wanted::Operations) {
                let since_ms = bookmark.at_ms;
                self.starts.push_back(Start::Step(Step::Operations { since_ms }));
            }
            if topics.contains(&Wanted::Events) {
                let after = bookmark.told.event;
                self.starts.push_back(Start::Step(Step::Events { after }));
            }
        }
        for wanted in topics {
            match wanted {
                wanted if from.is_some() && is_followed(wanted) => {}
                Wanted::Readings(Some(device), _) => self.starts.push_back(Start::Latest(*device)),
                Wanted::Readings(None, _) => {
                    let devices = self.seen(self.api.app.latest.devices());
                    self.starts.extend(devices.into_iter().map(Start::Latest));
                }
                Wanted::Metrics(selection) => {
                    let devices = self.seen(self.api.app.latest.devices());
                    self.starts.push_back(Start::Selected(selection.clone(), devices));
                }
                Wanted::DeviceState(Some(device)) => self.starts.push_back(Start::State(*device)),
                Wanted::DeviceState(None) => {
                    let present = self.seen(self.api.app.fleet.present());
                    self.starts.extend(present.into_iter().map(Start::State));
                }
                Wanted::Events | Wanted::Operations => {}
            }
        }
    }

    fn seen(&self, mut devices: Vec<DeviceId>) -> Vec<DeviceId> {
        devices.retain(|device| self.sight.sees(*device));
        devices
    }

    /// Does the first thing that is to be told. It stays to be done until it is.
    pub(super) async fn work(&mut self) {
        match self.starts.front_mut() {
            Some(Start::Selected(selection, devices)) => {
                let Some(device) = devices.pop() else {
                    self.starts.pop_front();
                    return;
                };
                let mut values = self.api.app.latest.of(device);
                values.retain(|latest| selection.holds(device, &latest.series));
                let topic = message::selection(selection);
                for chunk in values.chunks(CHUNK) {
                    let data = message::latest(device, chunk, false);
                    self.tell(snapshot(&topic, data));
                }
            }
            Some(&mut Start::Latest(device)) => {
                let topic = message::name(Topic::Readings(device));
                // One that the caller does not see is like one that is not there.
                let seen = self.sight.sees(device);
                let values = if seen { self.api.app.latest.of(device) } else { Vec::new() };
                let chunks = values.chunks(CHUNK).count().max(1);
                for index in 0..chunks {
                    let chunk = values.chunks(CHUNK).nth(index).unwrap_or_default();
                    let data = message::latest(device, chunk, index + 1 < chunks);
                    self.tell(snapshot(&topic, data));
                }
                self.starts.pop_front();
            }
            Some(&mut Start::State(device)) => {
                let subject = self.api.app.fleet.subject(device).await;
                let online = match subject {
                    Ok(_) if !self.sight.sees(device) => false,
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
                self.starts.pop_front();
                self.tell(snapshot(&topic, data));
            }
            Some(&mut Start::Step(step)) => self.go_on(step).await,
            None => {}
        }
    }

    async fn go_on(&mut self, step: Step) {
        let (asked, sight) = (&self.asked, &self.sight);
        let wants = |device| sight.sees(device) && asked.wants(Topic::Readings(device));
        let page = self.replay.read(&self.api.app.store, step, wants).await;
        self.starts.pop_front();
        match page {
            Ok(page) => {
                if let Some(next) = page.next {
                    self.starts.push_front(Start::Step(next));
                }
                match page.found {
                    Found::Events(events) => {
                        let seen = events.into_iter().filter(|event| sight.sees(event.device));
                        for event in seen.collect::<Vec<_>>() {
                            let data = message::event(&event);
                            self.tell_of("events".into(), "event", data);
                        }
                    }
                    Found::Operations(operations) => {
                        let at = |asked: &Operation| asked.equipment.unwrap_or(asked.device);
                        let seen = operations.into_iter().filter(|asked| sight.sees(at(asked)));
                        for operation in seen.collect::<Vec<_>>() {
                            let data = message::operation(&operation);
                            self.tell_of("operations".into(), "event", data);
                        }
                    }
                    Found::Readings(readings) => {
                        for (device, sampled) in readings {
                            self.tell_readings(device, &sampled, &Written::default());
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
