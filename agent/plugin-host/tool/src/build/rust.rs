//! Cargo, with the linker that makes a component at once.

use super::built;
use crate::{project, say};
use anyhow::{Context as _, Result, bail, ensure};
use flyball_guest_toolchain::RustToolchain;
use serde::Deserialize;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

pub(super) fn build(folder: &Path) -> Result<()> {
    let mut cargo = RustToolchain::find()?.cargo_build()?;
    cargo.args(["--release", "--message-format", "json-render-diagnostics"]);
    say::running(&cargo);
    let mut child = cargo
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo can't be started")?;
    let said = child.stdout.take().context("cargo has no output")?;
    let mut components = Vec::new();
    for line in BufReader::new(said).lines() {
        components.extend(component(&line.context("cargo's output can't be read")?));
    }
    let status = child.wait().context("cargo can't be waited for")?;
    ensure!(status.success(), "cargo ended with {status}, see above");
    match &components[..] {
        [one] => {
            let bytes = project::read(one)?;
            project::write(&folder.join(built()), &bytes)
        }
        [] => bail!("cargo made no component; the crate needs `crate-type = [\"cdylib\"]`"),
        [..] => bail!("cargo made {} components; a project holds one plugin", components.len()),
    }
}

/// One line of cargo's messages.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// The component that this line of cargo's says was made. Other lines are for other readers.
fn component(line: &str) -> Option<PathBuf> {
    let message: Message = serde_json::from_str(line).ok()?;
    let wasm = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "wasm");
    message.filenames.into_iter().find(|file| message.reason == "compiler-artifact" && wasm(file))
}
