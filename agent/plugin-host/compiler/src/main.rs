//! `flyball-compiler`: one component in, one framed report and native code out, then gone.

use anyhow::Context as _;
use clap::Parser;
use flyball_plugin_host::{compile::compile, confinement, limits};
use flyball_plugin_messages::frame::{MAX_REPORT_BYTES, encode};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Compiles one plugin component under the limits of its process, and writes a framed report
/// and the native code to its standard output. Started by the agent; there is no reason to start it by hand.
#[derive(Parser)]
#[command(name = "flyball-compiler", version)]
struct Arguments {
    /// The component.
    #[arg(long, value_name = "FILE")]
    component: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    confinement::follow_parent()?;
    confinement::yield_to_others()?;
    let component = read(&arguments.component)
        .with_context(|| format!("{} can't be read", arguments.component.display()))?;
    confinement::confine_compiler()?;
    let (report, code) = compile(&component);
    let mut out = std::io::stdout().lock();
    out.write_all(&encode(&report, MAX_REPORT_BYTES)?).context("the report can't be written")?;
    out.write_all(&code).and_then(|()| out.flush()).context("the code can't be written")
}

/// One byte above the bound at most: the inspection then says that it is too large.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limits::COMPONENT_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
