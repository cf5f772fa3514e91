//! The string literals in double quotes of a Rust or TypeScript source, escapes undone.

/// In the order in which they stand there. A literal that does not end is left out.
pub(super) fn of(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if let Some(character) = character(rest) {
            rest = &rest[character..];
        } else if let Some((literal, length)) = raw(rest).or_else(|| plain(rest)) {
            found.push(literal);
            rest = &rest[length..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// How long a character literal is here, so that its quote opens no text.
fn character(source: &str) -> Option<usize> {
    ["'\"'", "'\\\"'"].into_iter().find(|quote| source.starts_with(quote)).map(str::len)
}

fn raw(source: &str) -> Option<(String, usize)> {
    let after = source.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inside = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = inside.find(&close)?;
    Some((inside[..end].to_owned(), 2 + hashes + end + close.len()))
}

fn plain(source: &str) -> Option<(String, usize)> {
    let inside = source.strip_prefix('"')?;
    let mut literal = String::new();
    let mut characters = inside.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((literal, index + 2)),
            '\\' => match characters.next()?.1 {
                'n' => literal.push('\n'),
                't' => literal.push('\t'),
                'r' => literal.push('\r'),
                '0' => literal.push('\0'),
                'u' => {
                    let digits: String = characters
                        .by_ref()
                        .map(|(_, digit)| digit)
                        .skip_while(|digit| *digit == '{')
                        .take_while(|digit| *digit != '}')
                        .collect();
                    literal.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
                }
                // The line goes on after the next line's blanks.
                '\n' => {
                    let blanks = characters.as_str();
                    let kept = blanks.trim_start().len();
                    for _ in 0..blanks[..blanks.len() - kept].chars().count() {
                        characters.next();
                    }
                }
                other => literal.push(other),
            },
            other => literal.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_with_their_escapes_undone() {
        let source = concat!(
            r##"let a = "one\ntwo \"x\" \u{41}"; // "no"##,
            "\n",
            r##"let b = r#"raw "text" \n"#; let c = '"'; let d = "go \"##,
            "\n      on\";",
        );
        assert_eq!(of(source), ["one\ntwo \"x\" A", "raw \"text\" \\n", "go on"]);
    }

    #[test]
    fn a_text_that_does_not_end_is_left_out() {
        assert!(of("let a = \"never").is_empty());
        assert!(of("r#\"never\"").len() <= 1);
    }
}
