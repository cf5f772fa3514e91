//! `keys rotate`.

use super::{CliError, file, open};
use crate::accounts;
use crate::jobs::{JobKind, NewJob};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Add a key that access tokens are signed with, and one that secrets are sealed with; the server
    /// seals everything anew while it runs. Tokens of the old key hold until they end.
    Rotate(Rotate),
}

#[derive(Clone, Debug, Args)]
struct Rotate {
    /// The folder that everything durable lies in.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
}

impl Keys {
    pub(super) async fn execute(self) -> Result<(), CliError> {
        let Command::Rotate(rotate) = self.command;
        let app = open(&rotate.state).await?;
        let signing = accounts::rotate_signing_keys(&app.store, &app.clock).await;
        let signing = signing.map_err(CliError::Keys)?;
        let key = app.sealing.rotate()?;
        let job = app.jobs.queue(NewJob {
            id: app.clock.new_id(),
            kind: JobKind::Reseal,
            organization: None,
            target: None,
            parameters: json!({ "key": key }),
            secret: None,
            schedule: None,
            requested_by: "command line".into(),
            created_by: None,
        });
        let job = job.await?;
        app.store.close().await;
        writeln!(std::io::stdout(), "signing key {signing}, sealing key {key}, job {}", job.id)
            .map_err(|source| file("writing to", Path::new("standard output"), source))
    }
}
