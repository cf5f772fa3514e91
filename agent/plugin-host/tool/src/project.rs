//! Where things lie in a plugin's project.

use anyhow::{Context as _, Result};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What `build` writes and every other word reads when nobody names a file.
pub(crate) const BUILT: &str = "build/plugin.wasm";

/// The component that a word works on.
#[derive(clap::Args)]
pub(crate) struct Component {
    /// The component
    #[arg(value_name = "FILE", default_value = BUILT)]
    pub(crate) file: PathBuf,
}

/// A component's bytes; one above the bound at most, the inspection says the rest.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| {
            file.take(flyball_plugin_host::limits::COMPONENT_BYTES + 1).read_to_end(&mut bytes)
        })
        .with_context(|| {
            let hint =
                if file == Path::new(BUILT) { "; `flyball plugin build` makes it" } else { "" };
            format!("{} can't be read{hint}", file.display())
        })?;
    Ok(bytes)
}

pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))
}

pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(file, bytes).with_context(|| format!("{} can't be written", file.display()))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
