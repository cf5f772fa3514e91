//! Where in a JSON text a field stands. Walks text that has already parsed.

/// One step of a path such as `series_list[0].data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The byte at which the field of `path` begins: its key in an object, its value in an array.
#[must_use]
pub(crate) fn offset_of(text: &str, path: &str) -> Option<usize> {
    let mut at = skip_space(text, 0);
    let mut found = at;
    for step in steps(path) {
        (found, at) = match step {
            Step::Key(key) => member(text, at, key)?,
            Step::Index(index) => {
                let element = element(text, at, index)?;
                (element, element)
            }
        };
    }
    Some(found)
}

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split(['.', '[']).filter(|part| !part.is_empty()).map(|part| {
        match part.strip_suffix(']').and_then(|index| index.parse().ok()) {
            Some(index) => Step::Index(index),
            None => Step::Key(part),
        }
    })
}

/// Where `key` stands in the object at `at`, and where its value begins.
fn member(text: &str, at: usize, key: &str) -> Option<(usize, usize)> {
    let mut at = skip_space(text, inside(text, at, b'{')?);
    while text.as_bytes().get(at) == Some(&b'"') {
        let end = value_end(text, at)?;
        let name: String = serde_json::from_str(&text[at..end]).ok()?;
        let colon = skip_space(text, end);
        let value = skip_space(text, inside(text, colon, b':')?);
        if name == key {
            return Some((at, value));
        }
        at = next(text, value)?;
    }
    None
}

fn element(text: &str, at: usize, index: usize) -> Option<usize> {
    let mut at = skip_space(text, inside(text, at, b'[')?);
    for _ in 0..index {
        at = next(text, at)?;
    }
    Some(at)
}

/// Behind the value at `at` and its comma.
fn next(text: &str, at: usize) -> Option<usize> {
    let comma = skip_space(text, value_end(text, at)?);
    Some(skip_space(text, inside(text, comma, b',')?))
}

fn inside(text: &str, at: usize, opener: u8) -> Option<usize> {
    (text.as_bytes().get(at) == Some(&opener)).then_some(at + 1)
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + (rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len())
}

/// Where the value at `at` ends: outside of strings, at the bracket that closes it.
fn value_end(text: &str, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = text.bytes().enumerate().skip(at);
    while let Some((here, byte)) = bytes.next() {
        match byte {
            b'\\' if in_string => drop(bytes.next()),
            b'"' => {
                in_string = !in_string;
                if !in_string && depth == 0 {
                    return Some(here + 1);
                }
            }
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(here),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(here + 1);
                }
            }
            b',' if depth == 0 => return Some(here),
            _ => {}
        }
    }
    None
}
