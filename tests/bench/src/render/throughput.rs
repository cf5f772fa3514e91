//! Pictures a second of one agent. A plugin has one process, which draws one picture at a time:
//! two kinds at once are two workers.

use super::kinds::Kind;
use super::render;
use crate::clock;
use anyhow::{Result, anyhow};
use flyball_harness::fleet::Api;
use std::thread;
use std::time::Duration;

pub(super) const SPAN: Duration = Duration::from_secs(10);
/// More than the plugins' processes, so that none of them waits for the network.
pub(super) const CLIENTS: u32 = 4;
/// Each client's sources begin here times its number, beyond every other of the run.
const SOURCES_EACH: u32 = 1_000_000;

/// What [`CLIENTS`] get, whose numbers begin at `first`, and who ask for `kinds` by turns.
pub(super) fn per_s(api: &Api, kinds: &[&Kind], first: u32) -> Result<f64> {
    let started = clock::now();
    let drawn = thread::scope(|scope| {
        let clients: Vec<_> = (first..first + CLIENTS)
            .zip(kinds.iter().cycle())
            .map(|(client, kind)| {
                scope.spawn(move || -> Result<u32> {
                    let mut drawn = 0;
                    while started.elapsed() < SPAN {
                        render(api, kind, &kind.order(client * SOURCES_EACH + drawn))?;
                        drawn += 1;
                    }
                    Ok(drawn)
                })
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().map_err(|_| anyhow!("a client broke"))?)
            .sum::<Result<u32>>()
    })?;
    Ok(f64::from(drawn) / started.elapsed().as_secs_f64())
}
