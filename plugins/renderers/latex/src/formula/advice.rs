//! The parser's errors, with a place that an editor can show and a word on what to do.

use crate::fault::Fault;
use drawing::Place;
use ratex_parser::ParseError;
use ratex_parser::functions::FUNCTIONS;

pub(super) fn fault(error: &ParseError, source: &str) -> Fault {
    let message = error.message.trim();
    let start = error.loc.as_ref().map(|loc| loc.start).filter(|start| *start <= source.len());
    if let Some(name) = message.strip_prefix("Undefined control sequence: ") {
        return unknown_command(name.trim(), start, source);
    }
    let braces = Braces::read(source);
    if message.starts_with("Recursion limit") {
        let message = "the formula is nested too deeply here; take parts of it apart".into();
        return Fault::Syntax { place: place(braces.deepest, source), message };
    }
    if let (true, Some(close)) = (message.contains("'}'"), braces.extra) {
        let message = "this `}` closes nothing; take it out or open a `{` before it".into();
        return Fault::Syntax { place: place(Some(close), source), message };
    }
    let ended = message.contains("'EOF'") || message.contains("end of input");
    if let (true, Some(open)) = (ended, braces.unclosed) {
        let message = "this `{` is never closed; put a `}` behind what it holds".into();
        return Fault::Syntax { place: place(Some(open), source), message };
    }
    let place = if ended {
        Some(Place::end_of(source))
    } else {
        place(start.or_else(|| mentioned(message, source)), source)
    };
    Fault::Syntax { place, message: message.replace("'EOF'", "the end of the formula") }
}

fn place(offset: Option<usize>, source: &str) -> Option<Place> {
    offset.map(|offset| Place::of_byte(source, offset))
}

/// Some faults come without a place; what they speak of stands in the source all the same.
fn mentioned(message: &str, source: &str) -> Option<usize> {
    let word = message.split(' ').next_back()?.trim_matches(['\'', '"']);
    if word.is_empty() { None } else { source.find(word) }
}

fn unknown_command(name: &str, start: Option<usize>, source: &str) -> Fault {
    // Inside an expanded macro the parser counts in the macro's own text.
    let offset = start.filter(|start| source.get(*start..).is_some_and(|s| s.starts_with(name)));
    let mut message = format!("there is no command `{name}`");
    if let Some(near) = nearest(name) {
        message.push_str(&format!("; is `{near}` meant?"));
    }
    Fault::Syntax { place: place(offset.or_else(|| source.find(name)), source), message }
}

/// The command that differs least from `name`, by at most two letters.
fn nearest(name: &str) -> Option<&'static str> {
    let most = if name.chars().count() > 4 { 2 } else { 1 };
    FUNCTIONS
        .keys()
        .filter(|known| known.starts_with('\\') && !known.starts_with("\\\\"))
        .map(|known| (distance(name, known), *known))
        .filter(|(distance, _)| (1..=most).contains(distance))
        .min()
        .map(|(_, known)| known)
}

/// How many letters have to be put in, taken out or changed. Names are short.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 32;
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(LONGEST).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let changed = diagonal + usize::from(from != *to);
            diagonal = *cell;
            left = changed.min(*cell + 1).min(left + 1);
            *cell = left;
        }
        row[0] = i + 1;
    }
    row.last().copied().unwrap_or(LONGEST)
}

/// How the braces of a source stand, without those that are escaped or in a comment.
#[derive(Debug, Default)]
struct Braces {
    /// The innermost brace that nothing closes.
    unclosed: Option<usize>,
    /// The first one that closes nothing.
    extra: Option<usize>,
    /// The first brace of the deepest nesting.
    deepest: Option<usize>,
}

impl Braces {
    fn read(source: &str) -> Self {
        let mut open = Vec::new();
        let mut braces = Self::default();
        let mut depth = 0;
        let mut bytes = source.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'\\' => drop(bytes.next()),
                b'%' => drop(bytes.find(|(_, byte)| *byte == b'\n')),
                b'{' => {
                    open.push(at);
                    if open.len() > depth {
                        depth = open.len();
                        braces.deepest = Some(at);
                    }
                }
                b'}' => {
                    let opened = open.pop().is_some();
                    braces.extra = braces.extra.or((!opened).then_some(at));
                }
                _ => {}
            }
        }
        braces.unclosed = open.pop();
        braces
    }
}
