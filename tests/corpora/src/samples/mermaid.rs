//! What four programs that draw Mermaid keep to be tried with.

use super::{Sample, files, sample};
use anyhow::Result;
use std::path::Path;

const CRATES: [&str; 4] = ["merman", "merman-ascii", "selkie-rs", "mermaid-rs-renderer"];

pub(super) fn gather(packages: &Path) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for name in CRATES {
        for path in files(&packages.join(name), &["mmd"])? {
            samples.extend(sample(packages, &path)?);
        }
    }
    Ok(samples)
}
