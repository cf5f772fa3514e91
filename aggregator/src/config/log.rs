//! The log.

use serde::{Deserialize, Serialize};

/// What is logged, how, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `info`, or a filter such as `info,flyball_aggregator=debug`.
    pub level: String,
    pub format: LogFormat,
    /// `stderr`, or a file; a relative one lies in the state folder.
    pub destination: String,
    /// A line for every request?
    pub requests: bool,
    /// A file is put aside before it is longer.
    pub rotate_bytes: u64,
    /// And when this much time is over.
    pub rotate: Rotate,
    /// Files that are kept aside.
    pub keep: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotate {
    Hourly,
    Daily,
    Never,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::Text,
            destination: "stderr".into(),
            requests: true,
            rotate_bytes: 64 * 1024 * 1024,
            rotate: Rotate::Daily,
            keep: 7,
        }
    }
}
