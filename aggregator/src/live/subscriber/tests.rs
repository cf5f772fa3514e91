use super::*;
use crate::fleet::DeviceId;
use crate::live::{Devices, Hub, Selection};
use crate::store::EntryKey;
use crate::telemetry::{
    Event, EventId, Kind, Reader, Sampled, SeriesId, SeriesInfo, Severity, Unit,
};
use std::collections::HashSet;
use uuid::Uuid;

fn device(number: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(number))
}

fn state(number: u128, at_ms: u64) -> Live {
    Live::Device { device: device(number), online: true, at_ms }
}

fn event(number: i64) -> Live {
    Live::Event(Event {
        id: EventId(number),
        device: device(1),
        at_ms: 1,
        kind: "SensorLost".into(),
        severity: Severity::Info,
        subject: "cpu".into(),
        message: String::new(),
        reading: None,
        threshold: None,
        unit: None,
    })
}

fn readings(at_ms: u64) -> Live {
    let series = |id: i64, metric: &str| Sampled {
        device: device(1),
        series: Arc::new(SeriesInfo {
            id: SeriesId(id),
            metric: metric.into(),
            kind: Kind::Temperature,
            unit: Unit::Celsius,
            attributes: Vec::new(),
            cadence_ms: 1_000,
            reader: Reader::Guard,
        }),
        samples: vec![(at_ms, Ok(1.0)), (at_ms + 1_000, Ok(2.0))],
    };
    let sampled = vec![series(1, "hw.temperature"), series(2, "hw.power")];
    Live::readings(device(1), EntryKey::for_test(1, at_ms), sampled)
}

#[tokio::test]
async fn a_slow_subscriber_loses_the_oldest_and_is_told_how_much() {
    let hub = Hub::default();
    let subscription = hub.subscribe();
    subscription.set_interest(Interest { events: true, ..Interest::default() });
    let published = i64::try_from(CAPACITY).unwrap() + 3;
    for number in 0..published {
        hub.publish(event(number));
    }
    let gap = Delivery::Gap { topic: Topic::Events, dropped: 3 };
    assert_eq!(subscription.next().await, gap);
    for number in 3..published {
        assert_eq!(subscription.next().await, Delivery::Live(Arc::new(event(number))));
    }
}

#[tokio::test]
async fn a_subscriber_is_handed_only_what_it_asked_for() {
    let hub = Hub::default();
    let subscription = hub.subscribe();
    hub.publish(state(1, 0));
    let one = Devices { all: false, named: HashSet::from([device(2)]) };
    subscription.set_interest(Interest { device_states: one, ..Interest::default() });
    assert!(!hub.is_wanted(Topic::DeviceState(device(1))));
    assert!(hub.is_wanted(Topic::DeviceState(device(2))));
    hub.publish(state(1, 1));
    hub.publish(state(2, 2));
    let newest = subscription.newest().await;
    assert_eq!(newest.devices.keys().collect::<Vec<_>>(), [&device(2)]);
    drop(subscription);
    assert_eq!(hub.subscribers(), 0);
}

#[tokio::test]
async fn who_asks_for_state_is_behind_by_one_value_of_each_series() {
    let hub = Hub::default();
    let subscription = hub.subscribe();
    subscription.set_interest(Interest { newest: Devices::all(), ..Interest::default() });
    for at_ms in 0..10_000 {
        hub.publish(readings(at_ms));
    }
    let newest = subscription.newest().await;
    let samples = &newest.samples[&Place::Device(device(1))];
    let times: Vec<_> = samples.values().map(|sample| sample.at_ms).collect();
    assert_eq!(times, [10_999, 10_999]);
    assert_eq!(subscription.0.take(), None);
}

#[tokio::test]
async fn a_selection_takes_the_series_that_it_holds_for() {
    let hub = Hub::default();
    let subscription = hub.subscribe();
    let select = |text: &str, mode| Selection::parse(text, mode).unwrap();
    let state = select("metric=hw.power", Mode::State);
    let other = select("metric=hw.energy", Mode::Event);
    let interest = Interest { selections: vec![state.clone(), other], ..Interest::default() };
    subscription.set_interest(interest);
    hub.publish(readings(0));
    let newest = subscription.newest().await;
    let series: Vec<_> = newest.samples[&Place::Selection(0)].keys().collect();
    assert_eq!(series, [&SeriesId(2)]);
    assert_eq!(subscription.0.take(), None);
    let event = select("metric=hw.power", Mode::Event);
    subscription.set_interest(Interest { selections: vec![event], ..Interest::default() });
    hub.publish(readings(5));
    assert_eq!(subscription.next().await, Delivery::Live(Arc::new(readings(5))));
}

#[tokio::test]
async fn a_mark_follows_what_was_published_before_it() {
    let hub = Hub::default();
    let subscription = hub.subscribe();
    subscription.set_interest(Interest { events: true, ..Interest::default() });
    hub.publish(event(1));
    let mark = Watermark { block: 3, event: 1 };
    subscription.mark(9, mark);
    hub.publish(event(2));
    assert_eq!(subscription.next().await, Delivery::Live(Arc::new(event(1))));
    assert_eq!(subscription.next().await, Delivery::Mark(9, mark));
    assert_eq!(subscription.next().await, Delivery::Live(Arc::new(event(2))));
}
