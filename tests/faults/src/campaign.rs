//! The sequence of faults: one after the other, some beside each other, all of them over at the
//! end. Then everybody has time to catch up, and the ledger is drawn up.

use crate::arguments::{Arguments, Engine, Programs};
use crate::clock;
use crate::dice::Dice;
use crate::fault::{Done, Heal, Kind};
use crate::fleet::Fleet;
use crate::ledger::{self, Ledger};
use crate::report;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Everything is sealed and sent after so long, where nothing goes wrong.
const SETTLE: Duration = Duration::from_secs(12);
/// Between the beginnings of two faults.
const APART_MS: (u64, u64) = (100, 1_600);
/// What catching up may take at the end.
const CATCH_UP: Duration = Duration::from_secs(180);

/// How often each kind of fault was injected.
pub(crate) type Tally = BTreeMap<&'static str, u32>;

/// Runs it on every engine and prints the ledger; true where nothing is missing and nothing is
/// there twice.
///
/// # Errors
/// Where the fleet can't be started or this machine's means fail.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let programs = Programs::locate()?;
    let seed = arguments.seed.unwrap_or_else(|| clock::unix_ms() | 1);
    let engines = engines(arguments, &programs);
    let mut run =
        report::Run { tally: Tally::new(), seed, span_s: 0, connections_over_tcp: 0, sound: true };
    let mut ledgers = Vec::new();
    for (engine, turn) in engines.iter().copied().zip(0..) {
        let of = u32::try_from(engines.len())?;
        // What does not divide comes first.
        let faults = arguments.faults / of + u32::from(turn < arguments.faults % of);
        if faults == 0 {
            continue;
        }
        eprintln!("{faults} faults on {}, --seed {seed}", engine.name());
        let first = 1 + turn * arguments.machines;
        let numbers = first..=turn * arguments.machines + arguments.machines;
        let mut fleet = Fleet::up(&programs, engine, numbers, seed)?;
        ledgers.extend(on(&mut fleet, engine, faults, arguments, &programs, &mut run)?);
    }
    report::print(arguments.json, &ledgers, &run)?;
    Ok(run.sound)
}

/// The faults of one engine, and what came through.
fn on(
    fleet: &mut Fleet,
    engine: Engine,
    faults: u32,
    arguments: &Arguments,
    programs: &Programs,
    run: &mut report::Run,
) -> Result<Vec<Ledger>> {
    let kinds = kinds(arguments, programs, engine)?;
    fleet.pass(SETTLE)?;
    let from_ms = clock::unix_ms() / 1000 * 1000;
    let known = ledger::series(fleet)?;
    let tally = inject_all(fleet, faults, &kinds, &mut Dice::new(run.seed))?;
    fleet.pass(SETTLE)?;
    let to_ms = clock::unix_ms() / 1000 * 1000 - 1000;
    let mut ledgers = catch_up(fleet, &known, from_ms, to_ms)?;
    for (kind, times) in tally {
        *run.tally.entry(kind).or_default() += times;
    }
    run.span_s += (to_ms - from_ms) / 1000;
    run.connections_over_tcp +=
        fleet.machines.iter().map(|machine| machine.wire.connections()).sum::<u64>();
    for ledger in &mut ledgers {
        ledger.engine = engine.name();
    }
    if !ledgers.iter().all(Ledger::is_sound) {
        run.sound = false;
        fleet.keep();
        eprintln!("the logs stay in {}", fleet.folder().display());
        for ledger in &ledgers {
            ledger.explain();
        }
    }
    Ok(ledgers)
}

fn engines(arguments: &Arguments, programs: &Programs) -> Vec<Engine> {
    if !arguments.engine.is_empty() {
        return arguments.engine.clone();
    }
    if programs.postgres.is_none() {
        eprintln!("PostgreSQL is left out: it is not there");
        return vec![Engine::Sqlite];
    }
    vec![Engine::Sqlite, Engine::Postgresql]
}

