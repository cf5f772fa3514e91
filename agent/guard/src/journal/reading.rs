//! `flyball-guard journal`: is the chain whole, and what does it say.

use super::file::{NO_HASH, files, hex};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Faults that are named; more say no more.
const NAMED: usize = 20;
/// A line beyond this is damage.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// What a look through the whole journal found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verified {
    lines: u64,
    /// Lines that are no JSON: a power cut tore them, and the chain goes on behind them.
    torn: u64,
    faults: Vec<String>,
    last: String,
}

/// Checks the chain from the oldest line that is kept to the newest.
///
/// # Errors
/// Where a line does not follow from the one before it, or nothing can be read.
pub(crate) fn verify(state: &Path) -> Result<()> {
    let verified = look_through(state)?;
    if verified.faults.is_empty() {
        println!(
            "the journal is whole: {} lines, {} of them torn by a power cut; the last has the \
             hash {}",
            verified.lines, verified.torn, verified.last
        );
        return Ok(());
    }
    bail!(
        "the journal was changed after it was written ({} lines looked at):\n  {}",
        verified.lines,
        verified.faults.join("\n  ")
    )
}

/// Prints the last `count` lines for a person.
///
/// # Errors
/// Where nothing can be read.
pub(crate) fn show(state: &Path, count: usize) -> Result<()> {
    let mut kept = VecDeque::new();
    each_line(state, |_, _, line| {
        if kept.len() == count.max(1) {
            kept.pop_front();
        }
        kept.push_back(told(line));
    })?;
    kept.iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn look_through(state: &Path) -> Result<Verified> {
    let mut verified = Verified::default();
    let mut previous: Option<String> = None;
    each_line(state, |file, number, line| {
        verified.lines += 1;
        match serde_json::from_slice::<Value>(line) {
            Ok(value) => {
                let says = value["previous"].as_str().unwrap_or_default();
                // What came before the oldest line that is kept is gone by the journal's bound.
                let follows = previous.as_ref().is_none_or(|previous| previous == says);
                if !follows && verified.faults.len() < NAMED {
                    verified.faults.push(format!(
                        "{file} line {number}: it does not follow from the line before it"
                    ));
                }
            }
            Err(_) => verified.torn += 1,
        }
        previous = Some(hex(&Sha256::digest(line)));
    })?;
    verified.last = previous.unwrap_or_else(|| NO_HASH.to_owned());
    Ok(verified)
}

/// Every line of the journal's files, oldest first, without its line feed.
fn each_line(state: &Path, mut take: impl FnMut(&str, u64, &[u8])) -> Result<()> {
    let mut found = false;
    for (name, path) in files(state) {
        let Ok(file) = File::open(&path) else {
            continue;
        };
        found = true;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let length = reader
                .by_ref()
                .take(MAX_LINE_BYTES)
                .read_until(b'\n', &mut line)
                .with_context(|| format!("{} can't be read", path.display()))?;
            if length == 0 {
                break;
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            take(&name, number, &line);
        }
    }
    if found { Ok(()) } else { bail!("there is no journal in {}", state.display()) }
}

/// A line as a person reads it.
fn told(line: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return "(torn)".to_owned();
    };
    let at_ms = value["at_ms"].as_u64().unwrap_or_default();
    let what = value["what"].as_str().unwrap_or("?");
    let said = match what {
        "event" => {
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("severity").to_lowercase(), text("message"))
        }
        "outcome" => format!(
            "operation {} verdict {} verified {}",
            value["operation"].as_str().unwrap_or("?"),
            value["verdict"],
            value["verified"]
        ),
        _ => value.to_string(),
    };
    format!("{at_ms} {what}: {said}")
}

#[cfg(test)]
mod tests {
    use super::super::file::JournalFile;
    use super::*;
    use serde_json::json;
    use std::fs;

    fn journal(lines: u64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = JournalFile::new(folder.path());
        for line in 0..lines {
            let body = json!({ "severity": "Info", "message": format!("line {line}") });
            journal.append(line, "event", &body);
        }
        folder
    }

    #[test]
    fn a_journal_that_nobody_touched_is_whole_also_where_it_was_turned_over() {
        let folder = journal(40);
        let path = |name: &str| folder.path().join(name);
        let verified = look_through(folder.path()).unwrap();
        assert_eq!((verified.lines, verified.torn, verified.faults.len()), (40, 0, 0));
        fs::rename(path("journal.jsonl"), path("journal.1.jsonl")).unwrap();
        let verified = look_through(folder.path()).unwrap();
        assert_eq!((verified.lines, verified.faults.len()), (40, 0));
    }

    #[test]
    fn a_changed_a_removed_and_a_torn_line_are_told_apart() {
        let path = |folder: &tempfile::TempDir| folder.path().join("journal.jsonl");
        let changed = journal(5);
        let text = fs::read_to_string(path(&changed)).unwrap();
        fs::write(path(&changed), text.replace("line 2", "line X")).unwrap();
        let verified = look_through(changed.path()).unwrap();
        assert_eq!(verified.faults.len(), 1);
        assert!(verified.faults[0].contains("journal.jsonl line 4"), "{verified:?}");

        let removed = journal(5);
        let text = fs::read_to_string(path(&removed)).unwrap();
        let rest: Vec<&str> = text.lines().filter(|line| !line.contains("line 1")).collect();
        fs::write(path(&removed), rest.join("\n") + "\n").unwrap();
        assert_eq!(look_through(removed.path()).unwrap().faults.len(), 1);

        let torn = journal(2);
        let mut text = fs::read_to_string(path(&torn)).unwrap();
        text.push_str("{\"at_ms\":7,\"wh");
        fs::write(path(&torn), text).unwrap();
        JournalFile::new(torn.path()).append(9, "event", &json!({ "message": "on" }));
        let verified = look_through(torn.path()).unwrap();
        assert_eq!((verified.lines, verified.torn, verified.faults.len()), (4, 1, 0));
    }

    #[test]
    fn a_line_is_told_by_its_time_its_kind_and_its_sentence() {
        let line = br#"{"at_ms":7,"what":"event","severity":"Critical","message":"a fan seized"}"#;
        assert_eq!(told(line), "7 event: critical a fan seized");
    }
}
