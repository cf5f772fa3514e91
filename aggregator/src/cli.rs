//! The command line: `run`, `init`, `token`, `migrate`, `backup`, `restore`, `keys` …. Parses, opens the house, runs it, and turns the
//! error that ends it into an exit code.

mod backup;
mod keys;
mod migrate;
mod rasterise;
mod run;

use crate::accounts;
use crate::app::{App, AppError};
use crate::backups::{BackupError, MAX_PASSPHRASE, MIN_PASSPHRASE, RestoreError};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Flags};
use crate::enrolment::TokenError;
use crate::history::{HistoryError, ObjectsError, Pass};
use crate::jobs::JobsError;
use crate::log::{self, LogError};
use crate::sealing::SealingError;
use crate::store::StoreError;
use clap::{Args, Parser, Subcommand};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The exit code for an address that is in use.
const ADDRESS_IN_USE: u8 = 98;

/// Flyball's aggregator: takes telemetry from agents, serves the API and the console.
#[derive(Clone, Debug, Parser)]
#[command(name = "flyball-aggregator", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Serve the API and take telemetry from agents until SIGTERM.
    Run(Run),
    /// Make the first superuser; one that exists is left as it is.
    Init(Init),
    /// Print enrolment tokens, one a line; works while the server runs.
    Token(Token),
    /// Bring the database to this version, or back to an earlier one.
    Migrate(migrate::Migrate),
    /// Do now what the history's background task does: compaction, merging, retention.
    Compact(Compact),
    /// Write a backup of the state folder to a file; works while the server runs.
    Backup(backup::Backup),
    /// Make a state folder from a backup.
    Restore(backup::Restore),
    /// The keys that sealed fields are sealed with.
    Keys(keys::Keys),
    /// Make pixels of one drawing: SVG in, PNG out. The server starts it for each picture.
    #[command(hide = true)]
    Rasterise(rasterise::Rasterise),
}

