//! smartctl as a child process: bounded in time and in what it may say.
//!
//! A disk that hangs holds who asks it in the kernel, where no signal reaches it. Such a child
//! is left behind and its disk not asked again until it has ended.

use crate::clock::Clock;
use crate::driver::Deadline;
use flyball_units::NoData;
use serde_json::Value;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Where packages put it; the driver has no search path.
const PLACES: [&str; 3] = ["/usr/sbin/smartctl", "/usr/bin/smartctl", "/usr/local/sbin/smartctl"];
/// The longest answer of a disk is some 60 KiB.
const MAX_ANSWER_BYTES: u64 = 1 << 20;
/// How long a child may take to end once it was killed.
const FAREWELL: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug, thiserror::Error)]
pub(super) enum SmartError {
    #[error(
        "there is no smartctl; install smartmontools, or name it in `program` by its whole path"
    )]
    Missing,
    #[error("{} cannot be started", program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("smartctl did not end within its time")]
    TimedOut,
    #[error("smartctl answers what is no JSON: {0}")]
    NoJson(#[source] serde_json::Error),
    #[error("smartctl speaks no JSON format 1; version 7.0 or newer does")]
    TooOld,
}

#[derive(Clone, Debug)]
pub(super) struct Tool {
    program: PathBuf,
    clock: Clock,
    timeout: Duration,
}

impl Tool {
    /// # Errors
    /// Where it is not installed.
    pub(super) fn find(
        named: Option<&str>,
        clock: Clock,
        timeout: Duration,
    ) -> Result<Self, SmartError> {
        let found = match named {
            Some(named) => Some(Path::new(named)).filter(|path| path.is_absolute()),
            None => PLACES.iter().map(Path::new).find(|path| path.is_file()),
        };
        let program = found.filter(|path| path.is_file()).ok_or(SmartError::Missing)?.to_owned();
        Ok(Self { program, clock, timeout })
    }

    /// What it answers to `arguments`; a child that could not be ended goes into `left`.
    ///
    /// # Errors
    /// Where it can't be started, does not end in time, or answers no JSON of its format.
    pub(super) fn ask(
        &self,
        arguments: &[&str],
        left: &mut Option<Child>,
    ) -> Result<Value, SmartError> {
        let start = |source| SmartError::Start { program: self.program.clone(), source };
        let mut child = Command::new(&self.program)
            .args(arguments)
            .env_clear()
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(start)?;
        let Some(output) = child.stdout.take() else {
            return Err(start(io::Error::from(io::ErrorKind::BrokenPipe)));
        };
        let (heard, answer) = sync_channel(1);
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = output.take(MAX_ANSWER_BYTES).read_to_end(&mut bytes);
            // Who waited may have given up.
            let _ = heard.send(read.map(|_| bytes));
        });
        let bytes = match answer.recv_timeout(self.timeout) {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(source)) => return Err(start(source)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                *left = self.end(child);
                return Err(SmartError::TimedOut);
            }
        };
        *left = self.end(child);
        let answer: Value = serde_json::from_slice(&bytes).map_err(SmartError::NoJson)?;
        match answer.pointer("/json_format_version/0").and_then(Value::as_u64) {
            Some(1) => Ok(answer),
            Some(_) | None => Err(SmartError::TooOld),
        }
    }

    /// Ends `child`; gives it back where the kernel holds it.
    fn end(&self, mut child: Child) -> Option<Child> {
        if ended(&mut child) {
            return None;
        }
        // One that has said everything ends by itself in a moment.
        let patience = Deadline::after(self.clock, FAREWELL);
        let mut killed = false;
        while patience.left().is_some() {
            if ended(&mut child) {
                return None;
            }
            if !killed && patience.left().is_none_or(|left| left < FAREWELL / 2) {
                killed = child.kill().is_ok();
            }
            thread::sleep(PAUSE);
        }
        Some(child)
    }
}

/// Has a child ended that was left behind?
pub(super) fn ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// Why an answer holds no measurements; `None` where it may.
pub(super) fn reason_of(answer: &Value) -> Option<NoData> {
    let messages = answer.pointer("/smartctl/messages").and_then(Value::as_array);
    let texts =
        messages.into_iter().flatten().filter_map(|message| message.get("string")?.as_str());
    for text in texts {
        let text = text.to_ascii_lowercase();
        // `-n standby`: the disk sleeps, and was left asleep.
        if text.contains("standby") || text.contains("sleep mode") {
            return Some(NoData::Disabled);
        }
        if text.contains("permission denied") || text.contains("not permitted") {
            return Some(NoData::Denied);
        }
        if text.contains("no such device") || text.contains("no such file") {
            return Some(NoData::Missing);
        }
    }
    // Bits 0 and 1: the command line was not understood, the device was not opened.
    let status = answer.pointer("/smartctl/exit_status").and_then(Value::as_u64).unwrap_or(0);
    (status & 0b11 != 0).then_some(NoData::Fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_refusal_has_its_reason() {
        let said = |text: &str, status: u32| {
            json!({ "smartctl": {
                "messages": [{ "string": text, "severity": "error" }], "exit_status": status } })
        };
        let table = [
            ("Device is in STANDBY mode, exit(2)", 2, Some(NoData::Disabled)),
            ("Device is in SLEEP mode, exit(2)", 2, Some(NoData::Disabled)),
            ("Smartctl open device: /dev/sda failed: Permission denied", 2, Some(NoData::Denied)),
            ("Smartctl open device: /dev/sdz failed: No such device", 2, Some(NoData::Missing)),
            ("/dev/vda: Unable to detect device type", 1, Some(NoData::Fault)),
            ("Warning: this is fine", 0, None),
            ("The disk logs errors", 64, None),
        ];
        for (text, status, reason) in table {
            assert_eq!(reason_of(&said(text, status)), reason, "{text}");
        }
    }
}
