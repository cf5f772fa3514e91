//! A source as statements: comments out, lines parted, blocks opened and closed.

use crate::fault::Fault;
use drawing::Place;

/// A piece of a source, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) place: Place,
    pub(crate) end: End,
}

/// What ends a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Line,
    /// `{`: what follows is said of it.
    Open,
    /// `}`, behind the last piece of a block.
    Close,
}

/// # Errors
/// The first quote or block that does not end, and block strings, which the subset has not.
pub(crate) fn pieces(source: &str) -> Result<Vec<Piece>, Fault> {
    let mut reader = Reader { source, pieces: Vec::new(), text: String::new(), start: None };
    reader.read()?;
    Ok(reader.pieces)
}

struct Reader<'a> {
    source: &'a str,
    pieces: Vec<Piece>,
    text: String,
    start: Option<usize>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), Fault> {
        let mut open = Vec::new();
        let mut at = 0;
        while let Some(letter) = self.source[at..].chars().next() {
            let here = at;
            at += letter.len_utf8();
            let between = self.text.trim().is_empty();
            match letter {
                '#' if between => at = self.line_end(here),
                // Behind a value a comment needs a space, or a colour would be one.
                '#' if self.text.ends_with(' ') && self.source[at..].starts_with(' ') => {
                    at = self.line_end(here);
                }
                '"' if between && self.source[here..].starts_with("\"\"\"") => {
                    let end = self.source[here + 3..].find("\"\"\"").ok_or_else(|| {
                        self.syntax(here, "this comment is never closed; put `\"\"\"` behind it")
                    })?;
                    at = here + 3 + end + 3;
                }
                '"' | '\'' => at = self.quoted(here, letter)?,
                '|' => return Err(self.unsupported(here, "a block string `|…|`")),
                '\n' | ';' => self.push(here, End::Line),
                '{' if self.text.ends_with('$') => {
                    return Err(self.unsupported(here, "a variable `${…}`"));
                }
                '{' => {
                    open.push(here);
                    self.push(here, End::Open);
                }
                '}' => {
                    if open.pop().is_none() {
                        let what = "this `}` closes nothing; take it out or open a `{` before it";
                        return Err(self.syntax(here, what));
                    }
                    self.push(here, End::Line);
                    self.push(here, End::Close);
                }
                '\\' if self.source[at..].starts_with('\n') => at += 1,
                '\r' => {}
                letter => {
                    self.start.get_or_insert(here);
                    self.text.push(letter);
                }
            }
            if between && self.text.trim().is_empty() {
                self.text.clear();
                self.start = None;
            }
        }
        if let Some(open) = open.pop() {
            return Err(
                self.syntax(open, "this `{` is never closed; put a `}` behind what it holds")
            );
        }
        self.push(self.source.len(), End::Line);
        Ok(())
    }

    /// A quoted text goes on as it is, quotes and all.
    fn quoted(&mut self, from: usize, quote: char) -> Result<usize, Fault> {
        // An apostrophe within a word is none.
        let in_word = quote == '\'' && self.text.ends_with(|c: char| c.is_alphanumeric());
        if in_word {
            self.text.push(quote);
            return Ok(from + 1);
        }
        let mut letters = self.source[from + 1..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' if quote == '"' => drop(letters.next()),
                '\n' => break,
                letter if letter == quote => {
                    let end = from + 1 + at + 1;
                    self.start.get_or_insert(from);
                    self.text.push_str(&self.source[from..end]);
                    return Ok(end);
                }
                _ => {}
            }
        }
        Err(self.syntax(from, "this quote does not end on its line"))
    }

    fn push(&mut self, at: usize, end: End) {
        let text = std::mem::take(&mut self.text).trim().to_owned();
        let place = Place::of_byte(self.source, self.start.take().unwrap_or(at));
        if end != End::Line || !text.is_empty() {
            self.pieces.push(Piece { text, place, end });
        }
    }

    fn line_end(&self, from: usize) -> usize {
        self.source[from..].find('\n').map_or(self.source.len(), |length| from + length)
    }

    fn syntax(&self, at: usize, message: &str) -> Fault {
        Fault::Syntax { place: Place::of_byte(self.source, at), message: message.into() }
    }

    fn unsupported(&self, at: usize, what: &str) -> Fault {
        Fault::Unsupported { place: Place::of_byte(self.source, at), what: what.into() }
    }
}
