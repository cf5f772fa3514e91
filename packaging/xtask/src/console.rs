//! The console's build: npm's packages as locked, then Vite. Each half is skipped while what it
//! is made from has not changed. The aggregator builds without a console too, so a machine
//! without Node is told so and goes on.

use crate::say;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest Node that Vite runs on.
const OLDEST_NODE: (u32, u32) = (20, 19);
/// What the installed packages follow from.
const LOCKED: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];
/// Made here, not written by hand.
const MADE: [&str; 2] = ["node_modules", "dist"];

/// Builds the console into `aggregator/console/dist`; `false` where Node is missing.
pub(crate) fn build(root: &Path) -> Result<bool> {
    let console = folder(root);
    if let Err(why) = node() {
        say::step(&format!("the console is not built: {why:#}"));
        say::detail("the aggregator will say so at / and serve its API all the same");
        return Ok(false);
    }
    install(&console)?;
    let sources = digest(&console, &sources(&console)?)?;
    let stamp = console.join("node_modules/.flyball-built");
    if holds(&stamp, &sources) && console.join("dist/index.html").is_file() {
        say::step("the console is built already");
        return Ok(true);
    }
    say::step("building the console");
    npm(&console, &["run", "--silent", "build"])?;
    embed_again(root, &console.join("dist/index.html"))?;
    fs::write(&stamp, sources).with_context(|| format!("{} cannot be written", stamp.display()))?;
    Ok(true)
}

/// Types and components, then the unit tests.
pub(crate) fn check(root: &Path) -> Result<()> {
    let console = folder(root);
    node()?;
    install(&console)?;
    say::step("checking the console's types");
    npm(&console, &["run", "--silent", "check"])?;
    say::step("running the console's unit tests");
    npm(&console, &["run", "--silent", "test"])
}

fn folder(root: &Path) -> PathBuf {
    root.join("aggregator/console")
}

fn install(console: &Path) -> Result<()> {
    let locked: Vec<PathBuf> = LOCKED.iter().map(PathBuf::from).collect();
    let locked = digest(console, &locked)?;
    let stamp = console.join("node_modules/.flyball-locked");
    if holds(&stamp, &locked) {
        return Ok(());
    }
    say::step("installing the console's packages as its lock file names them");
    npm(console, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    fs::write(&stamp, locked).with_context(|| format!("{} cannot be written", stamp.display()))
}

/// The macro that embeds the built files looks for them when its source is compiled, and cargo
/// cannot see a file that was not there then.
fn embed_again(root: &Path, built: &Path) -> Result<()> {
    let embedding = root.join("aggregator/src/http/console.rs");
    let touch = || {
        let made = fs::metadata(built)?.modified()?;
        fs::File::options().append(true).open(&embedding)?.set_modified(made)
    };
    touch().with_context(|| format!("{} cannot be touched", embedding.display()))
}

/// Is there a Node that can build the console?
fn node() -> Result<()> {
    let wanted = format!("{}.{}", OLDEST_NODE.0, OLDEST_NODE.1);
    let output = Command::new("node").arg("--version").stdin(Stdio::null()).output();
    let Ok(output) = output else { bail!("there is no Node here, {wanted} or newer is needed") };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match parse_version(&version) {
        Some(found) if found >= OLDEST_NODE => {}
        Some(_) => bail!("Node is {version}, {wanted} or newer is needed"),
        None => bail!("`node --version` answered {version:?}, which is no version"),
    }
    if !crate::preflight::runs("npm", "--version") {
        bail!("there is Node {version} but no npm");
    }
    Ok(())
}

/// `v20.20.2` as (20, 20).
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Runs npm; what it says goes to standard error.
fn npm(console: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new("npm")
        .args(arguments)
        .current_dir(console)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .context("npm cannot be started")?;
    if !status.success() {
        bail!("`npm {}` in {} ended with {status}", arguments.join(" "), console.display());
    }
    Ok(())
}

fn holds(stamp: &Path, digest: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|text| text == digest)
}

/// Every file that somebody wrote, relative to `console`, in an order that stays.
fn sources(console: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(console.join(&folder))
            .with_context(|| format!("{} cannot be read", console.join(&folder).display()))?;
        for entry in entries {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if MADE.iter().any(|made| path == Path::new(made)) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// One digest over names and contents.
fn digest(console: &Path, files: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let bytes = fs::read(console.join(file))
            .with_context(|| format!("{} cannot be read", console.join(file).display()))?;
        let name = file.to_string_lossy();
        // Lengths keep one file's end and the next one's name apart.
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_node_is_compared_by_number() {
        for (text, version) in [
            ("v20.20.2", Some((20, 20))),
            ("v8.9.0", Some((8, 9))),
            ("20.1.0", None),
            ("v", None),
            ("", None),
        ] {
            assert_eq!(parse_version(text), version, "{text}");
        }
        assert!((20, 9) < OLDEST_NODE && (22, 0) > OLDEST_NODE);
    }

    #[test]
    fn the_digest_follows_names_and_contents_and_leaves_out_what_is_made() {
        let console = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = console.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let now = || digest(console.path(), &sources(console.path()).unwrap()).unwrap();
        write("src/main.ts", "one");
        let first = now();
        write("dist/index.html", "built");
        write("node_modules/x/index.js", "installed");
        assert_eq!(now(), first);
        write("src/main.ts", "two");
        assert_ne!(now(), first);
        write("src/main.ts", "one");
        assert_eq!(now(), first);
        write("src/more.ts", "");
        assert_ne!(now(), first);
    }
}
