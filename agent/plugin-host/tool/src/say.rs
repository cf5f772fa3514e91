//! What the author reads.

use std::ffi::OsStr;
use std::process::Command;
use std::time::Duration;

/// The command that is about to run, as it could be typed.
pub(crate) fn running(command: &Command) {
    let variables = command.get_envs().filter_map(|(name, value)| {
        // The whole path says nothing that its name does not.
        let value = if name == "PATH" { OsStr::new("…:$PATH") } else { value? };
        Some(format!("{}={} ", name.display(), value.display()))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(|word| word.display().to_string()).collect();
    println!("$ {}{}", variables.collect::<String>(), words.join(" "));
}

/// A stranger's words for a terminal: what would steer it, or turn the line around, is a space.
pub(crate) fn plain(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// `1.25 ms`.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// `1.1 MiB`, or `36 KiB` below that.
pub(crate) fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if bytes < MIB {
        return format!("{} KiB", bytes.div_ceil(1024));
    }
    let tenths = bytes.saturating_mul(10) / MIB;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn what_would_steer_a_terminal_is_taken_out() {
        assert_eq!(plain("a\u{1b}[2Jb\rc\u{202e}d\nü"), "a [2Jb c d\nü");
    }

    #[test]
    fn small_sizes_are_not_shown_as_nothing() {
        for (bytes, text) in
            [(0, "0 KiB"), (1, "1 KiB"), (37_018, "37 KiB"), (12_900_000, "12.3 MiB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
