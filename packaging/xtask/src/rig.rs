//! The kit of the virtual machines that `test --rig` boots: QEMU, an unmodified Debian kernel,
//! the plant's firmware table, and this project's programs linked statically.
//!
//! QEMU and kernel are Debian's packages, unpacked and not installed: a machine's own QEMU and
//! kernel stay as they are.

use crate::preflight::{self, Need};
use crate::{say, workspace};
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
/// Depends on the newest kernel of the release, which changes its name with each update.
const KERNEL: &str = "linux-image-amd64";
const TARGET: &str = "x86_64-unknown-linux-gnu";
const PROGRAMS: [&str; 2] = ["flyball-guard", "flyball-agent"];

const NEEDS: [Need; 4] = [
    Need {
        what: "busybox, statically linked, for the rig's guests",
        there: || Path::new("/bin/busybox").exists(),
        packages: &["busybox-static"],
    },
    Need {
        what: "cpio, to pack the guests' file system",
        there: || preflight::runs("cpio", "--version"),
        packages: &["cpio"],
    },
    Need {
        what: "iasl, to compile the plant's firmware table",
        there: || preflight::runs("iasl", "-v"),
        packages: &["acpica-tools"],
    },
    Need {
        what: "depmod, to index the guests' drivers",
        there: || preflight::runs("depmod", "--version"),
        packages: &["kmod"],
    },
];

/// Makes what is missing of the kit and gives back its folder.
pub(crate) fn prepare(root: &Path) -> Result<PathBuf> {
    preflight::provide(NEEDS.iter())?;
    let kit = workspace::target_dir(root).join("rig");
    fs::create_dir_all(&kit)?;
    let whole = kit.join("unpacked");
    if !whole.exists() {
        unpack(&kit)?;
        fs::write(&whole, "")?;
    }
    let table = root.join("tests/rig/guest/plant.asl");
    let prefix = kit.join("plant");
    run("iasl", ["-p".as_ref(), prefix.as_os_str(), table.as_os_str()])?;
    build(root, &kit)?;
    Ok(kit)
}

fn unpack(kit: &Path) -> Result<()> {
    let packages = kit.join("packages");
    for folder in [&packages, &kit.join("qemu"), &kit.join("kernel")] {
        // What an interrupted run left is not trusted.
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)?;
    }
    let kernel = kernel_package()?;
    say::step(&format!("downloading {} and {} of QEMU's packages", kernel, QEMU.len()));
    let mut download = Command::new("apt-get");
    download.args(["download", "--quiet", &kernel]).args(QEMU).current_dir(&packages);
    finish(download)?;
    for package in fs::read_dir(&packages)?.flatten() {
        let of_kernel = package.file_name().to_string_lossy().starts_with("linux-image");
        let into = kit.join(if of_kernel { "kernel" } else { "qemu" });
        run("dpkg", ["-x".as_ref(), package.path().as_os_str(), into.as_os_str()])?;
    }
    let release = kernel.trim_start_matches("linux-image-");
    run("depmod", ["-b".as_ref(), kit.join("kernel").as_os_str(), release.as_ref()])?;
    fs::remove_dir_all(packages)?;
    Ok(())
}

/// The package that carries the newest kernel.
fn kernel_package() -> Result<String> {
    let output = Command::new("apt-cache").args(["depends", KERNEL]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with("linux-image-"))
        .map(str::to_owned)
        .with_context(|| format!("`apt-cache depends {KERNEL}` names no kernel; is this Debian?"))
}

/// The programs as the guests run them, which have no libraries.
fn build(root: &Path, kit: &Path) -> Result<()> {
    let programs = kit.join("programs");
    fs::create_dir_all(&programs)?;
    let target = workspace::target_dir(root).join("static");
    for program in PROGRAMS {
        say::step(&format!("build {program} (edge profile, linked statically)"));
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(root)
            .args(["build", "--quiet", "--profile", "edge", "--target", TARGET])
            .args(["--package", program, "--bin", program])
            .env("CARGO_TARGET_DIR", &target)
            .env("RUSTFLAGS", "-C target-feature=+crt-static");
        finish(cargo)?;
        fs::copy(target.join(TARGET).join("edge").join(program), programs.join(program))?;
    }
    Ok(())
}

fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).stdout(std::process::Stdio::null());
    finish(command)
}

fn finish(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} can't be started"))?;
    if status.success() { Ok(()) } else { bail!("{command:?}: {status}") }
}
