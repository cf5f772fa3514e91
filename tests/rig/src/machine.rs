//! One virtual machine: booted, typed into, watched until it ends, and ended with its owner.

use crate::clock;
use crate::image;
use crate::kit::Kit;
use crate::page::Page;
use crate::qmp::Qmp;
use crate::serial::Serial;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const MEMORY: &str = "384M";
/// An unmodified kernel takes half a minute where the processor is emulated and shared.
const BOOT: Duration = Duration::from_secs(240);
const COMMAND: Duration = Duration::from_secs(60);

/// Whether the guest has a network card; the host is 10.0.2.2 on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    None,
    User,
}

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

#[derive(Debug)]
pub struct Machine {
    child: Child,
    serial: Serial,
    qmp: Qmp,
    folder: TempDir,
    watchdog: bool,
}

impl Machine {
    /// Boots a machine with `files` (from, to) in its file system.
    ///
    /// # Errors
    /// Where it does not come up; its last words are in the error.
    pub fn boot(kit: &Kit, network: Network, files: &[(PathBuf, String)]) -> Result<Self> {
        let folder = TempDir::with_prefix("flyball-rig-")?;
        let place = |name: &str| folder.path().join(name);
        let initrd = image::build(kit, folder.path(), files)?;
        File::create(place("nvme"))?.set_len(16 * 1024 * 1024)?;
        let mut command = Command::new(kit.qemu());
        command.env("LD_LIBRARY_PATH", kit.libraries());
        for firmware in kit.firmware() {
            command.arg("-L").arg(firmware);
        }
        command
            .args(["-M", "q35,memory-backend=ram", "-accel", "tcg", "-cpu", "qemu64", "-smp", "1"])
            .args(["-m", MEMORY, "-display", "none", "-no-reboot", "-rtc", "base=utc"])
            .arg("-object")
            .arg(path("memory-backend-file,id=ram,share=on,size=384M,mem-path=", &place("ram")))
            .arg("-kernel")
            .arg(kit.kernel())
            .arg("-initrd")
            .arg(initrd)
            .args(["-append", "console=ttyS0 quiet loglevel=3 memmap=64K$0x10000000 panic=5"])
            .arg("-acpitable")
            .arg(path("file=", &kit.plant_table()))
            .arg("-drive")
            .arg(path("if=none,id=disk,format=raw,file=", &place("nvme")))
            .args(["-device", "nvme,drive=disk,serial=RIG1", "-device", "i6300esb"])
            .args(["-device", "ipmi-bmc-sim,id=bmc", "-device", "isa-ipmi-kcs,bmc=bmc"])
            .arg("-qmp")
            .arg(path("server=on,wait=off,unix:", &place("qmp")))
            .arg("-serial")
            .arg(path("server=on,wait=off,unix:", &place("serial")));
        match network {
            Network::None => command.args(["-nic", "none"]),
            // Keys need entropy, which an emulated processor has none of.
            Network::User => command
                .args(["-nic", "user,id=cable,model=virtio-net-pci"])
                .args(["-device", "virtio-rng-pci"]),
        };
        let log = File::create(place("log"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("QEMU can't be started")?;
        // From here on the process has an owner that ends it.
        let mut child = Owned(Some(child));
        let serial = child.connect(&place("log"), || Serial::connect(&place("serial")))?;
        let qmp = child.connect(&place("log"), || Qmp::connect(&place("qmp")))?;
        let child = child.0.take().context("QEMU has gone")?;
        let mut machine = Self { child, serial, qmp, folder, watchdog: false };
        machine.serial.until("GUEST READY", BOOT)?;
        // The shell greets before it takes its first command.
        machine.run("true")?;
        Ok(machine)
    }

    /// Types a command into the guest's shell and gives back what it printed.
    ///
    /// # Errors
    /// Where the guest does not answer.
    pub fn run(&mut self, command: &str) -> Result<String> {
        self.serial.run(command, COMMAND)
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
        Page::open(&self.folder.path().join("ram"))
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
    #[must_use]
    pub fn last_words(&self) -> String {
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
            if let Some(status) = self.child.try_wait()? {
                bail!("QEMU ended without saying why: {status}");
            }
        }
        bail!("the machine still runs after {patience:?}")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that ends with its owner while it is not a machine yet.
struct Owned(Option<Child>);

impl Owned {
    fn connect<T>(&mut self, log: &Path, attempt: impl Fn() -> Result<T>) -> Result<T> {
        let mut last = None;
        for _ in 0..100 {
            match attempt() {
                Ok(connected) => return Ok(connected),
                Err(error) => last = Some(error),
            }
            let ended = self.0.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        let said = std::fs::read_to_string(log).unwrap_or_default();
        match last {
            Some(error) => Err(error.context(format!("QEMU does not come up: {said}"))),
            None => bail!("QEMU does not come up: {said}"),
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn path(prefix: &str, path: &Path) -> String {
    match prefix.strip_suffix("unix:") {
        // `unix:PATH,server=on,wait=off`: the path comes before the options.
        Some(options) => format!("unix:{},{}", path.display(), options.trim_end_matches(',')),
        None => format!("{prefix}{}", path.display()),
    }
}
