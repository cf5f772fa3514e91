use super::*;
use flyball_units::NoData;
use proptest::prelude::*;
use uuid::Uuid;

const DAY_MS: u64 = 1_795_219_200_000;

/// Where the golden bytes lie, for a test that makes them when the version is new.
const GOLDEN: &str = "src/history/segment/golden/segment-1.bin";

fn device() -> DeviceId {
    DeviceId(Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10))
}

fn segment_of(series: Vec<Vec<(u64, Cell)>>) -> Vec<u8> {
    let mut writer = SegmentWriter::new(device(), DAY_MS, DAY_MS + 2 * HOUR_MS);
    for (number, samples) in (1..).zip(series) {
        writer.add(SeriesId(number), samples).unwrap();
    }
    let (bytes, layout) = writer.finish().unwrap();
    assert_eq!(Segment::open(bytes.clone()).unwrap().layout(), layout);
    bytes
}

fn every_second(values: impl IntoIterator<Item = f64>) -> Vec<(u64, Cell)> {
    (0..).zip(values).map(|(second, value)| (DAY_MS + second * 1000, Cell::Value(value))).collect()
}

/// What a host's series look like: a constant, a counter, tenths that drift, plain floats, one
/// with holes and reasons.
fn mixed() -> Vec<Vec<(u64, Cell)>> {
    let wave = |second: u32| f64::from(second * 7919 % 613);
    let mut holes = every_second((0..400).map(|second| (wave(second) + 400.0) / 100.0));
    for (at, (_, cell)) in holes.iter_mut().enumerate() {
        match at {
            50..70 => *cell = Cell::NoData(NoData::Fault),
            90 => *cell = Cell::NoData(NoData::Stuck),
            _ => {}
        }
    }
    holes.drain(200..260);
    vec![
        every_second(std::iter::repeat_n(3.25, 400)),
        every_second((0..400).map(|second| f64::from(second * 4096))),
        every_second((0..400).map(|second| (400.0 + wave(second / 9) / 40.0).round() / 10.0)),
        every_second((0..400).map(|second| wave(second).sqrt())),
        holes,
    ]
}

#[test]
fn version_1_is_written_as_its_golden_bytes() {
    let bytes = segment_of(mixed());
    let golden = std::fs::read(GOLDEN).unwrap();
    assert!(bytes == golden, "a change of the layout is a new version");
    let segment = Segment::open(golden).unwrap();
    for (samples, part) in mixed().iter().zip(segment.parts()) {
        assert_eq!(&segment.samples(&part).unwrap(), samples);
    }
}

