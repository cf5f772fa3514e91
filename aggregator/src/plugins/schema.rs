//! What a plugin says of its settings, as JSON Schema. It is a stranger's: nothing that it refers
//! to is fetched, and its patterns run in linear time.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Faults that are told at once.
const MAX_FAULTS: usize = 20;
const MAX_PATTERN_BYTES: usize = 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its settings' schema can't be used: {0}")]
pub struct SchemaError(String);

/// What is wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// A JSON Pointer into the settings.
    pub place: String,
    pub message: String,
}

fn validator(schema: &Value) -> Result<Validator, SchemaError> {
    if !schema.is_object() {
        return Err(SchemaError("it is no object".into()));
    }
    let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES);
    let built = jsonschema::options().with_pattern_options(patterns).build(schema);
    built.map_err(|error| SchemaError(error.to_string()))
}

/// # Errors
/// Where it is no schema.
pub fn check(schema: &Value) -> Result<(), SchemaError> {
    validator(schema).map(drop)
}

/// # Errors
/// Where the schema is none.
pub fn faults(schema: &Value, settings: &Value) -> Result<Vec<SettingFault>, SchemaError> {
    let validator = validator(schema)?;
    let fault = |error: jsonschema::ValidationError<'_>| SettingFault {
        place: error.instance_path().to_string(),
        // Values may be secrets.
        message: error.masked().to_string(),
    };
    Ok(validator.iter_errors(settings).take(MAX_FAULTS).map(fault).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn faults_say_where_they_are_and_show_no_value() {
        let schema = json!({
            "type": "object", "required": ["url"],
            "properties": { "url": { "type": "string" }, "every": { "type": "integer", "minimum": 1 } },
        });
        assert_eq!(faults(&schema, &json!({ "url": "x", "every": 5 })), Ok(Vec::new()));
        let found = faults(&schema, &json!({ "url": 4711, "every": 0 })).unwrap();
        let mut places: Vec<&str> = found.iter().map(|fault| fault.place.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["/every", "/url"]);
        assert!(!format!("{found:?}").contains("4711"), "{found:?}");
        let missing = faults(&schema, &json!({})).unwrap();
        assert!(missing[0].message.contains("url"), "{missing:?}");
    }

    #[test]
    fn a_strangers_schema_fetches_nothing_and_takes_no_time() {
        assert!(check(&json!({ "$ref": "http://127.0.0.1:9/schema.json" })).is_err());
        assert!(check(&json!({ "$ref": "file:///etc/passwd" })).is_err());
        assert!(check(&json!([])).is_err());
        assert!(check(&json!({ "type": "nothing" })).is_err());
        let slow = json!({ "properties": { "a": { "pattern": "^(a+)+$" } } });
        let settings = json!({ "a": format!("{}!", "a".repeat(50_000)) });
        assert_eq!(faults(&slow, &settings).unwrap().len(), 1);
    }
}
