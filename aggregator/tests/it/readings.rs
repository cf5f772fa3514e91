//! What is asked of the store, against a plain list of everything that was sent.

use super::rig::{Rig, Sample, block, entry};
use flyball_aggregator::fleet::Belonging;
use flyball_aggregator::telemetry::{
    Aggregate, GapSpan, Kind, NoData, Readings, ReadingsError, ReadingsQuery, Selection,
    SeriesReadings,
};
use flyball_protocol::command::DeviceId;
use flyball_protocol::entry::{EntryBody, Gap, GapScope};
use flyball_protocol::series::Reader;
use std::collections::BTreeMap;

const START_MS: u64 = 1_795_298_300_000;
const SPAN_MS: u64 = 60_000;

/// A minute of samples with holes: every seventh tick of series 1 is stale, and the agent's
/// series 2 has none between 20 s and 40 s.
fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for tick in (0..SPAN_MS).step_by(1000) {
        let at_ms = START_MS + tick;
        #[expect(clippy::cast_precision_loss, reason = "ticks are small")]
        let value = (tick / 1000) as f64;
        samples.push((0, at_ms, Ok(40.0 + (value * 0.7).sin())));
        let stale = (tick / 1000) % 7 == 0;
        samples.push((1, at_ms, if stale { Err(NoData::Stale) } else { Ok(value) }));
        if !(20_000..40_000).contains(&tick) {
            samples.push((2, at_ms, Ok(value / 100.0)));
        }
    }
    samples
}

async fn sent() -> (Rig, DeviceId) {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 7).await;
    let mut blocks: BTreeMap<u64, Vec<Sample>> = BTreeMap::new();
    for sample in samples() {
        blocks.entry(sample.1 / 10_000 * 10_000).or_default().push(sample);
    }
    let gap = EntryBody::Gap(Gap {
        from_ms: START_MS + 20_000,
        to_ms: START_MS + 39_000,
        scope: GapScope::Reader(Reader::Agent),
        reason: NoData::NotRunning,
        note: "restarted".into(),
    });
    let entries = blocks.len() as u64 + 1;
    // The last block first: entries come in any order.
    for (seq, (start_ms, samples)) in (1..).zip(blocks).collect::<Vec<_>>().into_iter().rev() {
        agent.send(block(seq, start_ms, &samples)).await;
    }
    agent.send(entry(entries, &gap)).await;
    agent.acknowledged(entries).await;
    (rig, identity.device)
}

fn of_device(device: DeviceId) -> Selection {
    Selection { device: Some((device, Belonging::Own)), ..Selection::default() }
}

fn query(device: DeviceId) -> ReadingsQuery {
    ReadingsQuery {
        selection: of_device(device),
        from_ms: Some(START_MS),
        to_ms: Some(START_MS + SPAN_MS),
        step_ms: None,
        aggregate: Aggregate::Avg,
    }
}

/// The series that the test numbered `number`.
fn of(readings: &Readings, number: u32) -> &SeriesReadings {
    let id = format!("s{number}");
    readings.series.iter().find(|s| s.series.attributes[0].1 == id).unwrap()
}

fn values(number: u32, from_ms: u64, to_ms: u64) -> Vec<(u64, f64)> {
    samples()
        .into_iter()
        .filter(|&(series, at_ms, _)| series == number && (from_ms..to_ms).contains(&at_ms))
        .filter_map(|(_, at_ms, value)| Some((at_ms, value.ok()?)))
        .collect()
}

#[tokio::test]
async fn raw_readings_are_the_very_samples_that_were_sent() {
    let (rig, device) = sent().await;
    // The range cuts blocks on both sides.
    let (from_ms, to_ms) = (START_MS + 13_000, START_MS + 47_000);
    let query = ReadingsQuery { from_ms: Some(from_ms), to_ms: Some(to_ms), ..query(device) };
    let readings = rig.app.telemetry.readings(&query).await.unwrap();
    assert_eq!(readings.series.len(), 3);
    for number in 0..3 {
        let expected: Vec<_> =
            values(number, from_ms, to_ms).into_iter().map(|(t, v)| (t, Some(v))).collect();
        assert_eq!(of(&readings, number).points, expected, "series {number}");
    }
}

