//! Plain text: decoding, blanks, sentences and the pieces that a transcript is cut into.

/// A spoken piece is about half a minute at most.
const SEGMENT_CHARS: usize = 600;
/// A piece of less says too little to stand alone.
const SHORT_CHARS: usize = 80;

/// UTF-8, or UTF-16 with its mark; what is neither is replaced.
#[must_use]
pub fn decoded(bytes: &[u8]) -> String {
    let wide = |rest: &[u8], join: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| join(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// `%20` and its like, as references in pages have it; what is no such escape stays.
#[must_use]
pub fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let escape = match behind {
            [a, b, ..] if *first == b'%' => hex(*a).zip(hex(*b)),
            _ => None,
        };
        match escape {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Letters and digits of any script, parted by `-`.
#[must_use]
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Every run of blanks is one space, and none at the ends.
#[must_use]
pub fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}

/// At most `max` characters, cut after a word and marked where it was.
#[must_use]
pub fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => {
            let cut = text[..end].rfind(' ').unwrap_or(end);
            format!("{}…", text[..cut].trim_end())
        }
    }
}

/// Names of files in the order in which a reader counts: `lec2` before `lec10`.
#[must_use]
pub fn natural_key(name: &str) -> Vec<(String, u64)> {
    let mut key = Vec::new();
    let mut word = String::new();
    let mut number: Option<u64> = None;
    for c in name.chars() {
        if let Some(digit) = c.to_digit(10) {
            let before = number.unwrap_or(0);
            number = Some(before.saturating_mul(10).saturating_add(u64::from(digit)));
        } else {
            if let Some(number) = number.take() {
                key.push((std::mem::take(&mut word), number));
            }
            word.extend(c.to_lowercase());
        }
    }
    key.push((word, number.unwrap_or(0)));
    key
}

/// The abbreviations after which a sentence goes on.
const GOES_ON: [&str; 22] = [
    "e.g.", "i.e.", "etc.", "cf.", "vs.", "fig.", "figs.", "eq.", "eqs.", "ch.", "sec.", "no.",
    "vol.", "dr.", "prof.", "mr.", "mrs.", "ms.", "st.", "approx.", "ca.", "al.",
];

/// Sentences in their order; all words of the text are in them.
#[must_use]
pub fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut open = String::new();
    let words: Vec<&str> = text.split_whitespace().collect();
    for (index, word) in words.iter().enumerate() {
        if !open.is_empty() {
            open.push(' ');
        }
        open.push_str(word);
        let bare = word.trim_end_matches(['"', '\'', ')', ']', '”', '’']);
        let ends = bare.ends_with(['.', '!', '?', '。', '！', '？']);
        let abbreviated = GOES_ON.contains(&bare.to_lowercase().as_str())
            || (bare.len() == 2 && bare.starts_with(char::is_uppercase));
        let next_starts = words.get(index + 1).is_none_or(|next| {
            !next.trim_start_matches(['"', '(', '“', '‘', '[']).starts_with(char::is_lowercase)
        });
        if ends && !abbreviated && next_starts {
            sentences.push(std::mem::take(&mut open));
        }
    }
    if !open.is_empty() {
        sentences.push(open);
    }
    sentences
}

/// Paragraphs to pieces that can be spoken at a stretch: long ones are cut at sentence ends,
/// short ones joined. The sequence of words stays as it is.
#[must_use]
pub fn pieces<'a>(paragraphs: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for paragraph in paragraphs {
        let mut is_first = true;
        for sentence in sentences(paragraph).iter().flat_map(|own| cut(own)) {
            let fits = pieces.last().is_some_and(|last| {
                let length = last.chars().count();
                // A paragraph begins a piece of its own unless the one before is a scrap.
                let may = !is_first || length < SHORT_CHARS;
                may && length + 1 + sentence.chars().count() <= SEGMENT_CHARS
            });
            match pieces.last_mut() {
                Some(last) if fits => {
                    last.push(' ');
                    last.push_str(&sentence);
                }
                _ => pieces.push(sentence),
            }
            is_first = false;
        }
    }
    pieces
}

/// A sentence in parts that are short enough; captions made by a machine have no full stops.
fn cut(sentence: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut length = 0;
    for word in sentence.split_whitespace() {
        let chars = word.chars().count() + 1;
        if length > 0 && length + chars > SEGMENT_CHARS {
            parts.push(String::new());
            length = 0;
        }
        if let Some(part) = parts.last_mut() {
            if !part.is_empty() {
                part.push(' ');
            }
            part.push_str(word);
            length += chars;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_each_of_its_encodings() {
        for bytes in [&b"caf\xc3\xa9"[..], b"\xef\xbb\xbfcaf\xc3\xa9", b"\xff\xfec\0a\0f\0\xe9\0"] {
            assert_eq!(decoded(bytes), "café");
        }
    }

    #[test]
    fn a_sentence_ends_where_it_does_and_not_after_an_abbreviation() {
        let text =
            "Heat flows, e.g. Fourier said so. Does it? Yes. See Fig. 3 by J. Watt, it is 3.5 m.";
        let expected = [
            "Heat flows, e.g. Fourier said so.",
            "Does it?",
            "Yes.",
            "See Fig. 3 by J. Watt, it is 3.5 m.",
        ];
        assert_eq!(sentences(text), expected);
    }

    #[test]
    fn pieces_keep_every_word_in_its_order() {
        let long = "This sentence has some words in it. ".repeat(60);
        let paragraphs = ["A scrap.", "Another.", long.as_str(), "The end."];
        let pieces = pieces(paragraphs.into_iter());
        assert_eq!(squeezed(&pieces.join(" ")), squeezed(&paragraphs.join(" ")));
        assert!(pieces.iter().all(|piece| piece.chars().count() <= SEGMENT_CHARS));
        assert!(pieces[0].starts_with("A scrap. Another. This"));
    }

    #[test]
    fn a_text_without_full_stops_is_cut_between_words() {
        let text = "and so on ".repeat(500);
        let pieces = pieces(std::iter::once(text.as_str()));
        assert!(pieces.len() > 5 && pieces.iter().all(|own| own.len() <= SEGMENT_CHARS));
        assert_eq!(pieces.join(" "), text.trim());
    }

    #[test]
    fn files_are_counted_as_a_reader_counts() {
        let mut names = ["lec10", "lec2", "lec1"];
        names.sort_by_key(|name| natural_key(name));
        assert_eq!(names, ["lec1", "lec2", "lec10"]);
    }
}
