//! Filters of topics, as MQTT 3.1.1 has them (section 4.7).

const MAX_BYTES: usize = 512;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterFault {
    Length,
    /// A wildcard stands beside something else in its level, or `#` before the end.
    Wildcard,
    Null,
}

impl core::fmt::Display for FilterFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length => write!(f, "a topic has 1 to {MAX_BYTES} bytes"),
            Self::Wildcard => {
                f.write_str("`+` and `#` fill a whole level of a topic, and `#` only the last one")
            }
            Self::Null => f.write_str("a topic has no null character"),
        }
    }
}

impl Filter {
    /// # Errors
    /// Where no broker would take it.
    pub fn parse(text: &str) -> Result<Self, FilterFault> {
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err(FilterFault::Length);
        }
        if text.contains('\0') {
            return Err(FilterFault::Null);
        }
        let last = text.split('/').count() - 1;
        let sound = |(at, level): (usize, &str)| match level {
            "+" => true,
            "#" => at == last,
            level => !level.contains(['+', '#']),
        };
        if text.split('/').enumerate().all(sound) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FilterFault::Wildcard)
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn fits(&self, topic: &str) -> bool {
        // A broker's own topics are not meant by a wildcard.
        if topic.starts_with('$') && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut levels = topic.split('/');
        for wanted in self.0.split('/') {
            match (wanted, levels.next()) {
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (wanted, Some(level)) if wanted == level => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    }
}
