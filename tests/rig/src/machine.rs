//! One virtual machine: booted, typed into, watched until it ends, and ended with its owner.

use crate::assembly::{Assembly, Bmc, Network};
use crate::clock;
use crate::kit::Kit;
use crate::page::Page;
use crate::process::{self, Process};
use crate::qmp::Qmp;
use crate::serial::Serial;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// An unmodified kernel takes half a minute where the processor is emulated, and six times as long
/// where ten others share it. These end what hangs, and judge nobody's speed.
const BOOT: Duration = Duration::from_secs(900);
const COMMAND: Duration = Duration::from_secs(180);
/// What the guest's first process says when it takes commands.
const READY: &str = "GUEST READY";

/// How a machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The guest switched itself off.
    PoweredOff,
    /// The guest restarted itself.
    Reset,
    /// Nobody fed the watchdog.
    Watchdog,
}

/// A running machine. One that was booted here ends when this is dropped.
#[derive(Debug)]
pub struct Machine {
    process: Process,
    serial: Serial,
    qmp: Qmp,
    page: PathBuf,
    log: PathBuf,
    watchdog: bool,
    /// Gone after the process that uses it.
    _parts: Option<Assembly>,
}

impl Machine {
    /// Boots a machine with `files` (from, to) in its file system.
    ///
    /// # Errors
    /// Where it does not come up; its last words are in the error.
    pub fn boot(kit: &Kit, network: Network, files: &[(PathBuf, String)]) -> Result<Self> {
        let assembly = Assembly::new(kit, network, files)?;
        let log = File::create(assembly.place("log"))?;
        let child = assembly
            .command(kit, Bmc::Inside)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} can't be started", kit.qemu().display()))?;
        let mut machine = Self::connect(Process::Own(child), &assembly)?;
        machine._parts = Some(assembly);
        machine.until_ready()?;
        Ok(machine)
    }

    /// The machine of `assembly` that somebody else has switched on.
    pub(crate) fn switched(assembly: &Assembly) -> Result<Self> {
        let pid = process::other(assembly.path()).context("the machine is off")?;
        let mut machine = Self::connect(Process::Other(pid), assembly)?;
        machine.until_ready()?;
        Ok(machine)
    }

    /// From here on the process has an owner that ends it.
    fn connect(mut process: Process, assembly: &Assembly) -> Result<Self> {
        let serial = attach(&mut process, assembly, || Serial::connect(&assembly.place("serial")))?;
        let qmp = attach(&mut process, assembly, || Qmp::connect(&assembly.place("qmp")))?;
        let (page, log) = (assembly.place("ram"), assembly.place("log"));
        Ok(Self { process, serial, qmp, page, log, watchdog: false, _parts: None })
    }

    fn until_ready(&mut self) -> Result<()> {
        let booted = self.serial.until(READY, BOOT);
        booted.map_err(|error| self.explained(error))?;
        // The shell greets before it takes its first command.
        self.run("true").map(|_| ())
    }

    /// Types a command into the guest's shell and gives back what it printed.
    ///
    /// # Errors
    /// Where the guest does not answer.
    pub fn run(&mut self, command: &str) -> Result<String> {
        let answer = self.serial.run(command, COMMAND);
        answer.map_err(|error| self.explained(error))
    }

    /// A guest that says nothing more may have lost the machine around it.
    fn explained(&mut self, error: anyhow::Error) -> anyhow::Error {
        // The line closes a moment before the process is gone.
        thread::sleep(Duration::from_millis(200));
        match self.process.ended() {
            Ok(Some(how)) => {
                let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                error.context(format!("QEMU has ended ({how}): {}", said.trim()))
            }
            Ok(None) | Err(_) => error,
        }
    }

    /// Looks until `command` prints something that `good` takes.
    ///
    /// # Errors
    /// Where it has not within `patience`; what it printed last is in the error.
    pub fn run_until(
        &mut self,
        command: &str,
        patience: Duration,
        good: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let end = clock::now() + patience;
        loop {
            let text = self.run(command)?;
            if good(&text) {
                return Ok(text);
            }
            if clock::now() > end {
                bail!("`{command}` still prints `{text}` after {patience:?}");
            }
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// The memory that plant and guest share.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub fn page(&self) -> Result<Page> {
        Page::open(&self.page)
    }

    /// Pulls the network cable.
    ///
    /// # Errors
    /// Where QEMU refuses.
    pub fn cut_network(&mut self) -> Result<()> {
        self.qmp.call("set_link", &json!({ "name": "cable", "up": false }))?;
        Ok(())
    }

    /// What the guest printed last.
    pub fn last_words(&mut self) -> String {
        // A machine that has ended has closed its line, and one that goes on is not waited for.
        let mut looks = 0;
        while looks < 5 && self.serial.pump().is_ok() {
            looks += 1;
        }
        self.serial.tail()
    }

    /// Waits for the machine's end.
    ///
    /// # Errors
    /// Where it goes on past `patience`.
    pub fn end(&mut self, patience: Duration) -> Result<End> {
        let until = clock::now() + patience;
        let mut end = None;
        while clock::now() < until {
            // A line that closes is one of the things that are waited for.
            let _ = self.serial.pump();
            for event in self.qmp.events() {
                match event["event"].as_str() {
                    Some("WATCHDOG") => self.watchdog = true,
                    Some("SHUTDOWN") if event["data"]["reason"] == "guest-reset" => {
                        end = Some(if self.watchdog { End::Watchdog } else { End::Reset });
                    }
                    Some("SHUTDOWN") => end = Some(End::PoweredOff),
                    Some("RESET") if self.watchdog => end = Some(End::Watchdog),
                    Some(_) | None => {}
                }
            }
            if let Some(end) = end {
                return Ok(end);
            }
            if let Some(status) = self.process.ended()? {
                bail!("QEMU ended without saying why: {status}");
            }
        }
        bail!("the machine still runs after {patience:?}")
    }
}

/// Tries until QEMU listens, or is gone.
fn attach<T>(
    process: &mut Process,
    assembly: &Assembly,
    attempt: impl Fn() -> Result<T>,
) -> Result<T> {
    let mut tries = 100;
    loop {
        match attempt() {
            Ok(connected) => return Ok(connected),
            Err(error) => {
                tries -= 1;
                if tries == 0 || process.ended()?.is_some() {
                    let said = assembly.said();
                    return Err(error.context(format!("QEMU does not come up: {}", said.trim())));
                }
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
}
