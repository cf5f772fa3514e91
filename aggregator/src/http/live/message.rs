//! What is said on a stream, both ways.

use crate::fleet::DeviceId;
use crate::http::resources::events::Event;
use crate::http::resources::operations::Operation;
use crate::live::newest::Sample;
use crate::live::{DeviceNow, Devices, Interest, Mode, Selection, Topic};
use crate::telemetry::{LatestValue, NoData, Sampled, SeriesId};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use uuid::Uuid;

/// Topics of one message, and devices of one subscription.
const MAX_TOPICS: usize = 1_000;
/// Selections of one stream: each is judged for each series that comes.
const MAX_SELECTIONS: usize = 50;
/// Points of one message; a larger snapshot comes in several.
pub(super) const CHUNK: usize = 1_000;

/// What a client may say. Fields that are not known are passed over.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromClient {
    Ping,
    Auth {
        id: Option<Value>,
        token: String,
    },
    Subscribe {
        id: Option<Value>,
        topics: Vec<String>,
        #[serde(default)]
        mode: Mode,
        /// Between two messages about state; none is sent sooner.
        min_interval_ms: Option<u64>,
        /// A bookmark of an earlier stream, to go on from.
        resume: Option<String>,
    },
    Unsubscribe {
        id: Option<Value>,
        topics: Vec<String>,
    },
}

/// One topic as a client writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum Wanted {
    Readings(Option<DeviceId>, Mode),
    Metrics(Selection),
    DeviceState(Option<DeviceId>),
    Events,
    Operations,
}

impl Wanted {
    pub(super) fn parse(text: &str, mode: Mode) -> Option<Self> {
        if let Some(selection) = text.strip_prefix(SELECTION) {
            return Selection::parse(selection, mode).map(Self::Metrics);
        }
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["events"] => Some(Self::Events),
            ["operations"] => Some(Self::Operations),
            ["readings", which] => Some(Self::Readings(device(which)?, mode)),
            ["device", which, "state"] => Some(Self::DeviceState(device(which)?)),
            _ => None,
        }
    }
}

#[expect(clippy::option_option, reason = "no device, every device, this device")]
fn device(text: &str) -> Option<Option<DeviceId>> {
    if text == "*" { Some(None) } else { Uuid::parse_str(text).ok().map(DeviceId).map(Some) }
}

/// The topics of a message, each once, or the first that is wrong.
pub(in crate::http) fn parse_topics(topics: &[String], mode: Mode) -> Result<Vec<Wanted>, String> {
    if topics.len() > MAX_TOPICS {
        return Err(format!("at most {MAX_TOPICS} topics at once"));
    }
    let mut parsed = Vec::with_capacity(topics.len());
    for text in topics {
        let wanted = Wanted::parse(text, mode).ok_or_else(|| {
            format!(
                "`{text}` is no topic; there are readings:<device>, metrics:<key>=<value>,…, \
                 device:<device>:state, events and operations"
            )
        })?;
        if !parsed.contains(&wanted) {
            parsed.push(wanted);
        }
    }
    Ok(parsed)
}

/// `interest` with `wanted` in it.
pub(super) fn add(interest: &mut Interest, wanted: Wanted) -> Result<(), String> {
    match wanted {
        Wanted::Readings(which, Mode::Event) => add_devices(&mut interest.readings, which),
        Wanted::Readings(which, Mode::State) => add_devices(&mut interest.newest, which),
        Wanted::DeviceState(which) => add_devices(&mut interest.device_states, which),
        Wanted::Events => interest.events = true,
        Wanted::Operations => interest.operations = true,
        Wanted::Metrics(selection) => {
            interest.selections.retain(|known| known.text != selection.text);
            if interest.selections.len() == MAX_SELECTIONS {
                return Err(format!("a stream has at most {MAX_SELECTIONS} selections of metrics"));
            }
            interest.selections.push(selection);
        }
    }
    Ok(())
}

/// `interest` without `wanted`, however it was taken.
pub(super) fn remove(interest: &mut Interest, wanted: &Wanted) {
    match wanted {
        Wanted::Readings(which, _) => {
            remove_devices(&mut interest.readings, *which);
            remove_devices(&mut interest.newest, *which);
        }
        Wanted::DeviceState(which) => remove_devices(&mut interest.device_states, *which),
        Wanted::Events => interest.events = false,
        Wanted::Operations => interest.operations = false,
        Wanted::Metrics(selection) => {
            interest.selections.retain(|known| known.text != selection.text);
        }
    }
}

fn add_devices(devices: &mut Devices, which: Option<DeviceId>) {
    match which {
        None => devices.all = true,
        Some(id) if devices.named.len() < MAX_TOPICS => {
            devices.named.insert(id);
        }
        Some(_) => {}
    }
}

fn remove_devices(devices: &mut Devices, which: Option<DeviceId>) {
    match which {
        None => devices.all = false,
        Some(id) => {
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
        Topic::Platform => "platform".into(),
    }
}

/// What the topics of selections begin with.
const SELECTION: &str = "metrics:";

pub(super) fn selection(selection: &Selection) -> String {
    format!("{SELECTION}{}", selection.text)
}

pub(super) fn is_selection(topic: &str) -> bool {
    topic.starts_with(SELECTION)
}

#[derive(Serialize)]
struct ReadingPoint {
    #[serde(serialize_with = "as_text")]
    series: SeriesId,
    t: u64,
    v: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_data: Option<&'static str>,
}

fn as_text<S: Serializer>(series: &SeriesId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&series.0)
}

