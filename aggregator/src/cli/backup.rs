//! `backup` and `restore`.

use super::{CliError, create_state, file, lock, open};
use crate::backups::{self, MAX_PASSPHRASE, MIN_PASSPHRASE, Source};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(Clone, Debug, Args)]
pub(super) struct Backup {
    /// The folder that everything durable lies in.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Where the backup is written to.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A file whose first line is the passphrase that the keys are sealed with.
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    backup: PathBuf,
    /// The state folder to make.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// A file whose first line is the passphrase of the backup.
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
    /// Move a state folder that is not empty aside, to DIR.before-restore.
    #[arg(long)]
    force: bool,
}

fn passphrase(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let text = std::fs::read_to_string(path).map_err(|source| file("reading", path, source))?;
    let text = Zeroizing::new(text);
    let first = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
    if (MIN_PASSPHRASE..=MAX_PASSPHRASE).contains(&first.len()) {
        Ok(first)
    } else {
        Err(CliError::Passphrase(path.to_owned()))
    }
}

fn say(text: &str) -> Result<(), CliError> {
    writeln!(std::io::stdout(), "{text}")
        .map_err(|source| file("writing to", Path::new("standard output"), source))
}

impl Backup {
    pub(super) async fn execute(self) -> Result<(), CliError> {
        let passphrase = passphrase(&self.passphrase_file)?;
        let app = open(&self.state).await?;
        let source = Source::of(&app.config, app.store.clone(), app.clock.now_ms())?;
        let taken = backups::take(source, &self.out, passphrase, None).await?;
        app.store.close().await;
        say(&format!("{} bytes, sha256 {}", taken.bytes, taken.sha256))
    }
}

impl Restore {
    pub(super) fn execute(self) -> Result<(), CliError> {
        let passphrase = passphrase(&self.passphrase_file)?;
        // A server that runs there would lose what it stands on.
        let held = if self.force && self.state.exists() {
            create_state(&self.state)?;
            Some(lock(&self.state)?)
        } else {
            None
        };
        let restored = backups::restore(&self.backup, &passphrase, &self.state, self.force)?;
        drop(held);
        let manifest = restored.manifest;
        say(&format!("restored what version {} took at {}", manifest.version, manifest.taken_at))?;
        match restored.before {
            Some(before) => say(&format!("what stood there before lies in {}", before.display())),
            None => Ok(()),
        }
    }
}
