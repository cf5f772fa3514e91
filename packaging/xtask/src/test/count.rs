//! How many tests passed and failed, read off the runner's own summary.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Count {
    pub(crate) const fn one_passed() -> Self {
        Self { passed: 1, failed: 0 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs nextest or libtest, showing what it prints and counting.
pub(crate) fn run(mut command: Command) -> Result<Count> {
    // nextest reports on standard error, libtest on standard output: one pipe takes both.
    let (reader, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
    // The command holds the pipe's writing end; it must go for the reader to see the end.
    drop(command);
    let mut count = Count::default();
    for line in BufReader::new(reader).lines() {
        let line = line?;
        println!("{line}");
        if let Some(seen) = parse(&line) {
            count.add(seen);
        }
    }
    let status = child.wait()?;
    if !status.success() && count.failed == 0 {
        bail!("the test runner ended with {status} and counted no failure");
    }
    if count.passed == 0 && count.failed == 0 {
        bail!("the test runner ran no test");
    }
    Ok(count)
}

/// `Summary [ 1.2s] 9 tests run: 8 passed (1 slow), 1 failed, 0 skipped`, or
/// `test result: ok. 3 passed; 0 failed; …`.
fn parse(line: &str) -> Option<Count> {
    let plain = strip_colour(line);
    let text = plain.trim();
    let of_nextest = text.starts_with("Summary") && text.contains("run:");
    // Indented, it is what a failing test of nextest had to say of itself.
    let of_libtest = plain.starts_with("test result:");
    if !of_nextest && !of_libtest {
        return None;
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ",;()".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    let before = |word: &str| {
        let at = words.iter().position(|seen| *seen == word)?;
        words.get(at.checked_sub(1)?)?.parse::<u32>().ok()
    };
    Some(Count {
        passed: before("passed").unwrap_or(0),
        failed: before("failed").unwrap_or(0) + before("timed").unwrap_or(0),
    })
}

fn strip_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            for skipped in characters.by_ref() {
                if skipped.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_summaries_are_counted() {
        let nextest =
            "     Summary [   1.204s] 9 tests run: 8 passed (1 slow), 1 failed, 2 skipped";
        assert_eq!(parse(nextest), Some(Count { passed: 8, failed: 1 }));
        let libtest = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(parse(libtest), Some(Count { passed: 3, failed: 0 }));
        assert_eq!(parse("test a::b ... ok"), None);
        assert_eq!(parse("    test result: FAILED. 0 passed; 1 failed; 0 ignored"), None);
    }

    #[test]
    fn colours_do_not_hide_the_count() {
        let line = "\u{1b}[32m     Summary\u{1b}[0m [ 1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \u{1b}[32mpassed\u{1b}[0m, 0 skipped";
        assert_eq!(parse(line), Some(Count { passed: 2, failed: 0 }));
    }
}
