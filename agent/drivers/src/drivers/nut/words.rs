//! The words of a line of the protocol: parted by spaces, quoted where they hold one.
//! (docs/net-protocol.txt of Network UPS Tools)

/// The words of `line`. A quote that is never closed ends with the line.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut characters = line.chars().peekable();
    loop {
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(first) = characters.next() else { return words };
        let quoted = first == '"';
        let mut word = String::new();
        let mut next = if quoted { characters.next() } else { Some(first) };
        while let Some(character) = next {
            match character {
                '\\' => word.extend(characters.next()),
                '"' if quoted => break,
                space if !quoted && space.is_whitespace() => break,
                other => word.push(other),
            }
            next = characters.next();
        }
        words.push(word);
    }
}

/// `text` as one word of a request.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars().filter(|c| !c.is_control()) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_by_spaces_outside_of_quotes() {
        assert_eq!(split("VAR ups ups.status \"OB LB\""), ["VAR", "ups", "ups.status", "OB LB"]);
        assert_eq!(split("  OK   FSD-SET "), ["OK", "FSD-SET"]);
        assert_eq!(split("VAR u v \"\""), ["VAR", "u", "v", ""]);
        assert_eq!(split(""), Vec::<String>::new());
    }

    #[test]
    fn what_is_quoted_comes_back_whole() {
        for text in ["secret", "two words", "a\"b\\c", "", "ünï"] {
            assert_eq!(split(&quote(text)), [text]);
        }
    }

    #[test]
    fn a_line_break_cannot_smuggle_a_second_request() {
        assert_eq!(quote("x\nINSTCMD ups load.off"), "\"xINSTCMD ups load.off\"");
    }

    #[test]
    fn an_open_quote_ends_with_its_line() {
        assert_eq!(split("VAR u v \"abc"), ["VAR", "u", "v", "abc"]);
        assert_eq!(split("VAR u v \"abc\\"), ["VAR", "u", "v", "abc"]);
    }
}
