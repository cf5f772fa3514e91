//! `kill -9` of agent and aggregator at random moments: nothing lost, nothing twice.

use crate::{clock, ledger, until::until};
use flyball_harness::fleet::Fleet;
use rustix::process::Signal;
use std::thread::sleep;
use std::time::Duration;

/// A small generator, so that a failure can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// `FLYBALL_KILLS` and `FLYBALL_KILL_SPAN_S` make it longer; the issue's own measure is 20 in 300.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn twenty_kills_at_random_moments_lose_and_double_nothing() {
    let kills = setting("FLYBALL_KILLS", 20);
    let span_s = setting("FLYBALL_KILL_SPAN_S", 90);
    let seed = setting("FLYBALL_SEED", clock::unix_ms() | 1);
    println!("{kills} kills in {span_s} s, FLYBALL_SEED={seed}");
    let mut dice = Dice(seed);
    let fleet = Fleet::up(2).unwrap();
    let devices = fleet.ready().unwrap().devices;
    let settle = Duration::from_secs(12);
    sleep(settle);
    let from_ms = clock::unix_ms() / 1000 * 1000;
    for _ in 0..kills {
        sleep(Duration::from_millis(dice.roll(2 * span_s * 1000 / kills)));
        let victims: &[&str] = match dice.roll(4) {
            0 => &["agent"],
            1 => &["agent-2"],
            2 => &["aggregator"],
            _ => &["agent", "agent-2", "aggregator"],
        };
        for victim in victims {
            // A victim that is being started again has no process to kill.
            match fleet.signal(victim, Signal::KILL) {
                Ok(()) => println!("killed {victim}"),
                Err(error) => println!("{victim} was down already: {error:#}"),
            }
        }
    }
    sleep(settle);
    let to_ms = clock::unix_ms() / 1000 * 1000 - 1000;
    for device in &devices {
        let accounts = until("everything is committed", 60, || {
            let api = fleet.api().map_err(|error| format!("{error:#}"))?;
            let accounts = ledger::read(&api, &device.id, from_ms, to_ms);
            let open: Vec<String> = accounts
                .values()
                .filter(|account| !account.missing(from_ms, to_ms).is_empty())
                .map(|account| format!("{}: {:?}", account.metric, account.missing(from_ms, to_ms)))
                .collect();
            if open.is_empty() { Ok(accounts) } else { Err(open.join("; ")) }
        });
        let mut named = 0;
        for account in accounts.values() {
            assert!(account.doubled.is_empty(), "{}: {:?}", account.metric, account.doubled);
            let lost = account.lost_to(&["not_running", "overrun", "overflow"], from_ms, to_ms);
            if account.reader == "guard" {
                assert_eq!(lost, 0, "the guard ran all the time: {account:?}");
            }
            named += lost;
        }
        println!(
            "{}: {} series over {} s, 0 missing, 0 doubled, {named} ticks in named gaps",
            device.name,
            accounts.len(),
            (to_ms - from_ms) / 1000
        );
    }
}
