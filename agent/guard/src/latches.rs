//! Trips that stand, on disk: a restart must not clear what only a person may.

use crate::durable;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::{fs, io};

const FILE: &str = "latches.toml";
/// A copy of the newest file that could not be read, for whoever looks into it.
const DAMAGED: &str = "latches.damaged.toml";

/// One trip that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latch {
    pub(crate) limit: String,
    pub(crate) since_ms: u64,
    pub(crate) reading: Option<f64>,
    pub(crate) threshold: Option<f64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    latch: Vec<Latch>,
}

pub(crate) fn save(state: &Path, latches: &[Latch]) -> io::Result<()> {
    let text = toml::to_string(&File { latch: latches.to_vec() }).map_err(io::Error::other)?;
    durable::replace(&state.join(FILE), text.as_bytes())
}

/// The latches of the last run.
///
/// # Errors
/// Where the file is there and can't be read: then nobody knows what has tripped.
pub(crate) fn load(state: &Path) -> io::Result<Vec<Latch>> {
    match durable::read(&state.join(FILE))? {
        Some(text) => Ok(toml::from_str::<File>(&text).map_err(io::Error::other)?.latch),
        None => Ok(Vec::new()),
    }
}

/// Copies a file that can't be read aside. It stays where it is until other latches replace it:
/// a guard that is killed before that has to find it damaged again.
pub(crate) fn set_aside(state: &Path) -> io::Result<PathBuf> {
    let aside = state.join(DAMAGED);
    fs::copy(state.join(FILE), &aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latches_survive_and_a_damaged_file_is_an_error() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(load(state.path()).unwrap(), []);
        let latch = Latch {
            limit: "coretemp@platform/coretemp.0/temp1".into(),
            since_ms: 1_700_000_000_000,
            reading: Some(96.5),
            threshold: None,
        };
        save(state.path(), std::slice::from_ref(&latch)).unwrap();
        assert_eq!(load(state.path()).unwrap(), [latch]);
        std::fs::write(state.path().join(FILE), "latch = 3").unwrap();
        assert!(load(state.path()).is_err());
        let aside = set_aside(state.path()).unwrap();
        assert_eq!(std::fs::read_to_string(aside).unwrap(), "latch = 3");
        assert!(load(state.path()).is_err(), "it is damaged until it is replaced");
    }
}
