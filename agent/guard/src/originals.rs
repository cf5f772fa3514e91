//! What stood in the actuators' files before the guard took them, on disk: a restarted guard
//! must not take its predecessor's levels for the machine's own.

use crate::durable;
use flyball_hardware::{Actuator, Saved};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use uuid::Uuid;

const FILE: &str = "originals.toml";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Original {
    actuator: String,
    level: i64,
    enable: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    /// After a reboot the hardware has its own levels again.
    boot: Uuid,
    #[serde(default)]
    actuator: Vec<Original>,
}

/// The originals of all actuators that have been taken.
pub(crate) fn of<'a>(actuators: impl Iterator<Item = &'a Actuator>) -> Vec<Original> {
    actuators
        .filter_map(|actuator| {
            let Saved { level, enable } = actuator.saved()?;
            Some(Original { actuator: actuator.id.clone(), level, enable })
        })
        .collect()
}

pub(crate) fn save(state: &Path, boot: Uuid, originals: &[Original]) -> io::Result<()> {
    let file = File { boot, actuator: originals.to_vec() };
    let text = toml::to_string(&file).map_err(io::Error::other)?;
    durable::replace(&state.join(FILE), text.as_bytes())
}

/// Gives every actuator what an earlier guard of the same boot had found.
pub(crate) fn restore(state: &Path, boot: Uuid, actuators: &mut [Actuator]) -> io::Result<()> {
    let Some(text) = durable::read(&state.join(FILE))? else {
        return Ok(());
    };
    let file: File = toml::from_str(&text).map_err(io::Error::other)?;
    if file.boot != boot {
        return Ok(());
    }
    for original in file.actuator {
        if let Some(actuator) = actuators.iter_mut().find(|a| a.id == original.actuator) {
            actuator.inherit(Saved { level: original.level, enable: original.enable });
        }
    }
    Ok(())
}
