//! `flyball-guard status`: what a running guard says of itself, for a person or for a program.

use crate::args;
use anyhow::{Context, Result, bail};
use flyball_guard_messages::{
    Actuator, Decoder, FromAgent, FromGuard, LimitSnapshot, Status, encode,
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
    let mut lines = vec![format!(
        "{} {}{} · up {} s · {} series · agent {}",
        part(&board.vendor),
        part(&board.product),
        if board.simulated { " (simulated)" } else { "" },
        status.uptime_ms / 1000,
        status.series,
        if status.agent_attached { "attached" } else { "away" },
    )];
    if status.dry_run {
        lines.push("DRY RUN: nothing is driven".to_owned());
    }
    lines.push(format!(
        "{} cycles, p50 {:.3} ms, p99.9 {:.3} ms; {} reactions, p99.9 {:.3} ms",
        status.cycles,
        status.cycle_p50_ms,
        status.cycle_p999_ms,
        status.reactions,
        status.reaction_p999_ms
    ));
    lines.push(format!("limits: {}", status.inventory.limits.len()));
    lines.extend(status.inventory.limits.iter().map(limit));
    lines.push(format!("actuators: {}", status.inventory.actuators.len()));
    lines.extend(status.inventory.actuators.iter().map(actuator));
    lines.extend(status.remarks.iter().map(|remark| format!("note: {remark}")));
    lines.join("\n") + "\n"
}

fn limit(limit: &LimitSnapshot) -> String {
    let unit = limit.unit.ucum();
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    format!(
        "  {:<9} {}  {} {unit}  warning {} limit {} trip {} ({}, zone {})",
        limit.state.name(),
        limit.name,
        number(limit.reading),
        number(limit.warning),
        number(limit.limit),
        number(limit.trip),
        limit.layer,
        limit.zone,
    )
}

fn actuator(actuator: &Actuator) -> String {
    let shown = |value: Option<f64>| match (value, actuator.unit) {
        (None, _) => "automatic".to_owned(),
        (Some(value), Unit::One) => format!("{:.0} %", value * 100.0),
        (Some(value), unit) => format!("{value:.1} {}", unit.ucum()),
    };
    let wanted = shown(actuator.wanted);
    let observed = actuator.observed.map_or("-".to_owned(), |value| shown(Some(value)));
    format!("  {}  wanted {wanted}, reads back {observed}", actuator.id)
}
