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
    pub(crate) actuator: String,
    pub(crate) level: i64,
    pub(crate) enable: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    /// After a reboot the hardware has its own levels again.
    boot: Uuid,
    #[serde(default)]
    actuator: Vec<Original>,
}

pub(crate) fn save(state: &Path, boot: Uuid, originals: &[Original]) -> io::Result<()> {
    let file = File { boot, actuator: originals.to_vec() };
    let text = toml::to_string(&file).map_err(io::Error::other)?;
    durable::replace(&state.join(FILE), text.as_bytes())
}

/// What an earlier guard of the same boot had found.
pub(crate) fn load(state: &Path, boot: Uuid) -> io::Result<Vec<Original>> {
    let Some(text) = durable::read(&state.join(FILE))? else {
        return Ok(Vec::new());
    };
    let file: File = toml::from_str(&text).map_err(io::Error::other)?;
    Ok(if file.boot == boot { file.actuator } else { Vec::new() })
}

/// Gives every actuator its original.
pub(crate) fn restore(originals: &[Original], actuators: &mut [Actuator]) {
    for original in originals {
        if let Some(actuator) = actuators.iter_mut().find(|a| a.id == original.actuator) {
            actuator.inherit(Saved { level: original.level, enable: original.enable });
        }
    }
}
