//! Whatever the blocks are, an answer is what a plain list of all samples gives.

use super::budget::Budget;
use super::gathering::{Form, Gathering, Values};
use super::machine::take_segments;
use super::steps::{Grid, Steps, Wants};
use crate::fleet::DeviceId;
use crate::history::Segment;
use crate::history::segment::SegmentWriter;
use crate::store::EpochKey;
use crate::telemetry::dictionary::Dictionary;
use crate::telemetry::{Aggregate, Kind, NoData, Reader, SeriesId, SeriesInfo, Unit};
use flyball_protocol::block::{Block, BlockBuilder, Cell, Header};
use flyball_protocol::series::SeriesRef;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use uuid::Uuid;

/// The samples of four minutes of two series, in two epochs.
const TICKS: u64 = 240;
const SERIES: usize = 2;
/// Rates don't reckon over more than three cadences of a second.
const GAP_MS: u64 = 3_000;

fn series(id: i64) -> Arc<SeriesInfo> {
    Arc::new(SeriesInfo {
        id: SeriesId(id),
        metric: "hw.energy".into(),
        kind: Kind::Energy,
        unit: Unit::Joule,
        attributes: Vec::new(),
        cadence_ms: 1_000,
        reader: Reader::Guard,
    })
}

type Reading = Option<Result<f64, NoData>>;

/// One epoch: the lengths of its blocks in seconds, and each series' reading at each tick.
#[derive(Clone, Debug)]
struct Spool {
    begin: u64,
    blocks: Vec<u64>,
    readings: Vec<Vec<Reading>>,
}

fn spools() -> impl Strategy<Value = Vec<Spool>> {
    let reading = prop_oneof![
        6 => (0_i32..200).prop_map(|tenths| Some(Ok(f64::from(tenths) / 10.0))),
        // Runs of one value, which a block writes once for all.
        3 => Just(Some(Ok(7.0))),
        1 => Just(Some(Err(NoData::Stale))),
        1 => Just(None),
        1 => Just(Some(Ok(f64::NAN))),
    ];
    let readings = vec(vec(reading, TICKS as usize), SERIES);
    let spool = (0..TICKS, vec(1_u64..=40, 1..=12), readings);
    let spool = spool.prop_map(|(begin, blocks, readings)| Spool { begin, blocks, readings });
    vec(spool, 1..=2)
}

/// One series' samples by their ticks.
type Samples = BTreeMap<u64, Result<f64, NoData>>;

/// A block: its first tick, its epoch, and its bytes.
type Sealed = (u64, EpochKey, Vec<u8>);

/// Blocks as the store gives them, by their first ticks, and every sample by its tick: of two
/// blocks that hold a tick the one that comes first.
fn sealed(spools: &[Spool]) -> (Vec<Sealed>, Vec<Samples>) {
    let mut blocks = Vec::new();
    for (epoch, spool) in (1..).zip(spools) {
        let mut at = spool.begin;
        for length in &spool.blocks {
            let mut builder = BlockBuilder::new(at * 1_000, u32::try_from(length * 1_000).unwrap());
            let mut held = Vec::new();
            for tick in at..(at + length).min(TICKS) {
                for (number, readings) in (0..).zip(&spool.readings) {
                    if let Some(reading) = readings[tick as usize] {
                        builder.push(SeriesRef(number), tick * 1_000, reading).unwrap();
                        held.push((number as usize, tick * 1_000, reading));
                    }
                }
            }
            at += length;
            if let Some(first_ms) = held.iter().map(|(_, at_ms, _)| *at_ms).min() {
                let bytes = builder.build().unwrap().encode();
                blocks.push((first_ms, EpochKey::for_test(epoch), bytes, held));
            }
        }
    }
    blocks.sort_by_key(|(first_ms, ..)| *first_ms);
    let mut samples = vec![BTreeMap::new(); SERIES];
    for (.., held) in &blocks {
        for &(number, at_ms, reading) in held {
            samples[number].entry(at_ms).or_insert(reading);
        }
    }
    (
        blocks.into_iter().map(|(first_ms, epoch, bytes, _)| (first_ms, epoch, bytes)).collect(),
        samples,
    )
}

