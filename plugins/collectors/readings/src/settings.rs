//! Settings as JSON texts by key, made into values, with every fault at once.

use crate::address::Address;
use serde_json::Value;

/// Headers of a request.
pub type Headers = Vec<(String, String)>;

const MAX_HEADERS: usize = 32;
const MAX_SECRET_BYTES: usize = 8 * 1024;

/// What is wrong with the settings, each with its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    pub fn push(&mut self, key: &str, why: impl core::fmt::Display) {
        self.0.push(format!("{key}: {why}"));
    }

    /// `value`, where nothing was wrong.
    ///
    /// # Errors
    /// The faults.
    pub fn or<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl core::fmt::Display for Faults {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// Where settings come from: a key's JSON text.
pub struct Settings<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    pub faults: Faults,
}

impl core::fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Settings({})", self.faults)
    }
}

impl<'a> Settings<'a> {
    pub fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { get, faults: Faults::default() }
    }

    /// A setting's value; `null` is none.
    pub fn value(&mut self, key: &str) -> Option<Value> {
        let text = (self.get)(key)?;
        match serde_json::from_str(&text) {
            Ok(Value::Null) => None,
            Ok(value) => Some(value),
            Err(_) => {
                self.faults.push(key, "is no JSON");
                None
            }
        }
    }

    pub fn text(&mut self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => Some(text),
            _ => {
                self.faults.push(key, "is no text");
                None
            }
        }
    }

    pub fn required_text(&mut self, key: &str) -> Option<String> {
        let before = self.faults.clone();
        let text = self.text(key);
        if text.is_none() && self.faults == before {
            self.faults.push(key, "is missing");
        }
        text
    }

    pub fn address(&mut self, key: &str) -> Option<Address> {
        let text = self.required_text(key)?;
        Address::parse(&text).map_err(|fault| self.faults.push(key, fault)).ok()
    }

    pub fn list(&mut self, key: &str) -> Option<Vec<Value>> {
        match self.value(key)? {
            Value::Array(elements) => Some(elements),
            _ => {
                self.faults.push(key, "is no list");
                None
            }
        }
    }

    pub fn texts(&mut self, key: &str) -> Vec<String> {
        let elements = self.list(key).unwrap_or_default();
        let count = elements.len();
        let text = |value| if let Value::String(text) = value { Some(text) } else { None };
        let texts: Vec<String> = elements.into_iter().filter_map(text).collect();
        if texts.len() < count {
            self.faults.push(key, "is a list of texts, and something else is in it");
        }
        texts
    }

    /// `headers` and `bearer_token` as headers of a request.
    pub fn headers(&mut self) -> Headers {
        let mut headers = Headers::new();
        match self.value("headers") {
            None => {}
            Some(Value::Object(members)) if members.len() <= MAX_HEADERS => {
                for (name, value) in members {
                    match value {
                        Value::String(value) if is_header(&name, &value) => {
                            headers.push((name, value));
                        }
                        // The value may be a secret, so it is not shown.
                        _ => self.faults.push("headers", format!("{name:?} is no header")),
                    }
                }
            }
            Some(_) => self.faults.push(
                "headers",
                format!("are an object of at most {MAX_HEADERS} names with texts"),
            ),
        }
        if let Some(token) = self.text("bearer_token") {
            let value = format!("Bearer {token}");
            if is_header("Authorization", &value) {
                headers.push(("Authorization".into(), value));
            } else {
                self.faults.push("bearer_token", "has characters that no header may have");
            }
        }
        headers
    }
}

/// RFC 9110, section 5.
fn is_header(name: &str, value: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let visible = |byte: u8| matches!(byte, b'\t' | b' '..=b'~') || byte >= 0x80;
    !name.is_empty()
        && name.bytes().all(token)
        && value.len() <= MAX_SECRET_BYTES
        && value.bytes().all(visible)
}