#[test]
fn series_that_repeat_themselves_from_afar_are_read_back() {
    // What a compressor would rather look back to, or keep a dictionary of.
    let scattered = |number: u64| (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64;
    let periodic = every_second((0..4_000).map(|second| scattered(second % 37)));
    let few = every_second((0..4_000).map(|second| scattered(second * second % 11).sqrt()));
    let series = vec![periodic, few];
    let segment = Segment::open(segment_of(series.clone())).unwrap();
    for (samples, part) in series.iter().zip(segment.parts()) {
        assert_eq!(&segment.samples(&part).unwrap(), samples);
    }
}

/// What is left of it without samples.
fn thinned(segment: &Segment) -> Segment {
    let mut writer = SegmentWriter::new(device(), DAY_MS, DAY_MS + 2 * HOUR_MS);
    for part in segment.parts() {
        writer.copy(segment, &part, Tier::Minutes).unwrap();
    }
    Segment::open(writer.finish().unwrap().0).unwrap()
}

#[test]
fn slow_series_have_no_minutes_until_their_samples_go() {
    let slow = |step_s: u64| -> Vec<(u64, Cell)> {
        let value = |second: u64| Cell::Value(second as f64);
        (0..7_200).step_by(step_s as usize).map(|s| (DAY_MS + s * 1000, value(s))).collect()
    };
    let segment = Segment::open(segment_of(vec![slow(30), slow(15)])).unwrap();
    let (at_30_s, at_15_s) =
        (segment.part(SeriesId(1)).unwrap(), segment.part(SeriesId(2)).unwrap());
    assert!(!at_30_s.has_minutes && at_15_s.has_minutes);
    assert_eq!(segment.minutes(&at_30_s).unwrap(), []);
    assert_eq!(segment.hours(&at_30_s).unwrap().len(), 2);
    let thinned = thinned(&segment);
    let part = thinned.part(SeriesId(1)).unwrap();
    assert_eq!((part.samples, part.has_minutes), (0, true));
    let minutes = thinned.minutes(&part).unwrap();
    assert_eq!((minutes.len(), minutes[1].count), (120, 2));
    assert_eq!((minutes[1].first, minutes[1].last, minutes[1].sum), (60.0, 90.0, 150.0));
}

#[test]
fn minutes_and_hours_are_those_of_the_samples() {
    let bytes = segment_of(mixed());
    let segment = Segment::open(bytes).unwrap();
    let counter = segment.part(SeriesId(2)).unwrap();
    let minutes = segment.minutes(&counter).unwrap();
    assert_eq!(minutes.len(), 7);
    let second = Rollup {
        start_ms: DAY_MS + MINUTE_MS,
        count: 60,
        min: 60.0 * 4096.0,
        max: 119.0 * 4096.0,
        sum: (60..120).map(|at| f64::from(at) * 4096.0).sum(),
        first: 60.0 * 4096.0,
        last: 119.0 * 4096.0,
    };
    assert_eq!(minutes[1], second);
    let hours = segment.hours(&counter).unwrap();
    assert_eq!(
        hours.iter().map(|hour| (hour.start_ms, hour.count)).collect::<Vec<_>>(),
        [(DAY_MS, 400)]
    );
    let holes = segment.part(SeriesId(5)).unwrap();
    let counts: Vec<u32> =
        segment.minutes(&holes).unwrap().iter().map(|minute| minute.count).collect();
    assert_eq!(counts, [50, 49, 60, 20, 40, 60, 40]);
    assert_eq!(segment.part(SeriesId(6)), None);
}

#[test]
fn of_two_cells_at_one_tick_the_first_stays() {
    let samples =
        vec![(5000, Cell::Value(2.0)), (4000, Cell::Value(1.0)), (5000, Cell::Value(9.0))];
    let segment = Segment::open(segment_of(vec![samples])).unwrap();
    let part = segment.part(SeriesId(1)).unwrap();
    assert_eq!(
        segment.samples(&part).unwrap(),
        [(4000, Cell::Value(1.0)), (5000, Cell::Value(2.0))]
    );
}

#[test]
fn a_part_is_read_with_its_own_bytes_and_the_index_alone() {
    let bytes = segment_of(mixed());
    let layout = Segment::open(bytes.clone()).unwrap().layout();
    let tail = bytes[layout.minutes_at..].to_vec();
    let segment = Segment::open_tail(tail, bytes.len()).unwrap();
    let part = segment.part(SeriesId(4)).unwrap();
    assert_eq!(segment.minutes(&part).unwrap().len(), 7);
    assert!(matches!(segment.samples(&part), Err(SegmentError::NotFetched)));
    let range = segment.range(&part, Tier::Samples);
    let segment = segment.with_piece(range.start, bytes[range].to_vec());
    assert_eq!(segment.samples(&part).unwrap(), mixed()[3]);
    let index = Segment::open_tail(bytes[layout.index_at..].to_vec(), bytes.len()).unwrap();
    assert_eq!(index.parts().count(), 5);
}

#[test]
fn a_thinned_segment_has_the_same_statistics_and_no_samples() {
    let segment = Segment::open(segment_of(mixed())).unwrap();
    let thinned = |tier| {
        let mut writer = SegmentWriter::new(device(), DAY_MS, DAY_MS + 2 * HOUR_MS);
        for part in segment.parts() {
            writer.copy(&segment, &part, tier).unwrap();
        }
        Segment::open(writer.finish().unwrap().0).unwrap()
    };
    let whole = thinned(Tier::Samples);
    let minutes = thinned(Tier::Minutes);
    let hours = thinned(Tier::Hours);
    for part in segment.parts() {
        let of = |other: &Segment| other.part(part.series).unwrap();
        assert_eq!(whole.samples(&of(&whole)).unwrap(), segment.samples(&part).unwrap());
        assert!(minutes.samples(&of(&minutes)).unwrap().is_empty());
        assert_eq!(minutes.minutes(&of(&minutes)).unwrap(), segment.minutes(&part).unwrap());
        assert!(hours.minutes(&of(&hours)).unwrap().is_empty());
        assert_eq!(hours.hours(&of(&hours)).unwrap(), segment.hours(&part).unwrap());
        assert_eq!(of(&hours).stats, part.stats);
        assert_eq!((of(&hours).first_ms, of(&hours).last_ms), (part.first_ms, part.last_ms));
    }
}

#[test]
fn a_damaged_part_is_named_and_its_neighbours_are_read() {
    let mut bytes = segment_of(mixed());
    let segment = Segment::open(bytes.clone()).unwrap();
    let hurt = segment.part(SeriesId(3)).unwrap();
    bytes[segment.range(&hurt, Tier::Samples).start + 9] ^= 0x10;
    let segment = Segment::open(bytes).unwrap();
    assert!(matches!(segment.samples(&hurt), Err(SegmentError::Checksum("part"))));
    assert_eq!(segment.minutes(&hurt).unwrap().len(), 7);
    let whole = segment.part(SeriesId(4)).unwrap();
    assert_eq!(segment.samples(&whole).unwrap(), mixed()[3]);
}

/// Any float by its bits, the likely ones oftener.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        any::<i16>().prop_map(|tenths| f64::from(tenths) / 10.0),
        any::<i16>().prop_map(|tenths| f64::from(tenths) / 10.0),
        (0_i64..1 << 50).prop_map(|whole| whole as f64),
        Just(-0.0),
        Just(f64::NAN),
    ]
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        9 => value().prop_map(Cell::Value),
        1 => (0..NoData::ALL.len()).prop_map(|at| Cell::NoData(NoData::ALL[at])),
    ]
}

