//! Sequences of nothing but delays (`...`). The library looks for the participants that a delay
//! stands between, and breaks where there are none.

use drawing::Place;

/// What may stand beside delays without bringing a participant.
const ABOUT: [&str; 8] =
    ["title", "header", "footer", "caption", "skinparam", "hide", "autonumber", "!theme"];

/// The first delay of a source that has nothing else.
#[must_use]
pub(crate) fn alone(source: &str) -> Option<Place> {
    let mut first = None;
    for (number, line) in (1_u32..).zip(source.lines().map(str::trim)) {
        if line.starts_with("...") {
            first = first.or(Some(Place { line: number, column: 1 }));
        } else if !(line.is_empty() || line.starts_with(['@', '\'']) || is_about(line)) {
            return None;
        }
    }
    first
}

fn is_about(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| ABOUT.contains(&word))
}
