//! Lock-outs, on disk: a restart must not energise what somebody has their hands in.

use crate::durable;
use flyball_command::Lock;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

const FILE: &str = "locks.toml";

/// A lock that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldLock {
    /// The engine's number for it.
    pub(crate) id: u32,
    /// Unix milliseconds.
    pub(crate) since_ms: u64,
    /// A person at the machine set it.
    #[serde(default)]
    pub(crate) local: bool,
    pub(crate) lock: Lock,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    held: Vec<HeldLock>,
}

pub(crate) fn save(state: &Path, locks: &[HeldLock]) -> io::Result<()> {
    let text = toml::to_string(&File { held: locks.to_vec() }).map_err(io::Error::other)?;
    durable::replace(&state.join(FILE), text.as_bytes())
}

/// The locks of the last run. Where the file is there and can't be read, somebody may have
/// locked anything: a lock on everything stands in its place until a person lifts it.
pub(crate) fn load(state: &Path, now_ms: u64) -> Vec<HeldLock> {
    let read = durable::read(&state.join(FILE)).and_then(|text| match text {
        Some(text) => Ok(toml::from_str::<File>(&text).map_err(io::Error::other)?.held),
        None => Ok(Vec::new()),
    });
    read.unwrap_or_else(|error| {
        let cause = error.to_string();
        let lock = Lock {
            name: "unreadable-locks".into(),
            owner: "flyball-guard".into(),
            reason: format!("the locks of the last run can't be read: {}", cause.trim_end()),
            target: None,
            until_ms: None,
            holds_levels: false,
        };
        vec![HeldLock { id: u32::MAX, since_ms: now_ms, local: false, lock }]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_survive_and_a_damaged_file_locks_everything() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(load(state.path(), 1), []);
        let lock = Lock {
            name: "maintenance".into(),
            owner: "technician@example.org".into(),
            reason: "the fan tray is out".into(),
            target: Some("pdu-1/outlet-4".into()),
            until_ms: None,
            holds_levels: true,
        };
        let held = HeldLock { id: 3, since_ms: 1_700_000_000_000, local: true, lock };
        save(state.path(), std::slice::from_ref(&held)).unwrap();
        assert_eq!(load(state.path(), 1), [held]);
        std::fs::write(state.path().join(FILE), "held = 3").unwrap();
        let damaged = load(state.path(), 1);
        assert_eq!((damaged.len(), damaged[0].lock.target.as_ref()), (1, None));
    }
}
