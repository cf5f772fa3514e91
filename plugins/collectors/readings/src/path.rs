//! Where a value stands in a document: a JSON Pointer (RFC 6901), in which the token `*` goes
//! through every element of an array.

use serde_json::Value;

/// Tokens of one path.
const MAX_TOKENS: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Member(String),
    Each,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// A pointer is empty, or begins with `/`.
    NoSlash,
    /// `~` stands before `0` or `1` alone.
    Tilde,
    TooLong,
}

impl core::fmt::Display for PathFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoSlash => f.write_str(
                "a path is a JSON Pointer: it begins with `/`, or is empty for the whole document",
            ),
            Self::Tilde => f.write_str("in a path `~` is written `~0`, and `/` in a name `~1`"),
            Self::TooLong => write!(f, "a path has at most {MAX_TOKENS} steps"),
        }
    }
}

/// One place that a path leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<'a> {
    /// `None` where the document has no such place.
    pub value: Option<&'a Value>,
    /// The element of the last `*`, the document where there is none.
    pub element: &'a Value,
    /// The number of that element.
    pub index: usize,
}

impl Path {
    /// # Errors
    /// Where it is no pointer.
    pub fn parse(text: &str) -> Result<Self, PathFault> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let rest = text.strip_prefix('/').ok_or(PathFault::NoSlash)?;
        let tokens = rest.split('/').map(token).collect::<Result<Vec<_>, _>>()?;
        if tokens.len() > MAX_TOKENS { Err(PathFault::TooLong) } else { Ok(Self(tokens)) }
    }

    /// Whether it leads to as many places as an array has elements.
    #[must_use]
    pub fn spreads(&self) -> bool {
        self.0.contains(&Token::Each)
    }

    /// Every place that it leads to in `document`, at most `most`. Where an array is wanted and
    /// is not there, that is one place without a value.
    #[must_use]
    pub fn find<'a>(&self, document: &'a Value, most: usize) -> Vec<Found<'a>> {
        let mut places = vec![Found { value: Some(document), element: document, index: 0 }];
        for token in &self.0 {
            let mut next = Vec::new();
            for place in places {
                match token {
                    Token::Member(name) => {
                        let value = place.value.and_then(|value| member(value, name));
                        next.push(Found { value, ..place });
                    }
                    Token::Each => match place.value.and_then(Value::as_array) {
                        Some(elements) => {
                            let room = most.saturating_sub(next.len());
                            let found =
                                |(index, element)| Found { value: Some(element), element, index };
                            next.extend(elements.iter().enumerate().take(room).map(found));
                        }
                        None => next.push(Found { value: None, ..place }),
                    },
                }
            }
            places = next;
        }
        places.truncate(most);
        places
    }

    /// The one place that it leads to.
    #[must_use]
    pub fn first<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.find(document, 1).first().and_then(|found| found.value)
    }
}

fn token(text: &str) -> Result<Token, PathFault> {
    if text == "*" {
        return Ok(Token::Each);
    }
    let mut name = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let plain = match char {
            '~' => match chars.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err(PathFault::Tilde),
            },
            char => char,
        };
        name.push(plain);
    }
    Ok(Token::Member(name))
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(name),
        // RFC 6901: no sign and no leading zero.
        Value::Array(elements) if name == "0" || !name.starts_with(['0', '+']) => {
            elements.get(name.parse::<usize>().ok()?)
        }
        _ => None,
    }
}
