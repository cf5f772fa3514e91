//! What the guard took down and has to start again, on disk: the machine that watches a UPS goes
//! down with it, and comes back knowing what ran.

use crate::durable;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

const FILE: &str = "owed.toml";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owed {
    /// The switches that were on, by their ids, in the order in which they were taken down.
    #[serde(default)]
    pub(crate) switches: Vec<String>,
    /// When the policy itself has cleared a trip, Unix milliseconds, newest last.
    #[serde(default)]
    pub(crate) cleared_ms: Vec<u64>,
}

pub(crate) fn save(state: &Path, owed: &Owed) -> io::Result<()> {
    let text = toml::to_string(owed).map_err(io::Error::other)?;
    durable::replace(&state.join(FILE), text.as_bytes())
}

/// What the last run owed.
///
/// # Errors
/// Where the file is there and can't be read: then nothing starts by itself.
pub(crate) fn load(state: &Path) -> io::Result<Owed> {
    match durable::read(&state.join(FILE))? {
        Some(text) => toml::from_str(&text).map_err(io::Error::other),
        None => Ok(Owed::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_survives_and_a_damaged_file_is_an_error() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(load(state.path()).unwrap(), Owed::default());
        let owed =
            Owed { switches: vec!["a/power".into(), "b/power".into()], cleared_ms: vec![7, 9] };
        save(state.path(), &owed).unwrap();
        assert_eq!(load(state.path()).unwrap(), owed);
        std::fs::write(state.path().join(FILE), "switches = 3").unwrap();
        assert!(load(state.path()).is_err());
    }
}
