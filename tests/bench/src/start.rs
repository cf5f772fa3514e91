//! From `up` on built binaries to the first reading over the API.

use crate::clock;
use crate::figure::{Bench, Figure, quantile};
use anyhow::{Result, bail};
use flyball_harness::fleet::Fleet;
use std::thread::sleep;
use std::time::Duration;

pub(crate) const BENCH: Bench = Bench { names: &["up.first_reading_s"], measure };

const RUNS: usize = 3;

fn measure() -> Result<Vec<Figure>> {
    let mut spans = Vec::new();
    for _ in 0..RUNS {
        spans.push(once()?);
    }
    let how = format!("an empty state folder, one agent, median of {RUNS}");
    Ok(vec![Figure::new("up.first_reading_s", quantile(&mut spans, 0.5), "s", how)])
}

fn once() -> Result<f64> {
    let started = clock::now();
    let fleet = Fleet::up(1)?;
    let device = fleet.ready()?.devices.remove(0).id;
    let api = fleet.api()?;
    let path = format!("/api/v1/devices/{device}/readings?metric=system.memory.limit");
    for _ in 0..600 {
        let body = api.get(&path)?.body;
        let points = body["data"][0]["points"].as_array().map_or(0, Vec::len);
        if points > 0 {
            return Ok(started.elapsed().as_secs_f64());
        }
        sleep(Duration::from_millis(50));
    }
    bail!("no reading after half a minute")
}
