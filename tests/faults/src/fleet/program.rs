//! One program of the fleet: started, killed, stopped for a while, started again, and its life
//! kept in a book.

use crate::book::Book;
use crate::clock;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a service manager waits before it starts a program again.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a program may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
enum State {
    Running(Child),
    /// It stands still.
    Paused(Child),
    /// Down until then; for good where there is no time.
    Down(Option<Instant>),
}

#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    words: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    state: State,
    /// By how much its clock is set off.
    offset_ms: i64,
    pub(crate) book: Book,
    /// How often it ended by itself.
    pub(crate) ended_by_itself: u32,
}

impl Program {
    pub(crate) fn new(name: String, words: Vec<String>, log: PathBuf) -> Self {
        Self {
            name,
            words,
            environment: Vec::new(),
            log,
            state: State::Down(None),
            offset_ms: 0,
            book: Book::default(),
            ended_by_itself: 0,
        }
    }

    pub(crate) fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// # Errors
    /// Where it can't be started.
    pub(crate) fn start(&mut self) -> Result<()> {
        if matches!(self.state, State::Running(_) | State::Paused(_)) {
            return Ok(());
        }
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let child = Command::new(&self.words[0])
            .args(&self.words[1..])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} can't be started", self.name))?;
        self.state = State::Running(child);
        self.book.started(self.now_ms());
        Ok(())
    }

    /// Starts it again where it is due.
    ///
    /// # Errors
    /// Where it can't be started.
    pub(crate) fn tend(&mut self) -> Result<()> {
        match &mut self.state {
            State::Running(child) => {
                if let Some(status) = child.try_wait()? {
                    eprintln!("    {} ended by itself: {status}", self.name);
                    self.ended_by_itself += 1;
                    self.down(Some(clock::now() + PAUSE));
                }
            }
            State::Down(Some(due)) if clock::now() >= *due => self.start()?,
            State::Paused(_) | State::Down(_) => {}
        }
        Ok(())
    }

    /// `kill -9`; it is started again a moment later. False where it was down already.
    ///
    /// # Errors
    /// Where it can't be killed.
    pub(crate) fn kill(&mut self) -> Result<bool> {
        // What is down and due to start stays due.
        if matches!(self.state, State::Down(_)) {
            return Ok(false);
        }
        let killed = self.end()?;
        if killed {
            self.state = State::Down(Some(clock::now() + PAUSE));
        }
        Ok(killed)
    }

    /// `kill -9`; it stays down until it is started.
    ///
    /// # Errors
    /// Where it can't be killed.
    pub(crate) fn end(&mut self) -> Result<bool> {
        let (State::Running(child) | State::Paused(child)) = &mut self.state else {
            self.state = State::Down(None);
            return Ok(false);
        };
        child.kill()?;
        child.wait()?;
        self.down(None);
        Ok(true)
    }

    fn down(&mut self, due: Option<Instant>) {
        self.state = State::Down(due);
        self.book.ended(self.now_ms());
    }

    /// Stands still until it is told to go on. False where it does not run.
    ///
    /// # Errors
    /// Where it can't be signalled.
    pub(crate) fn pause(&mut self) -> Result<bool> {
        match std::mem::replace(&mut self.state, State::Down(None)) {
            State::Running(child) => {
                signal(&child, Signal::STOP)?;
                self.state = State::Paused(child);
                self.book.ended(self.now_ms());
                Ok(true)
            }
            other => {
                self.state = other;
                Ok(false)
            }
        }
    }

    /// # Errors
    /// Where it can't be signalled.
    pub(crate) fn go_on(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.state, State::Down(None)) {
            State::Paused(child) => {
                signal(&child, Signal::CONT)?;
                self.state = State::Running(child);
                self.book.went_on(self.now_ms());
            }
            other => self.state = other,
        }
        Ok(())
    }

    /// Asks it to end in the way that `signal` stands for, and ends it where it does not; it is
    /// started again a moment later. False where it was down already.
    ///
    /// # Errors
    /// Where it can't be signalled.
    pub(crate) fn ask_to_end(&mut self, with: Signal) -> Result<bool> {
        let (State::Running(child) | State::Paused(child)) = &mut self.state else {
            return Ok(false);
        };
        signal(child, with)?;
        let limit = clock::now() + PATIENCE;
        while child.try_wait()?.is_none() && clock::now() < limit {
            sleep(Duration::from_millis(10));
        }
        self.kill()
    }

    /// What it is started as from the next start on.
    pub(crate) fn set_words(&mut self, words: Vec<String>) {
        self.words = words;
    }

    /// Its clock reads `offset_ms` more than ours from now on.
    pub(crate) fn set_off(&mut self, offset_ms: i64) {
        let before_ms = self.now_ms();
        self.offset_ms = offset_ms;
        self.book.leapt(before_ms, self.now_ms());
    }

    /// Unix milliseconds, as its own clock has them.
    fn now_ms(&self) -> u64 {
        clock::unix_ms().saturating_add_signed(self.offset_ms)
    }
}

fn signal(child: &Child, signal: Signal) -> Result<()> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    Ok(kill_process(pid.context("a process id is positive")?, signal)?)
}

impl Drop for Program {
    fn drop(&mut self) {
        // The namespace ends it where this does not.
        let _ = self.end();
    }
}
