//! What is said on a stream, both ways.

use crate::fleet::DeviceId;
use crate::http::resources::events::Event;
use crate::http::resources::operations::Operation;
use crate::live::subscriber::Devices;
use crate::live::{Interest, Live, Topic};
use crate::telemetry::{LatestValue, NoData, SeriesId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Topics of one message, and devices of one subscription.
const MAX_TOPICS: usize = 1_000;

/// What a client may say. Fields that are not known are passed over.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromClient {
    Ping,
    Auth { id: Option<Value>, token: String },
    Subscribe { id: Option<Value>, topics: Vec<String> },
    Unsubscribe { id: Option<Value>, topics: Vec<String> },
}

/// One topic as a client writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Readings(Option<DeviceId>),
    DeviceState(Option<DeviceId>),
    Events,
    Operations,
}

impl Wanted {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["events"] => Some(Self::Events),
            ["operations"] => Some(Self::Operations),
            ["readings", which] => Some(Self::Readings(device(which)?)),
            ["device", which, "state"] => Some(Self::DeviceState(device(which)?)),
            _ => None,
        }
    }
}

#[expect(clippy::option_option, reason = "no device, every device, this device")]
fn device(text: &str) -> Option<Option<DeviceId>> {
    if text == "*" { Some(None) } else { Uuid::parse_str(text).ok().map(DeviceId).map(Some) }
}

/// The topics of a message, all of them or the first that is wrong.
pub(super) fn parse_topics(topics: &[String]) -> Result<Vec<Wanted>, String> {
    if topics.len() > MAX_TOPICS {
        return Err(format!("at most {MAX_TOPICS} topics at once"));
    }
    topics
        .iter()
        .map(|text| {
            Wanted::parse(text).ok_or_else(|| {
                format!("`{text}` is no topic; there are readings:<device>, device:<device>:state, events and operations")
            })
        })
        .collect()
}

/// `interest` with `wanted` in or out of it.
pub(super) fn change(interest: &mut Interest, wanted: Wanted, on: bool) {
    match wanted {
        Wanted::Readings(which) => change_devices(&mut interest.readings, which, on),
        Wanted::DeviceState(which) => change_devices(&mut interest.device_states, which, on),
        Wanted::Events => interest.events = on,
        Wanted::Operations => interest.operations = on,
    }
}

fn change_devices(devices: &mut Devices, which: Option<DeviceId>, on: bool) {
    match (which, on) {
        (None, on) => devices.all = on,
        (Some(id), true) => {
            if devices.named.len() < MAX_TOPICS {
                devices.named.insert(id);
            }
        }
        (Some(id), false) => {
            devices.named.remove(&id);
        }
    }
}

/// A topic as the stream names it.
pub(super) fn name(topic: Topic) -> String {
    match topic {
        Topic::Readings(device) => format!("readings:{device}"),
        Topic::DeviceState(device) => format!("device:{device}:state"),
        Topic::Events => "events".into(),
        Topic::Operations => "operations".into(),
    }
}

#[derive(Serialize)]
struct ReadingPoint {
    series: String,
    t: u64,
    v: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_data: Option<&'static str>,
}

fn point(series: SeriesId, at_ms: u64, value: Result<f64, NoData>) -> ReadingPoint {
    ReadingPoint {
        series: series.0.to_string(),
        t: at_ms,
        v: value.ok(),
        no_data: value.err().map(NoData::name),
    }
}

/// The newest value of every series, as a readings topic starts.
pub(super) fn latest(device: DeviceId, values: &[LatestValue]) -> Value {
    let points: Vec<ReadingPoint> =
        values.iter().map(|latest| point(latest.series.id, latest.at_ms, latest.value)).collect();
    json!({ "device_id": device.0, "points": points })
}

pub(super) fn device_state(device: DeviceId, online: bool, at_ms: u64) -> Value {
    let status = if online { "online" } else { "offline" };
    json!({ "device_id": device.0, "status": status, "at": crate::http::time::rfc3339(at_ms) })
}

/// What happened, under the type that its topic's messages have.
pub(super) fn happened(live: &Live) -> (&'static str, Value) {
    match live {
        Live::Readings { device, points } => {
            let points: Vec<ReadingPoint> =
                points.iter().map(|p| point(p.series, p.at_ms, p.value)).collect();
            ("delta", json!({ "device_id": device.0, "points": points }))
        }
        Live::Device { device, online, at_ms } => ("delta", device_state(*device, *online, *at_ms)),
        Live::Changed(changed) => {
            let mut data = device_state(changed.device, changed.online, changed.at_ms);
            data["guard"] = json!({ "attached": changed.guard_attached });
            let parts: Vec<_> = changed.parts.iter().map(|part| part.name()).collect();
            data["changed"] = json!(parts);
            ("delta", data)
        }
        Live::Event(event) => ("event", json!(Event::from(event.clone()))),
        Live::Operation(operation) => ("event", json!(Operation::from(operation.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_or_refused() {
        let id = "018f8f8e-0000-7000-8000-000000000001";
        let device = DeviceId(id.parse().unwrap());
        for (text, wanted) in [
            ("events", Some(Wanted::Events)),
            ("readings:*", Some(Wanted::Readings(None))),
            ("device:*:state", Some(Wanted::DeviceState(None))),
            ("device:*:readings", None),
            ("readings:rack", None),
            ("", None),
        ] {
            assert_eq!(Wanted::parse(text), wanted, "{text}");
        }
        assert_eq!(Wanted::parse(&format!("readings:{id}")), Some(Wanted::Readings(Some(device))));
    }

    #[test]
    fn one_device_stays_subscribed_when_all_devices_are_taken_back() {
        let id = DeviceId(Uuid::from_u128(1));
        let mut interest = Interest::default();
        change(&mut interest, Wanted::Readings(Some(id)), true);
        change(&mut interest, Wanted::Readings(None), true);
        change(&mut interest, Wanted::Readings(None), false);
        assert!(interest.wants(Topic::Readings(id)));
        assert!(!interest.wants(Topic::Readings(DeviceId(Uuid::from_u128(2)))));
    }

    #[test]
    fn interest_follows_what_is_subscribed_and_taken_back() {
        let id = DeviceId(Uuid::from_u128(1));
        let mut interest = Interest::default();
        change(&mut interest, Wanted::Readings(Some(id)), true);
        assert!(interest.wants(Topic::Readings(id)));
        assert!(!interest.wants(Topic::Readings(DeviceId(Uuid::from_u128(2)))));
        change(&mut interest, Wanted::Readings(Some(id)), false);
        assert!(!interest.wants(Topic::Readings(id)));
        change(&mut interest, Wanted::Readings(None), true);
        assert!(interest.wants(Topic::Readings(id)));
    }
}
