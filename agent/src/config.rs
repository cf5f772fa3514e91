//! What an operator tells the agent, parsed once: flags, the file of attached sensors, and the
//! few settings that enrolment leaves in the state folder. Everything behind this module holds validated values only.

mod sensors;
mod server;
mod settings;

pub use sensors::Sensors;
pub(crate) use sensors::{AttachedSensor, Http, KINDS, Mqtt, Poll, Secret};
pub use server::{ServerAddress, ServerAddressError};
pub use settings::Settings;

use clap::{Args, Parser, Subcommand};
use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

#[derive(Debug, Parser)]
#[command(
    name = "flyball-agent",
    version,
    about = "Collects this machine's readings and carries them to the aggregator."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make this machine's identity with a one-time token, then exit.
    Enrol(Enrolment),
    /// Collect, store and forward until SIGTERM.
    Run(RunArguments),
}

#[derive(Clone, Debug, Args)]
pub struct Enrolment {
    /// Folder for the identity and everything that has to survive a restart.
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// The aggregator's ingest address, host:port; repeat it for every replica. They are tried
    /// in this order.
    #[arg(long = "server", value_name = "ADDR", required = true)]
    pub servers: Vec<ServerAddress>,
    /// The one-time token, as `flyball-aggregator token` prints it.
    #[arg(long)]
    pub token: String,
    /// Where to write the guard's pin: the device id and the organization's command key.
    #[arg(long, value_name = "FILE")]
    pub guard_pin: Option<PathBuf>,
    /// The machine's name; its host name where none is given.
    #[arg(long)]
    pub name: Option<String>,
    /// This machine is a simulated board.
    #[arg(long)]
    pub simulated: bool,
    /// Seal what waits on the disk, with a key of this machine's identity.
    #[arg(long)]
    pub seal_spool: bool,
}

#[derive(Debug, Args)]
pub struct RunArguments {
    /// The folder that `enrol` filled.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The aggregator's ingest address, host:port; repeat it for every replica.
    /// Without it the addresses of the enrolment hold.
    #[arg(long = "server", value_name = "ADDR")]
    servers: Vec<ServerAddress>,
    /// The guard's socket.
    #[arg(long, value_name = "PATH")]
    guard_socket: PathBuf,
    /// The plugin runner's socket. Without it this agent takes no jobs.
    #[arg(long, value_name = "PATH")]
    runner_socket: Option<PathBuf>,
    /// The `flyball-compiler` program.
    #[arg(long, value_name = "PATH")]
    compiler: Option<PathBuf>,
    /// Folder of plugin components.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// TOML file of the sensors that send their readings here or are asked for them: [mqtt],
    /// [http], [[sensor]].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the process file system is mounted, or a recorded copy of it.
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    procfs_root: PathBuf,
    /// Report this machine as a simulated board.
    #[arg(long)]
    simulated: bool,
    /// Seal what waits on the disk, with a key of this machine's identity.
    #[arg(long)]
    seal_spool: bool,
    /// What may wait on the disk for an aggregator, in MiB: the oldest is thinned, then dropped.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(16..=1_048_576))]
    spool_mib: u64,
    /// How many days of it may wait; as many as the MiB hold where not given.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    spool_days: Option<u32>,
    /// Where readers nearby get the curricula that the aggregator puts on this machine's shelf;
    /// without it none are kept.
    #[arg(long, value_name = "ADDRESS:PORT")]
    content_listen: Option<SocketAddr>,
    /// A file whose first line readers have to show as their bearer token.
    #[arg(long, value_name = "FILE", requires = "content_listen")]
    content_token_file: Option<PathBuf>,
    /// How much of it is kept, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    content_mib: u64,
}

/// Everything that [`crate::run`] needs to know.
#[derive(Clone, Debug)]
pub struct RunConfig {
    pub state: PathBuf,
    /// Never empty.
    pub servers: Vec<ServerAddress>,
    pub guard_socket: PathBuf,
    pub runner_socket: Option<PathBuf>,
    pub compiler: Option<PathBuf>,
    pub plugins: Option<PathBuf>,
    pub procfs_root: PathBuf,
    pub name: Option<String>,
    pub simulated: bool,
    pub seal_spool: bool,
    pub spool_mib: u64,
    pub spool_days: Option<u32>,
    pub sensors: Sensors,
    pub content: Option<Content>,
}

/// What is kept for readers nearby.
#[derive(Clone, Debug)]
pub struct Content {
    pub(crate) listen: SocketAddr,
    pub(crate) token: Option<Secret>,
    pub(crate) most_bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the state folder {path} cannot be made; give a folder that this user may write")]
    State { path: PathBuf, source: io::Error },
    #[error("no aggregator is known: give --server HOST:PORT, or enrol this machine")]
    NoServer,
    #[error("{path} is no folder; --procfs-root names a mounted or recorded /proc")]
    Procfs { path: PathBuf },
    #[error("the settings in {path} cannot be read; mend the file or enrol anew")]
    Settings { path: PathBuf, source: Box<figment::Error> },
    #[error("the sensors in {path} are not sound: {faults}")]
    Sensors { path: PathBuf, faults: String },
    #[error(
        "the readers' token can't be read from {path}: its first line is empty, or longer than 512 bytes, or no text"
    )]
    Token { path: PathBuf },
    #[error("the settings in {path} cannot be written")]
    WriteSettings { path: PathBuf, source: io::Error },
}

impl RunArguments {
    /// The validated configuration: flags over what enrolment left.
    ///
    /// # Errors
    /// Where a folder is missing or no aggregator is known.
    pub fn into_config(self) -> Result<RunConfig, ConfigError> {
        make_state(&self.state)?;
        let settings = Settings::load(&self.state)?;
        let servers = if self.servers.is_empty() { settings.servers } else { self.servers };
        if servers.is_empty() {
            return Err(ConfigError::NoServer);
        }
        if !self.procfs_root.is_dir() {
            return Err(ConfigError::Procfs { path: self.procfs_root });
        }
        let sensors = Sensors::load(self.config.as_deref())?;
        let token = self.content_token_file.as_deref().map(token).transpose()?;
        let most_bytes = self.content_mib * 1024 * 1024;
        let content = self.content_listen.map(|listen| Content { listen, token, most_bytes });
        Ok(RunConfig {
            state: self.state,
            servers,
            guard_socket: self.guard_socket,
            runner_socket: self.runner_socket,
            compiler: self.compiler,
            plugins: self.plugins,
            procfs_root: self.procfs_root,
            name: settings.name,
            simulated: self.simulated || settings.simulated,
            seal_spool: self.seal_spool || settings.seal_spool,
            spool_mib: self.spool_mib,
            spool_days: self.spool_days,
            sensors,
            content,
        })
    }
}

fn token(path: &Path) -> Result<Secret, ConfigError> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() || line.len() > 512 {
        return Err(ConfigError::Token { path: path.to_owned() });
    }
    Ok(Secret::new(line.to_owned()))
}

/// Makes the state folder, readable by this user alone.
pub(crate) fn make_state(path: &Path) -> Result<(), ConfigError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| ConfigError::State { path: path.to_owned(), source })
}
