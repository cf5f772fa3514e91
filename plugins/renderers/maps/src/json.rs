//! JSON whose values know where they stand, so that a fault of meaning can be shown as exactly
//! as a fault of syntax. Bounded in length and depth.

use super::fault::{Fault, Place};

const SOURCE_BYTES: usize = 1024 * 1024;
const DEPTH: usize = 16;
const KEYS: usize = 64;

#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Kind {
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// One value and nothing after it.
pub(crate) fn parse(source: &str) -> Result<Value, Fault> {
    if source.len() > SOURCE_BYTES {
        let message = format!("the source has {} bytes, {SOURCE_BYTES} at most", source.len());
        return Err(Fault::error("size", message, Place::START));
    }
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut parser = Parser { rest: source, place: Place::START };
    let value = parser.value(0)?;
    parser.blank();
    match parser.peek() {
        None => Ok(value),
        Some(c) => Err(parser.fault(format!("{} after the end of the map", shown(c)))),
    }
}

struct Parser<'a> {
    rest: &'a str,
    place: Place,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        self.place.pass(c);
        Some(c)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.take();
        }
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::error("syntax", message, self.place)
    }

    fn expected(&self, what: &str) -> Fault {
        match self.peek() {
            Some(c) => self.fault(format!("expected {what}, found {}", shown(c))),
            None => self.fault(format!("expected {what}, but the source ends here")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        self.blank();
        if depth > DEPTH {
            return Err(self.fault(format!("nested deeper than {DEPTH} levels")));
        }
        let place = self.place;
        let kind = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Kind::Text(self.text()?),
            Some('-' | '0'..='9') => self.number()?,
            Some('t') => self.word("true", Kind::Bool(true))?,
            Some('f') => self.word("false", Kind::Bool(false))?,
            Some('n') => self.word("null", Kind::Null)?,
            Some(_) | None => return Err(self.expected("a value")),
        };
        Ok(Value { place, kind })
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, Fault> {
        let Some(rest) = self.rest.strip_prefix(word) else {
            return Err(self.expected("a value"));
        };
        self.rest = rest;
        word.chars().for_each(|c| self.place.pass(c));
        Ok(kind)
    }

    fn object(&mut self, depth: usize) -> Result<Kind, Fault> {
        self.take();
        let mut members: Vec<(String, Value)> = Vec::new();
        self.blank();
        if self.peek() == Some('}') {
            self.take();
            return Ok(Kind::Object(members));
        }
        loop {
            self.blank();
            if self.peek() != Some('"') {
                return Err(self.expected("a key in double quotes"));
            }
            let at = self.place;
            let key = self.text()?;
            if members.iter().any(|(known, _)| *known == key) {
                return Err(Fault::error(
                    "syntax",
                    format!("the key `{key}` stands here twice"),
                    at,
                ));
            }
            self.blank();
            if self.peek() != Some(':') {
                return Err(self.expected("`:` after the key"));
            }
            self.take();
            let value = self.value(depth + 1)?;
            if members.len() == KEYS {
                return Err(Fault::error(
                    "syntax",
                    format!("more than {KEYS} keys in one object"),
                    at,
                ));
            }
            members.push((key, value));
            self.blank();
            match self.peek() {
                Some(',') => self.take(),
                Some('}') => {
                    self.take();
                    return Ok(Kind::Object(members));
                }
                Some(_) | None => return Err(self.expected("`,` or `}`")),
            };
        }
    }

    fn list(&mut self, depth: usize) -> Result<Kind, Fault> {
        self.take();
        let mut values = Vec::new();
        self.blank();
        if self.peek() == Some(']') {
            self.take();
            return Ok(Kind::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.blank();
            match self.peek() {
                Some(',') => self.take(),
                Some(']') => {
                    self.take();
                    return Ok(Kind::List(values));
                }
                Some(_) | None => return Err(self.expected("`,` or `]`")),
            };
        }
    }

    fn number(&mut self) -> Result<Kind, Fault> {
        let part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let length = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(length);
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && is_json_number(text) => {
                self.rest = rest;
                text.chars().for_each(|c| self.place.pass(c));
                Ok(Kind::Number(number))
            }
            Ok(_) | Err(_) => Err(self.fault(format!("`{text}` is not a number of JSON"))),
        }
    }

    fn text(&mut self) -> Result<String, Fault> {
        let opened = self.place;
        self.take();
        let mut text = String::new();
        loop {
            let here = self.place;
            match self.take() {
                None => return Err(Fault::error("syntax", "this text is never closed", opened)),
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape(here)?),
                Some(c) if c < ' ' => {
                    let message =
                        "a line break or control character inside a text: write it as an escape";
                    return Err(Fault::error("syntax", message, here));
                }
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self, here: Place) -> Result<char, Fault> {
        let wrong = || Fault::error("syntax", "an escape that JSON does not have", here);
        Ok(match self.take() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let high = self.unit().ok_or_else(wrong)?;
                if (0xd800..0xdc00).contains(&high) {
                    let low = (self.take() == Some('\\') && self.take() == Some('u'))
                        .then(|| self.unit())
                        .flatten()
                        .filter(|low| (0xdc00..0xe000).contains(low))
                        .ok_or_else(wrong)?;
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    char::from_u32(code).ok_or_else(wrong)?
                } else {
                    char::from_u32(high).ok_or_else(wrong)?
                }
            }
            Some(_) | None => return Err(wrong()),
        })
    }

    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |code, _| Some(code << 4 | self.take()?.to_digit(16)?))
    }
}

/// Rust reads `1.`, `+1` and `01`, which JSON has not.
fn is_json_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let whole = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let leading = whole > 1 && text.starts_with('0');
    let fraction = &text[whole..];
    let bare_point = fraction
        .strip_prefix('.')
        .is_some_and(|digits| !digits.starts_with(|c: char| c.is_ascii_digit()));
    whole > 0 && !leading && !bare_point
}

fn shown(c: char) -> String {
    if c.is_control() { format!("U+{:04X}", u32::from(c)) } else { format!("`{c}`") }
}
