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
    /// Ask something of a running guard as a person at the machine, whom nobody else outranks.
    Order(Order),
    /// Try every fan and cap that a limit can drive, and wait for what comes of it.
    SelfTest(SelfTestArgs),
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
pub(crate) struct SelfTestArgs {
    /// The socket of the guard; its control socket is beside it.
    #[arg(long, value_name = "PATH", default_value = "/run/flyball/guard.sock")]
    pub(crate) socket: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Order {
    #[command(subcommand)]
    pub(crate) deed: OrderDeed,
    /// The socket of the guard; its control socket is beside it.
    #[arg(long, value_name = "PATH", global = true, default_value = "/run/flyball/guard.sock")]
    pub(crate) socket: PathBuf,
    /// How long what is asked for stands. A level without it stands until it is withdrawn.
    #[arg(long = "for", value_name = "SECONDS", global = true)]
    pub(crate) for_s: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrderDeed {
    /// Hold the power under a cap; withdraw that where no watts are given.
    Cap {
        watts: Option<f64>,
        /// One actuator; all caps of the machine without it.
        #[arg(long, value_name = "ID")]
        actuator: Option<String>,
    },
    /// Let no fan turn below a duty of 0 to 1; withdraw that where none is given.
    Fan {
        duty: Option<f64>,
        /// One actuator; all fans of the machine without it.
        #[arg(long, value_name = "ID")]
        actuator: Option<String>,
    },
    /// Hold the processors' frequency under a ceiling; withdraw that where none is given.
    Frequency {
        hertz: Option<f64>,
        /// One actuator; all ceilings of the machine without it.
        #[arg(long, value_name = "ID")]
        actuator: Option<String>,
    },
    /// Switch a machine or an outlet: On, ForceOff, GracefulShutdown …
    Switch { switch: String, verb: String },
    /// Carry out what was armed.
    Confirm { operation: String },
    /// Choose a governor or a platform profile.
    Profile { actuator: String, profile: String },
    /// Pause, resume, stop or start a service of the allow-list.
    Service { service: String, verb: String },
    /// Lock something out, or lift a lock.
    #[command(subcommand)]
    Lock(LockDeed),
    /// Clear a trip that has latched.
    Clear {
        limit: String,
        #[arg(long)]
        reason: String,
    },
    /// Put steps of a limit's ladder off, from the named one up to Quiesce.
    Hold(Ladder),
    /// Lift such a hold.
    Release { limit: String },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LockDeed {
    Set {
        name: String,
        #[arg(long)]
        owner: String,
        #[arg(long)]
        reason: String,
        /// One actuator; the whole machine without it.
        #[arg(long, value_name = "ID")]
        target: Option<String>,
        /// Hold fans, caps and settings where they stand, too.
        #[arg(long)]
        levels: bool,
    },
    Lift {
        name: String,
        #[arg(long)]
        owner: String,
        /// Why somebody else than the owner lifts it.
        #[arg(long)]
        justification: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Ladder {
    pub(crate) limit: String,
    /// The lowest step that is put off.
    #[arg(long, default_value = "Quiesce")]
    pub(crate) from: String,
    #[arg(long)]
    pub(crate) reason: String,
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
