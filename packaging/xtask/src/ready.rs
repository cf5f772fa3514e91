//! `ready.json`: what a running `up` tells scripts. Mode 0600, since it holds the sign-in.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// Base URL of API and console.
    pub(crate) api: String,
    /// Address that agents connect to.
    pub(crate) ingest: String,
    pub(crate) admin_email: String,
    pub(crate) admin_password: String,
    pub(crate) devices: Vec<Device>,
    /// Every process by its name; `up` is the supervisor itself.
    pub(crate) pids: BTreeMap<String, u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Real,
    Simulated,
}

pub(crate) fn path(state: &Path) -> PathBuf {
    state.join("ready.json")
}

/// The file of a running or a dead `up`; `None` where there is none.
pub(crate) fn read(state: &Path) -> Result<Option<Ready>> {
    let path = path(state);
    match File::open(&path) {
        Ok(file) => serde_json::from_reader(file)
            .map(Some)
            .with_context(|| format!("{} is damaged; remove it", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

impl Ready {
    /// Replaces the file in one step, so that a reader never sees half of it.
    pub(crate) fn write(&self, state: &Path) -> Result<()> {
        write_private(&path(state), &serde_json::to_vec_pretty(self)?)
    }
}

/// Writes `bytes` to `path` with mode 0600, through a temporary file beside it.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    written.with_context(|| format!("{} cannot be written", path.display()))
}
