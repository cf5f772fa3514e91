//! The guard's pin: which device it is and whose commands it obeys. Written once, at
//! enrolment; the guard reads it and nobody else does.

use crate::files;
use flyball_protocol::command::{DeviceId, PublicKey, SignatureError};
use std::io;
use std::path::{Path, PathBuf};

pub(crate) struct GuardPin {
    pub(crate) device: DeviceId,
    pub(crate) command_key: PublicKey,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PinFileError {
    #[error("the aggregator's command key is no key")]
    Key(#[source] SignatureError),
    #[error("the guard's pin {path} cannot be written; run `enrol` as the user that owns it")]
    Write { path: PathBuf, source: io::Error },
}

impl GuardPin {
    pub(crate) fn new(device: DeviceId, command_key_hex: &str) -> Result<Self, PinFileError> {
        let command_key = PublicKey::from_hex(command_key_hex).map_err(PinFileError::Key)?;
        Ok(Self { device, command_key })
    }

    pub(crate) fn save(&self, path: &Path) -> Result<(), PinFileError> {
        let text = format!(
            "device = \"{}\"\ncommand_key = \"{}\"\n",
            self.device,
            self.command_key.to_hex()
        );
        files::replace(path, text.as_bytes())
            .map_err(|source| PinFileError::Write { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_protocol::command::CommandKey;

    #[test]
    fn the_pin_names_device_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin.toml");
        let device = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        let key = CommandKey::from_bytes(&[7; 32]).public().to_hex();
        GuardPin::new(device, &key).unwrap().save(&path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, format!("device = \"{device}\"\ncommand_key = \"{key}\"\n"));
    }

    #[test]
    fn a_key_that_is_none_is_not_pinned() {
        let device = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        assert!(matches!(GuardPin::new(device, "beef"), Err(PinFileError::Key(_))));
    }
}
