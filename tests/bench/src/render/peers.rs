//! The peers of rendering: the programs that others draw with, given the very sources that ours
//! were given. They are asked directly, ours over the API, which is in their favour.

use super::program::Program;
use crate::clock;
use crate::figure::quantile;
use crate::peer;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const KATEX: &str = include_str!("../../peers/katex.mjs");
const MERMAID: &str = include_str!("../../peers/mermaid.mjs");
const CHROMIUM: &str = "/usr/bin/chromium";

/// With which of our figures a peer is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// The first picture of a plugin's process.
    Cold,
    Warm,
}

pub(super) struct Peer {
    pub(super) figure: &'static str,
    /// The kind of picture that it draws.
    pub(super) kind: &'static str,
    pub(super) beside: Beside,
    pub(super) name: &'static str,
    how: How,
}

/// How it is asked. Each reads a source from its standard input.
enum How {
    /// A process for each picture, as a server has it that runs a program.
    Anew(fn(&TempDir) -> Result<Command>),
    /// One process for all of them.
    Kept {
        command: fn(&TempDir) -> Result<Command>,
        frame: fn(&str) -> String,
        end: &'static str,
        /// The figure of its memory.
        memory: &'static str,
    },
}

pub(super) const PEERS: [Peer; 7] = [
    Peer {
        figure: "render.dot_warm_vs_dot",
        kind: "dot",
        beside: Beside::Warm,
        name: "dot 2.42.2",
        how: How::Anew(dot),
    },
    Peer {
        figure: "render.latex_cold_vs_katex",
        kind: "latex",
        beside: Beside::Cold,
        name: "KaTeX 0.19.1",
        how: How::Anew(katex),
    },
    Peer {
        figure: "render.latex_warm_vs_katex",
        kind: "latex",
        beside: Beside::Warm,
        name: "KaTeX 0.19.1",
        how: How::Kept {
            command: katex,
            frame: line,
            end: "\n",
            memory: "render.latex_rss_vs_katex",
        },
    },
    Peer {
        figure: "render.mermaid_cold_vs_mmdc",
        kind: "mermaid",
        beside: Beside::Cold,
        name: "mmdc 12.2.0",
        how: How::Anew(mmdc),
    },
    Peer {
        figure: "render.mermaid_warm_vs_page",
        kind: "mermaid",
        beside: Beside::Warm,
        name: "Mermaid 12.2.0 in Chromium",
        how: How::Kept {
            command: mermaid,
            frame: line,
            end: "\n",
            memory: "render.mermaid_rss_vs_page",
        },
    },
    Peer {
        figure: "render.plantuml_cold_vs_jar",
        kind: "plantuml",
        beside: Beside::Cold,
        name: "plantuml.jar 1.2020.2",
        how: How::Anew(jar),
    },
    Peer {
        figure: "render.plantuml_warm_vs_jar",
        kind: "plantuml",
        beside: Beside::Warm,
        name: "plantuml.jar 1.2020.2",
        how: How::Kept {
            command: jar,
            frame: str::to_owned,
            end: "</svg>",
            memory: "render.plantuml_rss_vs_jar",
        },
    },
];

impl Peer {
    pub(super) const fn how(&self) -> &'static str {
        match self.how {
            How::Anew(_) => "the peer in a process for each picture",
            How::Kept { .. } => "the peer in one process for all",
        }
    }

    /// Draws `sources`, one after the other.
    pub(super) fn draw(&self, sources: &[String]) -> Result<Drawn> {
        let folder = TempDir::with_prefix("flyball-peer-")?;
        let (mut times, memory) = match self.how {
            How::Anew(command) => {
                let each =
                    |source: &String| timed(|| Program::start(command(&folder)?)?.finish(source));
                (sources.iter().map(each).collect::<Result<Vec<f64>>>()?, None)
            }
            How::Kept { command, frame, end, memory } => {
                let mut program = Program::start(command(&folder)?)?;
                let each = |source: &String| timed(|| program.ask(&frame(source), end));
                let times = sources.iter().map(each).collect::<Result<Vec<f64>>>()?;
                (times, Some((memory, program.resident_mib()?)))
            }
        };
        Ok(Drawn { median_ms: quantile(&mut times, 0.5), memory })
    }
}

pub(super) struct Drawn {
    pub(super) median_ms: f64,
    /// The figure's name, and MiB.
    pub(super) memory: Option<(&'static str, f64)>,
}

fn timed(draw: impl FnOnce() -> Result<String>) -> Result<f64> {
    let started = clock::now();
    let picture = draw()?;
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    // KaTeX gives HTML, the others SVG.
    let drawn = picture.contains("<svg") || picture.contains("class=\\\"katex");
    anyhow::ensure!(drawn, "it draws nothing: {}", picture.chars().take(200).collect::<String>());
    Ok(ms)
}

/// One line, whatever is in the source.
fn line(source: &str) -> String {
    format!("{}\n", serde_json::Value::from(source))
}

fn place(variable: &str) -> Result<PathBuf> {
    let place = std::env::var_os(variable);
    place.map(PathBuf::from).with_context(|| format!("it is not here ({variable} is not set)"))
}

fn dot(_: &TempDir) -> Result<Command> {
    let root = place("FLYBALL_PEERS")?;
    let mut command = peer::command(&root, "usr/bin/dot");
    command.arg("-Tsvg").env("GVBINDIR", root.join("usr/lib/x86_64-linux-gnu/graphviz"));
    Ok(command)
}

fn jar(_: &TempDir) -> Result<Command> {
    let jar = place("FLYBALL_PEERS")?.join("usr/share/plantuml/plantuml.jar");
    let mut command = Command::new("java");
    command.args(["-Djava.awt.headless=true", "-jar"]).arg(jar).args(["-tsvg", "-pipe"]);
    Ok(command)
}

fn katex(folder: &TempDir) -> Result<Command> {
    let script = folder.path().join("katex.mjs");
    fs::write(&script, KATEX)?;
    let mut command = Command::new("node");
    command.arg(script).arg(place("FLYBALL_KATEX")?.join("dist/katex.mjs"));
    Ok(command)
}

fn mmdc(folder: &TempDir) -> Result<Command> {
    // Chromium refuses to shut itself in where root starts it.
    let settings = folder.path().join("chromium.json");
    let chosen = serde_json::json!({ "executablePath": CHROMIUM, "args": ["--no-sandbox"] });
    fs::write(&settings, chosen.to_string())?;
    let mut command = Command::new("node");
    command.arg(place("FLYBALL_MMDC")?.join("node_modules/@mermaid-js/mermaid-cli/src/cli.js"));
    command.args(["--quiet", "--outputFormat", "svg", "--input", "-", "--output", "-"]);
    command.arg("--puppeteerConfigFile").arg(settings);
    Ok(command)
}

fn mermaid(folder: &TempDir) -> Result<Command> {
    let script = folder.path().join("mermaid.mjs");
    fs::write(&script, MERMAID)?;
    let mut command = Command::new("node");
    command.arg(script).arg(place("FLYBALL_MMDC")?.join("node_modules")).arg(CHROMIUM);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::BENCH;
    use crate::render::kinds::KINDS;

    #[test]
    fn every_peer_draws_a_kind_of_ours_and_can_be_asked_for() {
        for peer in &PEERS {
            assert!(KINDS.iter().any(|kind| kind.name == peer.kind), "{}", peer.figure);
            let memory = match peer.how {
                How::Anew(_) => None,
                How::Kept { memory, .. } => Some(memory),
            };
            for name in memory.into_iter().chain([peer.figure]) {
                assert!(BENCH.names.contains(&name), "{name}");
            }
        }
    }
}
