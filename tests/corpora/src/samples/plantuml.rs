//! Diagrams that stand as texts in the tests of two programs that draw PlantUML.

use super::{Sample, files, literals, text};
use anyhow::Result;
use std::path::Path;

const CRATES: [&str; 2] = ["plantuml-little", "plantuml-core"];

pub(super) fn gather(packages: &Path) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for name in CRATES {
        for path in files(&packages.join(name), &["rs"])? {
            let place = path.strip_prefix(packages).unwrap_or(&path).display();
            let found = literals::of(&text(&path)?.unwrap_or_default());
            let diagrams = found.iter().filter_map(|literal| diagram(literal)).enumerate();
            samples.extend(diagrams.map(|(index, source)| Sample {
                name: format!("{place}#{:03}", index + 1),
                source: source.to_owned(),
            }));
        }
    }
    Ok(samples)
}

/// A whole diagram: it begins, has something in it and ends. Patterns to be filled in are none.
fn diagram(literal: &str) -> Option<&str> {
    let from = literal.trim_start();
    let end = from.rfind("@end")?;
    let whole = from.starts_with("@start") && !from.contains("{}");
    (whole && from[..end].trim_end().lines().count() > 1).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_diagram_is_a_sample_and_a_piece_of_one_is_not() {
        assert!(diagram("@startuml\nA -> B\n@enduml\n").is_some());
        for piece in ["@startuml", "@startuml\n@enduml", "A -> B", "@startuml\n{}\n@enduml"] {
            assert_eq!(diagram(piece), None, "{piece}");
        }
    }
}