fn ticks() -> impl Strategy<Value = u64> {
    prop_oneof![5 => Just(1000_u64), 1 => Just(0), 1 => 1_u64..9_000_000]
}

/// Mostly decimals with a stranger here and there, or anything.
fn samples() -> impl Strategy<Value = Vec<(u64, Cell)>> {
    let anything = prop::collection::vec((ticks(), cell()), 0..300);
    let likely = (
        prop::collection::vec((ticks(), any::<i16>()), 40..300),
        cell(),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(all, stranger, at)| {
            let mut cells: Vec<_> = all
                .into_iter()
                .map(|(gap, value)| (gap, Cell::Value(f64::from(value) / 100.0)))
                .collect();
            let at = at.index(cells.len());
            cells[at].1 = stranger;
            cells
        });
    prop_oneof![anything, likely].prop_map(|steps| {
        let mut at_ms = DAY_MS;
        steps
            .into_iter()
            .map(|(gap, cell)| {
                at_ms += gap;
                (at_ms, cell)
            })
            .collect()
    })
}

/// Drives everything that reads a segment; what it answers is not looked at.
fn read_all(segment: &Segment) -> usize {
    segment
        .parts()
        .map(|part| {
            let samples = segment.samples(&part).map_or(0, |samples| samples.len());
            let minutes = segment.minutes(&part).map_or(0, |minutes| minutes.len());
            samples + minutes + segment.hours(&part).map_or(0, |hours| hours.len())
        })
        .sum()
}

