//! Two minutes of this very machine: every number that the files of /proc tell once a second.

use super::Second;
use crate::clock;
use anyhow::{Context, Result};
use flyball_protocol::block::Cell;
use std::fs;
use std::time::Duration;

pub(crate) const SECONDS: usize = 120;

const FILES: [&str; 9] = [
    "/proc/stat",
    "/proc/meminfo",
    "/proc/vmstat",
    "/proc/loadavg",
    "/proc/diskstats",
    "/proc/net/dev",
    "/proc/pressure/cpu",
    "/proc/pressure/memory",
    "/proc/pressure/io",
];
/// Of a line, so that the hundreds of interrupts that never come don't flatter the figure.
const NUMBERS_A_LINE: usize = 20;

/// The numbers that are there at the first second, at every second since.
pub(crate) fn take() -> Result<Vec<Second>> {
    let begun = clock::now();
    let mut seconds = Vec::with_capacity(SECONDS);
    for second in 0..SECONDS {
        let due = Duration::from_secs(second as u64);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        seconds.push(read());
    }
    let width = seconds.first().map(Vec::len).context("nothing was read")?;
    for second in &mut seconds {
        second.resize(width, Cell::Absent);
    }
    Ok(seconds)
}

/// A file that this kernel does not have has no numbers.
fn read() -> Second {
    let texts = FILES.iter().filter_map(|path| fs::read_to_string(path).ok());
    texts.flat_map(|text| text.lines().flat_map(numbers).collect::<Vec<_>>()).collect()
}

fn numbers(line: &str) -> Vec<Cell> {
    let words = line.split(|letter: char| letter.is_whitespace() || letter == '=');
    let values = words.filter_map(|word| word.parse().ok().map(Cell::Value));
    values.take(NUMBERS_A_LINE).collect()
}
