//! `flyball-guard status`: what a running guard says of itself, for a person or for a program.

use crate::args;
use crate::utc::utc;
use anyhow::{Context, Result, bail};
use flyball_command::PowerState;
use flyball_guard_messages::{
    Actuator, ActuatorKind, BusAccount, ClaimSnapshot, Decoder, Equipment, EquipmentState,
    FromAgent, FromGuard, HoldSnapshot, InterlockSnapshot, LayerThresholds, LimitSnapshot,
    LockSnapshot, SelfTest, Status, TrialSnapshot, TripSnapshot, encode,
};
use flyball_units::Unit;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// # Errors
/// Where no guard answers on the socket.
pub(crate) fn print(args: &args::Status) -> Result<()> {
    let status = ask(args)?;
    if args.json {
        println!("{}", serde_json::to_string(&status)?);
        return Ok(());
    }
    print!("{}", text(&status));
    Ok(())
}

fn ask(args: &args::Status) -> Result<Status> {
    let path = args.socket.display();
    let mut stream = UnixStream::connect(&args.socket)
        .with_context(|| format!("no guard listens on {path}; is flyball-guard running?"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&encode(&FromAgent::Status)?)?;
    let mut decoder = Decoder::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match decoder.next()? {
            Some(FromGuard::Status(status)) => return Ok(*status),
            Some(other) => bail!("the guard answered something else: {other:?}"),
            None => {}
        }
        let length = stream.read(&mut buffer).context("the guard does not answer")?;
        if length == 0 {
            bail!("the guard closed the connection on {path}");
        }
        decoder.push(&buffer[..length]);
    }
}

fn text(status: &Status) -> String {
    let board = &status.board;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let mut lines = Vec::new();
    if status.dry_run {
        lines.push("!!! DRY RUN: nothing is driven, this machine is NOT protected !!!".to_owned());
    }
    lines.push(format!(
        "{} {}{} · up {} s · {} series · agent {}",
        part(&board.vendor),
        part(&board.product),
        if board.simulated { " (simulated)" } else { "" },
        status.uptime_ms / 1000,
        status.series,
        if status.agent_attached { "attached" } else { "away" },
    ));
    lines.push(format!(
        "{} cycles, p50 {:.3} ms, p99.9 {:.3} ms; {} reactions, p99.9 {:.3} ms",
        status.cycles,
        status.cycle_p50_ms,
        status.cycle_p999_ms,
        status.reactions,
        status.reaction_p999_ms
    ));
    let inventory = &status.inventory;
    section(&mut lines, "limits", inventory.limits.iter().flat_map(limit));
    section(&mut lines, "trips that stand", inventory.trips.iter().map(trip));
    section(&mut lines, "interlocks", inventory.interlocks.iter().flat_map(interlock));
    section(&mut lines, "locks", inventory.locks.iter().map(lock));
    section(&mut lines, "actuators", inventory.actuators.iter().map(actuator));
    section(&mut lines, "self-test", self_test(&inventory.self_test).into_iter());
    section(&mut lines, "equipment", inventory.equipment.iter().map(equipment));
    section(&mut lines, "buses and drivers", status.buses.iter().map(bus));
    lines.extend(status.remarks.iter().map(|remark| format!("note: {remark}")));
    lines.join("\n") + "\n"
}

/// A heading and its lines; nothing where there are none.
fn section(lines: &mut Vec<String>, heading: &str, body: impl Iterator<Item = String>) {
    let body: Vec<String> = body.collect();
    if !body.is_empty() {
        lines.push(format!("{heading}:"));
        lines.extend(body.into_iter().map(|line| format!("  {line}")));
    }
}

fn number(value: Option<f64>) -> String {
    // Parts of a whole lie between 0 and 1.
    let digits = |value: f64| if value.abs() < 10.0 { 2 } else { 1 };
    value.map_or("-".to_owned(), |value| format!("{value:.*}", digits(value)))
}

fn limit(limit: &LimitSnapshot) -> Vec<String> {
    let unit = limit.unit.ucum();
    let step = limit.step.as_ref().map_or_else(String::new, |step| format!(", asks for {step}"));
    let sense = if limit.below { "dangerous below" } else { "dangerous above" };
    let mut lines = vec![format!(
        "{:<9} {}  {} {unit}, {sense}: warning {} limit {} trip {} (by {}, zone {}){step}",
        limit.state.name(),
        limit.name,
        number(limit.reading),
        number(limit.warning),
        number(limit.limit),
        number(limit.trip),
        limit.layer,
        limit.zone,
    )];
    let layers = [("factory", limit.factory), ("local", limit.local), ("fleet", limit.fleet)];
    let said = layers.iter().filter(|(_, layer)| *layer != LayerThresholds::default());
    let said: Vec<String> = said
        .map(|(name, layer)| {
            let LayerThresholds { warning, limit, trip } = *layer;
            format!("{name} {}/{}/{}", number(warning), number(limit), number(trip))
        })
        .collect();
    lines.extend(limit.hold.iter().map(hold));
    lines.push(format!("          layers (warning/limit/trip): {}", said.join(", ")));
    lines
}

fn hold(hold: &HoldSnapshot) -> String {
    let puts_off = match &hold.puts_off {
        Some(step) => format!("PUTS OFF {step}"),
        None => "puts nothing off yet".to_owned(),
    };
    let HoldSnapshot { issuer, from, reason, until_ms, .. } = hold;
    let until = utc(*until_ms);
    format!("          held by {issuer} from {from} until {until}, {puts_off}: {reason}")
}

