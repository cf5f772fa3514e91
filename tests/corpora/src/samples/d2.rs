//! D2's own end-to-end tests, which its port carries as data.

use super::Sample;
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::fs;
use std::path::Path;

const LISTS: [&str; 2] = ["e2e_cases.json", "e2e_dagre_svg_cases.json"];

#[derive(Deserialize)]
struct Case {
    name: String,
    script: String,
}

pub(super) fn gather(packages: &Path) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for list in LISTS {
        let path = packages.join("d2-little/tests").join(list);
        let text = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
        let cases: Vec<Case> = serde_json::from_slice(&text)
            .with_context(|| format!("{} is no list of tests", path.display()))?;
        samples.extend(cases.into_iter().map(|case| Sample {
            name: format!("{}/{}", list.trim_end_matches(".json"), case.name),
            source: case.script,
        }));
    }
    Ok(samples)
}
