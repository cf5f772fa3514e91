//! The fuzzer's own judge over a corpus that anyone can make: blocks of every form, with bits
//! turned and ends cut.

#[expect(clippy::expect_used, reason = "a judge panics where it condemns")]
#[path = "../../fuzz/judge.rs"]
mod judge;

use flyball_protocol::block::{Block, BlockBuilder, BlockError, MAX_BLOCK_BYTES};
use flyball_protocol::series::SeriesRef;
use flyball_units::NoData;
use judge::{judge_bytes, judge_samples, sealed};

const START_MS: u64 = 1_790_000_000_000;

/// Numbers without a pattern, always the same ones.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// A block of a few series of all characters over `ticks` seconds.
fn block(ticks: u64, noise: &mut Noise) -> Vec<u8> {
    let mut builder = BlockBuilder::new(START_MS, 3_600_000);
    let mut counter = 0;
    for tick in 0..ticks {
        let at_ms = START_MS + tick * 1000;
        let mut push = |series, reading| {
            builder.push(SeriesRef(series), at_ms, reading).unwrap();
        };
        let random = noise.next();
        counter += random % 5000;
        push(1, Ok(230.5));
        push(2, Ok(counter as f64));
        push(3, Ok((400 + random % 9) as f64 / 10.0));
        push(4, Ok((tick * 4096) as f64));
        push(5, Ok((tick * tick) as f64));
        push(6, Ok(f64::from_bits(random)));
        push(7, Ok(f64::from((random as f32).sqrt())));
        push(8, if random.is_multiple_of(3) { Err(NoData::Stale) } else { Ok(1.0) });
        push(9, Ok(if random.is_multiple_of(40) { 1e9 } else { 0.0 }));
        if tick % 5 == 0 {
            push(70_000, Ok((random % 1000) as f64 * 64.0));
        }
    }
    builder.build().unwrap().encode()
}

#[test]
fn bytes_of_a_generated_corpus_are_decoded_within_the_bounds_or_refused() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for ticks in [1, 2, 3, 10, 60, 130, 600] {
        let whole = block(ticks, &mut noise);
        judge_bytes(&whole);
        judge_samples(&whole);
        for _ in 0..if ticks > 100 { 20 } else { 200 } {
            let mut bytes = whole.clone();
            for _ in 0..=noise.below(4) {
                // Most of the decisions stand in front.
                let bound = if noise.below(2) == 0 { bytes.len() } else { bytes.len().min(120) };
                let at = noise.below(bound);
                bytes[at] ^= 1 << noise.below(8);
            }
            if noise.below(4) == 0 {
                bytes.truncate(noise.below(bytes.len()));
            }
            assert!(bytes.len() <= MAX_BLOCK_BYTES);
            judge_bytes(&bytes);
        }
    }
}

#[test]
fn a_group_without_columns_is_refused() {
    // Found by the fuzzer: written anew it was shorter than the least that a group takes.
    let found = b"FBLK\x01\x02L\x01\x01\x80\xbb\0\x01\0YY\xff[";
    judge_bytes(found);
    let refused = Block::decode(&sealed(found));
    assert!(matches!(refused, Err(BlockError::Invalid("columns"))), "{refused:?}");
}

#[test]
fn any_bytes_are_samples_that_come_back() {
    let mut noise = Noise(7);
    for length in [0, 1, 2, 3, 30, 400, 4000] {
        for shape in 0..24 {
            let mut bytes = vec![shape, shape * 11];
            bytes.extend((0..length).map(|_| noise.next().to_le_bytes()[3]));
            judge_samples(&bytes);
        }
    }
}
