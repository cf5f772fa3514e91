//! The guest's first file system: busybox, the drivers that it needs, and the programs under test.

use crate::kit::Kit;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The drivers that every guest loads at its start; the power meter's parameter makes it last.
const LOADED: [&str; 12] = [
    "fan",
    "thermal",
    "nvme",
    "ipmi_si",
    "ipmi_devintf",
    "i6300esb",
    "virtio_pci",
    "virtio_net",
    "virtio-rng",
    "i2c-dev",
    "i2c-stub",
    "adt7475",
];
/// Those that only some guests load: the power meter with its parameter, the button, a disk.
const CARRIED: [&str; 5] = ["acpi_power_meter", "button", "evdev", "ext4", "crc32c_generic"];
const APPLETS: [&str; 32] = [
    "sh", "mount", "mkdir", "modprobe", "cat", "echo", "ls", "sleep", "kill", "ifconfig", "route",
    "stty", "poweroff", "reboot", "sync", "grep", "head", "tail", "ps", "dmesg", "rm", "chmod",
    "touch", "date", "pidof", "nohup", "dd", "umount", "acpid", "tr", "wc", "mv",
];

/// Packs the file system into `folder` and gives back its archive.
///
/// # Errors
/// Where a part is missing.
pub(crate) fn build(kit: &Kit, folder: &Path, files: &[(PathBuf, String)]) -> Result<PathBuf> {
    let root = folder.join("root");
    for place in ["bin", "sbin", "proc", "sys", "dev", "tmp", "etc", "usr/bin"] {
        fs::create_dir_all(root.join(place))?;
    }
    put(&root, &kit.busybox(), "/bin/busybox")?;
    for applet in APPLETS {
        symlink("/bin/busybox", root.join("bin").join(applet))?;
    }
    copy_modules(kit, &root)?;
    put(&root, &Kit::guest_file("init"), "/init")?;
    for (from, to) in files {
        put(&root, from, to)?;
    }
    pack(kit, &root, &folder.join("initrd"))
}

fn put(root: &Path, from: &Path, to: &str) -> Result<()> {
    let path = root.join(to.trim_start_matches('/'));
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, &path).with_context(|| format!("{} can't be copied", from.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// The modules with what they depend on, and the indexes that modprobe reads.
fn copy_modules(kit: &Kit, root: &Path) -> Result<()> {
    let place = format!("lib/modules/{}", kit.release());
    let source = kit.kernel_tree().join(&place);
    let text = fs::read_to_string(source.join("modules.dep"))
        .with_context(|| format!("{} has no modules.dep", source.display()))?;
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.split('.').next().unwrap_or(name).replace('-', "_")
    };
    let wanted: BTreeSet<String> =
        LOADED.iter().chain(&CARRIED).map(|name| name.replace('-', "_")).collect();
    let mut needed = BTreeSet::new();
    for line in text.lines() {
        let Some((module, needs)) = line.split_once(':') else { continue };
        if wanted.contains(&stem(module)) {
            needed.insert(module.to_owned());
            needed.extend(needs.split_whitespace().map(str::to_owned));
        }
    }
    for module in &needed {
        let to = root.join(&place).join(module);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(source.join(module), to)?;
    }
    let index = |line: &&str| line.split(':').next().is_some_and(|name| needed.contains(name));
    let kept: Vec<&str> = text.lines().filter(index).collect();
    fs::write(root.join(&place).join("modules.dep"), kept.join("\n") + "\n")?;
    fs::write(root.join("modules"), LOADED.join("\n") + "\n")?;
    Ok(())
}

fn pack(kit: &Kit, root: &Path, archive: &Path) -> Result<PathBuf> {
    let list = Command::new("find").arg(".").current_dir(root).output()?;
    let mut cpio = Command::new(kit.busybox())
        .args(["cpio", "-o", "-H", "newc"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(File::create(archive)?)
        .stderr(Stdio::null())
        .spawn()
        .context("busybox's cpio can't be started")?;
    if let Some(mut names) = cpio.stdin.take() {
        names.write_all(&list.stdout)?;
    }
    if !cpio.wait()?.success() {
        bail!("{} can't be packed into {}: is its disk full?", root.display(), archive.display());
    }
    // Packed is enough, and a machine's folder lies in memory on many systems.
    fs::remove_dir_all(root)?;
    Ok(archive.to_owned())
}
