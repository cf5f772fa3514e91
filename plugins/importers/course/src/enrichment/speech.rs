//! A text as it is said aloud: formulas in words, abbreviations and units in full.

use super::formulas;

const ABBREVIATIONS: [(&str, &str); 30] = [
    ("e.g.", "for example"),
    ("i.e.", "that is"),
    ("etc.", "and so on"),
    ("cf.", "compare"),
    ("vs.", "versus"),
    ("viz.", "namely"),
    ("approx.", "approximately"),
    ("ca.", "about"),
    ("fig.", "figure"),
    ("figs.", "figures"),
    ("eq.", "equation"),
    ("eqs.", "equations"),
    ("eqn.", "equation"),
    ("ch.", "chapter"),
    ("sec.", "section"),
    ("vol.", "volume"),
    ("pp.", "pages"),
    ("ex.", "example"),
    ("thm.", "theorem"),
    ("def.", "definition"),
    ("dr.", "Doctor"),
    ("prof.", "Professor"),
    ("w.r.t.", "with respect to"),
    ("s.t.", "such that"),
    ("i.i.d.", "independent and identically distributed"),
    ("q.e.d.", "which was to be shown"),
    ("al.", "others"),
    ("&", "and"),
    ("iff", "if and only if"),
    ("w/o", "without"),
];

/// One and many of a unit, said only behind a number.
const UNITS: [(&str, &str, &str); 34] = [
    ("km", "kilometre", "kilometres"),
    ("m", "metre", "metres"),
    ("cm", "centimetre", "centimetres"),
    ("mm", "millimetre", "millimetres"),
    ("nm", "nanometre", "nanometres"),
    ("kg", "kilogram", "kilograms"),
    ("g", "gram", "grams"),
    ("mg", "milligram", "milligrams"),
    ("s", "second", "seconds"),
    ("ms", "millisecond", "milliseconds"),
    ("min", "minute", "minutes"),
    ("h", "hour", "hours"),
    ("Hz", "hertz", "hertz"),
    ("kHz", "kilohertz", "kilohertz"),
    ("MHz", "megahertz", "megahertz"),
    ("N", "newton", "newtons"),
    ("J", "joule", "joules"),
    ("kJ", "kilojoule", "kilojoules"),
    ("W", "watt", "watts"),
    ("kW", "kilowatt", "kilowatts"),
    ("V", "volt", "volts"),
    ("mV", "millivolt", "millivolts"),
    ("A", "ampere", "amperes"),
    ("Pa", "pascal", "pascals"),
    ("kPa", "kilopascal", "kilopascals"),
    ("K", "kelvin", "kelvins"),
    ("mol", "mole", "moles"),
    ("°C", "degree Celsius", "degrees Celsius"),
    ("°F", "degree Fahrenheit", "degrees Fahrenheit"),
    ("m/s", "metre per second", "metres per second"),
    ("m/s^2", "metre per second squared", "metres per second squared"),
    ("m/s²", "metre per second squared", "metres per second squared"),
    ("km/h", "kilometre per hour", "kilometres per hour"),
    ("L", "litre", "litres"),
];

/// `None` where it is said as it is written.
pub(super) fn spoken(text: &str) -> Option<String> {
    let in_words = formulas::replaced(text);
    let mut said: Vec<String> = Vec::new();
    let mut number: Option<bool> = None;
    for word in in_words.split_whitespace() {
        said.push(word_said(word, number));
        number = is_number(word);
    }
    let said = said.join(" ");
    (said != crate::text::squeezed(text)).then_some(said)
}

/// Is the word a number, and is it one?
fn is_number(word: &str) -> Option<bool> {
    let bare = word.trim_start_matches(['(', '~', '-', '−']);
    let is_number = bare.starts_with(|c: char| c.is_ascii_digit())
        && bare.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',');
    is_number.then_some(bare == "1")
}

fn word_said(word: &str, after_number: Option<bool>) -> String {
    let begin = word.len() - word.trim_start_matches(['(', '[', '"', '“']).len();
    let (open, rest) = word.split_at(begin);
    let end = rest.trim_end_matches([',', ';', ':', ')', ']', '"', '”', '?', '!']).len();
    let (core, mut close) = rest.split_at(end);
    let lower = core.to_lowercase();
    if let Some((_, full)) = ABBREVIATIONS.iter().find(|(short, _)| *short == lower) {
        return format!("{open}{full}{close}");
    }
    let (core, stop) = match core.strip_suffix('.') {
        Some(before) if !before.is_empty() => (before, "."),
        _ => (core, ""),
    };
    let stop = format!("{stop}{close}");
    close = &stop;
    if let Some(one) = after_number
        && let Some((_, single, many)) = UNITS.iter().find(|(unit, ..)| *unit == core)
    {
        return format!("{open}{}{close}", if one { single } else { many });
    }
    if let Some(number) = core.strip_suffix('%').filter(|number| is_number(number).is_some()) {
        return format!("{open}{number} percent{close}");
    }
    if formulas::is_formula(core) {
        return format!("{open}{}{close}", formulas::spoken(core));
    }
    word.to_owned()
}
