//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Holds this machine's limits and its actuators, with no network and no agent.
#[derive(Debug, Parser)]
#[command(name = "flyball-guard", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read the machine's sensors, keep its limits, and serve the agent.
    Run(Run),
    /// Print the limits and actuators of a running guard.
    Status(Status),
    /// Check a policy file against this machine, and name all of its faults.
    Check(Check),
    /// Set, list and remove the credentials of equipment, which are sealed at rest.
    Credential(CredentialArgs),
    /// Read the guard's own record of what it saw and did.
    Journal(JournalArgs),
    /// Give the fans back to the firmware after a guard that could not do it itself.
    Release(Release),
}

/// Where the machine's files are.
#[derive(Clone, Debug, Args)]
pub(crate) struct Tree {
    /// The root of sysfs; another one than /sys is a recorded or simulated board.
    #[arg(long, value_name = "DIR", default_value = "/sys")]
    pub(crate) sysfs_root: PathBuf,
    /// The root of procfs.
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    pub(crate) procfs_root: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The Unix socket that the agent attaches to; made with mode 0600.
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: PathBuf,
    /// The folder of the journal, of latched trips and of the command counter.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// The local policy; without one the hardware's own thresholds are in force.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The device and the command key that it obeys; without one every command is refused.
    #[arg(long, value_name = "FILE")]
    pub(crate) pin: Option<PathBuf>,
    /// The equipment behind a network that this machine manages.
    #[arg(long, value_name = "FILE")]
    pub(crate) equipment: Option<PathBuf>,
    /// The program that reaches equipment; without one it is `flyball-driver` beside this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) driver: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tree: Tree,
    /// Evaluate and say what would be done, and drive nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The socket of the guard.
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    #[command(flatten)]
    pub(crate) tree: Tree,
}

#[derive(Debug, Args)]
pub(crate) struct Release {
    /// The state folder of the guard that has ended.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    #[command(flatten)]
    pub(crate) tree: Tree,
}

#[derive(Debug, Args)]
pub(crate) struct JournalArgs {
    #[command(subcommand)]
    pub(crate) look: Look,
    /// The state folder of the guard.
    #[arg(long, value_name = "DIR", global = true, default_value = "/var/lib/flyball/guard")]
    pub(crate) state: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Look {
    /// Check that every line follows from the one before it.
    Verify,
    /// Print the newest lines.
    Show {
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: usize,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CredentialArgs {
    #[command(subcommand)]
    pub(crate) deed: CredentialDeed,
    /// The state folder of the guard.
    #[arg(long, value_name = "DIR", global = true, default_value = "/var/lib/flyball/guard")]
    pub(crate) state: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialDeed {
    /// Seal a credential; its secret is read from standard input.
    Set {
        /// Its name: that of the equipment, or the one that the equipment file gives.
        name: String,
        /// The user, where there is one.
        #[arg(long, value_name = "NAME", default_value = "")]
        user: String,
    },
    /// Print the names of the credentials, and which of them can't be opened.
    List,
    /// Remove a credential.
    Remove { name: String },
}