fn point(series: SeriesId, at_ms: u64, value: Result<f64, NoData>) -> ReadingPoint {
    ReadingPoint { series, t: at_ms, v: value.ok(), no_data: value.err().map(NoData::name) }
}

/// The newest value of every series, as a readings topic starts.
pub(super) fn latest(device: DeviceId, values: &[LatestValue], more: bool) -> Value {
    let points: Vec<ReadingPoint> =
        values.iter().map(|latest| point(latest.series.id, latest.at_ms, latest.value)).collect();
    let mut data = json!({ "device_id": device.0, "points": points });
    if more {
        data["more"] = true.into();
    }
    data
}

#[derive(Serialize)]
struct Readings {
    device_id: DeviceId,
    points: Vec<ReadingPoint>,
}

/// Every sample of what a device sent, or of those of its series that a stream follows.
pub(super) fn readings<'a>(
    device_id: DeviceId,
    sampled: impl Iterator<Item = &'a Sampled>,
) -> Box<RawValue> {
    let points = sampled
        .flat_map(|series| {
            let id = series.series.id;
            series.samples.iter().map(move |&(at_ms, value)| point(id, at_ms, value))
        })
        .collect();
    // Ids and numbers are always JSON.
    to_raw_value(&Readings { device_id, points }).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The newest of some series: added where the stream tells of them for the first time, changed
/// where it does not.
pub(super) fn newest<'a>(samples: impl Iterator<Item = (SeriesId, &'a Sample, bool)>) -> Value {
    let (mut added, mut changed) = (serde_json::Map::new(), serde_json::Map::new());
    for (series, sample, known) in samples {
        let mut state = json!({ "device_id": sample.device.0, "t": sample.at_ms });
        match sample.value {
            Ok(value) => state["v"] = json!(value),
            Err(reason) => {
                state["v"] = Value::Null;
                state["no_data"] = reason.name().into();
            }
        }
        let map = if known { &mut changed } else { &mut added };
        map.insert(series.0.to_string(), state);
    }
    json!({ "a": added, "c": changed })
}

/// Series that have no value any more.
pub(super) fn erased(series: &[SeriesId]) -> Value {
    let removed: Vec<String> = series.iter().map(|id| id.0.to_string()).collect();
    json!({ "a": {}, "c": {}, "r": removed })
}

pub(super) fn device_state(device: DeviceId, online: bool, at_ms: u64) -> Value {
    let status = if online { "online" } else { "offline" };
    json!({ "device_id": device.0, "status": status, "at": crate::http::time::rfc3339(at_ms) })
}

/// A device's state with what of it has changed.
pub(super) fn device_now(device: DeviceId, now: &DeviceNow) -> Value {
    let mut data = device_state(device, now.online, now.at_ms);
    if let Some(attached) = now.guard_attached {
        data["guard"] = json!({ "attached": attached });
        let parts: Vec<_> = now.parts.iter().map(|part| part.name()).collect();
        data["changed"] = json!(parts);
    }
    data
}

pub(super) fn event(event: &crate::telemetry::Event) -> Value {
    json!(Event::from(event.clone()))
}

pub(super) fn operation(operation: &crate::operations::Operation) -> Value {
    json!(Operation::from(operation.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_or_refused() {
        let id = "018f8f8e-0000-7000-8000-000000000001";
        let device = DeviceId(id.parse().unwrap());
        let of_all = Wanted::Readings(None, Mode::State);
        for (text, wanted) in [
            ("events", Some(Wanted::Events)),
            ("readings:*", Some(of_all)),
            ("device:*:state", Some(Wanted::DeviceState(None))),
            ("device:*:readings", None),
            ("readings:rack", None),
            ("metrics:rack", None),
            ("", None),
        ] {
            assert_eq!(Wanted::parse(text, Mode::State), wanted, "{text}");
        }
        let one = Wanted::Readings(Some(device), Mode::Event);
        assert_eq!(Wanted::parse(&format!("readings:{id}"), Mode::Event), Some(one));
    }

    #[test]
    fn one_device_stays_subscribed_when_all_devices_are_taken_back() {
        let id = DeviceId(Uuid::from_u128(1));
        let mut interest = Interest::default();
        add(&mut interest, Wanted::Readings(Some(id), Mode::Event)).unwrap();
        add(&mut interest, Wanted::Readings(None, Mode::Event)).unwrap();
        remove(&mut interest, &Wanted::Readings(None, Mode::Event));
        assert!(interest.wants(Topic::Readings(id)));
        assert!(!interest.wants(Topic::Readings(DeviceId(Uuid::from_u128(2)))));
    }

    #[test]
    fn interest_follows_what_is_subscribed_and_taken_back() {
        let id = DeviceId(Uuid::from_u128(1));
        let mut interest = Interest::default();
        add(&mut interest, Wanted::Readings(Some(id), Mode::State)).unwrap();
        assert!(interest.wants(Topic::Readings(id)));
        remove(&mut interest, &Wanted::Readings(Some(id), Mode::Event));
        assert!(!interest.wants(Topic::Readings(id)));
        for number in 0..MAX_SELECTIONS {
            let selection = Selection::parse(&format!("rack=r{number}"), Mode::State).unwrap();
            add(&mut interest, Wanted::Metrics(selection)).unwrap();
        }
        let same = Wanted::Metrics(Selection::parse("rack=r0", Mode::Event).unwrap());
        add(&mut interest, same.clone()).unwrap();
        let more = Wanted::Metrics(Selection::parse("rack=x", Mode::Event).unwrap());
        assert!(add(&mut interest, more.clone()).unwrap_err().contains("50 selections"));
        remove(&mut interest, &same);
        add(&mut interest, more).unwrap();
    }
}
