//! The corpora: sources that others wrote, as the pinned packages hold them.
//!
//! Nothing is chosen by what renders: a corpus is every source of its packages, each once, in the
//! order of their names.

mod control_words;
mod d2;
mod dot;
mod literals;
mod mermaid;
mod plantuml;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Above the largest source of any package, and what one call of a plugin may be handed anyway.
const MAX_SOURCE_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) source: String,
}

/// One language's sources, and who draws them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Corpus {
    /// The format, as the plugin handles it.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// The component's file without its extension.
    pub(crate) guest: &'static str,
    /// Where the sources are from, in words.
    pub(crate) from: &'static str,
    /// Who else draws them, in words.
    pub(crate) peer: &'static str,
    gather: fn(&Path) -> Result<Vec<Sample>>,
}

pub(crate) const CORPORA: [Corpus; 5] = [
    Corpus {
        name: "dot",
        title: "Graphviz DOT",
        guest: "graphviz",
        from: "every graph of Graphviz' own source, as Debian has it (`graphviz` 2.42.2)",
        peer: "Graphviz itself, compiled to WebAssembly (npm `@hpcc-js/wasm-graphviz` 1.29.2)",
        gather: dot::gather,
    },
    Corpus {
        name: "mermaid",
        title: "Mermaid",
        guest: "mermaid",
        from: "every `.mmd` file of the crates `merman` and `merman-ascii` 0.10.0-alpha.1, \
               `selkie-rs` 0.3.0 and `mermaid-rs-renderer` 0.3.1",
        peer: "Mermaid itself in Chromium (npm `mermaid` 12.2.0)",
        gather: mermaid::gather,
    },
    Corpus {
        name: "plantuml",
        title: "PlantUML",
        guest: "plantuml",
        from: "every diagram in the tests of the crates `plantuml-little` 1.2026.2-4 and \
               `plantuml-core` 0.5.2",
        peer: "PlantUML itself, compiled to JavaScript, in Chromium (npm `@plantuml/core` 1.2026.8)",
        gather: plantuml::gather,
    },
    Corpus {
        name: "latex",
        title: "LaTeX",
        guest: "latex",
        from: "every control word and environment that KaTeX' own source names (npm `katex` \
               0.19.1): alone, with one argument and with two, sound or not",
        peer: "KaTeX itself in Node (npm `katex` 0.19.1)",
        gather: control_words::gather,
    },
    Corpus {
        name: "d2",
        title: "D2 (subset)",
        guest: "d2",
        from: "D2's own end-to-end tests, as the crate `d2-little` 0.7.1-1 carries them",
        peer: "D2 itself, compiled to WebAssembly, in Node (npm `@terrastruct/d2` 0.1.33)",
        gather: d2::gather,
    },
];

impl Corpus {
    /// Its samples out of the unpacked packages below `packages`.
    pub(crate) fn samples(&self, packages: &Path) -> Result<Vec<Sample>> {
        let gathered = (self.gather)(packages);
        let mut samples = gathered.with_context(|| format!("the corpus of {}", self.title))?;
        samples.sort();
        let mut seen = BTreeSet::new();
        samples.retain(|sample| {
            !sample.source.trim().is_empty() && seen.insert(sample.source.trim().to_owned())
        });
        ensure!(!samples.is_empty(), "no source of {} in {}", self.title, packages.display());
        Ok(samples)
    }
}

/// What says that these are the same sources as then.
pub(crate) fn digest(samples: &[Sample]) -> String {
    let mut hash = Sha256::new();
    for sample in samples {
        for text in [&sample.name, &sample.source] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Every file below `folder` whose name ends so, in the order of their paths.
fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|own| extensions.iter().any(|extension| own == *extension))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A source that is not UTF-8 is older than it: Latin-1.
fn text(path: &Path) -> Result<Option<String>> {
    let about = || format!("{} can't be read", path.display());
    if fs::metadata(path).with_context(about)?.len() > MAX_SOURCE_BYTES {
        return Ok(None);
    }
    let bytes = fs::read(path).with_context(about)?;
    Ok(Some(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect()),
    ))
}

/// The sample of a file, named by its path below `top`.
fn sample(top: &Path, path: &Path) -> Result<Option<Sample>> {
    let name = path.strip_prefix(top).unwrap_or(path).display().to_string();
    Ok(text(path)?.map(|source| Sample { name, source }))
}
