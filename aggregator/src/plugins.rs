//! What operators decided of plugins: which are used, which goes first, and what each is told
//! with every call.
//!
//! A plugin runs on the machines that have it; what is decided here holds for all of them, within
//! a second, on every replica. Settings may hold keys, so they are sealed.

pub mod component;
pub mod distribution;
pub mod package;
pub mod schema;
pub mod usage;

use crate::clock::{Clock, Stopwatch};
use crate::live::{Hub, Live, Told, What};
use crate::sealing::{Sealing, SealingError};
use crate::store::{Store, StoreError};
pub use component::{
    ComponentError, MAX_COMPONENT_BYTES, Publisher, SignatureError, identify, key_id, signer,
};
pub use distribution::Distribution;
use moka::future::Cache;
pub use package::{
    Earlier, GrantsError, MAX_PACKAGES, Manifest, ManifestError, Package, PackageState, Rollout,
};
pub use schema::{SchemaError, SettingFault, faults};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
pub use usage::{Calls, Ended, Usage};

pub const PRIORITY: u32 = 100;
pub const MAX_SETTINGS: usize = 64;
pub const MAX_SETTING: usize = 16_384;
pub const MAX_ID: usize = 64;
/// How long another replica goes by what was decided before.
const FRESH: Duration = Duration::from_secs(1);

#[derive(Debug, Error)]
pub enum PluginsError {
    #[error("a setting's name has 1 to 64 letters, digits, `-`, `_` or `.`: {0} has not")]
    Name(String),
    #[error("the setting {0} can't be null, nor have more than {MAX_SETTING} bytes")]
    Value(String),
    #[error("there are more than {MAX_SETTINGS} settings")]
    TooMany,
    #[error("storing what was decided")]
    Store(#[from] StoreError),
    #[error("sealing the settings")]
    Sealing(#[from] SealingError),
}

/// What was decided of one plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub enabled: bool,
    /// Of plugins for the same format the one with the greatest is asked.
    pub priority: u32,
    pub settings: Map<String, Value>,
}

impl Default for Choice {
    fn default() -> Self {
        Self { enabled: true, priority: PRIORITY, settings: Map::new() }
    }
}

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChoice {
    pub id: String,
    pub enabled: bool,
    pub priority: u32,
    pub settings: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    by_id: BTreeMap<String, Choice>,
    /// Has anybody chosen yet?
    pub initialized: bool,
}

impl Choices {
    #[must_use]
    pub fn of(&self, id: &str) -> Choice {
        self.by_id.get(id).cloned().unwrap_or_default()
    }

    #[must_use]
    pub fn is_enabled(&self, id: &str) -> bool {
        self.by_id.get(id).is_none_or(|choice| choice.enabled)
    }

    #[must_use]
    pub fn priority(&self, id: &str) -> u32 {
        self.by_id.get(id).map_or(PRIORITY, |choice| choice.priority)
    }

    /// Its settings, each as JSON.
    #[must_use]
    pub fn settings(&self, id: &str) -> Vec<(String, String)> {
        let settings = self.by_id.get(id).into_iter().flat_map(|choice| &choice.settings);
        settings.map(|(name, value)| (name.clone(), value.to_string())).collect()
    }

    /// What a call of the plugin is given: its own words, and the settings that it leaves open.
    #[must_use]
    pub fn complete(&self, id: &str, own: &[(String, String)]) -> Vec<(String, String)> {
        let settings = self.by_id.get(id).into_iter().flat_map(|choice| &choice.settings);
        let open = settings.filter(|(name, _)| !own.iter().any(|(given, _)| given == *name));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut all = own.to_vec();
        all.extend(open.map(|(name, value)| (name.clone(), text(value))));
        all
    }
}

#[derive(Clone, Debug)]
pub struct Plugins {
    store: Store,
    sealing: Sealing,
    clock: Clock,
    live: Hub,
    known: Cache<(), Arc<Choices>>,
    usage: Usage,
}

impl Plugins {
    pub(crate) fn new(store: Store, sealing: Sealing, clock: Clock, live: Hub) -> Self {
        let known = Cache::builder().max_capacity(1).time_to_live(FRESH).build();
        Self { store, sealing, clock, live, known, usage: Usage::default() }
    }

    /// What plugins were called for since this process started.
    #[must_use]
    pub const fn usage(&self) -> &Usage {
        &self.usage
    }

    /// From now until the call ends.
    pub(crate) fn stopwatch(&self) -> Stopwatch {
        self.clock.stopwatch()
    }

    /// # Errors
    /// Where the store fails.
    pub async fn choices(&self) -> Result<Arc<Choices>, StoreError> {
        if let Some(known) = self.known.get(&()).await {
            return Ok(known);
        }
        let read = Arc::new(self.read().await?);
        self.known.insert((), Arc::clone(&read)).await;
        Ok(read)
    }

