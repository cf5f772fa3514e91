//! The pin: which machine this is and whose commands it obeys, from a root-owned file.

use flyball_command::{DeviceId, PublicKey};
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use uuid::Uuid;

const MAX_BYTES: u64 = 4096;
/// Write permission for group or others.
const WRITABLE_BY_OTHERS: u32 = 0o022;

#[derive(Debug)]
pub(super) struct Pin {
    pub(super) device: DeviceId,
    pub(super) key: PublicKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PinFile {
    device: Uuid,
    command_key: String,
}

impl Pin {
    /// The pin in `path`, or why there is none, as a sentence.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let name = path.display();
        let mut file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
        let metadata = file.metadata().map_err(|error| format!("{name}: {error}"))?;
        // Whoever can write this file can command the machine.
        let own = rustix::process::geteuid().as_raw();
        if metadata.mode() & WRITABLE_BY_OTHERS != 0 || ![0, own].contains(&metadata.uid()) {
            return Err(format!(
                "{name} must belong to root or to the guard's user and be writable by nobody \
                 else; `chmod 0600 {name}`"
            ));
        }
        let mut text = String::new();
        file.by_ref()
            .take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| format!("{name}: {error}"))?;
        let pin: PinFile =
            toml::from_str(&text).map_err(|error| format!("{name}: {}", error.message()))?;
        let key = PublicKey::from_hex(&pin.command_key)
            .map_err(|error| format!("{name}: command_key: {error}"))?;
        Ok(Self { device: DeviceId(pin.device), key })
    }
}
