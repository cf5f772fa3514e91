//! Everything that KaTeX knows by name, each tried in the forms that names of LaTeX have.

use super::{Sample, files, literals, text};
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::Path;

/// After the control word. Which of them are sound is for KaTeX to say.
const FORMS: [&str; 4] = ["", "{x}", "{x}{y}", " x"];
/// Between `\begin{…}` and `\end{…}`.
const BODIES: [&str; 3] = ["a & b \\\\ c & d", "a", "{cc} a & b \\\\ c & d"];

pub(super) fn gather(packages: &Path) -> Result<Vec<Sample>> {
    let source = packages.join("katex/src");
    let mut words = BTreeSet::new();
    for path in files(&source, &["ts"])? {
        words.extend(line_by_line(&text(&path)?.unwrap_or_default()));
    }
    let mut environments = BTreeSet::new();
    for path in files(&source.join("environments"), &["ts"])? {
        let text = text(&path)?.unwrap_or_default();
        for names in text.split("names: [").skip(1) {
            environments.extend(line_by_line(names.split(']').next().unwrap_or_default()));
        }
    }
    let words = words.iter().filter(|word| is_control_word(word)).flat_map(|word| {
        FORMS.map(|form| Sample { name: format!("{word}{form}"), source: format!("{word}{form}") })
    });
    let environments = environments.iter().flat_map(|name| {
        BODIES.map(|body| {
            let source = format!("\\begin{{{name}}}{body}\\end{{{name}}}");
            Sample { name: source.clone(), source }
        })
    });
    Ok(words.chain(environments).collect())
}

/// No name goes over a line, and what else has quotes in TypeScript spoils its own line only.
fn line_by_line(source: &str) -> impl Iterator<Item = String> {
    source.lines().flat_map(literals::of)
}

fn is_control_word(literal: &str) -> bool {
    literal.strip_prefix('\\').is_some_and(|name| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_word_is_a_backslash_and_letters() {
        assert!(is_control_word("\\frac") && is_control_word("\\Re"));
        for other in ["frac", "\\", "\\@ifstar", "\\begin{x}", "\\1"] {
            assert!(!is_control_word(other), "{other}");
        }
    }
}