/// Makes every checksum right again, so that damage reaches what lies behind them.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = bytes.len();
    if let Ok(at) = index::begin(&bytes, length) {
        let check = crc32fast::hash(&bytes[at..length - TRAILER_BYTES]).to_le_bytes();
        bytes[length - 9..length - 5].copy_from_slice(&check);
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn samples_come_back_bit_by_bit_all_or_the_first_of_them(
        series in prop::collection::vec(samples(), 1..4),
        cut in any::<prop::sample::Index>(),
        behind in 0_u8..2,
    ) {
        let segment = Segment::open(segment_of(series.clone())).unwrap();
        for (number, mut samples) in (1..).zip(series) {
            samples.dedup_by_key(|(at_ms, _)| *at_ms);
            let Some(part) = segment.part(SeriesId(number)) else {
                prop_assert!(samples.is_empty());
                continue;
            };
            prop_assert_eq!(segment.samples(&part).unwrap(), samples.clone());
            let before_ms = samples[cut.index(samples.len())].0 + u64::from(behind);
            let until = samples.partition_point(|(at_ms, _)| *at_ms < before_ms);
            let first = segment.samples_before(&part, before_ms).unwrap();
            prop_assert_eq!(&first, &samples[..until]);
            let cells: Vec<Cell> = samples.iter().map(|(_, cell)| *cell).collect();
            let stats = Stats::of(&cells);
            prop_assert_eq!(stats.map(|it| it.count), part.stats.map(|it| it.count));
            // Slow series have their minutes once their samples go.
            let thinned = thinned(&segment);
            let left = thinned.part(SeriesId(number)).unwrap();
            let minutes = thinned.minutes(&left).unwrap();
            if part.has_minutes {
                prop_assert_eq!(&segment.minutes(&part).unwrap(), &minutes);
            }
            let counted: u32 = minutes.iter().map(|minute| minute.count).sum();
            prop_assert_eq!(counted, stats.map_or(0, |stats| stats.count));
            for minute in minutes {
                let within = samples.iter().filter_map(|(at_ms, cell)| match cell {
                    Cell::Value(value)
                        if at_ms - at_ms % MINUTE_MS == minute.start_ms && value.is_finite() =>
                    {
                        Some(*value)
                    }
                    _ => None,
                });
                let within: Vec<f64> = within.collect();
                prop_assert_eq!(minute.count as usize, within.len());
                prop_assert_eq!(minute.first.to_bits(), within[0].to_bits());
                prop_assert_eq!(minute.last.to_bits(), within[within.len() - 1].to_bits());
                prop_assert!(within.iter().all(|value| minute.min <= *value && *value <= minute.max));
                let sum: f64 = within.iter().sum();
                let scale: f64 = within.iter().map(|value| value.abs()).sum();
                prop_assert!(!sum.is_finite() || (minute.sum - sum).abs() <= scale * 1e-12);
            }
        }
    }

    #[test]
    fn damaged_bytes_are_refused_and_never_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        shortened in any::<bool>(),
    ) {
        let mut bytes = segment_of(mixed());
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if shortened {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(segment) = Segment::open(resealed(bytes)) {
            prop_assert!(read_all(&segment) < 5 * 3 * MAX_SAMPLES);
        }
    }

    #[test]
    fn hostile_columns_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0_usize..5000, share in 0.0..=1.0_f64) {
        let extent = Extent { whole: count, wanted: (count as f64 * share) as usize };
        let cells = cells::take(&bytes, extent).map_or(0, |cells| cells.len());
        prop_assert!(cells <= extent.wanted);
        let rollups = rollup::take(&bytes, MINUTE_MS).map_or(0, |rollups| rollups.len());
        prop_assert!(rollups <= MAX_ROLLUPS);
        let floats = numbers::unsqueeze::<f64>(&bytes, extent).map_or(0, |floats| floats.len());
        prop_assert!(floats <= extent.wanted);
    }

    #[test]
    fn hostile_compressed_numbers_never_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        seed in any::<u16>(),
    ) {
        let numbers: Vec<i64> =
            (0..600).map(|at| i64::from(seed) * at % 977 + at * 5).collect();
        let mut bytes = numbers::squeeze(&numbers).unwrap();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for wanted in [600, 300, 0] {
            let extent = Extent { whole: 600, wanted };
            let back = numbers::unsqueeze::<i64>(&bytes, extent);
            prop_assert_eq!(back.map_or(wanted, |back| back.len()), wanted);
        }
    }
}
