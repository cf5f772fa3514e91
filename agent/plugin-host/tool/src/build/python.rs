//! CPython with the module in it, and nothing of WASI.

use super::built;
use super::tool::{Tool, run};
use anyhow::Result;
use std::path::Path;
use std::process::Command;

const COMPONENTIZE: Tool = Tool {
    name: "componentize-py",
    own: Some(".venv/bin/componentize-py"),
    install: "python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1",
};

pub(super) fn build(folder: &Path) -> Result<()> {
    let mut command = Command::new(COMPONENTIZE.find(folder)?);
    command.args(["--quiet", "--wit-path", "wit", "--world", "renderer"]);
    command.args(["componentize", "--stub-wasi", "--python-path", ".", "plugin", "--output"]);
    command.arg(built());
    run(folder, &mut command)
}