fn kinds(arguments: &Arguments, programs: &Programs, engine: Engine) -> Result<Vec<Kind>> {
    let word = arguments.only.as_deref().unwrap_or_default();
    let mut kinds: Vec<Kind> =
        Kind::ALL.into_iter().filter(|kind| kind.name().contains(word)).collect();
    if programs.set_clock.is_none() {
        eprintln!("clocks are not set: libfaketime is not there");
        kinds.retain(|kind| {
            !matches!(kind, Kind::ClockForward | Kind::ClockBack | Kind::CertificatesExpired)
        });
    }
    if engine == Engine::Sqlite {
        kinds.retain(|kind| !matches!(kind, Kind::PostgresqlRestarted | Kind::AggregatorReplaced));
    }
    if kinds.is_empty() {
        bail!("no fault is called so; there are: {}", Kind::ALL.map(Kind::name).join(", "));
    }
    Ok(kinds)
}

/// Every kind comes once before any comes again, so that a short run has one of each.
fn deck(kinds: &[Kind], dice: &mut Dice) -> Vec<Kind> {
    let mut deck = kinds.to_vec();
    for place in (1..deck.len()).rev() {
        let other = usize::try_from(dice.roll(place as u64 + 1)).unwrap_or(0);
        deck.swap(place, other);
    }
    deck
}

fn inject_all(fleet: &mut Fleet, faults: u32, kinds: &[Kind], dice: &mut Dice) -> Result<Tally> {
    let mut tally = Tally::new();
    let mut heals: Vec<(Instant, Heal)> = Vec::new();
    let mut left = Vec::new();
    let mut done = 0;
    let mut idle = 0;
    while done < faults {
        let Some(kind) = left.pop() else {
            left = deck(kinds, dice);
            continue;
        };
        let at = usize::try_from(dice.roll(fleet.machines.len() as u64))?;
        let outcome = kind
            .inject(fleet, at, dice)
            .with_context(|| format!("{} of {}", kind.name(), at + 1))?;
        let (least_ms, most_ms) = kind.lasts_ms();
        let lasts = Duration::from_millis(dice.between(least_ms, most_ms));
        match outcome {
            Done::Nothing => {
                idle += 1;
                if idle > 1000 {
                    bail!("nothing runs any more that could suffer a fault");
                }
            }
            Done::AtOnce | Done::Lasts(_) => {
                idle = 0;
                done += 1;
                *tally.entry(kind.name()).or_default() += 1;
                eprintln!("    {done}: {} of machine {}", kind.name(), at + 1);
            }
        }
        if let Done::Lasts(heal) = outcome {
            heals.push((clock::now() + lasts, heal));
        }
        let next = clock::now() + Duration::from_millis(dice.between(APART_MS.0, APART_MS.1));
        while clock::now() < next {
            heal_due(fleet, &mut heals)?;
            fleet.pass(Duration::from_millis(50))?;
        }
    }
    while !heals.is_empty() {
        heal_due(fleet, &mut heals)?;
        fleet.pass(Duration::from_millis(50))?;
    }
    Ok(tally)
}

fn heal_due(fleet: &mut Fleet, heals: &mut Vec<(Instant, Heal)>) -> Result<()> {
    let now = clock::now();
    for (_, heal) in heals.extract_if(.., |(due, _)| *due <= now) {
        heal.apply(fleet).with_context(|| format!("{heal:?}"))?;
    }
    Ok(())
}

/// Reads the ledgers until nothing is missing or the patience ends.
fn catch_up(
    fleet: &mut Fleet,
    known: &ledger::Known,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<Ledger>> {
    let limit = clock::now() + CATCH_UP;
    loop {
        match ledger::read(fleet, known, from_ms, to_ms) {
            Ok(ledgers) if ledgers.iter().all(Ledger::is_sound) => return Ok(ledgers),
            Ok(ledgers) if clock::now() > limit => return Ok(ledgers),
            Err(error) if clock::now() > limit => {
                fleet.keep();
                let folder = fleet.folder().display().to_string();
                return Err(error.context(format!("no ledger can be read; the logs: {folder}")));
            }
            Ok(_) | Err(_) => fleet.pass(Duration::from_secs(3))?,
        }
    }
}
