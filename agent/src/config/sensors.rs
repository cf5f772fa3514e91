//! Sensors that speak to the agent over MQTT or HTTP, or are asked over HTTP, as the operator's
//! file names them.
//!
//! The file is read once; every fault of it is said at once, by table and key. What it doesn't
//! name is not listened to.

mod doors;
mod poll;
mod tls;

use super::{ConfigError, ServerAddress};
use figment::Figment;
use figment::providers::{Format, Toml};
use flyball_units::Kind;
use serde::Deserialize;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use doors::{Http, Mqtt};
use doors::{HttpTable, MqttTable};
use poll::Asked;
pub(crate) use poll::Poll;
use tls::Tls;
use tls::TlsTable;

/// A machine that speaks for more is a gateway, and takes several agents.
pub(crate) const MAX_SENSORS: usize = 256;
const MAX_READINGS: usize = 8;
const MAX_KEY_BYTES: usize = 63;
const MAX_NAME_BYTES: usize = 128;
const MAX_TOPIC_BYTES: usize = 256;
const DEFAULT_STALE_AFTER_S: u32 = 300;
const LONGEST_STALE_AFTER_S: u32 = 24 * 60 * 60;

/// What an attached sensor may measure.
pub(crate) const KINDS: [Kind; 7] = [
    Kind::Temperature,
    Kind::Humidity,
    Kind::Power,
    Kind::Energy,
    Kind::Voltage,
    Kind::Current,
    Kind::State,
];

/// The sensors and the doors that they come through. Empty where no file names any.
#[derive(Clone, Debug, Default)]
pub struct Sensors {
    pub(crate) mqtt: Option<Mqtt>,
    pub(crate) http: Option<Http>,
    pub(crate) sensors: Vec<AttachedSensor>,
}

#[derive(Clone, Debug)]
pub(crate) struct AttachedSensor {
    /// Its name for ever, and that of its series and of its device in the API.
    pub(crate) key: String,
    /// Its name for people.
    pub(crate) name: String,
    /// A topic filter. Without one, and unless it is asked, it comes over HTTP.
    pub(crate) topic: Option<String>,
    pub(crate) poll: Option<Poll>,
    /// Never empty, each once, all of [`KINDS`].
    pub(crate) readings: Vec<Kind>,
    pub(crate) stale_after: Duration,
}

/// A password or token, never printed.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mqtt: Option<MqttTable>,
    http: Option<HttpTable>,
    #[serde(default)]
    sensor: Vec<SensorTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SensorTable {
    key: String,
    name: Option<String>,
    topic: Option<String>,
    url: Option<String>,
    every_s: Option<u32>,
    token_file: Option<PathBuf>,
    tls: Option<TlsTable>,
    readings: Vec<String>,
    stale_after_s: Option<u32>,
}

impl Sensors {
    /// The file's sensors; none where no file is given.
    ///
    /// # Errors
    /// Every fault of the file.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let file: File = Figment::from(Toml::file_exact(path)).extract().map_err(|error| {
            ConfigError::Settings { path: path.to_owned(), source: Box::new(error) }
        })?;
        let mut faults = Faults::default();
        let sensors = Self {
            mqtt: file.mqtt.map(|table| table.check(&mut faults)),
            http: file.http.map(|table| table.check(&mut faults)),
            sensors: file.sensor.into_iter().map(|table| table.check(&mut faults)).collect(),
        };
        sensors.check_together(&mut faults);
        match faults.0.is_empty() {
            true => Ok(sensors),
            false => {
                Err(ConfigError::Sensors { path: path.to_owned(), faults: faults.0.join("; ") })
            }
        }
    }

    fn check_together(&self, faults: &mut Faults) {
        if self.sensors.len() > MAX_SENSORS {
            faults.say(format!("at most {MAX_SENSORS} [[sensor]] tables are taken"));
        }
        let mut keys = HashSet::new();
        let mut topics = HashSet::new();
        for sensor in &self.sensors {
            let key = &sensor.key;
            if !keys.insert(key) {
                faults.say(format!("two sensors have the key `{key}`"));
            }
            match &sensor.topic {
                Some(topic) if !topics.insert(topic) => {
                    faults.say(format!("sensor `{key}`: another one has the topic `{topic}`"));
                }
                Some(_) if self.mqtt.is_none() => {
                    faults.say(format!("sensor `{key}` has a topic, and no [mqtt] has a broker"));
                }
                None if self.http.is_none() && sensor.poll.is_none() => faults.say(format!(
                    "sensor `{key}` has no topic and no url, and no [http] listens for it"
                )),
                Some(_) | None => {}
            }
        }
    }
}