#[tokio::test]
async fn gaps_are_named_whether_they_are_ticks_or_entries() {
    let (rig, device) = sent().await;
    let readings = rig.app.telemetry.readings(&query(device)).await.unwrap();
    assert_eq!(of(&readings, 0).gaps, []);
    let stale = |tick: u64| {
        let at_ms = START_MS + tick * 1000;
        GapSpan { from_ms: at_ms, to_ms: at_ms, reason: NoData::Stale }
    };
    assert_eq!(of(&readings, 1).gaps, (0..9).map(|n| stale(n * 7)).collect::<Vec<_>>());
    let not_running = GapSpan {
        from_ms: START_MS + 20_000,
        to_ms: START_MS + 39_000,
        reason: NoData::NotRunning,
    };
    assert_eq!(of(&readings, 2).gaps, [not_running]);
}

const PLAIN: [Aggregate; 6] = [
    Aggregate::Avg,
    Aggregate::Min,
    Aggregate::Max,
    Aggregate::Sum,
    Aggregate::Count,
    Aggregate::Last,
];

#[tokio::test]
async fn steps_agree_with_a_plain_model_for_every_aggregate() {
    let (rig, device) = sent().await;
    for step_ms in [1000, 3000, 7000, 10_000, 30_000, 60_000] {
        for aggregate in PLAIN {
            // From the middle of a step: the first one holds only what the range does.
            let (from_ms, to_ms) = (START_MS + 4000, START_MS + SPAN_MS);
            let query = ReadingsQuery {
                from_ms: Some(from_ms),
                step_ms: Some(step_ms),
                aggregate,
                ..query(device)
            };
            let readings = rig.app.telemetry.readings(&query).await.unwrap();
            for number in 0..3 {
                let found = &of(&readings, number).points;
                let expected = model(number, from_ms, to_ms, step_ms, aggregate);
                assert_eq!(found.len(), expected.len(), "{step_ms} {aggregate:?}");
                for (found, expected) in found.iter().zip(&expected) {
                    assert_eq!(found.0, expected.0, "{step_ms} {aggregate:?}");
                    let near = match (found.1, expected.1) {
                        (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
                        (found, expected) => found == expected,
                    };
                    assert!(near, "{step_ms} {aggregate:?} {found:?} {expected:?}");
                }
            }
        }
    }
}

fn model(
    number: u32,
    from_ms: u64,
    to_ms: u64,
    step_ms: u64,
    aggregate: Aggregate,
) -> Vec<(u64, Option<f64>)> {
    let first_ms = from_ms / step_ms * step_ms;
    (first_ms..to_ms)
        .step_by(usize::try_from(step_ms).unwrap())
        .map(|start_ms| {
            let in_step = values(number, from_ms.max(start_ms), to_ms.min(start_ms + step_ms));
            let values: Vec<f64> = in_step.into_iter().map(|(_, value)| value).collect();
            (start_ms, gathered(&values, aggregate))
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a minute has few samples")]
fn gathered(values: &[f64], aggregate: Aggregate) -> Option<f64> {
    let count = values.len() as f64;
    let sum: f64 = values.iter().sum();
    match aggregate {
        Aggregate::Count => Some(count),
        _ if values.is_empty() => None,
        Aggregate::Avg => Some(sum / count),
        Aggregate::Min => values.iter().copied().reduce(f64::min),
        Aggregate::Max => values.iter().copied().reduce(f64::max),
        Aggregate::Sum => Some(sum),
        Aggregate::Last => values.last().copied(),
        other => panic!("{other:?} is no plain one"),
    }
}

#[tokio::test]
async fn a_tick_that_two_epochs_hold_counts_once() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    // The second spool begins again in the middle of what the first has sent.
    let spools = [(7, 0..10, 1.0), (8, 5..15, 2.0)];
    for (epoch, seconds, value) in spools {
        let samples: Vec<Sample> =
            seconds.map(|second| (0, START_MS + second * 1000, Ok(value))).collect();
        let start_ms = samples[0].1;
        let mut agent = rig.agent(&identity, epoch).await;
        agent.send(block(1, start_ms, &samples)).await;
        agent.acknowledged(1).await;
    }
    let ticks = (0..15).map(|second| START_MS + second * 1000);
    let expected: Vec<_> = ticks.zip([1.0; 10].into_iter().chain([2.0; 5])).collect();
    let readings = rig.app.telemetry.readings(&query(identity.device)).await.unwrap();
    let found: Vec<_> =
        of(&readings, 0).points.iter().map(|&(at_ms, value)| (at_ms, value.unwrap())).collect();
    assert_eq!(found, expected);
    // By step too, where whole columns are answered by their statistics.
    let by_minute = ReadingsQuery {
        step_ms: Some(60_000),
        aggregate: Aggregate::Sum,
        ..query(identity.device)
    };
    let readings = rig.app.telemetry.readings(&by_minute).await.unwrap();
    assert_eq!(of(&readings, 0).points[0].1, Some(20.0));
}

#[tokio::test]
async fn a_filter_names_series_by_kind_metric_or_id() {
    let (rig, device) = sent().await;
    let selected = |selection| ReadingsQuery { selection, ..query(device) };
    let by_kind = selected(Selection { kind: Some(Kind::Utilization), ..of_device(device) });
    let readings = rig.app.telemetry.readings(&by_kind).await.unwrap();
    assert_eq!(readings.series.len(), 1);
    let id = readings.series[0].series.id;
    let by_metric =
        selected(Selection { metric: Some("hw.temperature".into()), ..of_device(device) });
    assert_eq!(rig.app.telemetry.readings(&by_metric).await.unwrap().series.len(), 2);
    let by_id = selected(Selection { series: vec![id], ..of_device(device) });
    assert_eq!(rig.app.telemetry.readings(&by_id).await.unwrap().series[0].series.id, id);
}

#[tokio::test]
async fn questions_out_of_bounds_say_which_bound() {
    let (rig, device) = sent().await;
    let ask = |query: ReadingsQuery| {
        let app = rig.app.clone();
        async move { app.telemetry.readings(&query).await.unwrap_err() }
    };
    let year_ms = 365 * 24 * 3_600_000;
    let long =
        ReadingsQuery { from_ms: Some(START_MS - year_ms), step_ms: Some(1000), ..query(device) };
    let error = ask(long).await;
    assert!(matches!(error, ReadingsError::TooManyPoints { .. }), "{error:?}");
    let empty = ReadingsQuery { from_ms: Some(5), to_ms: Some(5), ..query(device) };
    assert!(matches!(ask(empty).await, ReadingsError::EmptyRange { from_ms: 5, to_ms: 5 }));
    let step = ReadingsQuery { step_ms: Some(10), ..query(device) };
    assert!(matches!(ask(step).await, ReadingsError::Step { step_ms: 10 }));
    let nobody = DeviceId(uuid::Uuid::from_u128(1));
    let error = ask(query(nobody)).await;
    assert!(matches!(error, ReadingsError::UnknownDevice(device) if device == nobody));
}

#[tokio::test]
async fn the_latest_values_are_those_of_the_newest_ticks() {
    let (rig, device) = sent().await;
    let latest = rig.app.telemetry.latest(device);
    assert_eq!(latest.len(), 3);
    for value in latest {
        assert_eq!(value.at_ms, START_MS + SPAN_MS - 1000, "{}", value.series.metric);
    }
}
