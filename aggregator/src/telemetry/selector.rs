//! Label selectors in Kubernetes' form, over a series' attributes: `k=v`, `k!=v`, `k in (a,b)`,
//! `k notin (a,b)`, `k`, `!k`, joined by commas that all have to hold.

/// Requirements of one selector, and values of one requirement.
pub const MAX_REQUIREMENTS: usize = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector(Vec<Requirement>);

/// As in Kubernetes, a label that is absent fulfils `!=` and `notin`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Requirement {
    In { key: String, values: Vec<String> },
    NotIn { key: String, values: Vec<String> },
    Exists(String),
    Absent(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    #[error("`{0}` is no requirement; write k=v, k!=v, k in (a,b), k notin (a,b), k or !k")]
    Requirement(String),
    #[error("a selector has at most {MAX_REQUIREMENTS} requirements of as many values")]
    TooMany,
}

impl Selector {
    /// # Errors
    /// The first requirement that can't be read, or the bound that is passed.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = Vec::new();
        for part in split(text).filter(|part| !part.is_empty()) {
            requirements.push(Requirement::parse(part)?);
            if requirements.len() > MAX_REQUIREMENTS {
                return Err(SelectorError::TooMany);
            }
        }
        Ok(Self(requirements))
    }

    #[must_use]
    pub fn matches(&self, attributes: &[(String, String)]) -> bool {
        self.0.iter().all(|requirement| requirement.holds(attributes))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// At the commas that stand in no parentheses.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    text.split(move |letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    })
    .map(str::trim)
}

impl Requirement {
    fn parse(text: &str) -> Result<Self, SelectorError> {
        let wrong = || SelectorError::Requirement(text.to_owned());
        let key = |key: &str| {
            let key = key.trim();
            let whole =
                !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || "()!=".contains(c));
            whole.then(|| key.to_owned()).ok_or_else(wrong)
        };
        if let Some((left, value)) = text.split_once("!=") {
            return Ok(Self::NotIn { key: key(left)?, values: vec![value.trim().to_owned()] });
        }
        if let Some((left, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return Ok(Self::In { key: key(left)?, values: vec![value.trim().to_owned()] });
        }
        if let Some(list) = text.strip_suffix(')') {
            let (left, values) = list.split_once('(').ok_or_else(wrong)?;
            let values: Vec<String> =
                values.split(',').map(|value| value.trim().to_owned()).collect();
            if values.len() > MAX_REQUIREMENTS {
                return Err(SelectorError::TooMany);
            }
            let left = left.trim_end();
            if let Some(left) = left.strip_suffix(" notin") {
                return Ok(Self::NotIn { key: key(left)?, values });
            }
            let left = left.strip_suffix(" in").ok_or_else(wrong)?;
            return Ok(Self::In { key: key(left)?, values });
        }
        match text.strip_prefix('!') {
            Some(left) => Ok(Self::Absent(key(left)?)),
            None => Ok(Self::Exists(key(text)?)),
        }
    }

    fn holds(&self, attributes: &[(String, String)]) -> bool {
        let value =
            |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        match self {
            Self::In { key, values } => value(key).is_some_and(|value| values.contains(value)),
            Self::NotIn { key, values } => value(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_requirement_is_read_and_held() {
        let attributes = [("hw.id", "cpu"), ("rack", "r12")].map(|(k, v)| (k.into(), v.into()));
        for (text, holds) in [
            ("", true),
            ("rack=r12", true),
            ("rack == r12, hw.id", true),
            ("rack!=r12", false),
            ("row!=a", true),
            ("rack in (r11, r12),hw.id in (cpu)", true),
            ("rack notin (r11)", true),
            ("rack notin (r12)", false),
            ("row notin (a,b)", true),
            ("!row", true),
            ("!rack", false),
            ("row", false),
        ] {
            assert_eq!(Selector::parse(text).unwrap().matches(&attributes), holds, "{text}");
        }
    }

    #[test]
    fn what_is_no_requirement_is_named() {
        for text in ["=a", "rack in r12)", "rack like (a)", "two words", "!"] {
            let error = Selector::parse(text).unwrap_err();
            assert_eq!(error, SelectorError::Requirement(text.into()), "{text}");
        }
        let many = vec!["a"; MAX_REQUIREMENTS + 1].join(",");
        assert_eq!(Selector::parse(&many), Err(SelectorError::TooMany));
    }
}