impl SensorTable {
    fn check(self, faults: &mut Faults) -> AttachedSensor {
        let key = self.key;
        if !is_key(&key) {
            faults.say(format!(
                "`{key}` is no key: write a letter or digit, then letters, digits, `-`, `_` and \
                 `.`, all in lower case, at most {MAX_KEY_BYTES}"
            ));
        }
        if let Some(topic) = self.topic.as_deref().filter(|topic| !is_filter(topic)) {
            faults.say(format!(
                "sensor `{key}`: `{topic}` is no topic filter: `+` stands for one whole level, \
                 `#` for all that follow"
            ));
        }
        let stale_after_s = self.stale_after_s.unwrap_or(DEFAULT_STALE_AFTER_S);
        if !(1..=LONGEST_STALE_AFTER_S).contains(&stale_after_s) {
            faults.say(format!(
                "sensor `{key}`: stale_after_s is {stale_after_s}, and not 1 to \
                 {LONGEST_STALE_AFTER_S}"
            ));
        }
        let name = self.name.unwrap_or_else(|| key.clone());
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            faults.say(format!("sensor `{key}`: a name has 1 to {MAX_NAME_BYTES} bytes"));
        }
        let readings = kinds(&key, &self.readings, faults);
        let stale_after = Duration::from_secs(stale_after_s.into());
        let asked = Asked {
            url: self.url,
            every_s: self.every_s,
            token_file: self.token_file,
            tls: self.tls,
        };
        let poll = asked.check(&key, faults);
        if poll.is_some() && self.topic.is_some() {
            faults.say(format!("sensor `{key}` has a topic and a url; give one of them"));
        }
        if poll.as_ref().is_some_and(|poll| poll.every >= stale_after) {
            faults.say(format!(
                "sensor `{key}`: it would be stale between two polls; raise stale_after_s above \
                 every_s"
            ));
        }
        AttachedSensor { key, name, topic: self.topic, poll, readings, stale_after }
    }
}

fn kinds(key: &str, words: &[String], faults: &mut Faults) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for word in words {
        match Kind::from_name(word).filter(|kind| KINDS.contains(kind)) {
            Some(kind) if kinds.contains(&kind) => {
                faults.say(format!("sensor `{key}`: {word} stands twice in its readings"));
            }
            Some(kind) => kinds.push(kind),
            None => faults.say(format!(
                "sensor `{key}`: `{word}` is none of {}",
                KINDS.map(Kind::name).join(", ")
            )),
        }
    }
    if words.is_empty() || words.len() > MAX_READINGS {
        faults.say(format!("sensor `{key}`: readings names 1 to {MAX_READINGS} reading types"));
    }
    kinds
}

fn is_key(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    key.bytes().next().is_some_and(plain)
        && key.len() <= MAX_KEY_BYTES
        && key.bytes().all(|byte| plain(byte) || b"-_.".contains(&byte))
}

/// MQTT 3.1.1, section 4.7.
fn is_filter(filter: &str) -> bool {
    let levels: Vec<&str> = filter.split('/').collect();
    let sound = levels.iter().enumerate().all(|(at, level)| match *level {
        "#" => at == levels.len() - 1,
        "+" => true,
        level => !level.contains(['#', '+', '\0']),
    });
    // A `$` topic is the broker's own.
    sound && !filter.is_empty() && filter.len() <= MAX_TOPIC_BYTES && !filter.starts_with('$')
}

#[derive(Debug, Default)]
struct Faults(Vec<String>);

impl Faults {
    fn say(&mut self, fault: String) {
        self.0.push(fault);
    }

    fn secret(&mut self, table: &str, path: &Path) -> Option<Secret> {
        match fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => {
                self.say(format!("[{table}]: {} is empty", path.display()));
                None
            }
            Ok(text) => Some(Secret(text.trim().to_owned())),
            Err(error) => {
                self.say(format!("[{table}]: {} cannot be read: {error}", path.display()));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
