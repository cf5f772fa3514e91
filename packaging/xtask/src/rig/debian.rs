//! Debian's part of the kit, unpacked and not installed: a machine's own QEMU, kernel and busybox
//! stay as they are, and nobody has to be root.
//!
//! The list of packages stands in the folder once everything is unpacked, which is how the next
//! run sees that nothing is to do. Nothing is looked up or downloaded then.

use super::{Skip, finish};
use crate::say;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// QEMU with the libraries that a machine without it lacks.
const QEMU: [&str; 16] = [
    "qemu-system-x86",
    "qemu-system-common",
    "qemu-system-data",
    "seabios",
    "ipxe-qemu",
    "libcapstone4",
    "libfdt1",
    "libpmem1",
    "librdmacm1",
    "libibverbs1",
    "libslirp0",
    "libvdeplug2",
    "libdaxctl1",
    "libndctl6",
    "libnl-3-200",
    "libnl-route-3-200",
];
/// The guests' user land and who compiles the plant's firmware table.
const TOOLS: [&str; 2] = ["busybox-static", "acpica-tools"];
/// Depends on the newest kernel of the release, which changes its name with each update.
const KERNEL: &str = "linux-image-amd64";
/// What is unpacked where: the folders of a kit that are Debian's.
pub(super) const FOLDERS: [&str; 3] = ["qemu", "kernel", "tools"];
const MARK: &str = "unpacked";
/// Looked for, because a cache folder is anybody's to tidy.
const PROGRAMS: [&str; 4] =
    ["qemu/usr/bin/qemu-system-x86_64", "kernel/boot", "tools/bin/busybox", "tools/usr/bin/iasl"];
/// Packages and what they unpack to: 600 MiB, and some air.
const NEEDED_BYTES: u64 = 800 * 1024 * 1024;

/// Fills `parts` where it is not whole.
///
/// # Errors
/// [`Skip`] where this machine can't have them.
pub(super) fn provide(parts: &Path) -> Result<()> {
    if !cfg!(target_arch = "x86_64") {
        return Err(Skip("the virtual machines are for x86_64".into()).into());
    }
    fs::create_dir_all(parts).with_context(|| format!("{} can't be made", parts.display()))?;
    // Two clones at a time would unpack into each other.
    let lock = File::create(parts.join("lock")).context("the kit can't be locked")?;
    lock.lock().context("the kit can't be locked")?;
    if is_whole(parts) {
        return Ok(());
    }
    if !Path::new("/etc/debian_version").exists() {
        let why = "QEMU and kernel come from Debian's packages, and this is no Debian";
        return Err(Skip(why.into()).into());
    }
    has_room(parts)?;
    // Whole again only when all of it is.
    let _ = fs::remove_file(parts.join(MARK));
    unpack(parts)?;
    fs::write(parts.join(MARK), wanted()).context("the kit can't be marked as whole")
}

fn is_whole(parts: &Path) -> bool {
    fs::read_to_string(parts.join(MARK)).is_ok_and(|list| list == wanted())
        && PROGRAMS.iter().all(|program| parts.join(program).exists())
}

fn wanted() -> String {
    let mut names: Vec<&str> = [KERNEL].into_iter().chain(QEMU).chain(TOOLS).collect();
    names.push("");
    names.join("\n")
}

fn has_room(parts: &Path) -> Result<()> {
    let disk = rustix::fs::statvfs(parts).context("the disk can't be looked at")?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= NEEDED_BYTES {
        return Ok(());
    }
    let mib = |bytes: u64| bytes / (1024 * 1024);
    Err(Skip(format!(
        "{} has {} MiB left, and QEMU and a kernel need {}; make room, or name another cache \
         folder in XDG_CACHE_HOME",
        parts.display(),
        mib(free),
        mib(NEEDED_BYTES)
    ))
    .into())
}

fn unpack(parts: &Path) -> Result<()> {
    let packages = parts.join("packages");
    for folder in FOLDERS.map(|name| parts.join(name)).iter().chain([&packages]) {
        // What an interrupted run left is not trusted.
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("{} can't be replaced", folder.display()))?;
        }
        fs::create_dir_all(folder)?;
    }
    let kernel = download(&packages)?;
    for package in fs::read_dir(&packages)?.flatten() {
        let name = package.file_name().to_string_lossy().into_owned();
        let of = |list: &[&str]| list.iter().any(|of| name.starts_with(&format!("{of}_")));
        let folder = match name.starts_with("linux-image") {
            true => "kernel",
            false if of(&TOOLS) => "tools",
            false => "qemu",
        };
        let mut dpkg = Command::new("dpkg");
        dpkg.arg("-x").arg(package.path()).arg(parts.join(folder));
        finish(dpkg)?;
    }
    say::detail("indexing the kernel's drivers");
    let mut depmod = Command::new(parts.join("tools/bin/busybox"));
    depmod.args(["depmod", "-b"]).arg(parts.join("kernel"));
    depmod.arg(kernel.trim_start_matches("linux-image-"));
    finish(depmod)?;
    fs::remove_dir_all(packages)?;
    Ok(())
}

/// Fetches every package into `packages`, and gives back the kernel's.
fn download(packages: &Path) -> Result<String> {
    let kernel = match kernel_package() {
        Some(kernel) => kernel,
        None => {
            renew_lists();
            kernel_package().ok_or_else(|| {
                let why = format!(
                    "`apt-cache depends {KERNEL}` names no kernel; call `apt-get update` as root"
                );
                Skip(why)
            })?
        }
    };
    say::step(&format!("downloading {kernel} and {} packages of Debian", QEMU.len() + TOOLS.len()));
    if fetch(packages, &kernel)?.status.success() {
        return Ok(kernel);
    }
    // Lists that are older than the archive name versions that it has no more.
    renew_lists();
    let kernel = kernel_package().unwrap_or(kernel);
    let tried = fetch(packages, &kernel)?;
    if tried.status.success() {
        return Ok(kernel);
    }
    let said = String::from_utf8_lossy(&tried.stderr);
    let last = said.lines().rfind(|line| line.starts_with("E:")).unwrap_or("it gives no reason");
    Err(Skip(format!("`apt-get download` of QEMU and kernel fails: {last}")).into())
}

fn fetch(packages: &Path, kernel: &str) -> Result<Output> {
    let mut download = Command::new("apt-get");
    if rustix::process::geteuid().is_root() {
        // Its own user can't write below a cache folder of root's.
        download.args(["-o", "APT::Sandbox::User=root"]);
    }
    download.args(["download", "--quiet", kernel]).args(QEMU).args(TOOLS);
    let output = download.current_dir(packages).stdin(Stdio::null()).output();
    output.context("apt-get can't be started")
}

/// Whoever is not root has the lists that stand.
fn renew_lists() {
    if rustix::process::geteuid().is_root() {
        say::detail("apt-get update");
        // Where it fails, the next look at the lists says what is missing.
        let _ = Command::new("apt-get").args(["update", "--quiet"]).stdout(Stdio::null()).status();
    }
}

/// The package that carries the newest kernel.
fn kernel_package() -> Option<String> {
    let output = Command::new("apt-cache").args(["depends", KERNEL]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with("linux-image-"))
        .map(str::to_owned)
}
