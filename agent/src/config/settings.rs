//! `agent.toml` in the state folder: what enrolment decided and `run` takes up again.

use super::{ConfigError, ServerAddress};
use crate::files;
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::path::Path;

const FILE: &str = "agent.toml";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The machine's name where it is not the host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub servers: Vec<ServerAddress>,
    pub simulated: bool,
    /// Entries are sealed on the disk.
    pub seal_spool: bool,
}

impl Settings {
    /// The file's settings, the defaults where there is no file.
    pub(crate) fn load(state: &Path) -> Result<Self, ConfigError> {
        let path = state.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file_exact(&path))
            .extract()
            .map_err(|error| ConfigError::Settings { path, source: Box::new(error) })
    }

    pub(crate) fn save(&self, state: &Path) -> Result<(), ConfigError> {
        let path = state.join(FILE);
        files::replace(&path, self.to_toml().as_bytes())
            .map_err(|source| ConfigError::WriteSettings { path, source })
    }

    /// Basic TOML strings and JSON strings escape alike.
    fn to_toml(&self) -> String {
        let quote = |text: &str| serde_json::Value::from(text).to_string();
        let name = self.name.as_deref().map(|name| format!("name = {}\n", quote(name)));
        let servers: Vec<_> = self.servers.iter().map(|s| quote(&s.to_string())).collect();
        format!(
            "{}servers = [{}]\nsimulated = {}\nseal_spool = {}\n",
            name.unwrap_or_default(),
            servers.join(", "),
            self.simulated,
            self.seal_spool
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_taken_up_as_they_were_left() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(Settings::load(state.path()).unwrap(), Settings::default());
        let settings = Settings {
            name: Some("rack \"3\" \\ top\u{7}".into()),
            servers: vec!["127.0.0.1:8767".parse().unwrap(), "[::1]:9".parse().unwrap()],
            simulated: true,
            seal_spool: true,
        };
        settings.save(state.path()).unwrap();
        assert_eq!(Settings::load(state.path()).unwrap(), settings);
    }

    #[test]
    fn an_unknown_field_and_a_bad_address_are_refused_by_name() {
        let state = tempfile::tempdir().unwrap();
        for (text, named) in [("colour = 1", "colour"), ("servers = [\"x\"]", "has no port")] {
            std::fs::write(state.path().join(FILE), text).unwrap();
            let error = Settings::load(state.path()).unwrap_err();
            let ConfigError::Settings { source, .. } = error else { panic!("{error}") };
            assert!(source.to_string().contains(named), "{source}");
        }
    }
}
