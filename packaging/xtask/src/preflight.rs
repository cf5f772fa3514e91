//! What the machine must have, by name, and how it gets it.

use crate::say;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// One thing that is needed, the test whether it is there, and its Debian packages.
struct Need {
    what: &'static str,
    there: fn() -> bool,
    packages: &'static [&'static str],
}

/// To build the plugins and the console.
const TO_BUILD: [Need; 3] = [
    Need {
        what: "a C compiler (SQLite, ring)",
        there: || runs("cc", "--version"),
        packages: &["gcc", "libc6-dev"],
    },
    Need {
        what: "a WebAssembly target (rustup's, or Debian's rustc-web)",
        there: crate::plugins::toolchain_is_there,
        packages: &["rustc-web", "rust-web-src"],
    },
    Need {
        what: "Node 20 or newer with npm, for the console",
        there: || runs("node", "--version") && runs("npm", "--version"),
        packages: &["nodejs", "npm"],
    },
];

/// To test besides.
const TO_TEST: [Need; 1] = [Need {
    what: "Chromium, to drive the console",
    there: || Path::new("/usr/bin/chromium").exists(),
    packages: &["chromium"],
}];

/// Installs what building needs.
pub(crate) fn for_building() -> Result<()> {
    provide(TO_BUILD.iter())
}

/// Installs what building and testing need.
pub(crate) fn for_testing() -> Result<()> {
    provide(TO_BUILD.iter().chain(&TO_TEST))
}

fn provide<'a>(needs: impl Iterator<Item = &'a Need>) -> Result<()> {
    let missing: Vec<&Need> = needs.filter(|need| !(need.there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        say::step(&format!("missing: {}", need.what));
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    let line = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    let debian = Path::new("/etc/debian_version").exists();
    if !debian || !rustix::process::geteuid().is_root() {
        bail!("install what is missing and call again; on Debian, as root:\n    {line}");
    }
    say::step(&line);
    apt(&["update", "--quiet"])?;
    let mut install = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    install.extend(&packages);
    apt(&install)?;
    match missing.iter().find(|need| !(need.there)()) {
        Some(need) => bail!("{} is still missing after `{line}`", need.what),
        None => Ok(()),
    }
}

fn apt(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status()
        .context("apt-get could not be started")?;
    if !status.success() {
        bail!("`apt-get {}` failed, see above", arguments.join(" "));
    }
    Ok(())
}

/// Does `program argument` end well?
pub(crate) fn runs(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
