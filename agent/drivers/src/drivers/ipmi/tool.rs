//! `ipmitool` as a bounded child: one process an exchange, its password in its environment and
//! nowhere else, its time and its words limited.

use super::way::Way;
use flyball_driver_messages::{Configuration, Fault, FaultKind};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

const PLACES: [&str; 3] = ["/usr/bin/ipmitool", "/usr/sbin/ipmitool", "/usr/local/bin/ipmitool"];
/// More words of one exchange are not read.
const MAX_WORDS_BYTES: u64 = 256 * 1024;
const STEP: Duration = Duration::from_millis(5);

pub(super) struct Tool {
    program: PathBuf,
    way: Way,
}

/// What it said.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) said: String,
    pub(super) complained: String,
    pub(super) succeeded: bool,
}

impl Tool {
    /// # Errors
    /// Where the configuration can't work.
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let wrong = |message: String| Fault::new(FaultKind::Misconfigured, message);
        let named = configuration.option("program").map(PathBuf::from);
        let program = match named {
            Some(program) if program.is_absolute() => Some(program),
            Some(_) => None,
            None => PLACES.map(PathBuf::from).into_iter().find(|program| program.is_file()),
        };
        let program = program.filter(|program| program.is_file()).ok_or_else(|| {
            wrong("ipmitool is not installed; install it, or name its file in `program`".into())
        })?;
        Ok(Self { program, way: Way::new(configuration)? })
    }

    /// Runs `commands`, one a line, in one session, within `most`. DCMI's only alone: among
    /// others the tool takes what stood on an earlier line for their arguments.
    ///
    /// # Errors
    /// Where it can't be run, doesn't end, or the BMC does not take the session.
    pub(super) fn run(&self, commands: &str, most: Duration) -> Result<Words, Fault> {
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir("/");
        self.way.tell(&mut command);
        command.arg("-c");
        match commands.trim_end().split_once('\n') {
            Some(_) => command.args(["exec", "/dev/stdin"]),
            None => command.args(commands.split_whitespace()),
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| {
            let message = format!("{} can't be started: {error}", self.program.display());
            Fault::new(FaultKind::Misconfigured, message)
        })?;
        let words = converse(child, commands, most).map_err(|cause| {
            let first = commands.lines().next().unwrap_or_default();
            let kind = FaultKind::TimedOut;
            Fault::new(kind, format!("`{first}` at {} {cause}", self.way.place()))
        })?;
        match words.succeeded {
            false => self.way.why(&words.complained).map_or(Ok(words), Err),
            true => Ok(words),
        }
    }
}

/// Writes, reads both outputs, and ends the child where it takes too long or says too much.
fn converse(mut child: Child, commands: &str, most: Duration) -> Result<Words, String> {
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let said = thread::spawn(move || output.map(read).unwrap_or_default());
    let complained = thread::spawn(move || errors.map(read).unwrap_or_default());
    if let Some(mut input) = input {
        // One that has ended already says why on its other outputs.
        let _ = input.write_all(commands.as_bytes());
    }
    let mut waited = Duration::ZERO;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if waited < most => {
                thread::sleep(STEP);
                waited += STEP;
            }
            Ok(None) | Err(_) => break None,
        }
    };
    if status.is_none() {
        // Ended already is ended too; either way it is reaped.
        let _ = child.kill();
        let _ = child.wait();
    }
    let (said, complained) = (said.join(), complained.join());
    let (Some(status), Ok(said), Ok(complained)) = (status, said, complained) else {
        return Err(format!("did not end within {} ms", most.as_millis()));
    };
    Ok(Words { said, complained, succeeded: status.success() })
}

fn read(output: impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is what there is; beyond the bound the child meets a closed
    // pipe.
    let _ = output.take(MAX_WORDS_BYTES).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_does_not_end_is_ended() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo begun; exec /bin/sleep 60"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let error = converse(child, "", Duration::from_millis(200)).unwrap_err();
        assert!(error.contains("200 ms"), "{error}");
    }

    #[test]
    fn words_without_an_end_are_cut() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exec /usr/bin/yes"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let words = converse(child, "", Duration::from_secs(30)).unwrap();
        assert_eq!(words.said.len() as u64, MAX_WORDS_BYTES);
        assert!(!words.succeeded);
    }
}
