//! The guest's first file system: busybox, the drivers that it needs, and the programs under test.

use crate::kit::Kit;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The drivers of the board that a test may look at.
const MODULES: [&str; 13] = [
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
    "acpi_power_meter",
];
const BUSYBOX: &str = "/bin/busybox";
const APPLETS: [&str; 27] = [
    "sh", "mount", "mkdir", "modprobe", "cat", "echo", "ls", "sleep", "kill", "ifconfig", "route",
    "stty", "poweroff", "reboot", "sync", "grep", "head", "tail", "ps", "dmesg", "rm", "chmod",
    "touch", "date", "pidof", "nohup", "dd",
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
    fs::copy(BUSYBOX, root.join("bin/busybox"))
        .with_context(|| format!("{BUSYBOX} is missing; its Debian package is busybox-static"))?;
    for applet in APPLETS {
        symlink("/bin/busybox", root.join("bin").join(applet))?;
    }
    copy_modules(kit, &root)?;
    put(&root, &Kit::guest_file("init"), "/init")?;
    for (from, to) in files {
        put(&root, from, to)?;
    }
    pack(&root, &folder.join("initrd"))
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
    let wanted: BTreeSet<String> = MODULES.iter().map(|name| name.replace('-', "_")).collect();
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
    let (_, early) = MODULES.split_last().context("there are modules")?;
    fs::write(root.join("modules"), early.join("\n") + "\n")?;
    Ok(())
}

fn pack(root: &Path, archive: &Path) -> Result<PathBuf> {
    let list = Command::new("find").arg(".").current_dir(root).output()?;
    let mut cpio = Command::new("cpio")
        .args(["--create", "--format=newc", "--quiet"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(File::create(archive)?)
        .spawn()
        .context("cpio can't be started; its Debian package is cpio")?;
    if let Some(mut names) = cpio.stdin.take() {
        names.write_all(&list.stdout)?;
    }
    if !cpio.wait()?.success() {
        bail!("{} can't be packed", root.display());
    }
    Ok(archive.to_owned())
}
