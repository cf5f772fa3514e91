//! What a sample takes on disk once its day is history, and what it costs to get it there.
//!
//! Blocks as agents seal them are made into segments of two hours and these into one of the day,
//! by the code that the compactor runs. What the database adds, a row of some hundred bytes for
//! a device's day, is left out.

use crate::clock;
use crate::figure::{Bench, Figure};
use crate::mix::{Host, SERIES};
use anyhow::{Context, Result};
use flyball_aggregator::fleet::DeviceId;
use flyball_aggregator::history::segment::{HOUR_MS, Segment, SegmentWriter};
use flyball_aggregator::telemetry::SeriesId;
use flyball_protocol::block::{Block, BlockBuilder, Cell};
use flyball_protocol::series::SeriesRef;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

pub(crate) const BENCH: Bench = Bench { names: &["disk.bytes_per_sample"], measure };

const HOSTS: u64 = 3;
const DAY_MS: u64 = 24 * HOUR_MS;
const WINDOW_MS: u64 = 2 * HOUR_MS;
const BLOCK_MS: u32 = 10_000;
const START_MS: u64 = 1_795_219_200_000;
/// `VictoriaMetrics` 1.150 after a day of such a mix, as `docs/measured.md` tells.
const VICTORIA_METRICS: f64 = 0.76;

/// Bytes and time of one step over all hosts.
#[derive(Default)]
struct Cost {
    bytes: usize,
    took: Duration,
}

fn measure() -> Result<Vec<Figure>> {
    let (mut blocks, mut windows, mut days) = (Cost::default(), Cost::default(), Cost::default());
    let mut minutes = 0;
    for number in 0..HOSTS {
        let mut host = Host::new(number + 1);
        let mut segments = Vec::new();
        for from_ms in (START_MS..START_MS + DAY_MS).step_by(WINDOW_MS as usize) {
            let sealed = seal(&mut host, from_ms)?;
            blocks.bytes += sealed.iter().map(Vec::len).sum::<usize>();
            let started = clock::now();
            let segment = compact(&sealed, from_ms)?;
            windows.took += started.elapsed();
            windows.bytes += segment.len();
            segments.push(Segment::open(segment)?);
        }
        let started = clock::now();
        let day = merge(&segments)?;
        days.took += started.elapsed();
        days.bytes += day.len();
        let layout = Segment::open(day)?.layout();
        minutes += layout.index_at - layout.minutes_at;
    }
    let samples = (HOSTS * DAY_MS / 1000) as f64 * SERIES as f64;
    let each = |cost: &Cost| cost.bytes as f64 / samples;
    let nanoseconds = |cost: &Cost| cost.took.as_nanos() as f64 / samples;
    let month_gib = each(&days) * 100.0 * SERIES as f64 * 30.0 * 86_400.0 / f64::from(1 << 30);
    let how = format!(
        "{HOSTS} hosts' days of {SERIES} series at 1 Hz; of it minutes and hours {:.3}; in blocks \
         of 10 s {:.3}, in segments of 2 h {:.3} (made in {:.0} ns a sample), merged to a day in \
         {:.0} ns a sample; so a month of 100 devices is {month_gib:.0} GiB",
        minutes as f64 / samples,
        each(&blocks),
        each(&windows),
        nanoseconds(&windows),
        nanoseconds(&days),
    );
    Ok(vec![
        Figure::new("disk.bytes_per_sample", each(&days), "B", how)
            .against("VictoriaMetrics 1.150 after a day, earlier measured", VICTORIA_METRICS),
    ])
}

/// The blocks of two hours.
fn seal(host: &mut Host, from_ms: u64) -> Result<Vec<Vec<u8>>> {
    let starts = (from_ms..from_ms + WINDOW_MS).step_by(BLOCK_MS as usize);
    starts
        .map(|start_ms| {
            let mut builder = BlockBuilder::new(start_ms, BLOCK_MS);
            for tick_ms in (start_ms..start_ms + u64::from(BLOCK_MS)).step_by(1000) {
                for (number, value) in (0..).zip(host.step()) {
                    builder.push(SeriesRef(number), tick_ms, Ok(value))?;
                }
            }
            Ok(builder.build()?.encode())
        })
        .collect()
}

fn compact(blocks: &[Vec<u8>], from_ms: u64) -> Result<Vec<u8>> {
    let mut series: BTreeMap<SeriesId, Vec<(u64, Cell)>> = BTreeMap::new();
    for block in blocks {
        for group in Block::decode(block)?.groups {
            for column in &group.columns {
                let id = SeriesId(i64::from(column.series.0));
                let cells = group.ticks_ms().zip(column.cells.iter().copied());
                series.entry(id).or_default().extend(cells);
            }
        }
    }
    let mut writer = SegmentWriter::new(device(), from_ms, from_ms + WINDOW_MS);
    for (id, samples) in series {
        writer.add(id, samples)?;
    }
    Ok(writer.finish()?.0)
}

fn merge(segments: &[Segment]) -> Result<Vec<u8>> {
    let mut writer = SegmentWriter::new(device(), START_MS, START_MS + DAY_MS);
    for part in segments.first().context("no segment")?.parts() {
        let mut samples = Vec::new();
        for segment in segments {
            let part = segment.part(part.series).context("a series is missing")?;
            samples.extend(segment.samples(&part)?);
        }
        writer.add(part.series, samples)?;
    }
    Ok(writer.finish()?.0)
}

fn device() -> DeviceId {
    DeviceId(Uuid::from_u128(1))
}
