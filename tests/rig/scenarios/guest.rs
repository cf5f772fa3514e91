//! A guest with the guard in it, as a machine of the fleet has it.

use flyball_rig::{Kit, Machine, Network, Page, Plant};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// Ends what hangs; a machine that shares its processor is slow.
const PATIENCE: Duration = Duration::from_secs(180);
const LIMIT: &str = "cpu-temperature";
const STATUS: &str = "flyball-guard status --socket /run/guard.sock";

pub(crate) struct Guest {
    pub(crate) machine: Machine,
    /// The limit's state when it was last asked for.
    known: String,
}

impl Guest {
    /// Boots a machine that has guard, agent and policy in its file system.
    pub(crate) fn boot(network: Network) -> Self {
        let kit = Kit::find().unwrap();
        let own = Kit::guest_file;
        let program = |name: &str| (kit.program(name).unwrap(), format!("/bin/{name}"));
        let mut files: Vec<(PathBuf, String)> = vec![
            program("flyball-guard"),
            (own("guard-policy.toml"), "/etc/guard-policy.toml".into()),
            (own("orderly-stop"), "/bin/orderly-stop".into()),
        ];
        if network == Network::User {
            files.push(program("flyball-agent"));
        }
        let machine = Machine::boot(&kit, network, &files).unwrap();
        Self { machine, known: String::new() }
    }

    /// Starts the guard, and waits until it answers.
    pub(crate) fn start_guard(&mut self) {
        let line = "flyball-guard run --socket /run/guard.sock --state /state \
                    --policy /etc/guard-policy.toml --pin /run/pin.toml >> /run/guard.log 2>&1 &";
        self.machine.run(line).unwrap();
        if let Err(error) =
            self.machine.run_until(STATUS, PATIENCE, |text| text.contains("limits:"))
        {
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
        self.machine.run_until("pidof flyball-guard", PATIENCE, gone).unwrap();
        self.machine.run("rm -f /state/latches*; : > /run/guard.log").unwrap();
        self.start_guard();
    }

    /// Waits until the guard has read everything and is content.
    pub(crate) fn until_calm(&mut self) {
        let calm =
            |text: &str| text.contains("normal    cpu-temperature") && !text.contains("  unknown ");
        self.wait_for("a calm start", calm);
        self.known = "normal".to_owned();
    }

    /// Asks the guard about the temperature: a new state is marked in the plant's trace, and one
    /// beyond a warning is given back with what the guard says of it.
    pub(crate) fn concern(&mut self, plant: &Plant) -> Option<String> {
        thread::sleep(Duration::from_millis(500));
        let status = self.status();
        let line = status.lines().find(|line| line.contains(LIMIT)).unwrap_or_default().trim();
        let (state, rest) = line.split_once(' ').unwrap_or(("unknown", ""));
        if state != self.known {
            plant.mark(state);
            self.known = state.to_owned();
        }
        let said = rest.replace(LIMIT, "");
        let said = said.split(',').next().unwrap_or_default().trim();
        let calm = ["normal", "warning", "unknown"].contains(&state);
        // A limit that has no value says a dash.
        let at =
            if said.starts_with('-') { "without a value".to_owned() } else { format!("at {said}") };
        (!calm).then(|| format!("{state} {at}"))
    }

    pub(crate) fn status(&mut self) -> String {
        self.machine.run(STATUS).unwrap()
    }

    /// Waits until `good` likes the status.
    pub(crate) fn wait_for(&mut self, what: &str, good: impl Fn(&str) -> bool) {
        if let Err(error) = self.machine.run_until(STATUS, PATIENCE, good) {
            panic!("waiting for {what}: {error:#}\n{}", self.log());
        }
    }

    pub(crate) fn log(&mut self) -> String {
        self.machine.run("cat /run/guard.log").unwrap()
    }
}
