//! The ledger as it is printed: a table, or a line of JSON for every device and one for the run.

use crate::campaign::Tally;
use crate::ledger::Ledger;
use anyhow::Result;
use serde_json::json;

/// What there is to say of the whole run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) tally: Tally,
    pub(crate) seed: u64,
    pub(crate) span_s: u64,
    /// How often a machine went on over TCP.
    pub(crate) connections_over_tcp: u64,
    pub(crate) sound: bool,
}

/// # Errors
/// Where it can't be written as JSON.
pub(crate) fn print(as_json: bool, ledgers: &[Ledger], run: &Run) -> Result<()> {
    let faults: u32 = run.tally.values().sum();
    if as_json {
        for ledger in ledgers {
            let line = json!({
                "device": ledger.device,
                "name": ledger.name,
                "engine": ledger.engine,
                "series": ledger.series,
                "due": ledger.due,
                "produced": ledger.produced,
                "received": ledger.received,
                "doubled": ledger.doubled,
                "missing": ledger.missing,
                "gaps": ledger.gaps,
                "leapt": ledger.leapt,
            });
            println!("{}", serde_json::to_string(&line)?);
        }
        let line = json!({
            "faults": run.tally,
            "injected": faults,
            "seed": run.seed,
            "span_s": run.span_s,
            "connections_over_tcp": run.connections_over_tcp,
            "sound": run.sound,
        });
        println!("{}", serde_json::to_string(&line)?);
        return Ok(());
    }
    println!(
        "| device | engine | series | due | produced | received | doubled | missing | in named gaps | leapt over |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for ledger in ledgers {
        let gaps: Vec<String> =
            ledger.gaps.iter().map(|(reason, ticks)| format!("{reason} {ticks}")).collect();
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            ledger.name,
            ledger.engine,
            ledger.series,
            ledger.due,
            ledger.produced,
            ledger.received,
            ledger.doubled,
            ledger.missing,
            gaps.join(", "),
            ledger.leapt
        );
    }
    let kinds: Vec<String> =
        run.tally.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
    println!(
        "{faults} faults in {} s (--seed {}), {} connections over TCP: {}",
        run.span_s,
        run.seed,
        run.connections_over_tcp,
        kinds.join(", ")
    );
    Ok(())
}