fn gather(segments: &[Segment], blocks: &[Sealed], range: &Range<u64>, form: Form) -> Vec<Values> {
    let all: Vec<_> = (1..=SERIES as i64).map(series).collect();
    let numbers = (1..=2).flat_map(|epoch| {
        (0..)
            .zip(&all)
            .map(move |(number, series)| (EpochKey::for_test(epoch), SeriesRef(number), series.id))
    });
    let dictionary = Dictionary::new(numbers.collect());
    let budget = Arc::new(Budget::default());
    let mut gathering = Gathering::new(all, range.clone(), form, &dictionary, budget);
    let spans = blocks.iter().map(|(_, _, bytes)| {
        let (first_ms, last_ms) = Header::read(bytes).unwrap().span_ms().unwrap();
        first_ms..=last_ms
    });
    take_segments(&mut gathering, segments, &spans.collect::<Vec<_>>()).unwrap();
    for (_, epoch, bytes) in blocks {
        gathering.take_block(*epoch, bytes).unwrap();
    }
    gathering.finish(&[]).into_iter().map(|(_, gathered)| gathered.values).collect()
}

/// A segment of these blocks, as the compactor makes one.
fn compacted(blocks: &[Sealed]) -> Option<Segment> {
    let mut samples: Vec<Vec<(u64, Cell)>> = vec![Vec::new(); SERIES];
    for (_, _, bytes) in blocks {
        for group in Block::decode(bytes).unwrap().groups {
            for column in &group.columns {
                let cells = group.ticks_ms().zip(column.cells.iter().copied());
                samples[column.series.0 as usize].extend(cells);
            }
        }
    }
    let mut writer = SegmentWriter::new(DeviceId(Uuid::nil()), 0, TICKS * 1_000);
    for (id, samples) in (1..).zip(samples) {
        writer.add(SeriesId(id), samples).unwrap();
    }
    (!blocks.is_empty()).then(|| Segment::open(writer.finish().unwrap().0).unwrap())
}

/// One step of the plain list.
fn naive(
    samples: &[Samples],
    range: &Range<u64>,
    step: Range<u64>,
    aggregate: Aggregate,
) -> Option<f64> {
    let finite = |samples: &Samples| -> Vec<(u64, f64)> {
        let values = samples.iter().filter_map(|(at_ms, value)| Some((*at_ms, value.ok()?)));
        values.filter(|(_, value)| value.is_finite()).collect()
    };
    let inside = |at_ms: u64| range.contains(&at_ms) && step.contains(&at_ms);
    let mut values = Vec::new();
    let mut gains: Vec<(f64, f64)> = Vec::new();
    for samples in samples {
        let finite = finite(samples);
        values.extend(finite.iter().copied().filter(|(at_ms, _)| inside(*at_ms)));
        let (mut increase, mut seconds) = (0.0, 0.0);
        for pair in finite.windows(2) {
            let ((before_ms, before), (at_ms, value)) = (pair[0], pair[1]);
            if inside(at_ms) && at_ms - before_ms <= GAP_MS {
                increase += if value < before { value } else { value - before };
                seconds += (at_ms - before_ms) as f64 / 1_000.0;
            }
        }
        if seconds > 0.0 {
            gains.push((increase, seconds));
        }
    }
    let numbers = || values.iter().map(|(_, value)| *value);
    let sum: f64 = numbers().sum();
    let count = values.len() as f64;
    match aggregate {
        Aggregate::Count => Some(count),
        Aggregate::Rate => gains.iter().map(|(gain, seconds)| gain / seconds).reduce(|a, b| a + b),
        Aggregate::Increase => gains.iter().map(|(gain, _)| *gain).reduce(|a, b| a + b),
        _ if values.is_empty() => None,
        Aggregate::Avg => Some(sum / count),
        Aggregate::Sum => Some(sum),
        Aggregate::Min => numbers().reduce(f64::min),
        Aggregate::Max => numbers().reduce(f64::max),
        Aggregate::Last => values
            .iter()
            .fold(None, |last: Option<(u64, f64)>, &(at_ms, value)| match last {
                Some((newest, _)) if newest > at_ms => last,
                _ => Some((at_ms, value)),
            })
            .map(|(_, value)| value),
        Aggregate::P50 | Aggregate::P90 | Aggregate::P95 | Aggregate::P99 => {
            let mut sorted: Vec<f64> = numbers().collect();
            sorted.sort_by(f64::total_cmp);
            let place = aggregate.share().unwrap() * (count - 1.0);
            let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            Some(low + (high - low) * place.fract())
        }
    }
}

fn is_near(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() < 1e-6,
        (found, expected) => found == expected,
    }
}

