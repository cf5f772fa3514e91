//! What a sample costs in a block: bytes, and the encoder's and decoder's time.
//!
//! Over the generated mix, and over a recording of this very machine that the bench takes first.
//! Bytes are those of whole blocks: header, series, checksum and what statistics they carry.

mod recording;

use crate::figure::{Bench, Figure};
use crate::{clock, mix};
use anyhow::{Context, Result, ensure};
use flyball_protocol::block::{Block, Cell, Column, Group, Header, MAX_BLOCK_BYTES};
use flyball_protocol::series::SeriesRef;
use std::hint::black_box;

pub(crate) const BENCH: Bench = Bench {
    names: &[
        "block.bytes_per_sample_10",
        "block.encode_ns_10",
        "block.decode_ns_10",
        "block.seek_ns_10",
        "block.bytes_per_sample_60",
        "block.encode_ns_60",
        "block.decode_ns_60",
        "block.seek_ns_60",
        "block.bytes_per_sample_600",
        "block.encode_ns_600",
        "block.decode_ns_600",
        "block.seek_ns_600",
        "block.recorded_bytes_per_sample_10",
        "block.recorded_bytes_per_sample_60",
    ],
    measure,
};

const START_MS: u64 = 1_790_000_000_000;
const HOSTS: u64 = 4;
const SECONDS: usize = 3600;
/// Each time is the least of so many runs: what disturbs a run only adds to it.
const RUNS: usize = 5;
const PEER: &str = "pco 1.1 level 8, floats of one series after another";

/// One second's values of every series.
type Second = Vec<Cell>;

fn measure() -> Result<Vec<Figure>> {
    let hosts: Vec<Vec<Second>> = (0..HOSTS)
        .map(|number| {
            let mut host = mix::Host::new(number);
            let second = |_| host.step().into_iter().map(Cell::Value).collect();
            (0..SECONDS).map(second).collect()
        })
        .collect();
    let mut figures = Vec::new();
    let names: Vec<&'static [&'static str]> = BENCH.names.chunks(4).collect();
    for (&ticks, names) in [10, 60, 600].iter().zip(names) {
        let &[bytes, encode, decode, seek] = names else { continue };
        let cost = Cost::of(&hosts, ticks)?;
        let peer = Cost::of_pco(&hosts, ticks)?;
        let how = format!(
            "{} series over {ticks} s of {HOSTS} generated machines, {SECONDS} s each; CPU time, \
             least of {RUNS}",
            mix::SERIES
        );
        figures.extend([
            Figure::new(bytes, cost.bytes, "B", how.clone()).against(PEER, peer.bytes),
            Figure::new(encode, cost.encode_ns, "ns", how.clone()).against(PEER, peer.encode_ns),
            Figure::new(decode, cost.decode_ns, "ns", how.clone()).against(PEER, peer.decode_ns),
            Figure::new(seek, cost.seek_ns, "ns", format!("one series of a whole block; {how}")),
        ]);
    }
    let recorded = [recording::take()?];
    let series = recorded.first().and_then(|seconds| seconds.first()).map_or(0, Vec::len);
    for (&ticks, name) in [10, 60]
        .iter()
        .zip(["block.recorded_bytes_per_sample_10", "block.recorded_bytes_per_sample_60"])
    {
        let cost = Cost::of(&recorded, ticks)?;
        let how = format!(
            "{series} numbers of /proc on this machine, {} s, in blocks of {ticks} s; encode {:.0}, \
             decode {:.0} ns",
            recording::SECONDS,
            cost.encode_ns,
            cost.decode_ns
        );
        let peer = Cost::of_pco(&recorded, ticks)?;
        figures.push(Figure::new(name, cost.bytes, "B", how).against(PEER, peer.bytes));
    }
    Ok(figures)
}

/// Per sample, but for the seek.
struct Cost {
    bytes: f64,
    encode_ns: f64,
    decode_ns: f64,
    seek_ns: f64,
}