impl Arguments {
    /// The whole work of a child that the server starts, which needs none of the house.
    #[must_use]
    pub fn child(&self) -> Option<ExitCode> {
        match &self.command {
            Command::Rasterise(arguments) => Some(rasterise::run(arguments)),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, Args)]
struct Run {
    /// The folder that everything durable lies in.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Where the API and the console listen [default: 127.0.0.1:8766].
    #[arg(long, value_name = "ADDR")]
    api: Option<SocketAddr>,
    /// Where agents connect, over UDP [default: 127.0.0.1:8767].
    #[arg(long, value_name = "ADDR")]
    ingest: Option<SocketAddr>,
    /// A built console to serve instead of the embedded one.
    #[arg(long, value_name = "DIR")]
    console_dir: Option<PathBuf>,
    /// `postgres://…`, or a file [default: STATE/aggregator.db]. A password belongs into
    /// FLYBALL_DATABASE or the configuration: others can read a command line.
    #[arg(long, value_name = "DATABASE")]
    database: Option<String>,
}

#[derive(Clone, Debug, Args)]
struct Init {
    /// The folder that everything durable lies in.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The superuser's e-mail.
    #[arg(long, value_name = "EMAIL")]
    admin_email: String,
    /// A file whose first line is the superuser's password.
    #[arg(long, value_name = "FILE")]
    admin_password_file: PathBuf,
}

#[derive(Clone, Debug, Args)]
struct Token {
    /// The folder that everything durable lies in.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// What the token is for, as it is listed.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    name: String,
    /// Seconds until it expires.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    ttl_s: u64,
    /// How many: each enrols one machine.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
}

#[derive(Clone, Debug, Args)]
struct Compact {
    /// The folder that everything durable lies in.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("{operation} {path}")]
    File {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("starting the runtime")]
    Runtime(#[source] std::io::Error),
    #[error("another aggregator runs on the state folder {0}")]
    Locked(PathBuf),
    #[error("reading the configuration")]
    Config(#[from] ConfigError),
    #[error("starting the log")]
    Log(#[from] LogError),
    #[error("opening the state")]
    App(#[from] AppError),
    #[error("making the superuser")]
    Superuser(#[from] accounts::AccountsError),
    #[error("rotating the keys")]
    Keys(#[source] accounts::AccountsError),
    #[error("making the token")]
    Token(#[from] TokenError),
    #[error("migrating the database")]
    Migrate(#[from] StoreError),
    #[error("keeping the history")]
    History(#[from] HistoryError),
    #[error("running")]
    Run(#[from] run::RunError),
    #[error("taking the backup")]
    Backup(#[from] BackupError),
    #[error("restoring the backup")]
    Restore(#[from] RestoreError),
    #[error("finding the history's objects")]
    Objects(#[from] ObjectsError),
    #[error("rotating the keys")]
    Sealing(#[from] SealingError),
    #[error("queueing the job that seals everything anew")]
    Jobs(#[from] JobsError),
    #[error("the passphrase has {MIN_PASSPHRASE} to {MAX_PASSPHRASE} bytes: see {0}")]
    Passphrase(PathBuf),
}

/// Does what the command line says.
///
/// # Errors
/// Where it can't be done; [`exit_code`] knows which code that is.
pub fn execute(arguments: Arguments) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    runtime.block_on(async {
        match arguments.command {
            Command::Run(run) => self::run(run).await,
            Command::Init(init) => self::init(init).await,
            Command::Token(token) => self::token(token).await,
            Command::Migrate(migrate) => migrate.execute().await,
            Command::Compact(compact) => self::compact(compact).await,
            Command::Backup(backup) => backup.execute().await,
            Command::Restore(restore) => restore.execute(),
            Command::Keys(keys) => keys.execute().await,
            // The process that does it never comes here.
            Command::Rasterise(_) => Ok(()),
        }
    })
}

/// The exit code of an error: 98 for an address in use, else 1.
#[must_use]
pub fn exit_code(error: &CliError) -> ExitCode {
    match error {
        CliError::Run(error) if error.is_address_in_use() => ExitCode::from(ADDRESS_IN_USE),
        CliError::Run(_)
        | CliError::File { .. }
        | CliError::Runtime(_)
        | CliError::Locked(_)
        | CliError::Config(_)
        | CliError::Log(_)
        | CliError::App(_)
        | CliError::Superuser(_)
        | CliError::Keys(_)
        | CliError::Token(_)
        | CliError::Migrate(_)
        | CliError::History(_)
        | CliError::Backup(_)
        | CliError::Restore(_)
        | CliError::Objects(_)
        | CliError::Sealing(_)
        | CliError::Jobs(_)
        | CliError::Passphrase(_) => ExitCode::FAILURE,
    }
}

async fn run(run: Run) -> Result<(), CliError> {
    create_state(&run.state)?;
    let _lock = lock(&run.state)?;
    let flags = Flags {
        api: run.api,
        ingest: run.ingest,
        console_dir: run.console_dir,
        database: run.database.as_deref().map(Into::into),
    };
    let config = Config::load(&run.state, &flags)?;
    log::start(&config.log, &run.state, Clock::System)?;
    let app = App::open(config, Clock::System).await?;
    app.history.recognise_at_start().await?;
    run::serve(app).await?;
    Ok(())
}

async fn init(init: Init) -> Result<(), CliError> {
    let password = std::fs::read_to_string(&init.admin_password_file)
        .map_err(|source| file("reading", &init.admin_password_file, source))?;
    let app = open(&init.state).await?;
    let password = password.lines().next().unwrap_or_default();
    accounts::create_superuser(&app.store, &app.clock, &init.admin_email, password).await?;
    app.store.close().await;
    Ok(())
}

async fn token(token: Token) -> Result<(), CliError> {
    let app = open(&token.state).await?;
    let ttl_ms = token.ttl_s.saturating_mul(1000);
    for _ in 0..token.count {
        let new = app.enrolment.create_token(&token.name, "command line", ttl_ms).await?;
        writeln!(std::io::stdout(), "{}", new.text)
            .map_err(|source| file("writing the token to", Path::new("standard output"), source))?;
    }
    app.store.close().await;
    Ok(())
}

/// Passes until nothing is left that is due.
async fn compact(compact: Compact) -> Result<(), CliError> {
    let app = open(&compact.state).await?;
    let mut all = Pass::default();
    loop {
        let pass = app.history.pass().await?;
        all.add(&pass);
        if !pass.has_done_something() {
            break;
        }
    }
    app.store.close().await;
    writeln!(std::io::stdout(), "{all}")
        .map_err(|source| file("writing to", Path::new("standard output"), source))
}

async fn open(state: &Path) -> Result<App, CliError> {
    create_state(state)?;
    let config = Config::load(state, &Flags::default())?;
    Ok(App::open(config, Clock::System).await?)
}

fn create_state(state: &Path) -> Result<(), CliError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .map_err(|source| file("creating the folder", state, source))
}

/// Two aggregators on one state would answer for the same agents; the second says so and ends.
fn lock(state: &Path) -> Result<std::fs::File, CliError> {
    let path = state.join("aggregator.lock");
    let lock = std::fs::File::create(&path).map_err(|source| file("creating", &path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(CliError::Locked(state.to_owned())),
        Err(std::fs::TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            Ok(lock)
        }
        Err(std::fs::TryLockError::Error(error)) => Err(file("locking", &path, error)),
    }
}

fn file(operation: &'static str, path: &Path, source: std::io::Error) -> CliError {
    CliError::File { operation, path: path.to_owned(), source }
}
