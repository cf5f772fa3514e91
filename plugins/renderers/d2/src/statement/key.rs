//! The parts of a statement: names, arrows, and the value behind the `:`.

/// Names that say something of a shape rather than name one.
const RESERVED: [&str; 27] = [
    "class",
    "classes",
    "constraint",
    "direction",
    "grid-columns",
    "grid-gap",
    "grid-rows",
    "height",
    "horizontal-gap",
    "icon",
    "label",
    "layers",
    "left",
    "link",
    "near",
    "scenarios",
    "shape",
    "source-arrowhead",
    "steps",
    "style",
    "target-arrowhead",
    "tooltip",
    "top",
    "vars",
    "vertical-gap",
    "width",
    "null",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) quoted: bool,
}

impl Name {
    pub(super) fn is_reserved(&self) -> bool {
        !self.quoted && RESERVED.contains(&self.text.to_lowercase().as_str())
    }
}

/// What stands between two arrows, and the arrow behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) names: Vec<Name>,
    pub(super) arrow_at_start: bool,
    pub(super) arrow_at_end: bool,
}

/// The statement before its first `:` that is not quoted, and the value behind it.
pub(super) fn split_value(text: &str) -> (&str, Option<&str>) {
    let colon = unquoted_places(text).find(|(_, letter)| *letter == ':');
    match colon {
        Some((at, _)) => {
            let value = text[at + 1..].trim();
            (text[..at].trim(), (!value.is_empty()).then_some(value))
        }
        None => (text.trim(), None),
    }
}

/// The statement's sides: one where there is no arrow.
pub(super) fn sides(text: &str) -> Vec<Side> {
    let mut sides = Vec::new();
    let mut start = 0;
    let mut skip_to = 0;
    for (at, _) in unquoted_places(text) {
        let rest = &text[at..];
        let is_arrow = ["<-", "->", "--"].iter().any(|arrow| rest.starts_with(arrow));
        if at < skip_to || !is_arrow {
            continue;
        }
        let head = usize::from(rest.starts_with('<'));
        let body = rest[head..].len() - rest[head..].trim_start_matches('-').len();
        let tail = usize::from(rest[head + body..].starts_with('>'));
        sides.push(Side {
            names: names(&text[start..at]),
            arrow_at_start: head > 0,
            arrow_at_end: tail > 0,
        });
        start = at + head + body + tail;
        skip_to = start;
    }
    let last = names(&text[start..]);
    if !last.is_empty() || !sides.is_empty() {
        sides.push(Side { names: last, arrow_at_start: false, arrow_at_end: false });
    }
    sides
}

fn names(text: &str) -> Vec<Name> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    let dots = unquoted_places(text).filter(|(_, letter)| *letter == '.').map(|(at, _)| at);
    let mut parts = Vec::new();
    let mut start = 0;
    for dot in dots.chain([text.len()]) {
        let part = text[start..dot].trim();
        let quoted = part.starts_with(['"', '\'']);
        parts.push(Name { text: unquoted(part), quoted });
        start = (dot + 1).min(text.len());
    }
    parts
}

/// A text without its quotes, and with its escapes as what they stand for.
pub(super) fn unquoted(text: &str) -> String {
    let text = text.trim();
    if let Some(inside) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return inside.to_owned();
    }
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let mut out = String::with_capacity(inside.len());
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            letter => out.push(letter),
        }
    }
    out
}

/// Every letter that is neither quoted nor escaped, with its place.
fn unquoted_places(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    let mut escaped = false;
    let mut before = ' ';
    text.char_indices().filter(move |(_, letter)| {
        let in_word = std::mem::replace(&mut before, *letter).is_alphanumeric();
        if std::mem::take(&mut escaped) {
            return false;
        }
        match (quote, *letter) {
            (None | Some('"'), '\\') => escaped = true,
            (Some(open), letter) if letter == open => quote = None,
            (None, '"') => quote = Some('"'),
            (None, '\'') if !in_word => quote = Some('\''),
            (None, _) => return true,
            (Some(_), _) => {}
        }
        false
    })
}