impl Cost {
    fn of(hosts: &[Vec<Second>], ticks: usize) -> Result<Self> {
        let blocks: Vec<Block> = chunks(hosts, ticks).map(block).collect();
        let samples = samples(hosts, ticks);
        let mut encoded = Vec::new();
        let encode_ns = least(|| {
            encoded = blocks.iter().map(Block::encode).collect();
            Ok(())
        })?;
        // What is larger than a block may be goes in several.
        let parts: Vec<Vec<u8>> = if encoded.iter().all(|bytes| bytes.len() <= MAX_BLOCK_BYTES) {
            encoded
        } else {
            let within = |block: &Block| block.clone().encode_within(MAX_BLOCK_BYTES);
            blocks.iter().flat_map(within).collect()
        };
        let mut decoded = 0;
        let decode_ns = least(|| {
            decoded = 0;
            for bytes in &parts {
                let block = black_box(Block::decode(bytes)?);
                let columns = block.groups.iter().flat_map(|group| &group.columns);
                decoded += columns.map(|column| column.cells.len()).sum::<usize>();
            }
            Ok(())
        })?;
        ensure!(decoded as f64 >= samples, "{decoded} of {samples} samples came back");
        let seek_ns = least(|| {
            for (number, bytes) in (0..).zip(&parts) {
                let wanted = SeriesRef(number * 37 % mix::SERIES as u32);
                let header = Header::seek(bytes, &[wanted])?;
                black_box(header.columns().map(|(_, column)| column.stats).next());
            }
            Ok(())
        })?;
        Ok(Self {
            bytes: parts.iter().map(Vec::len).sum::<usize>() as f64 / samples,
            encode_ns: encode_ns / samples,
            decode_ns: decode_ns / samples,
            seek_ns: seek_ns / parts.len() as f64,
        })
    }

    fn of_pco(hosts: &[Vec<Second>], ticks: usize) -> Result<Self> {
        let config = pco::ChunkConfig::default().with_compression_level(8);
        let columns: Vec<Vec<f64>> = chunks(hosts, ticks).flat_map(floats).collect();
        let samples = samples(hosts, ticks);
        let mut encoded: Vec<Vec<u8>> = Vec::new();
        let compress = |values: &Vec<f64>| pco::standalone::simple_compress(values, &config);
        let encode_ns = least(|| {
            encoded = columns.iter().map(compress).collect::<Result<_, _>>()?;
            Ok(())
        })?;
        let decode_ns = least(|| {
            for bytes in &encoded {
                black_box(pco::standalone::simple_decompress::<f64>(bytes)?);
            }
            Ok(())
        })?;
        Ok(Self {
            bytes: encoded.iter().map(Vec::len).sum::<usize>() as f64 / samples,
            encode_ns: encode_ns / samples,
            decode_ns: decode_ns / samples,
            seek_ns: f64::NAN,
        })
    }
}

/// The least CPU time of some runs.
fn least(mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    let times = (0..RUNS).map(|_| {
        let before = clock::thread_cpu_ns();
        run()?;
        Ok(clock::thread_cpu_ns() - before)
    });
    times.collect::<Result<Vec<_>>>()?.into_iter().reduce(f64::min).context("no run")
}

fn chunks(hosts: &[Vec<Second>], ticks: usize) -> impl Iterator<Item = &[Second]> {
    hosts.iter().flat_map(move |seconds| seconds.chunks_exact(ticks))
}

/// How many values are there.
fn samples(hosts: &[Vec<Second>], ticks: usize) -> f64 {
    let cells = chunks(hosts, ticks).flatten().flatten();
    cells.filter(|cell| matches!(cell, Cell::Value(_))).count() as f64
}

fn column(seconds: &[Second], series: usize) -> impl Iterator<Item = Cell> {
    seconds.iter().map(move |second| second.get(series).copied().unwrap_or(Cell::Absent))
}

fn block(seconds: &[Second]) -> Block {
    let ticks = seconds.len();
    let width = seconds.first().map_or(0, Vec::len);
    let columns = (0..)
        .zip(0..width)
        .map(|(number, series)| Column {
            series: SeriesRef(number),
            cells: column(seconds, series).collect(),
        })
        .collect();
    let group = Group { first_ms: START_MS, step_ms: 1000, ticks, columns };
    Block { start_ms: START_MS, length_ms: ticks as u32 * 1000, groups: vec![group] }
}

fn floats(seconds: &[Second]) -> Vec<Vec<f64>> {
    let width = seconds.first().map_or(0, Vec::len);
    let values = |series| {
        let cells = column(seconds, series);
        let value = |cell| if let Cell::Value(value) = cell { Some(value) } else { None };
        cells.filter_map(value).collect()
    };
    (0..width).map(values).collect()
}
