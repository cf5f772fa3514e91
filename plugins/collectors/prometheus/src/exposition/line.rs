//! One line: a sample, a word about a metric, or nothing.

use super::Type;
use readings::{Label, MAX_LABELS};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    /// As they stand there.
    pub(crate) labels: Vec<Label>,
    /// Not always a finite one.
    pub(crate) value: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line<'a> {
    Nothing,
    /// OpenMetrics' last line.
    End,
    Type(&'a str, Type),
    Unit(&'a str, &'a str),
    /// And whether a timestamp stands behind it.
    Sample(Sample, bool),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineFault {
    Name,
    LabelName,
    /// No `=` and quoted text behind a label's name.
    LabelValue,
    Escape(char),
    Quote,
    /// Neither `,` nor `}` after a label.
    Braces,
    Twice(String),
    TooManyLabels,
    NoValue,
    Value(String),
    Timestamp(String),
    Rest(String),
    Type(String),
    TooLong(usize, usize),
    TooMany(usize),
}

impl core::fmt::Display for LineFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Name => f.write_str("it begins with no metric's name"),
            Self::LabelName => f.write_str("a label has no name"),
            Self::LabelValue => f.write_str("a label's name is not followed by =\"…\""),
            Self::Escape(char) => {
                write!(f, "\\{} is none of \\\\, \\\" and \\n", char.escape_default())
            }
            Self::Quote => f.write_str("a label's value has no closing quote"),
            Self::Braces => f.write_str("labels are parted by , and end with }"),
            Self::Twice(name) => write!(f, "the label {name} is there twice"),
            Self::TooManyLabels => write!(f, "it has more than {MAX_LABELS} labels"),
            Self::NoValue => f.write_str("it has no value"),
            Self::Value(text) => write!(f, "{text:?} is no number"),
            Self::Timestamp(text) => write!(f, "{text:?} is no timestamp"),
            Self::Rest(text) => write!(f, "{text:?} stands behind its end"),
            Self::Type(text) => write!(f, "{text:?} is no type of a metric"),
            Self::TooLong(bytes, most) => {
                write!(f, "it has {bytes} bytes, at most {most} are read")
            }
            Self::TooMany(most) => write!(f, "only {most} lines are read"),
        }
    }
}

const BLANK: [char; 2] = [' ', '\t'];

pub(super) fn parse(line: &str) -> Result<Line<'_>, LineFault> {
    // A carriage return is left by `lines` where it stands alone.
    let line = line.trim_matches([' ', '\t', '\r']);
    match line.strip_prefix('#') {
        _ if line.is_empty() => Ok(Line::Nothing),
        Some(comment) => said(comment),
        None => sample(line),
    }
}

/// `HELP`, `TYPE`, `UNIT` and `EOF`; any other is a comment.
fn said(comment: &str) -> Result<Line<'_>, LineFault> {
    let comment = comment.trim_start_matches(BLANK);
    let mut words = comment.splitn(3, BLANK).map(|word| word.trim_matches(BLANK));
    let (word, name, rest) = (words.next(), words.next(), words.next().unwrap_or_default());
    match (word, name) {
        (Some("EOF"), None) => Ok(Line::End),
        (Some("TYPE"), Some(name)) if is_name(name) => kind(rest)
            .map(|kind| Line::Type(name, kind))
            .ok_or_else(|| LineFault::Type(short(rest))),
        (Some("TYPE" | "UNIT"), _) if !name.is_some_and(is_name) => Err(LineFault::Name),
        (Some("UNIT"), Some(name)) => Ok(Line::Unit(name, rest)),
        _ => Ok(Line::Nothing),
    }
}

fn kind(word: &str) -> Option<Type> {
    Some(match word {
        "counter" => Type::Counter,
        "gauge" => Type::Gauge,
        "histogram" => Type::Histogram,
        "gaugehistogram" => Type::GaugeHistogram,
        "summary" => Type::Summary,
        "info" => Type::Info,
        "stateset" => Type::StateSet,
        "untyped" | "unknown" => Type::Unknown,
        _ => return None,
    })
}

fn sample(line: &str) -> Result<Line<'_>, LineFault> {
    let end = line.find(|char| !is_name_char(char)).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if !is_name(name) {
        return Err(LineFault::Name);
    }
    let rest = rest.trim_start_matches(BLANK);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        // Between a name and its value stands a blank.
        None if rest.len() + end == line.len() => {
            return Err(if rest.is_empty() { LineFault::NoValue } else { LineFault::Name });
        }
        None => (Vec::new(), rest),
    };
    let (value, timestamp) = values(rest)?;
    Ok(Line::Sample(Sample { name: name.to_owned(), labels, value }, timestamp))
}

/// From behind the opening brace; gives back what stands behind the closing one.
fn labels(mut rest: &str) -> Result<(Vec<Label>, &str), LineFault> {
    let mut labels: Vec<Label> = Vec::new();
    loop {
        rest = rest.trim_start_matches(BLANK);
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let end = rest.find(|char| !is_label_char(char)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(LineFault::LabelName);
        }
        let after = after.trim_start_matches(BLANK).strip_prefix('=');
        let after = after.map(|after| after.trim_start_matches(BLANK));
        let inside = after.and_then(|after| after.strip_prefix('"'));
        let (value, after) = quoted(inside.ok_or(LineFault::LabelValue)?)?;
        if labels.iter().any(|(known, _)| known == name) {
            return Err(LineFault::Twice(short(name)));
        }
        if labels.len() >= MAX_LABELS {
            return Err(LineFault::TooManyLabels);
        }
        labels.push((name.to_owned(), value));
        let after = after.trim_start_matches(BLANK);
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.starts_with('}') => after,
            None => return Err(LineFault::Braces),
        };
    }
}

/// From behind the opening quote.
fn quoted(text: &str) -> Result<(String, &str), LineFault> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                Some((_, other)) => return Err(LineFault::Escape(other)),
                None => return Err(LineFault::Quote),
            },
            char => value.push(char),
        }
    }
    Err(LineFault::Quote)
}

/// The value, and whether a timestamp follows. An exemplar is passed over.
fn values(text: &str) -> Result<(f64, bool), LineFault> {
    let mut words = text.split(BLANK).filter(|word| !word.is_empty());
    let word = words.next().ok_or(LineFault::NoValue)?;
    let value = word.parse().map_err(|_| LineFault::Value(short(word)))?;
    let stamped = match words.next() {
        None => return Ok((value, false)),
        Some("#") => return Ok((value, false)),
        Some(stamp) => stamp,
    };
    if stamped.parse::<f64>().is_err() {
        return Err(LineFault::Timestamp(short(stamped)));
    }
    match words.next() {
        None | Some("#") => Ok((value, true)),
        Some(rest) => Err(LineFault::Rest(short(rest))),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| is_name_char(first) && !first.is_ascii_digit())
        && name.chars().all(is_name_char)
}

fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | ':')
}

fn is_label_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

/// What of a text an error shows.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
