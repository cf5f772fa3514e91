//! Packages of courses for the tests, made by the guests' own generator: each kind in the folder of
//! its source, the hostile ones beside those of OpenCourseWare.

use crate::{say, workspace};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of each kind: the source, what the generator calls it, the file, and how many lectures.
const KINDS: [(&str, &str, &str, u32); 4] = [
    ("mit_ocw", "ocw", "ten.zip", 10),
    ("mit_ocw", "ocw", "hundred.zip", 100),
    ("ck12_flexbook", "epub", "book.epub", 10),
    ("common_cartridge", "cartridge", "units.imscc", 10),
];

/// Makes them anew, and gives back the folder.
pub(crate) fn make(root: &Path) -> Result<PathBuf> {
    let out = workspace::packages_dir(root);
    for (source, kind, file, lectures) in KINDS {
        let folder = out.join(source);
        std::fs::create_dir_all(&folder)?;
        say::step(&format!("make the package {source}/{file} of {lectures} lectures"));
        generate(root, &[kind, "--lectures", &lectures.to_string()], &folder.join(file))?;
    }
    say::step("make hostile packages");
    generate(root, &["hostile"], &out.join("mit_ocw"))?;
    Ok(out)
}

/// Of the benchmarks: the file, and how many lectures.
const FOR_BENCH: [(&str, u32); 3] =
    [("ten.zip", 10), ("hundred.zip", 100), ("thousand.zip", 1_000)];

/// Course packages of three sizes.
pub(crate) fn make_for_bench(root: &Path) -> Result<()> {
    let folder = workspace::target_dir(root).join("packages-for-bench/mit_ocw");
    std::fs::create_dir_all(&folder)?;
    for (file, lectures) in FOR_BENCH {
        if folder.join(file).exists() {
            continue;
        }
        say::step(&format!("make the package {file} of {lectures} lectures"));
        generate(root, &["ocw", "--lectures", &lectures.to_string()], &folder.join(file))?;
    }
    Ok(())
}

fn generate(root: &Path, arguments: &[&str], out: &Path) -> Result<()> {
    let status = Command::new("cargo")
        .current_dir(root.join("plugins"))
        .args(["run", "--quiet", "--locked", "--package", "packages", "--"])
        .args(arguments)
        .arg(out)
        .env("CARGO_TARGET_DIR", workspace::target_dir(root).join("guests-native"))
        .status()
        .context("cargo can't be started")?;
    ensure!(status.success(), "the package {} can't be made", out.display());
    Ok(())
}
