//! What is looked at in markup before a parser sees it: depth, count, and entities that the
//! file declares itself. It also makes XHTML readable by an HTML parser.

use crate::fault::{Fault, Hostility};

/// Books nest a few dozen elements; a parser's stack and time grow with them.
pub(crate) const MAX_DEPTH: usize = 256;
pub(crate) const MAX_NODES: u32 = 200_000;
/// A parsed page takes several times its size, and a plugin has 64 MiB.
pub(crate) const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;

const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// HTML lets them end without a word.
const OPTIONAL_END: [&str; 16] = [
    "p", "li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "tfoot", "option", "optgroup",
    "colgroup", "rp", "rt", "caption",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Xml,
    Html,
    /// XML to its author, HTML to the parser: `<a/>` becomes `<a></a>`, prefixes go.
    Xhtml,
}

/// The text without its document type, within the bounds.
pub(crate) fn guarded(entry: &str, text: &str, language: Language) -> Result<String, Fault> {
    let hostile = |why| Fault::Hostile { entry: entry.to_owned(), why };
    if text.len() > MAX_TEXT_BYTES {
        return Err(hostile(Hostility::TextBytes { max: MAX_TEXT_BYTES }));
    }
    let mut safe = String::with_capacity(text.len());
    let (mut depth, mut nodes) = (0_usize, 0_u32);
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        safe.push_str(&rest[..start]);
        rest = &rest[start..];
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(hostile(Hostility::Nodes { max: MAX_NODES }));
        }
        if rest.starts_with("<!--") {
            rest = kept(&mut safe, rest, "-->", 4);
        } else if rest.starts_with("<![CDATA[") {
            rest = kept(&mut safe, rest, "]]>", 9);
        } else if starts_with_ignoring_case(rest, "<!doctype") {
            let (declaration, behind) = document_type(rest);
            let declares = declaration.to_ascii_lowercase().contains("<!entity");
            if declares {
                return Err(hostile(Hostility::Entities));
            }
            // Blanks in its place keep lines and columns.
            safe.extend(declaration.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = behind;
        } else if rest.starts_with("<?") {
            rest = kept(&mut safe, rest, "?>", 2);
        } else {
            let tag = Tag::read(rest);
            rest = &rest[tag.text.len()..];
            let name = tag.name.to_ascii_lowercase();
            let counts = language == Language::Xml
                || !(VOID.contains(&name.as_str()) || OPTIONAL_END.contains(&name.as_str()));
            match tag.kind {
                Kind::Opening if counts => depth += 1,
                Kind::Closing if counts => depth = depth.saturating_sub(1),
                Kind::Opening | Kind::Closing | Kind::Empty | Kind::Text => {}
            }
            if depth > MAX_DEPTH {
                return Err(hostile(Hostility::Depth { max: MAX_DEPTH }));
            }
            match language {
                Language::Xhtml => tag.write_as_html(&mut safe),
                Language::Xml | Language::Html => safe.push_str(tag.text),
            }
            let is_raw = matches!(name.as_str(), "script" | "style");
            if is_raw && tag.kind == Kind::Opening && language != Language::Xml {
                let end = raw_end(rest, &name);
                safe.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    safe.push_str(rest);
    Ok(safe)
}

/// Copies up to and with the end mark.
fn kept<'a>(safe: &mut String, rest: &'a str, end: &str, from: usize) -> &'a str {
    let length = rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    safe.push_str(&rest[..length]);
    &rest[length..]
}

/// A document type and what follows it.
fn document_type(rest: &str) -> (&str, &str) {
    let (mut in_subset, mut quote) = (false, None);
    for (at, c) in rest.char_indices() {
        match (c, quote) {
            (_, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('[', None) => in_subset = true,
            (']', None) => in_subset = false,
            ('>', None) if !in_subset => return rest.split_at(at + 1),
            _ => {}
        }
    }
    (rest, "")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Opening,
    Closing,
    Empty,
    /// A `<` that begins no tag.
    Text,
}

struct Tag<'a> {
    text: &'a str,
    name: &'a str,
    kind: Kind,
}

