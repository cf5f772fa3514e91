//! Services of the allow-list: paused, stopped, and looked at by the init system's own program.

use super::{Host, SERVICE_PREFIX};
use crate::sources::Errand;
use flyball_driver_messages::{ActuatorState, Deed};

pub(crate) const PAUSED: &str = "paused";
pub(crate) const RUNNING: &str = "running";
pub(crate) const STOPPED: &str = "stopped";

/// The service that a command is about.
pub(super) struct Service(String);

/// The command of an errand. The word of the deed is the init system's verb.
pub(super) fn of(host: &Host, errand: &Errand) -> Option<(Vec<String>, Service)> {
    let name = errand.actuator.strip_prefix(SERVICE_PREFIX)?;
    let allowed = host.services.iter().any(|service| service == name);
    let Deed::SetWord(word) = &errand.deed else {
        return None;
    };
    if !allowed || !["freeze", "thaw", "stop", "start"].contains(&word.as_str()) {
        return None;
    }
    let mut command = host.systemctl.clone();
    command.extend([word.clone(), name.to_owned()]);
    Some((command, Service(name.to_owned())))
}

impl Service {
    /// The command that shows where the service stands.
    pub(super) fn shows(&self, host: &Host) -> Vec<String> {
        let mut command = host.systemctl.clone();
        let show = ["show", "--property=ActiveState,FreezerState", &self.0];
        command.extend(show.map(str::to_owned));
        command
    }
}

/// Where a service stands by what was shown of it.
pub(super) fn state(shown: &str) -> ActuatorState {
    ActuatorState::Word(word(shown).to_owned())
}

fn word(shown: &str) -> &'static str {
    let has = |line: &str| shown.lines().any(|shown| shown.trim() == line);
    if has("FreezerState=frozen") {
        PAUSED
    } else if has("ActiveState=active") {
        RUNNING
    } else {
        STOPPED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_what_the_init_system_shows() {
        for (shown, state) in [
            ("ActiveState=active\nFreezerState=running\n", RUNNING),
            ("ActiveState=active\nFreezerState=frozen\n", PAUSED),
            ("ActiveState=inactive\nFreezerState=running\n", STOPPED),
            ("", STOPPED),
        ] {
            assert_eq!(word(shown), state, "{shown:?}");
        }
    }
}
