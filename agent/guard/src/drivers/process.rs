//! One driver's process: started with nothing but pipes, spoken to without ever waiting, ended.

use flyball_driver_messages::{Decoder, FromDriver, ToDriver, encode};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, Thread};
use std::time::Duration;

/// What waits to be heard; a driver that says more waits itself.
const QUEUE: usize = 64;
const BUFFER_BYTES: usize = 16 * 1024;
const STACK_BYTES: usize = 96 * 1024;
/// The kernel's unit of processor time in /proc (USER_HZ).
const TICKS_PER_SECOND: u64 = 100;

/// What the process said, or how it fell silent.
#[derive(Debug)]
pub(super) enum Heard {
    Said(FromDriver),
    /// Its output has ended.
    Closed,
    /// What it said is no message.
    Noise(String),
}

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: Receiver<Heard>,
    killed: bool,
}

impl Process {
    /// Starts the program; `waiter` is woken by what it says.
    ///
    /// # Errors
    /// Where it can't be started.
    pub(super) fn start(program: &Path, key: &str, waiter: Thread) -> io::Result<Self> {
        let mut child = Command::new(program)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let started = (|| {
            let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or_else(gone)?;
            // A driver that does not listen must not hold the one who speaks.
            let flags = fcntl_getfl(&input)?;
            fcntl_setfl(&input, flags | OFlags::NONBLOCK)?;
            let (heard, messages) = sync_channel(QUEUE);
            thread::Builder::new()
                .name(format!("hear {key}").chars().take(15).collect())
                .stack_size(STACK_BYTES)
                .spawn(move || hear(output, &heard, &waiter))?;
            Ok((input, messages))
        })();
        match started {
            Ok((input, output)) => Ok(Self { child, input, output, killed: false }),
            Err(error) => {
                // It was never spoken to; nothing is lost with it.
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Says something, all of it or nothing.
    ///
    /// # Errors
    /// Where it is gone or does not listen: it is to be ended then.
    pub(super) fn say(&mut self, message: &ToDriver) -> io::Result<()> {
        let frame = zeroize::Zeroizing::new(encode(message).map_err(io::Error::other)?);
        self.input.write_all(&frame)
    }

    /// What it said next, if anything.
    pub(super) fn hear(&mut self) -> Option<Heard> {
        match self.output.try_recv() {
            Ok(heard) => Some(heard),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Heard::Closed),
        }
    }

    /// Ends it. It may take its time to be gone where it hangs in the kernel.
    pub(super) fn kill(&mut self) {
        if !std::mem::replace(&mut self.killed, true) {
            // Gone already is ended too.
            let _ = self.child.kill();
        }
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<io::Result<ExitStatus>> {
        self.child.try_wait().transpose()
    }

    /// What it has cost the processors so far; `None` where it is gone.
    pub(super) fn cpu(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).ok()?;
        cpu_of(&stat)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn gone() -> io::Error {
    io::Error::other("the process has no pipes")
}

/// User and system time of a line of /proc/PID/stat (proc(5), fields 14 and 15).
fn cpu_of(stat: &str) -> Option<Duration> {
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let total = ticks()?.checked_add(ticks()?)?;
    Some(Duration::from_millis(total.saturating_mul(1000 / TICKS_PER_SECOND)))
}

fn hear(mut output: ChildStdout, heard: &SyncSender<Heard>, waiter: &Thread) {
    let mut decoder = Decoder::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let news = loop {
            match decoder.next() {
                Ok(Some(message)) => break Heard::Said(message),
                Ok(None) => {}
                Err(error) => break Heard::Noise(crate::log::chain(&error)),
            }
            match output.read(&mut buffer) {
                Ok(0) => break Heard::Closed,
                Ok(length) => decoder.push(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Heard::Noise(error.to_string()),
            }
        };
        let last = !matches!(news, Heard::Said(_));
        let unheard = heard.send(news).is_err();
        waiter.unpark();
        if last || unheard {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_brackets() {
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0";
        assert_eq!(cpu_of(stat), Some(Duration::from_millis(1750)));
        assert_eq!(cpu_of("12 (x"), None);
    }
}
