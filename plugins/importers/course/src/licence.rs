//! Licences: how they are named in a package, and whether they allow an import.

/// A licence as a UMCF document names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Such as `CC-BY-NC-SA-4.0`; the package's own words where they name none that is known.
    pub name: String,
    pub url: Option<String>,
}

impl Licence {
    /// What a text or an address of a package names; `None` where it says nothing.
    #[must_use]
    pub fn named_in(text: &str) -> Option<Self> {
        let words = crate::text::squeezed(text);
        if words.is_empty() {
            return None;
        }
        if let Some(licence) = of_address(&words) {
            return Some(licence);
        }
        let name = of_words(&words).unwrap_or_else(|| crate::text::shortened(&words, 200));
        Some(Self { url: address(&name), name })
    }

    /// May a work under it be changed, as an import does?
    #[must_use]
    pub fn allows_derivatives(&self) -> bool {
        let name = self.name.to_lowercase();
        let no_derivatives = name.split(|c: char| !c.is_alphanumeric()).any(|word| {
            matches!(word, "nd" | "noderivs" | "noderiv" | "noderivatives" | "noderivative")
        });
        !no_derivatives && !no_derivative_words(&name)
    }
}

fn no_derivative_words(lower: &str) -> bool {
    let plain: String = lower.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let plain = crate::text::squeezed(&plain);
    plain.contains("no deriv") || plain.contains("no derivative") || plain.contains("noderiv")
}

/// `https://creativecommons.org/licenses/by-nc-sa/4.0/`, anywhere in the text.
fn of_address(text: &str) -> Option<Licence> {
    let lower = text.to_lowercase();
    let at = lower.find("creativecommons.org/")?;
    let path = &lower[at + "creativecommons.org/".len()..];
    let mut parts = path.split(|c: char| c == '/' || c.is_whitespace() || c == '"');
    let (kind, code) = (parts.next()?, parts.next()?);
    let version = parts.next().filter(|version| version.starts_with(|c: char| c.is_ascii_digit()));
    let known = code.split('-').all(|word| matches!(word, "by" | "nc" | "sa" | "nd" | "zero"));
    if !known || code.is_empty() || !matches!(kind, "licenses" | "publicdomain") {
        return None;
    }
    let code = if code == "zero" { "0".to_owned() } else { format!("-{}", code.to_uppercase()) };
    let version = version.map(|version| format!("-{version}")).unwrap_or_default();
    let name = format!("CC{code}{version}");
    Some(Licence { url: address(&name), name })
}

/// `Creative Commons Attribution-NonCommercial-ShareAlike 4.0`, `CC BY-NC-SA` and their like.
fn of_words(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let plain: String =
        lower.chars().map(|c| if c.is_alphanumeric() || c == '.' { c } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().map(|word| word.trim_matches('.')).collect();
    if lower.contains("public domain") || words.contains(&"cc0") {
        let is_zero = words.contains(&"cc0");
        return Some(if is_zero { "CC0-1.0" } else { "Public Domain" }.to_owned());
    }
    let is_commons = words.contains(&"cc") || lower.contains("creative commons");
    let has = |short: &str, long: &[&str]| {
        words.contains(&short) || long.iter().any(|long| plain.contains(long))
    };
    if !is_commons || !has("by", &["attribution"]) {
        return None;
    }
    let mut name = "CC-BY".to_owned();
    if has("nc", &["noncommercial", "non commercial"]) {
        name.push_str("-NC");
    }
    if has("sa", &["sharealike", "share alike"]) {
        name.push_str("-SA");
    }
    if has("nd", &["noderiv", "no deriv"]) {
        name.push_str("-ND");
    }
    let version = words.iter().find(|word| matches!(**word, "1.0" | "2.0" | "2.5" | "3.0" | "4.0"));
    if let Some(version) = version {
        name.push('-');
        name.push_str(version);
    }
    Some(name)
}

fn address(name: &str) -> Option<String> {
    let rest = name.strip_prefix("CC")?;
    if let Some(version) = rest.strip_prefix("0") {
        let version = version.strip_prefix('-').unwrap_or("1.0");
        return Some(format!("https://creativecommons.org/publicdomain/zero/{version}/"));
    }
    let rest = rest.strip_prefix('-')?.to_lowercase();
    let (code, version) = match rest.rsplit_once('-') {
        Some((code, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            (code, version)
        }
        _ => (rest.as_str(), "4.0"),
    };
    Some(format!("https://creativecommons.org/licenses/{code}/{version}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_known_by_its_address_and_by_its_words() {
        for (text, name, allowed) in [
            ("http://creativecommons.org/licenses/by-nc-sa/4.0/", "CC-BY-NC-SA-4.0", true),
            (
                "see <a href=\"https://creativecommons.org/licenses/by-nd/3.0\">",
                "CC-BY-ND-3.0",
                false,
            ),
            ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0", true),
            ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0", "CC-BY-NC-SA-4.0", true),
            ("CC BY-NC-ND 4.0", "CC-BY-NC-ND-4.0", false),
            ("Creative Commons Attribution, No Derivatives", "CC-BY-ND", false),
            (
                "All rights reserved; no derivative works",
                "All rights reserved; no derivative works",
                false,
            ),
            ("Public Domain", "Public Domain", true),
        ] {
            let licence = Licence::named_in(text).unwrap();
            assert_eq!(licence.name, name, "{text}");
            assert_eq!(licence.allows_derivatives(), allowed, "{text}");
        }
        assert_eq!(Licence::named_in("  "), None);
    }

    #[test]
    fn a_known_licence_has_its_address() {
        let licence = Licence::named_in("CC BY-SA 3.0").unwrap();
        let address = "https://creativecommons.org/licenses/by-sa/3.0/";
        assert_eq!(licence.url.as_deref(), Some(address));
    }
}
