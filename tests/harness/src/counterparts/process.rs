//! One process of a counterpart: started with its words in a file, ended by its id.

use super::{CounterpartError, Program};
use crate::Clock;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long one may take until it answers: Python programs on a busy machine are slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one may take to end before it is made to.
const FAREWELL: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);
/// How much of its last words goes into an error.
const SAID_BYTES: usize = 4096;

/// A running process. It ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    program: &'static str,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `program` as `arrange` completes its command; what it says goes to `log`.
    ///
    /// # Errors
    /// Where the program is missing or can't be started.
    pub fn start(
        program: Program,
        log: PathBuf,
        arrange: impl FnOnce(&mut Command),
    ) -> Result<Self, CounterpartError> {
        let words = File::options().create(true).append(true).open(&log);
        let words =
            words.map_err(|source| CounterpartError::Write { path: log.clone(), source })?;
        let start = |source| CounterpartError::Start { program: program.name(), source };
        let mut command = Command::new(program.file()?);
        command
            .stdin(Stdio::null())
            .stdout(words.try_clone().map_err(start)?)
            .stderr(words)
            .env("PYTHONUNBUFFERED", "1");
        arrange(&mut command);
        let child = command.spawn().map_err(start)?;
        Ok(Self { program: program.name(), child, log })
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// Where it ends before, or takes longer than a minute.
    pub fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> Result<(), CounterpartError> {
        let clock = Clock::start();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.not_ready(format!("ended at its start, {status}")));
            }
            if ready() {
                return Ok(());
            }
            if clock.elapsed() > PATIENCE {
                return Err(self.not_ready(format!("was not ready in {} s", PATIENCE.as_secs())));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Sends it `signal`: `STOP` makes a server that hangs, `CONT` heals it.
    ///
    /// # Errors
    /// Where it is gone.
    pub fn signal(&self, signal: Signal) -> Result<(), CounterpartError> {
        let pid = self.pid();
        let gone = |source| CounterpartError::Signal { program: self.program, pid, source };
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
        kill_process(raw.ok_or_else(|| gone(rustix::io::Errno::SRCH))?, signal).map_err(gone)
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// Where it does not within a minute.
    pub fn wait_for_its_end(&mut self) -> Result<(), CounterpartError> {
        let clock = Clock::start();
        while !matches!(self.child.try_wait(), Ok(Some(_))) {
            if clock.elapsed() > PATIENCE {
                return Err(self.not_ready(format!("did not end in {} s", PATIENCE.as_secs())));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The last of what it said.
    #[must_use]
    pub fn said(&self) -> String {
        let words = std::fs::read(&self.log).unwrap_or_default();
        let tail = &words[words.len().saturating_sub(SAID_BYTES)..];
        String::from_utf8_lossy(tail).into_owned()
    }

    fn not_ready(&self, what: String) -> CounterpartError {
        CounterpartError::NotReady { program: self.program, what, said: self.said() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // A stopped process takes a signal to end only once it goes on.
        let asked = self.signal(Signal::TERM).and_then(|()| self.signal(Signal::CONT));
        let clock = Clock::start();
        while asked.is_ok() && clock.elapsed() < FAREWELL {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("{} ({}) could not be ended: {error}", self.program, self.child.id());
        }
    }
}
