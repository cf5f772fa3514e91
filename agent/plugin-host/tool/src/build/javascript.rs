//! QuickJS with the source in it, and nothing of WASI.

use super::built;
use super::tool::{Tool, run};
use anyhow::Result;
use std::path::Path;
use std::process::Command;

const COMPONENTIZE: Tool = Tool {
    name: "componentize-qjs",
    own: Some("node_modules/.bin/componentize-qjs"),
    install: "npm install componentize-qjs@0.4.5",
};

pub(super) fn build(folder: &Path) -> Result<()> {
    let mut command = Command::new(COMPONENTIZE.find(folder)?);
    command.args(["--wit", "wit", "--world", "renderer", "--js", "plugin.js"]);
    command.args(["--sync", "--stub-wasi", "--output"]).arg(built());
    run(folder, &mut command)
}
