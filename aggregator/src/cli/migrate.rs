//! The database's schema by hand: what is applied, forward, back. `run` goes forward by itself.

use super::CliError;
use crate::config::{Config, Flags};
use crate::store::{Database, Store};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Args)]
pub(super) struct Migrate {
    #[command(subcommand)]
    way: Way,
}

#[derive(Clone, Debug, Subcommand)]
enum Way {
    /// Bring the database to the version of this program.
    Up(Place),
    /// Take it back to an earlier version: what later ones brought is lost.
    Down(Down),
    /// Show which versions are applied.
    Status(Place),
}

#[derive(Clone, Debug, Args)]
struct Place {
    /// The folder that everything durable lies in.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// `postgres://…`, or a file [default: as configured].
    #[arg(long, value_name = "DATABASE")]
    database: Option<String>,
}

#[derive(Clone, Debug, Args)]
struct Down {
    #[command(flatten)]
    place: Place,
    /// The version that is left; 0 is an empty database.
    #[arg(long, value_name = "VERSION")]
    to: i64,
}

impl Migrate {
    pub(super) async fn execute(self) -> Result<(), CliError> {
        match self.way {
            Way::Up(place) => {
                let database = place.database()?;
                Store::connect(&database).await?.close().await;
                show(&database).await
            }
            Way::Down(down) => {
                let database = down.place.database()?;
                Store::revert(&database, down.to).await?;
                show(&database).await
            }
            Way::Status(place) => show(&place.database()?).await,
        }
    }
}

impl Place {
    fn database(&self) -> Result<Database, CliError> {
        let database = self.database.as_deref().map(Into::into);
        let flags = Flags { database, ..Flags::default() };
        Ok(Config::load(&self.state, &flags)?.database())
    }
}

async fn show(database: &Database) -> Result<(), CliError> {
    let mut text = format!("{} {database}\n", database.engine());
    for step in Store::schema(database).await? {
        let applied = if step.applied { "applied" } else { "not applied" };
        text.push_str(&format!("{} {applied}\n", step.name));
    }
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|source| super::file("writing to", Path::new("standard output"), source))
}
