//! A guest with the guard in it, as a machine of the fleet has it.

use flyball_rig::{Kit, Machine, Network, Page};
use std::path::{Path, PathBuf};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
const STATUS: &str = "flyball-guard status --socket /run/guard.sock";

pub(crate) struct Guest {
    pub(crate) machine: Machine,
}

impl Guest {
    /// Boots a machine that has guard, agent and policy in its file system.
    pub(crate) fn boot(network: Network) -> Self {
        let kit = Kit::find().unwrap();
        let own = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("guest").join(name);
        let program = |name: &str| (kit.program(name).unwrap(), format!("/bin/{name}"));
        let mut files: Vec<(PathBuf, String)> = vec![
            program("flyball-guard"),
            (own("guard-policy.toml"), "/etc/guard-policy.toml".into()),
            (own("orderly-stop"), "/bin/orderly-stop".into()),
        ];
        if network == Network::User {
            files.push(program("flyball-agent"));
        }
        Self { machine: Machine::boot(&kit, network, &files).unwrap() }
    }

    /// Starts the guard, and waits until it answers.
    pub(crate) fn start_guard(&mut self) {
        let line = "flyball-guard run --socket /run/guard.sock --state /state \
                    --policy /etc/guard-policy.toml --pin /run/pin.toml >> /run/guard.log 2>&1 &";
        self.machine.run(line).unwrap();
        if let Err(error) = self.machine.run_until(STATUS, SOON, |text| text.contains("limits:")) {
            panic!("{error:#}\n{}", self.log());
        }
    }

    pub(crate) fn page(&self) -> Page {
        self.machine.page().unwrap()
    }

    /// Ends the guard as nothing should be ended.
    pub(crate) fn kill_guard(&mut self) {
        self.machine.run("kill -9 $(pidof flyball-guard)").unwrap();
    }

    /// A new guard without anything that the last one had latched.
    pub(crate) fn restart_guard(&mut self) {
        self.machine.run("kill $(pidof flyball-guard)").unwrap();
        let gone = |text: &str| text.is_empty();
        self.machine.run_until("pidof flyball-guard", SOON, gone).unwrap();
        self.machine.run("rm -f /state/latches*; : > /run/guard.log").unwrap();
        self.start_guard();
    }

    /// The first word of a limit's line in the status.
    pub(crate) fn state_of(&mut self, limit: &str) -> String {
        let status = self.status();
        let line = status.lines().find(|line| line.contains(limit)).unwrap_or_default();
        line.split_whitespace().next().unwrap_or("unknown").to_owned()
    }

    pub(crate) fn status(&mut self) -> String {
        self.machine.run(STATUS).unwrap()
    }

    /// Waits until `good` likes the status.
    pub(crate) fn wait_for(&mut self, what: &str, patience: Duration, good: impl Fn(&str) -> bool) {
        if let Err(error) = self.machine.run_until(STATUS, patience, good) {
            panic!("waiting for {what}: {error:#}\n{}", self.log());
        }
    }

    pub(crate) fn log(&mut self) -> String {
        self.machine.run("cat /run/guard.log").unwrap()
    }
}