proptest! {
    #[test]
    fn any_mixture_of_blocks_and_segments_answers_as_the_list_of_all_samples(
        spools in spools(),
        cuts in (0..30_usize, 0..30_usize),
        from_ms in 0..TICKS * 1_000,
        length_ms in 1..TICKS * 1_000,
        step_s in prop_oneof![1_u64..=40, Just(60), Just(120)],
    ) {
        let (blocks, samples) = sealed(&spools);
        let range = from_ms..from_ms + length_ms;
        // What came first is compacted, into two segments; the rest waits.
        let (first, second) = (cuts.0.min(cuts.1).min(blocks.len()), cuts.0.max(cuts.1).min(blocks.len()));
        let segments: Vec<Segment> =
            compacted(&blocks[..first]).into_iter().chain(compacted(&blocks[first..second])).collect();
        let blocks = &blocks[second..];
        let raw = gather(&segments, blocks, &range, Form::Raw);
        for (values, samples) in raw.iter().zip(&samples) {
            let Values::Raw(points) = values else { panic!() };
            let expected = samples.range(range.clone());
            let expected: Vec<_> =
                expected.filter_map(|(at_ms, value)| Some((*at_ms, value.ok()?.to_bits()))).collect();
            let found: Vec<_> = points.iter().map(|(at_ms, value)| (*at_ms, value.to_bits())).collect();
            prop_assert_eq!(found, expected);
        }
        let grid = Grid::new(&range, step_s * 1_000);
        for aggregate in Aggregate::ALL {
            let form = Form::Stepped(grid, Wants::of(&[aggregate], true));
            let gathered = gather(&segments, blocks, &range, form);
            let steps: Vec<&Steps> = gathered.iter().map(|values| match values {
                Values::Stepped(steps) => steps,
                Values::Raw(_) => panic!(),
            }).collect();
            let together = Steps::points(&steps, aggregate);
            prop_assert_eq!(together.len(), grid.count);
            for (start_ms, value) in together {
                let step = start_ms..start_ms + step_s * 1_000;
                let expected = naive(&samples, &range, step, aggregate);
                prop_assert!(is_near(value, expected), "{aggregate:?} {start_ms} {value:?} {expected:?}");
            }
        }
    }

    #[test]
    fn hours_of_segments_answer_as_the_list_of_all_samples(
        readings in vec(prop_oneof![9 => (0_i32..500).prop_map(Some), 1 => Just(None)], 600),
        cadence_s in prop_oneof![Just(10_u64), Just(30)],
        cut in 0..600_usize,
        overlap in 0..3_usize,
        (from_s, length_s) in (0..18_000_u64, 1..18_000_u64),
        (is_whole_from, is_whole_to) in any::<(bool, bool)>(),
        step_s in prop_oneof![Just(3_600_u64), Just(7_200), Just(1_800)],
    ) {
        let whole = |second: u64, is_whole: bool| if is_whole { second / 3_600 * 3_600 } else { second };
        let from_ms = whole(from_s, is_whole_from) * 1_000;
        let to_ms = (whole(from_s + length_s, is_whole_to) * 1_000).max(from_ms + 1);
        let range = from_ms..to_ms;
        let all: Samples = (0..).zip(&readings).filter_map(|(at, reading): (u64, _)| {
            Some((at * cadence_s * 1_000, Ok(f64::from((*reading)?))))
        }).collect();
        let samples = vec![all.clone(), all.clone()];
        let ticks: Vec<(u64, Cell)> =
            all.iter().map(|(at_ms, value)| (*at_ms, Cell::Value(value.unwrap()))).collect();
        let cut = cut.min(ticks.len());
        let segments = [&ticks[..(cut + overlap).min(ticks.len())], &ticks[cut..]];
        let segments = segments.into_iter().filter(|ticks| !ticks.is_empty()).map(|ticks| {
            let mut writer = SegmentWriter::new(DeviceId(Uuid::nil()), 0, 18_000_000);
            for id in 1..=SERIES as i64 {
                writer.add(SeriesId(id), ticks.to_vec()).unwrap();
            }
            Segment::open(writer.finish().unwrap().0).unwrap()
        });
        let segments: Vec<Segment> = segments.collect();
        let grid = Grid::new(&range, step_s * 1_000);
        for aggregate in [Aggregate::Avg, Aggregate::Min, Aggregate::Max, Aggregate::Count] {
            let form = Form::Stepped(grid, Wants::of(&[aggregate], false));
            let gathered = gather(&segments, &[], &range, form);
            let steps = gathered.iter().map(|values| match values {
                Values::Stepped(steps) => steps,
                Values::Raw(_) => panic!(),
            });
            let steps: Vec<&Steps> = steps.collect();
            for (start_ms, value) in Steps::points(&steps, aggregate) {
                let step = start_ms..start_ms + step_s * 1_000;
                let expected = naive(&samples, &range, step, aggregate);
                prop_assert!(is_near(value, expected), "{aggregate:?} {start_ms} {value:?} {expected:?}");
            }
        }
    }
}
