//! What a stream says of what happened and of what changed, as messages of its topics.

use super::Feed;
use crate::fleet::DeviceId;
use crate::http::live::bookmark::Bookmark;
use crate::http::live::said::Said;
use crate::http::live::{broadcast, message};
use crate::live::newest::Newest;
use crate::live::{Delivery, Live, Mode, Place, Topic, Written};
use crate::telemetry::{Sampled, SeriesId, SeriesInfo};
use serde_json::{Value, json};
use std::sync::Arc;

/// Series that a stream has told of; past it they are told of as new once more.
const MAX_KNOWN: usize = 20_000;

impl Feed {
    pub(super) fn handle_delivery(&mut self, delivery: Delivery) {
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
                Live::Readings { device, sampled, written, .. } => {
                    self.tell_readings(*device, sampled, written);
                }
                Live::Event(event) => {
                    let data = message::event(event);
                    self.tell_of("events".into(), "event", data);
                }
                Live::Operation(operation) => {
                    let data = message::operation(operation);
                    self.tell_of("operations".into(), "event", data);
                }
                Live::Platform(told) => {
                    let (names, data) = broadcast::drawn(&told.what);
                    for name in names {
                        self.tell(json!({ "type": name, "data": data }));
                    }
                }
                Live::Device { .. } | Live::Changed(_) | Live::Erased { .. } => {}
            },
        }
    }

    /// Every sample, under each topic that follows it.
    pub(super) fn tell_readings(
        &mut self,
        device: DeviceId,
        sampled: &[Sampled],
        written: &Written,
    ) {
        let mut told = Vec::new();
        if self.asked.readings.contains(device) {
            let data = written.or_write(|| message::readings(device, sampled.iter()));
            told.push((message::name(Topic::Readings(device)), data));
        }
        for selection in self.asked.selections.iter().filter(|s| s.mode == Mode::Event) {
            let mut held = sampled.iter().filter(|s| selection.holds(device, &s.series)).peekable();
            if held.peek().is_some() {
                let data = Arc::from(message::readings(device, held));
                told.push((message::selection(selection), data));
            }
        }
        for (topic, data) in told {
            let seq = self.count(&topic);
            self.ready.push_back(Said::Shared { topic, seq, data });
        }
    }

    pub(super) fn handle_newest(&mut self, newest: &Newest) {
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
        for (device, series) in &newest.erased {
            self.tell_erased(*device, series);
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

    /// Of every topic that takes the newest, the series of it that are gone.
    fn tell_erased(&mut self, device: DeviceId, series: &[Arc<SeriesInfo>]) {
        let mut told = Vec::new();
        if self.asked.newest.contains(device) {
            let ids: Vec<SeriesId> = series.iter().map(|series| series.id).collect();
            told.push((Place::Device(device), message::name(Topic::Readings(device)), ids));
        }
        for (position, selection) in self.asked.selections.iter().enumerate() {
            let held = series.iter().filter(|series| selection.holds(device, series));
            let ids: Vec<SeriesId> = held.map(|series| series.id).collect();
            if selection.mode == Mode::State && !ids.is_empty() {
                told.push((Place::Selection(position), message::selection(selection), ids));
            }
        }
        for (place, topic, ids) in told {
            for id in &ids {
                self.known.remove(&(place, *id));
            }
            self.tell_of(topic, "delta", message::erased(&ids));
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
    pub(super) fn tell_of(&mut self, topic: String, kind: &str, data: Value) {
        let seq = self.count(&topic);
        self.tell(json!({ "type": kind, "topic": topic, "seq": seq, "data": data }));
    }

    fn count(&mut self, topic: &str) -> u64 {
        if let Some(seq) = self.seq.get_mut(topic) {
            *seq += 1;
            return *seq;
        }
        self.seq.insert(topic.to_owned(), 1);
        1
    }
}
