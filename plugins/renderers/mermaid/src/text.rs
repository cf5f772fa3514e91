//! Words of the library, made fit for a line in an editor.

/// No message is longer.
const MAX_CHARACTERS: usize = 400;

/// One line of bounded length.
#[must_use]
pub(crate) fn tidy(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_CHARACTERS {
        return line;
    }
    let mut short: String = line.chars().take(MAX_CHARACTERS).collect();
    short.push('…');
    short
}

/// The last part of an id such as `merman.parse.syntax`, in one stable shape.
#[must_use]
pub(crate) fn code(id: &str) -> String {
    let last = id.rsplit(['.', '/']).next().unwrap_or(id);
    if last.is_empty() { "mermaid".into() } else { last.replace('_', "-") }
}

/// A label's words are pieces that begin with their space, which not every program draws unless
/// it is told to. Markup never stands inside a text or a value, where `<` is written `&lt;`.
#[must_use]
pub(crate) fn with_spaces(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len() + 1024);
    let mut texts = svg.split("<text");
    out.push_str(texts.next().unwrap_or_default());
    for text in texts {
        out.push_str("<text");
        let tag = text.split('>').next().unwrap_or_default();
        // `<textPath` and its like are other elements.
        let is_text = tag.is_empty() || tag.starts_with([' ', '/', '\n']);
        if is_text && !tag.contains("xml:space") {
            out.push_str(" xml:space=\"preserve\"");
        }
        out.push_str(text);
    }
    out
}

const STATE_LABEL: &str = "<g class=\"label\" transform=\"translate(";

/// The library puts a state's label at the left end of its box, where a browser would centre it
/// as a page. The box stands around the middle, so the text is anchored there.
#[must_use]
pub(crate) fn with_centred_states(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len() + 256);
    let mut states = svg.split("<g class=\"node statediagram-state");
    out.push_str(states.next().unwrap_or_default());
    for state in states {
        out.push_str("<g class=\"node statediagram-state");
        match centred(state) {
            Some(state) => out.push_str(&state),
            None => out.push_str(state),
        }
    }
    out
}

fn centred(state: &str) -> Option<String> {
    let label = state.find(STATE_LABEL)? + STATE_LABEL.len();
    let comma = label + state[label..].find(',')?;
    let text = comma + state[comma..].find("<text ")?;
    let between = &state[comma..text];
    let tag = state[text..].split('>').next()?;
    // A label of this node only, and one that starts at the left.
    if between.contains("</g>")
        || !state[label..comma].starts_with('-')
        || tag.contains("text-anchor")
    {
        return None;
    }
    let (before, rest) = (&state[..label], &state[text + "<text ".len()..]);
    Some(format!("{before}0{between}<text text-anchor=\"middle\" {rest}"))
}