    async fn read(&self) -> Result<Choices, StoreError> {
        let initialized = self.store.plugins_initialized().await?;
        let mut by_id = BTreeMap::new();
        for stored in self.store.plugin_choices().await? {
            let settings = match &stored.settings {
                Some(sealed) => self.opened(&stored.id, sealed),
                None => Map::new(),
            };
            let choice = Choice { enabled: stored.enabled, priority: stored.priority, settings };
            by_id.insert(stored.id, choice);
        }
        Ok(Choices { by_id, initialized })
    }

    /// Settings whose key is gone are none: the plugin is used without them, and the log says so.
    fn opened(&self, id: &str, sealed: &[u8]) -> Map<String, Value> {
        let plain = self.sealing.open_sealed(&context(id), sealed);
        let settings = plain.ok().and_then(|plain| serde_json::from_slice(&plain).ok());
        settings.unwrap_or_else(|| {
            tracing::warn!(plugin = id, "the settings of a plugin can't be opened");
            Map::new()
        })
    }

    /// Decides of one plugin; the rest of what was decided of it stays.
    ///
    /// # Errors
    /// Where the settings are none, or the store fails.
    pub async fn decide(
        &self,
        id: &str,
        by: &str,
        change: impl FnOnce(&mut Choice),
    ) -> Result<Choice, PluginsError> {
        let mut choice = self.read().await?.of(id);
        change(&mut choice);
        check(&choice.settings)?;
        self.keep(id, by, &choice).await?;
        Ok(choice)
    }

    async fn keep(&self, id: &str, by: &str, choice: &Choice) -> Result<(), PluginsError> {
        let settings = match choice.settings.is_empty() {
            true => None,
            false => {
                let plain = Value::Object(choice.settings.clone()).to_string();
                Some(self.sealing.seal(&context(id), plain.as_bytes())?)
            }
        };
        let (enabled, priority) = (choice.enabled, choice.priority);
        let stored = StoredChoice { id: id.into(), enabled, priority, settings };
        self.store.keep_plugin_choice(&stored, by, self.clock.now_ms()).await?;
        self.known.invalidate_all();
        let what = What::Plugin { id: id.into(), enabled };
        self.live.publish(Live::Platform(Told { sender: None, what }));
        Ok(())
    }

    /// Says to everybody that something about a plugin has changed.
    pub(crate) async fn announce(&self, id: &str) -> Result<(), StoreError> {
        self.known.invalidate_all();
        let enabled = self.choices().await?.is_enabled(id);
        let what = What::Plugin { id: id.into(), enabled };
        self.live.publish(Live::Platform(Told { sender: None, what }));
        Ok(())
    }

    /// The first choice: of `known` plugins those of `enabled` are used, and no others.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn initialize(
        &self,
        known: &[String],
        enabled: &[String],
        by: &str,
    ) -> Result<(), PluginsError> {
        for id in known {
            let choice = Choice { enabled: enabled.contains(id), ..self.read().await?.of(id) };
            self.keep(id, by, &choice).await?;
        }
        self.store.set_plugins_initialized(self.clock.now_ms()).await?;
        self.known.invalidate_all();
        Ok(())
    }
}

/// What the settings of a plugin are sealed for.
fn context(id: &str) -> String {
    format!("plugin_choices.settings:{id}")
}

fn check(settings: &Map<String, Value>) -> Result<(), PluginsError> {
    if settings.len() > MAX_SETTINGS {
        return Err(PluginsError::TooMany);
    }
    for (name, value) in settings {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.is_empty() || name.len() > MAX_ID || !name.chars().all(fits) {
            return Err(PluginsError::Name(name.chars().take(MAX_ID).collect()));
        }
        if value.is_null() || value.to_string().len() > MAX_SETTING {
            return Err(PluginsError::Value(name.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_is_given_the_settings_that_it_leaves_open() {
        let settings = json!({ "engine": "neato", "size": 3 }).as_object().unwrap().clone();
        let choice = Choice { settings, ..Choice::default() };
        let choices =
            Choices { by_id: BTreeMap::from([("graphviz".into(), choice)]), initialized: true };
        let own = [("engine".to_owned(), "dot".to_owned())];
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(choices.complete("graphviz", &own), [pair("engine", "dot"), pair("size", "3")]);
        assert_eq!(choices.complete("other", &own), own);
        assert!(choices.is_enabled("other"));
    }

    #[test]
    fn settings_have_names_and_sizes_within_bounds() {
        let check = |value: Value| check(value.as_object().unwrap());
        assert!(check(json!({ "api_key": "x", "timeout": 30, "fast": true })).is_ok());
        for wrong in [json!({ "a": null }), json!({ "a b": 1 }), json!({ "": 1 })] {
            assert!(check(wrong.clone()).is_err(), "{wrong}");
        }
        assert!(check(json!({ "a": "x".repeat(MAX_SETTING + 1) })).is_err());
    }
}
