//! `test`: the cases of a project against its component, under the limits of production.

use crate::anatomy::Anatomy;
use crate::case::{self, Case, Expectation, Seen};
use crate::inspect::wants;
use crate::project::Component;
use crate::sandbox::{Compiled, Meter, Outcome, Session, compile};
use crate::{project, say};
use anyhow::Result;
use flyball_plugin_messages::World;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    component: Component,
    /// The folder of the cases
    #[arg(long, value_name = "DIR", default_value = "tests")]
    cases: PathBuf,
    /// Record what comes out as what is expected
    #[arg(long)]
    bless: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let bytes = project::read(&options.component.file)?;
    let anatomy = Anatomy::of(&bytes)?;
    let compiled = compile(&bytes, Meter::Fuel)?;
    introduce(&anatomy, &compiled);
    let cases = case::all(&options.cases, &compiled.manifest, compiled.world)?;
    let mut session = Session::start(&compiled)?;
    let mut fresh = true;
    let mut failed = 0;
    for case in &cases {
        // What a collector knows of one case is nothing to the next.
        if !fresh && compiled.world == World::Collector {
            session = Session::start(&compiled)?;
        }
        fresh = false;
        let mut outcome = session.run(case)?;
        let line = cost(&outcome);
        let asked = std::mem::take(&mut outcome.asked);
        let seen = Seen::of(outcome.events);
        let expected = case.expectation()?;
        if options.bless {
            Expectation::bless(&seen, expected.as_ref(), &case.folder)?;
            println!("recorded  {:<24} {line}", case.name);
            continue;
        }
        let mut lines = match expected {
            Some(expected) => expected.differences(&seen, &case.folder)?,
            None => vec!["there is no expect.json; `--bless` records one".into()],
        };
        lines.extend(contradiction(&mut session, case, &seen)?);
        let word = if lines.is_empty() { "ok  " } else { "FAIL" };
        println!("{word}  {:<24} {line}", case.name);
        for line in &lines {
            println!("      {}", say::plain(line));
        }
        for line in &asked {
            println!("      asked {}", say::plain(line));
        }
        for line in &seen.log {
            println!("      log {line}");
        }
        failed += usize::from(!lines.is_empty());
    }
    if options.bless {
        println!("{} recorded", cases.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} passed, {failed} failed", cases.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn introduce(anatomy: &Anatomy, compiled: &Compiled) {
    let manifest = &compiled.manifest;
    let text = format!(
        "{} {}: {} of {}, handles {}",
        manifest.id,
        manifest.version,
        anatomy.world_name(),
        anatomy.wit,
        manifest.handles.join(", ")
    );
    println!("{}", say::plain(&text));
    let listed = |words: &[String]| match words {
        [] => "nothing".to_owned(),
        _ => words.join(", "),
    };
    let text = format!("imports {}; wants {}", listed(&anatomy.imports), listed(&wants(manifest)));
    println!("{}", say::plain(&text));
}

fn cost(outcome: &Outcome) -> String {
    let fuel =
        outcome.fuel.map_or_else(String::new, |fuel| format!("  fuel {}", say::grouped(fuel)));
    format!("{:>10}  {:>8}{fuel}", say::milliseconds(outcome.time), say::size(outcome.memory_bytes))
}

/// An editor asks `validate` and a reader asks `render`: they have to agree on what is wrong.
fn contradiction(session: &mut Session, case: &Case, drawn: &Seen) -> Result<Option<String>> {
    let Some(request) = case.validation() else { return Ok(None) };
    let validated = Seen::of(session.call(&request, case, &[])?.events);
    if let Some((_, message)) = &validated.failure {
        return Ok(Some(format!("validate fails: {message}")));
    }
    let (drawn, validated) = (drawn.errors(), validated.errors());
    if drawn == validated {
        return Ok(None);
    }
    let listed = |all: &[_]| match all {
        [] => "nothing wrong".to_owned(),
        _ => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    Ok(Some(format!("render finds {}, validate finds {}", listed(&drawn), listed(&validated))))
}