fn self_test(test: &SelfTest) -> Vec<String> {
    let mut lines = Vec::new();
    if test.running_until_ms.is_some() {
        lines.push("RUNS: fans go to full and caps to their lowest".to_owned());
    }
    for result in test.last.iter().chain(&test.aborted) {
        lines.push(format!("{} {}", utc(result.ended_ms), result.message));
        lines
            .extend(result.trials.iter().map(trial).filter(|_| test.last.as_ref() == Some(result)));
    }
    if test.last.is_none() {
        lines.push("never tested".to_owned());
    }
    match test.due_ms {
        Some(_) if test.overdue => lines.push("OVERDUE".to_owned()),
        Some(due_ms) => lines.push(format!("due {}", utc(due_ms))),
        None => lines.push("not asked for by the policy".to_owned()),
    }
    lines
}

fn trial(trial: &TrialSnapshot) -> String {
    let ms = |ms: Option<u64>| ms.map_or("NOT SEEN".to_owned(), |ms| format!("{ms} ms"));
    let TrialSnapshot { actuator, asked, observed, took_ms, back_ms, .. } = trial;
    let shown = |value: &Option<f64>| value.map_or("-".to_owned(), |value| value.to_string());
    let (asked, observed) = (shown(asked), shown(observed));
    let (took, back) = (ms(*took_ms), ms(*back_ms));
    format!("  {actuator}  asked {asked}, read back {observed} ({took}), and back ({back})")
}

fn claims(claims: &[ClaimSnapshot]) -> String {
    let said = |claim: &ClaimSnapshot| {
        let value = claim.value.map_or(String::new(), |value| format!(" {value}"));
        let until = claim.until_ms.map_or(String::new(), |ms| format!(" until {}", utc(ms)));
        format!("{}{value} by {}{until}", claim.origin.name(), claim.issuer)
    };
    let said: Vec<String> = claims.iter().map(said).collect();
    if said.is_empty() { String::new() } else { format!("; asked: {}", said.join(", then ")) }
}

fn trip(trip: &TripSnapshot) -> String {
    let held = match &trip.held_by {
        Some(held) => format!("can't be cleared until {held}"),
        None => "may be cleared now".to_owned(),
    };
    let unit = trip.unit.ucum();
    let (reading, threshold) = (number(trip.reading), number(trip.threshold));
    format!(
        "{} at {reading} {unit} (threshold {threshold}), cause {}: {held}",
        trip.limit, trip.cause
    )
}

fn interlock(interlock: &InterlockSnapshot) -> Vec<String> {
    let stands = if interlock.active { "FORBIDS" } else { "allows" };
    let mut lines = vec![format!(
        "{stands} {}: {} (for {})",
        interlock.name,
        interlock.reason,
        interlock.targets.join(", ")
    )];
    if interlock.active {
        lines.push(format!("        clears when {}", interlock.clears_when));
    }
    lines
}

fn lock(held: &LockSnapshot) -> String {
    let lock = &held.lock;
    let target = lock.target.as_deref().unwrap_or("the whole machine");
    let levels = if lock.holds_levels { ", levels too" } else { "" };
    format!("{} holds {target}{levels}: {} says {}", lock.name, lock.owner, lock.reason)
}

fn actuator(actuator: &Actuator) -> String {
    let shown = |value: Option<f64>| match (value, actuator.unit) {
        (None, _) => "automatic".to_owned(),
        (Some(value), Unit::One) => format!("{:.0} %", value * 100.0),
        (Some(value), unit) => format!("{value:.1} {}", unit.ucum()),
    };
    let stuck = if actuator.stuck { ", DOES NOT OBEY" } else { "" };
    let stuck = format!("{stuck}{}", claims(&actuator.claims));
    let id = &actuator.id;
    match actuator.kind {
        ActuatorKind::Switch => {
            let state = actuator.state.map_or("unknown", PowerState::name);
            let verbs: Vec<&str> = actuator.verbs.iter().map(|verb| verb.name()).collect();
            format!("{id}  is {state}, takes {}{stuck}", verbs.join(" "))
        }
        ActuatorKind::Profile | ActuatorKind::Service => {
            let word = actuator.profile.as_deref().unwrap_or("unknown");
            let words = match actuator.profiles.as_slice() {
                [] => String::new(),
                words => format!(", takes {}", words.join(" ")),
            };
            format!("{id}  is {word}{words}{stuck}")
        }
        ActuatorKind::Indicator => {
            let lit = match actuator.observed {
                Some(level) if level > 0.5 => "lit",
                Some(_) => "dark",
                None => "unknown",
            };
            format!("{id}  is {lit}")
        }
        ActuatorKind::Fan | ActuatorKind::PowerCap | ActuatorKind::FrequencyCap => {
            let wanted = shown(actuator.wanted);
            let observed = actuator.observed.map_or("-".to_owned(), |value| shown(Some(value)));
            format!("{id}  wanted {wanted}, reads back {observed}{stuck}")
        }
    }
}

fn equipment(equipment: &Equipment) -> String {
    let parts = [&equipment.vendor, &equipment.model, &equipment.serial];
    let identity: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    let state = match &equipment.state {
        EquipmentState::Connecting => "connecting".to_owned(),
        EquipmentState::Connected => "connected".to_owned(),
        EquipmentState::Unreachable { reason, .. } => format!("does not answer: {reason}"),
    };
    let (key, driver, address) = (&equipment.key, &equipment.driver, &equipment.address);
    format!("{key}  {driver} at {address}, {} · {state}", identity.join(" "))
}

fn bus(bus: &BusAccount) -> String {
    format!(
        "{}  {}; {} rounds, {} faults; a round takes {:.2} ms (at most {:.1}), {:.3} ms of CPU",
        bus.name,
        bus.state,
        bus.rounds,
        bus.faults,
        bus.wall_mean_ms,
        bus.wall_max_ms,
        bus.cpu_mean_ms
    )
}
