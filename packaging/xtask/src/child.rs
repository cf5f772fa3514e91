//! One supervised program: how it is started, and when it is started again.

use anyhow::{Context, Result};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The first pause before a program that ended is started again.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A program that ran this long has earned the first pause again.
const SOUND_AFTER: Duration = Duration::from_secs(5);
/// A log that has grown past this is set aside at the next start.
const LOG_BYTES: u64 = 16 << 20;

/// What to run, under which name, with which log.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) log: PathBuf,
}

#[derive(Debug)]
enum State {
    Running { child: Child, since: Instant },
    Pausing { until: Instant },
}

/// A program and the state of its latest process.
#[derive(Debug)]
pub(crate) struct Supervised {
    pub(crate) program: Program,
    state: State,
    pause: Duration,
}

/// What [`Supervised::poll`] saw.
#[derive(Debug)]
pub(crate) enum Change {
    Ended { status: ExitStatus, pause: Duration },
    StartedAgain,
}

impl Supervised {
    pub(crate) fn start(program: Program, now: Instant) -> Result<Self> {
        let child = spawn(&program)?;
        Ok(Self { program, state: State::Running { child, since: now }, pause: FIRST_PAUSE })
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        match &self.state {
            State::Running { child, .. } => Some(child.id()),
            State::Pausing { .. } => None,
        }
    }

    /// Reaps and restarts as the time demands.
    pub(crate) fn poll(&mut self, now: Instant) -> Result<Option<Change>> {
        match &mut self.state {
            State::Running { child, since } => {
                let Some(status) = child.try_wait()? else { return Ok(None) };
                if now.duration_since(*since) >= SOUND_AFTER {
                    self.pause = FIRST_PAUSE;
                }
                let pause = self.pause;
                self.pause = (pause * 2).min(LONGEST_PAUSE);
                self.state = State::Pausing { until: now + pause };
                Ok(Some(Change::Ended { status, pause }))
            }
            State::Pausing { until } if now >= *until => {
                self.state = State::Running { child: spawn(&self.program)?, since: now };
                Ok(Some(Change::StartedAgain))
            }
            State::Pausing { .. } => Ok(None),
        }
    }

    /// Asks it to end and waits; a process that overstays `patience` is ended.
    pub(crate) fn stop(&mut self, patience: Duration) -> Result<()> {
        let State::Running { child, .. } = &mut self.state else { return Ok(()) };
        let deadline = crate::clock::now() + patience;
        crate::process::signal(child.id(), rustix::process::Signal::TERM)?;
        while child.try_wait()?.is_none() {
            if crate::clock::now() > deadline {
                child.kill()?;
                child.wait()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn spawn(program: &Program) -> Result<Child> {
    let log = open_log(&program.log)?;
    Command::new(&program.file)
        .args(&program.arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("{} cannot be started", program.file.display()))
}

fn open_log(path: &Path) -> Result<fs::File> {
    if fs::metadata(path).is_ok_and(|file| file.len() > LOG_BYTES) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("{} cannot be opened", path.display()))
}
