//! Graphviz' own graphs: those to try, those of its guides, those that it ships as examples.

use super::{Sample, files, sample};
use anyhow::Result;
use std::path::Path;

pub(super) fn gather(packages: &Path) -> Result<Vec<Sample>> {
    let top = packages.join("graphviz");
    let mut samples = Vec::new();
    for path in files(&top, &["gv", "dot"])? {
        samples.extend(sample(&top, &path)?);
    }
    Ok(samples)
}
