//! What a change was, without what must not be told.

use serde_json::{Map, Value, json};

/// What stands in place of a secret.
const MASK: &str = "***";
/// Words in a field's name that make its value a secret.
const SECRET: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "tokens",
    "key",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "otp",
];
/// Fields of one difference; a wider change says how many more there were.
const MAX_FIELDS: usize = 100;
const MAX_DEPTH: usize = 16;

/// The fields that differ, by their dotted paths: `{"name": {"before": …, "after": …}}`. A secret
/// shows that it changed, and no more.
#[must_use]
pub fn difference(before: &Value, after: &Value) -> Value {
    let mut fields = Map::new();
    let mut left_out = 0;
    compare("", before, after, 0, &mut fields, &mut left_out);
    if left_out > 0 {
        fields.insert("…".into(), json!({ "left_out": left_out }));
    }
    Value::Object(fields)
}

fn compare(
    path: &str,
    before: &Value,
    after: &Value,
    depth: usize,
    fields: &mut Map<String, Value>,
    left_out: &mut usize,
) {
    if before == after {
        return;
    }
    if let (Value::Object(old), Value::Object(new), true) = (before, after, depth < MAX_DEPTH) {
        let added = new.keys().filter(|name| !old.contains_key(*name));
        for name in old.keys().chain(added) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let (was, is) =
                (old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null));
            if !is_secret(name) {
                compare(&path, was, is, depth + 1, fields, left_out);
            } else if was != is {
                add(path, mask(was), mask(is), fields, left_out);
            }
        }
        return;
    }
    add(path.to_owned(), masked(before), masked(after), fields, left_out);
}

fn add(
    path: String,
    before: Value,
    after: Value,
    fields: &mut Map<String, Value>,
    left_out: &mut usize,
) {
    if fields.len() >= MAX_FIELDS {
        *left_out += 1;
    } else {
        fields.insert(path, json!({ "before": before, "after": after }));
    }
}

fn mask(value: &Value) -> Value {
    if value.is_null() { Value::Null } else { MASK.into() }
}

/// The value with every secret in it masked.
#[must_use]
pub fn masked(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let value = if is_secret(name) && !value.is_boolean() {
                    mask(value)
                } else {
                    masked(value)
                };
                (name.clone(), value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(masked).collect(),
        plain => plain.clone(),
    }
}

/// Does a word of the name say so? `apiKey`, `api_key` and `API-KEY` do, `monkey` does not.
fn is_secret(name: &str) -> bool {
    let mut word = String::new();
    let mut is = false;
    let mut low = false;
    for c in name.chars() {
        let ends = !c.is_alphanumeric() || (c.is_uppercase() && low);
        if ends {
            is |= SECRET.contains(&word.as_str());
            word.clear();
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        low = c.is_lowercase();
    }
    is || SECRET.contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_what_changed_and_hides_what_is_secret() {
        let before = json!({ "name": "a", "auth": { "apiKey": "k1", "user": "x" }, "same": 1 });
        let after =
            json!({ "name": "b", "auth": { "apiKey": "k2", "user": "x" }, "same": 1, "new": [2] });
        let shown = difference(&before, &after);
        assert_eq!(
            shown,
            json!({
                "name": { "before": "a", "after": "b" },
                "auth.apiKey": { "before": "***", "after": "***" },
                "new": { "before": null, "after": [2] },
            })
        );
    }

    #[test]
    fn a_secret_is_known_by_a_word_of_its_name() {
        for (name, secret) in [
            ("password", true),
            ("new_password", true),
            ("apiKey", true),
            ("API-KEY", true),
            ("refreshToken", true),
            ("monkey", false),
            ("tokenizer", false),
        ] {
            assert_eq!(is_secret(name), secret, "{name}");
        }
        let value = json!({ "list": [{ "token": "t" }], "secret": null, "device": "d" });
        let shown = json!({ "list": [{ "token": "***" }], "secret": null, "device": "d" });
        assert_eq!(masked(&value), shown);
    }

    #[test]
    fn a_wide_change_is_cut() {
        let wide = |value: u32| -> Value {
            (0..150).map(|n| (format!("f{n}"), value.into())).collect::<Map<_, _>>().into()
        };
        let shown = difference(&wide(1), &wide(2));
        assert_eq!(shown["…"]["left_out"], 50);
    }
}
