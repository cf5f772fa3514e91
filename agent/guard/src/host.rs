//! The machine itself as an actuator: commands of the policy that quiesce it, put it to sleep and
//! stop it, and services of the allow-list.
//!
//! Each command is a program with its arguments, never a shell; it runs beside the others, and
//! one that outlasts its time is killed. A simulated board has no commands but those that its
//! policy names: it never stops the machine that it is simulated on.

mod run;
mod service;

use crate::catalog::{ActuatorEntry, Catalog};
use crate::policy::Policy;
use crate::sources::{Errand, Sources};
use flyball_command::PowerState;
use flyball_command::ResetType;
use flyball_driver_messages::{ActuatorState, Deed};
use flyball_guard_messages::ActuatorKind;
use flyball_safety::HostLevel;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// The machine's own power.
pub(crate) const POWER: &str = "host/power";
const SERVICE_PREFIX: &str = "service/";
/// Commands that run at once; more wait.
const ERRANDS: usize = 8;
const STACK_BYTES: usize = 96 * 1024;
const WITHIN: Duration = Duration::from_secs(30);
const SYSTEMCTL: &str = "/usr/bin/systemctl";

/// What the machine can be asked, and by which command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    quiesce: Vec<String>,
    resume: Vec<String>,
    suspend: Vec<String>,
    shutdown: Vec<String>,
    restart: Vec<String>,
    services: Vec<String>,
    systemctl: Vec<String>,
    within: Duration,
    /// The policy itself names the command that stops the machine.
    shutdown_is_named: bool,
}

impl Host {
    pub(crate) fn of(policy: &Policy, simulated: bool) -> Self {
        let rule = &policy.host;
        let or_default = |command: &[String], verb: &str| {
            if !command.is_empty() {
                command.to_vec()
            } else if simulated {
                Vec::new()
            } else {
                vec![SYSTEMCTL.to_owned(), verb.to_owned()]
            }
        };
        let systemctl = match policy.services.command.as_slice() {
            [] if simulated => Vec::new(),
            [] => vec![SYSTEMCTL.to_owned()],
            command => command.to_vec(),
        };
        Self {
            quiesce: rule.quiesce.clone(),
            resume: rule.resume.clone(),
            // Only where somebody has proved that it wakes: there is no default.
            suspend: rule.suspend.clone(),
            shutdown: or_default(&rule.shutdown, "poweroff"),
            restart: or_default(&rule.restart, "reboot"),
            services: if systemctl.is_empty() { Vec::new() } else { policy.services.allow.clone() },
            systemctl,
            within: rule.within.unwrap_or(WITHIN),
            shutdown_is_named: !rule.shutdown.is_empty(),
        }
    }

    /// Adds the machine's power and its services to the catalog. Gives back their places.
    pub(crate) fn place(&self, catalog: &mut Catalog) -> Vec<usize> {
        let mut verbs = Vec::new();
        let commands = [
            (&self.shutdown, ResetType::GracefulShutdown),
            (&self.restart, ResetType::GracefulRestart),
            (&self.suspend, ResetType::Suspend),
        ];
        verbs.extend(commands.iter().filter(|(it, _)| !it.is_empty()).map(|(_, verb)| *verb));
        let mut entries = Vec::new();
        if !verbs.is_empty() {
            // It runs as long as its guard does.
            let state = Some(ActuatorState::Power(PowerState::On));
            let entry = ActuatorEntry::without_level(POWER.to_owned(), ActuatorKind::Switch);
            entries.push(ActuatorEntry { verbs, state, ..entry });
        }
        entries.extend(
            self.services
                .iter()
                .map(|name| ActuatorEntry::without_level(service_id(name), ActuatorKind::Service)),
        );
        entries.into_iter().filter_map(|entry| catalog.add_actuator(entry).index()).collect()
    }

    /// Whether the ladder may ask for `level`. It never stops a machine whose policy did not say
    /// how: what a person may ask by default, the ladder may not.
    pub(crate) fn ladder_command(&self, level: HostLevel) -> bool {
        self.command(level).is_some() && (level != HostLevel::Stopping || self.shutdown_is_named)
    }

    /// The command that brings the machine to `level`; `None` where the policy has none.
    pub(crate) fn command(&self, level: HostLevel) -> Option<&[String]> {
        let command = match level {
            HostLevel::Running => &self.resume,
            HostLevel::Quiesced => &self.quiesce,
            HostLevel::Suspended => &self.suspend,
            HostLevel::Stopping => &self.shutdown,
        };
        (!command.is_empty()).then_some(command.as_slice())
    }

    /// Starts the thread that runs the commands.
    ///
    /// # Errors
    /// Where it can't be started.
    pub(crate) fn start(self, sources: Sources) -> io::Result<SyncSender<Job>> {
        let (jobs, inbox) = sync_channel(ERRANDS);
        thread::Builder::new()
            .name("host".into())
            .stack_size(STACK_BYTES)
            .spawn(move || run::Runner::new(self, sources, inbox).run())?;
        Ok(jobs)
    }
}

/// The actuator of a service.
pub(crate) fn service_id(name: &str) -> String {
    format!("{SERVICE_PREFIX}{name}")
}

/// What the host's thread is asked.
#[derive(Debug)]
pub(crate) enum Job {
    /// By a command of a person.
    Errand(Errand),
    /// By the ladder. Its end is told as [`crate::sources::Change::Done`] too.
    Level { request: u64, level: HostLevel, limit: String },
}

/// Which level a verb of the machine's power is.
const fn level_of(reset: ResetType) -> Option<HostLevel> {
    match reset {
        ResetType::GracefulShutdown => Some(HostLevel::Stopping),
        ResetType::Suspend => Some(HostLevel::Suspended),
        ResetType::On
        | ResetType::ForceOff
        | ResetType::GracefulRestart
        | ResetType::ForceRestart
        | ResetType::PowerCycle
        | ResetType::Nmi => None,
    }
}

/// The command of a deed on the machine's power, and where the machine is on its way then.
fn power<'a>(host: &'a Host, deed: &Deed) -> Option<(&'a [String], PowerState)> {
    let Deed::Reset(reset) = deed else {
        return None;
    };
    let command = match level_of(*reset) {
        Some(level) => host.command(level)?,
        None if *reset == ResetType::GracefulRestart => host.restart.as_slice(),
        None => return None,
    };
    let state = match reset {
        // It slept and woke, or the command would not have ended.
        ResetType::Suspend => PowerState::On,
        _ => PowerState::PoweringOff,
    };
    (!command.is_empty()).then_some((command, state))
}
