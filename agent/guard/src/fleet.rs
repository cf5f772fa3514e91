//! The fleet's layer of the limits, on disk: what was signed last is in force from the start.

use crate::durable;
use flyball_command::FleetLimit;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

const FILE: &str = "fleet.toml";

/// What the last signed policy said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct FleetLayer {
    /// The counter of the command that brought it.
    pub(crate) counter: u64,
    #[serde(default)]
    pub(crate) limit: Vec<FleetLimit>,
}

pub(crate) fn save(state: &Path, layer: &FleetLayer) -> io::Result<()> {
    let text = toml::to_string(layer).map_err(io::Error::other)?;
    durable::replace(&state.join(FILE), text.as_bytes())
}

/// # Errors
/// Where the file is there and can't be read: the layers below it hold without it.
pub(crate) fn load(state: &Path) -> io::Result<FleetLayer> {
    match durable::read(&state.join(FILE))? {
        Some(text) => toml::from_str(&text).map_err(io::Error::other),
        None => Ok(FleetLayer::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_survives_and_a_damaged_file_is_an_error() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(load(state.path()).unwrap(), FleetLayer::default());
        let limit =
            FleetLimit { limit: "cpu".into(), warning: None, limit_at: Some(70.5), trip: None };
        let layer = FleetLayer { counter: 7, limit: vec![limit] };
        save(state.path(), &layer).unwrap();
        assert_eq!(load(state.path()).unwrap(), layer);
        std::fs::write(state.path().join(FILE), "counter = \"x\"").unwrap();
        assert!(load(state.path()).is_err());
    }
}
