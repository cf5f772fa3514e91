//! Where a fault stands. The library counts lines from 0 although it says from 1, and a line
//! that comes from an included file is counted in that file.

use drawing::Place;
use plantuml_core::text::StringLocated;

/// The place of `line` in `source`, as far as the source really has such a line there.
#[must_use]
pub(crate) fn of_line(source: &str, line: &StringLocated) -> Option<Place> {
    let text = line.string().trim();
    let counted = line.location().map(|location| location.position);
    let at = counted
        .filter(|at| {
            !brings_files(source) || source.lines().nth(*at).is_some_and(|own| own.trim() == text)
        })
        .or_else(|| the_only(source, text))?;
    let own = source.lines().nth(at)?;
    let blank = own.chars().take_while(|character| character.is_whitespace()).count();
    let number = |count: usize| u32::try_from(count + 1).ok();
    Some(Place { line: number(at)?, column: number(blank)? })
}

/// Then a line may be counted in another file.
fn brings_files(source: &str) -> bool {
    source.lines().any(|line| {
        ["!include", "!import", "!theme"].iter().any(|word| line.trim_start().starts_with(word))
    })
}

fn the_only(source: &str, text: &str) -> Option<usize> {
    let mut same = source.lines().enumerate().filter(|(_, own)| own.trim() == text);
    match (same.next(), same.next()) {
        (Some((at, _)), None) if !text.is_empty() => Some(at),
        _ => None,
    }
}

/// Where the JSON of a diagram goes wrong, if it is JSON that the diagram holds.
#[must_use]
pub(crate) fn of_json(source: &str) -> Option<Place> {
    let start = source.find(['{', '['])?;
    let end = source.rfind("@end").filter(|end| *end > start)?;
    let error = serde_json::from_str::<serde::de::IgnoredAny>(&source[start..end]).err()?;
    let before: usize = source[start..]
        .split_inclusive('\n')
        .take(error.line().checked_sub(1)?)
        .map(str::len)
        .sum();
    Some(Place::of_byte(source, start + before + error.column().saturating_sub(1)))
}
