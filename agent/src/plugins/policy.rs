//! What the machine's own operator lets a component of the folder have: `<name>.toml` beside
//! `<name>.wasm`, with grants and settings.

use super::folder::Listed;
use figment::Figment;
use figment::providers::{Format, Toml};
use flyball_plugin_messages::{Grant, GrantError};
use flyball_protocol::message::PluginOrder;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

const MAX_BYTES: u64 = 256 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Policy {
    grants: Vec<String>,
    settings: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum PolicyError {
    #[error("{path} can't be read")]
    File { path: PathBuf, source: io::Error },
    #[error("{0} has more than {MAX_BYTES} bytes")]
    TooLong(PathBuf),
    #[error("{path} is not right")]
    Text { path: PathBuf, source: Box<figment::Error> },
    #[error("{path} is not right")]
    Grant { path: PathBuf, source: GrantError },
}

/// The order that stands beside a component; `None` where none does.
pub(super) fn of(listed: &Listed) -> Result<Option<PluginOrder>, PolicyError> {
    let path = listed.path.with_extension("toml");
    let text = match std::fs::metadata(&path) {
        Ok(meta) if meta.len() > MAX_BYTES => return Err(PolicyError::TooLong(path)),
        Ok(_) => std::fs::read_to_string(&path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error),
    };
    let text = match text {
        Ok(text) => text,
        Err(source) => return Err(PolicyError::File { path, source }),
    };
    let policy: Policy = match Figment::from(Toml::string(&text)).extract() {
        Ok(policy) => policy,
        Err(source) => return Err(PolicyError::Text { path, source: Box::new(source) }),
    };
    for word in &policy.grants {
        if let Err(source) = word.parse::<Grant>() {
            return Err(PolicyError::Grant { path, source });
        }
    }
    Ok(Some(PluginOrder {
        plugin: listed.name(),
        hash: place(listed),
        enabled: true,
        grants: policy.grants,
        settings: policy.settings.into_iter().map(|(key, it)| (key, it.to_string())).collect(),
    }))
}

/// What stands for the hash in such an order: nothing that the aggregator orders is called so.
pub(super) fn place(listed: &Listed) -> String {
    listed.path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::folder;

    fn policy(text: &str) -> Result<Option<PluginOrder>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("demo.wasm"), b"component").unwrap();
        std::fs::write(folder.path().join("demo.toml"), text).unwrap();
        let listed = folder::list(folder.path()).unwrap();
        of(&listed[0]).map_err(|error| crate::logging::chain(&error).to_string())
    }

    #[test]
    fn grants_and_settings_stand_beside_the_component() {
        let text = "grants = [\"http:10.0.0.7:9100\"]\n[settings]\nendpoint = \"http://h/\"\n\
                    interval_s = 5\nmatch = [\"a\", \"b\"]\n[[settings.relabel]]\nlabel = \"x\"\n";
        let order = policy(text).unwrap().unwrap();
        assert_eq!((order.plugin.as_str(), order.enabled), ("demo", true));
        assert_eq!(order.grants, ["http:10.0.0.7:9100"]);
        let setting = |key: &str, json: &str| (key.to_owned(), json.to_owned());
        let expected = [
            setting("endpoint", "\"http://h/\""),
            setting("interval_s", "5"),
            setting("match", "[\"a\",\"b\"]"),
            setting("relabel", "[{\"label\":\"x\"}]"),
        ];
        assert_eq!(order.settings, expected);
        assert_eq!(policy("").unwrap().unwrap().grants, Vec::<String>::new());
    }

    #[test]
    fn what_is_not_right_is_named_with_its_file() {
        for (text, why) in [
            ("grants = [\"ftp:h\"]", "`ftp:h` is no grant"),
            ("grant = []", "grant"),
            ("settings = 1", "settings"),
            ("[", "TOML"),
        ] {
            let said = policy(text).unwrap_err();
            assert!(said.contains("demo.toml is not right") && said.contains(why), "{said}");
        }
        let said = policy(&"#".repeat(300 * 1024)).unwrap_err();
        assert!(said.contains("more than 262144 bytes"), "{said}");
    }
}
