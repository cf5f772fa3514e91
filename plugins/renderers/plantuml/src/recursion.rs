//! Procedures that call themselves whatever happens. The library would follow them until the
//! guest's stack is used up, and nobody would learn why.

use drawing::Place;

/// The first line in which a procedure or function without a condition calls itself.
#[must_use]
pub(crate) fn endless(source: &str) -> Option<Place> {
    let mut open: Option<(&str, Option<u32>, bool)> = None;
    for (number, line) in (1_u32..).zip(source.lines().map(str::trim)) {
        if let Some(name) = definition(line) {
            open = Some((name, None, false));
        } else if line.starts_with("!end") && line[4..].starts_with(['p', 'f']) {
            if let Some((_, Some(line), false)) = open {
                return Some(Place { line, column: 1 });
            }
            open = None;
        } else if let Some((name, call, has_condition)) = &mut open {
            *has_condition |= ["!if", "!while", "!foreach"].iter().any(|w| line.starts_with(w));
            let calls =
                line.match_indices(*name).any(|(at, _)| line[at + name.len()..].starts_with('('));
            if calls && call.is_none() {
                *call = Some(number);
            }
        }
    }
    None
}

/// The name that a line such as `!procedure $name($a)` defines.
fn definition(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('!')?;
    let rest = rest.strip_prefix("unquoted ").unwrap_or(rest);
    let rest = rest.strip_prefix("procedure ").or_else(|| rest.strip_prefix("function "))?;
    let name = rest.split('(').next()?.trim();
    (!name.is_empty()).then_some(name)
}
