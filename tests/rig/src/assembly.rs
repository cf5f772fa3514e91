//! What a machine is put together from: its folder, and QEMU's command line.

use crate::image;
use crate::kit::Kit;
use crate::leftovers;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const MEMORY_MIB: u64 = 384;
const DISK_BYTES: u64 = 64 * 1024 * 1024;
/// The guest's memory is a file; with disk and image it comes to this.
const NEEDED_BYTES: u64 = 512 * 1024 * 1024;

/// The kernel's command line. The plant's page is no memory of the kernel's, and an interrupt that
/// is late on a busy machine is no broken timer.
const WORDS: &str = "console=ttyS0 quiet loglevel=3 memmap=64K$0x10000000 panic=5 no_timer_check";

/// Whether the guest has a network card; the host is 10.0.2.2 on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    None,
    User,
}

/// The BMC that the guest meets in band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bmc {
    /// QEMU's own, which nobody else can reach.
    Inside,
    /// One that listens on this port, and switches the machine.
    At(u16),
}

/// A machine's folder: its image, its disk, its memory, its sockets.
#[derive(Debug)]
pub(crate) struct Assembly {
    folder: TempDir,
    network: Network,
}

impl Assembly {
    /// # Errors
    /// Where a part is missing, or there is no room for it.
    pub(crate) fn new(kit: &Kit, network: Network, files: &[(PathBuf, String)]) -> Result<Self> {
        let folder = TempDir::with_prefix(leftovers::PREFIX)?;
        leftovers::own(folder.path())?;
        leftovers::sweep(folder.path());
        let room = rustix::fs::statvfs(folder.path())?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        if free < NEEDED_BYTES {
            bail!(
                "{} has {} MiB left and a machine needs {}; make room, or name another folder in \
                 TMPDIR",
                folder.path().display(),
                free >> 20,
                NEEDED_BYTES >> 20
            );
        }
        image::build(kit, folder.path(), files)?;
        // QEMU would make the memory's file too; a plant may come before the machine is on.
        for (name, bytes) in [("disk", DISK_BYTES), ("ram", MEMORY_MIB << 20)] {
            File::create(folder.path().join(name))?.set_len(bytes)?;
        }
        Ok(Self { folder, network })
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// QEMU, which ends where the guest restarts, unless a BMC outside is to see it restart.
    pub(crate) fn command(&self, kit: &Kit, bmc: Bmc) -> Command {
        let mut command = Command::new(kit.qemu());
        command.env("LD_LIBRARY_PATH", kit.libraries());
        for firmware in kit.firmware() {
            command.arg("-L").arg(firmware);
        }
        let at = |before: &str, name: &str, after: &str| {
            format!("{before}{}{after}", self.place(name).display())
        };
        let size = format!("memory-backend-file,id=ram,share=on,size={MEMORY_MIB}M");
        let socket = "server=on,wait=off";
        command
            // Emulated, so that it runs where /dev/kvm is missing or boots no guest.
            .args(["-M", "q35,memory-backend=ram", "-accel", "tcg", "-cpu", "qemu64", "-smp", "1"])
            .args(["-m", &format!("{MEMORY_MIB}M"), "-display", "none", "-rtc", "base=utc"])
            .args(["-object", &at(&format!("{size},mem-path="), "ram", "")])
            .arg("-kernel")
            .arg(kit.kernel())
            .args(["-initrd", &at("", "initrd", "")])
            .args(["-append", WORDS])
            .arg("-acpitable")
            .arg(format!("file={}", kit.plant_table().display()))
            .args(["-drive", &at("if=none,id=disk,format=raw,file=", "disk", "")])
            .args(["-device", "nvme,drive=disk,serial=RIG1", "-device", "i6300esb"])
            .args(["-pidfile", &at("", "pid", "")])
            .args(["-qmp", &at("unix:", "qmp", &format!(",{socket}"))])
            .args(["-serial", &at("unix:", "serial", &format!(",{socket}"))]);
        match bmc {
            Bmc::Inside => command.args(["-no-reboot", "-device", "ipmi-bmc-sim,id=bmc"]),
            Bmc::At(port) => command
                .arg("-chardev")
                .arg(format!("socket,id=bmc-line,host=127.0.0.1,port={port},reconnect=1"))
                .args(["-device", "ipmi-bmc-extern,id=bmc,chardev=bmc-line"]),
        };
        command.args(["-device", "isa-ipmi-kcs,bmc=bmc"]);
        match self.network {
            Network::None => command.args(["-nic", "none"]),
            // Keys need entropy, which an emulated processor has none of.
            Network::User => command
                .args(["-nic", "user,id=cable,model=virtio-net-pci"])
                .args(["-device", "virtio-rng-pci"]),
        };
        command
    }

    /// Gives the guest's disk a file system that outlives a power cut.
    ///
    /// # Errors
    /// Where the tool is missing.
    pub(crate) fn format_disk(&self) -> Result<()> {
        let output = Command::new("/sbin/mkfs.ext4")
            .args(["-q", "-F"])
            .arg(self.place("disk"))
            .output()
            .context("mkfs.ext4 can't be started; its Debian package is e2fsprogs")?;
        if !output.status.success() {
            bail!("mkfs.ext4: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Writes `command` down as a program that others start.
    ///
    /// # Errors
    /// Where it can't be written.
    pub(crate) fn script(&self, command: &Command) -> Result<PathBuf> {
        use std::fmt::Write as _;
        let mut text = "#!/bin/sh\n".to_owned();
        for (name, value) in command.get_envs() {
            let value = value.unwrap_or_default().to_string_lossy();
            writeln!(text, "export {}={}", name.display(), quoted(&value))?;
        }
        write!(text, "exec {}", quoted(&command.get_program().to_string_lossy()))?;
        for argument in command.get_args() {
            write!(text, " {}", quoted(&argument.to_string_lossy()))?;
        }
        writeln!(text, " >> {} 2>&1", quoted(&self.place("log").to_string_lossy()))?;
        let path = self.place("start");
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// What QEMU has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.place("log")).unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// One word for a shell. A quote within would end it, and no path of ours has one.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