impl<'a> Tag<'a> {
    fn read(rest: &'a str) -> Self {
        let closing = rest.starts_with("</");
        let begin = if closing { 2 } else { 1 };
        let named = &rest[begin..];
        let length = named
            .find(|c: char| c.is_whitespace() || matches!(c, '>' | '/' | '<' | '"' | '\''))
            .unwrap_or(named.len());
        let name = &named[..length];
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Self { text: &rest[..1], name: "", kind: Kind::Text };
        }
        let mut quote = None;
        let mut end = rest.len();
        for (at, c) in rest.char_indices().skip(begin) {
            match (c, quote) {
                (_, Some(open)) if c == open => quote = None,
                (_, Some(_)) => {}
                ('"' | '\'', None) => quote = Some(c),
                ('>', None) => {
                    end = at + 1;
                    break;
                }
                _ => {}
            }
        }
        let text = &rest[..end];
        let kind = match (closing, text.ends_with("/>")) {
            (true, _) => Kind::Closing,
            (false, true) => Kind::Empty,
            (false, false) => Kind::Opening,
        };
        Self { text, name, kind }
    }

    /// Without a prefix such as `m:`, and never empty.
    fn write_as_html(&self, safe: &mut String) {
        let local = self.name.rsplit(':').next().unwrap_or(self.name);
        let (mark, skipped) = match self.kind {
            Kind::Closing => ("</", 2),
            Kind::Opening | Kind::Empty => ("<", 1),
            Kind::Text => return safe.push_str("&lt;"),
        };
        safe.push_str(mark);
        safe.push_str(local);
        let attributes = &self.text[skipped + self.name.len()..];
        if self.kind == Kind::Empty && !VOID.contains(&local.to_ascii_lowercase().as_str()) {
            safe.push_str(attributes.trim_end_matches("/>"));
            safe.push_str("></");
            safe.push_str(local);
            safe.push('>');
        } else {
            safe.push_str(attributes);
        }
    }
}

/// Where the raw text of a script or a style ends.
fn raw_end(rest: &str, name: &str) -> usize {
    let end = format!("</{name}");
    let mut from = 0;
    while let Some(at) = rest[from..].find("</") {
        if starts_with_ignoring_case(&rest[from + at..], &end) {
            return from + at;
        }
        from += at + 2;
    }
    rest.len()
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_that_a_file_declares_are_refused_and_a_plain_document_type_is_not() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>";
        let refused = guarded("b.xml", bomb, Language::Xml);
        assert_eq!(
            refused,
            Err(Fault::Hostile { entry: "b.xml".into(), why: Hostility::Entities })
        );
        let plain = "<!DOCTYPE ncx PUBLIC \"-//N//D\" \"x>y\">\n<ncx/>";
        assert!(guarded("n", plain, Language::Xml).unwrap().trim_start().starts_with("<ncx/>"));
    }

    #[test]
    fn deep_nesting_is_refused_and_long_lists_without_ends_are_not() {
        let deep = "<div>".repeat(MAX_DEPTH + 1);
        let why = Hostility::Depth { max: MAX_DEPTH };
        assert_eq!(
            guarded("d", &deep, Language::Html),
            Err(Fault::Hostile { entry: "d".into(), why })
        );
        assert!(guarded("l", &"<li>x".repeat(5_000), Language::Html).is_ok());
    }

    #[test]
    fn a_page_that_is_too_long_or_has_too_many_elements_is_refused() {
        let long = "x".repeat(MAX_TEXT_BYTES + 1);
        let why = Hostility::TextBytes { max: MAX_TEXT_BYTES };
        assert_eq!(
            guarded("l", &long, Language::Html),
            Err(Fault::Hostile { entry: "l".into(), why })
        );
        let many = "<br>".repeat(MAX_NODES as usize + 1);
        let why = Hostility::Nodes { max: MAX_NODES };
        assert_eq!(
            guarded("m", &many, Language::Html),
            Err(Fault::Hostile { entry: "m".into(), why })
        );
    }

    #[test]
    fn xhtml_becomes_what_an_html_parser_understands() {
        let text =
            "<title/><m:math alt='a>b'><m:mi>x</m:mi></m:math><br/><script>a < b</script>1 < 2";
        let html = guarded("x", text, Language::Xhtml).unwrap();
        assert_eq!(
            html,
            "<title></title><math alt='a>b'><mi>x</mi></math><br/><script>a < b</script>1 &lt; 2"
        );
    }
}
