//! Names of sensors and actuators, made of what equipment calls them.

use std::collections::BTreeSet;

/// What the guard's `<key>/<name>` leaves room for.
const MAX_NAME_BYTES: usize = 64;

/// `label` in lower case, with a `-` for every run of what a name may not have.
pub(crate) fn slug(label: &str) -> String {
    let mut slug = String::new();
    for character in label.chars() {
        let kept = character.to_ascii_lowercase();
        if kept.is_ascii_alphanumeric() || matches!(kept, '_' | '.' | '/') {
            slug.push(kept);
        } else if kept == '+' {
            slug.push_str("plus");
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() >= MAX_NAME_BYTES {
            break;
        }
    }
    let slug = slug.trim_matches(['-', '/', '.']);
    if slug.is_empty() { "unnamed".to_owned() } else { slug.to_owned() }
}

/// Names that were given out already.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// The name of `label`; a second one of the same name gets a number.
    pub(crate) fn give(&mut self, label: &str) -> String {
        let slug = slug(label);
        let numbered = (2..).map(|number| format!("{slug}-{number}"));
        let mut candidates = std::iter::once(slug.clone()).chain(numbered);
        loop {
            if let Some(name) = candidates.next()
                && self.0.insert(name.clone())
            {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_labels() {
        let made: Vec<String> = ["CPU1 Temp", "P/S 1  (AC)", "+3.3V", " ~~ ", "Größe"]
            .iter()
            .map(|l| slug(l))
            .collect();
        assert_eq!(made, ["cpu1-temp", "p/s-1-ac", "plus3.3v", "unnamed", "gr-e"]);
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names = Names::default();
        assert_eq!(names.give("Fan"), "fan");
        assert_eq!(names.give("FAN"), "fan-2");
        assert_eq!(names.give("fan 2"), "fan-2-2");
    }
}
