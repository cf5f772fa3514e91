//! The process's log: level, format and destination as the configuration has them. A file is put
//! aside when it is full or its hour or day is over, and only so many are kept.
//!
//! Every event is one line: control characters are escaped in both formats, and nothing that is
//! logged carries a header, a query or a body, so no secret comes here.

use crate::clock::Clock;
use crate::config::{Log, LogFormat, Rotate};
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

const HOUR_MS: u64 = 60 * 60 * 1_000;

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("opening the log {path}")]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("log.level `{level}` is no filter: try `info`, or `info,flyball=debug`")]
    Level {
        level: String,
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
}

/// Logs from now on; `FLYBALL_LOG` filters as `RUST_LOG` does elsewhere, before the configuration.
///
/// # Errors
/// Where the level is no filter or the file can't be opened.
pub fn start(log: &Log, state: &Path, clock: Clock) -> Result<(), LogError> {
    let filter = match EnvFilter::try_from_env("FLYBALL_LOG") {
        Ok(filter) => filter,
        Err(_) => EnvFilter::try_new(&log.level)
            .map_err(|source| LogError::Level { level: log.level.clone(), source })?,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    let json = log.format == LogFormat::Json;
    if log.destination == "stderr" {
        let builder = builder.with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
        if json { builder.json().flatten_event(true).init() } else { builder.init() }
    } else {
        let path = state.join(&log.destination);
        let file = Rotating::open(path.clone(), log, clock)
            .map_err(|source| LogError::File { path, source })?;
        let builder = builder.with_writer(file).with_ansi(false);
        if json { builder.json().flatten_event(true).init() } else { builder.init() }
    }
    Ok(())
}

/// A log file that is put aside in time. Events of all threads go through its lock, each whole.
#[derive(Clone, Debug)]
pub struct Rotating(Arc<Mutex<Current>>);

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: File,
    bytes: u64,
    period: u64,
    most_bytes: u64,
    period_ms: u64,
    keep: usize,
    clock: Clock,
}

impl Rotating {
    /// Goes on with the file at `path`.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub fn open(path: PathBuf, log: &Log, clock: Clock) -> io::Result<Self> {
        let period_ms = match log.rotate {
            Rotate::Hourly => HOUR_MS,
            Rotate::Daily => 24 * HOUR_MS,
            Rotate::Never => u64::MAX,
        };
        let file = open(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(Current {
            period: clock.now_ms() / period_ms,
            most_bytes: log.rotate_bytes,
            keep: log.keep as usize,
            path,
            file,
            bytes,
            period_ms,
            clock,
        }))))
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

impl Current {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let period = self.clock.now_ms() / self.period_ms;
        let full = self.bytes > 0 && self.bytes + line.len() as u64 > self.most_bytes;
        if full || period != self.period {
            self.period = period;
            // Where it fails, the file only grows on.
            let _ = self.rotate();
        }
        self.file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let mut number = self.clock.now_ms();
        let aside = |number: u64| PathBuf::from(format!("{}.{number:013}", self.path.display()));
        while aside(number).exists() {
            number += 1;
        }
        std::fs::rename(&self.path, aside(number))?;
        self.file = open(&self.path)?;
        self.bytes = 0;
        self.forget()
    }

    /// Takes the oldest files away, beyond those that are kept.
    fn forget(&self) -> io::Result<()> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(());
        };
        let prefix = format!("{}.", name.display());
        let is_ours = |name: &str| {
            name.strip_prefix(&prefix)
                .is_some_and(|rest| rest.len() == 13 && rest.bytes().all(|b| b.is_ascii_digit()))
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().into_string().unwrap_or_default();
            if is_ours(&name) {
                files.push(name);
            }
        }
        files.sort();
        for name in files.iter().rev().skip(self.keep) {
            std::fs::remove_file(folder.join(name))?;
        }
        Ok(())
    }
}

/// One event's way into the file.
#[derive(Debug)]
pub struct Line(Arc<Mutex<Current>>);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Rotating {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::time::Duration;
    use tracing_subscriber::util::SubscriberInitExt;

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_full_file_and_an_old_one_are_put_aside_and_so_many_kept() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_795_298_300_000);
        let log = Log { rotate_bytes: 100, rotate: Rotate::Hourly, keep: 2, ..Log::default() };
        let path = folder.path().join("server.log");
        let log = Rotating::open(path.clone(), &log, clock.clone()).unwrap();
        let mut line = log.make_writer();
        for _ in 0..3 {
            line.write_all(&[b'x'; 40]).unwrap();
        }
        assert_eq!(files(folder.path()), ["server.log", "server.log.1795298300000"]);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 40);
        for _ in 0..5 {
            clock.advance(Duration::from_secs(3_600));
            line.write_all(b"later\n").unwrap();
        }
        assert_eq!(files(folder.path()).len(), 3);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "later\n");
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        let log = Rotating::open(path.clone(), &Log::default(), Clock::manual(0)).unwrap();
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(log);
        let guard = subscriber.finish().set_default();
        tracing::info!(user = "a\r\nb\0", "answered");
        drop(guard);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1);
        let event: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&event["message"], &event["user"]), (&"answered".into(), &"a\r\nb\0".into()));
    }
}
