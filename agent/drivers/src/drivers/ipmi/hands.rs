//! Acting on a chassis: each deed one session of the tool, each read back where IPMI can.

use super::tool::{Tool, Words};
use super::words::{dcmi_limit, field, power};
use super::{CAP, IDENTIFY, POWER};
use crate::driver::{Deadline, Hands};
use flyball_command::ResetType;
use flyball_driver_messages::{ActuatorEntry, ActuatorState, Deed, DeedError, DeedFault};
use flyball_units::NoData;
use std::sync::Arc;
use std::time::Duration;

/// Redfish's words for where to start from, the tool's own, and what the parameter reads back.
pub(super) const SOURCES: [(&str, &str, &str); 4] = [
    ("Pxe", "pxe", "Force PXE"),
    ("Hdd", "disk", "Force Boot from default Hard-Drive"),
    ("Cd", "cdrom", "Force Boot from CD/DVD"),
    ("BiosSetup", "bios", "Force Boot into BIOS Setup"),
];

pub(super) struct IpmiHands {
    pub(super) tool: Arc<Tool>,
    pub(super) entries: Vec<ActuatorEntry>,
    pub(super) most: Duration,
}

impl Hands for IpmiHands {
    fn act(
        &mut self,
        actuator: u16,
        deed: &Deed,
        deadline: Deadline,
    ) -> Result<ActuatorState, DeedError> {
        let Some(entry) = self.entries.get(usize::from(actuator)) else {
            return Err(DeedError::no_actuator());
        };
        match (entry.name.as_str(), deed) {
            (POWER, Deed::Reset(verb)) => {
                self.run(&format!("chassis power {}", word(*verb)?), deadline)?;
                self.power(deadline)
            }
            (POWER, Deed::Observe) => self.power(deadline),
            (POWER, Deed::BootOnce(source)) => self.boot_once(source, deadline),
            (IDENTIFY, Deed::SetLit(lit)) => {
                // 250 s is the most that every BMC takes; `force` is not in all of them.
                let seconds = if *lit { 250 } else { 0 };
                self.run(&format!("chassis identify {seconds}"), deadline)?;
                Ok(ActuatorState::Unknown(NoData::Missing))
            }
            // IPMI has no way to ask for it.
            (IDENTIFY, Deed::Observe) => Ok(ActuatorState::Unknown(NoData::Missing)),
            (CAP, Deed::SetLevel(watts)) => self.limit(entry, *watts, deadline),
            (CAP, Deed::ClearLevel) => {
                self.run("dcmi power deactivate", deadline)?;
                self.cap(deadline)
            }
            (CAP, Deed::Observe) => self.cap(deadline),
            (_, deed) => Err(DeedError::of_another_kind(deed)),
        }
    }
}

impl IpmiHands {
    /// Runs commands; one that fails is a refusal in the tool's own words.
    fn run(&self, commands: &str, deadline: Deadline) -> Result<Words, DeedError> {
        if deadline.left().is_none() {
            let message = "the time for it passed before it was read back; look where it stands";
            return Err(DeedError::new(DeedFault::Failed, message));
        }
        let words = self.tool.run(commands, deadline.at_most(self.most))?;
        let refused = words.complained.lines().find(|line| {
            let line = line.to_ascii_lowercase();
            ["failed", "invalid", "error", "insufficient"].iter().any(|word| line.contains(word))
        });
        match refused {
            Some(line) => {
                let kind = match line {
                    line if line.contains("Invalid command") => DeedFault::Unsupported,
                    _ => DeedFault::Refused,
                };
                Err(DeedError::new(kind, format!("`{}`: {line}", commands.trim())))
            }
            None if !words.succeeded => {
                let message = format!("`{}` failed without a word", commands.trim());
                Err(DeedError::new(DeedFault::Failed, message))
            }
            None => Ok(words),
        }
    }

    fn power(&self, deadline: Deadline) -> Result<ActuatorState, DeedError> {
        let words = self.run("chassis power status", deadline)?;
        Ok(power(&words.said)
            .map_or(ActuatorState::Unknown(NoData::Unparsable), ActuatorState::Power))
    }

    fn boot_once(&self, source: &str, deadline: Deadline) -> Result<ActuatorState, DeedError> {
        let known = SOURCES.iter().find(|(name, ..)| *name == source);
        let Some((_, word, shown)) = known else {
            let known: Vec<&str> = SOURCES.iter().map(|(name, ..)| *name).collect();
            let message = format!("it starts from one of: {}", known.join(", "));
            return Err(DeedError::unsupported(message));
        };
        self.run(&format!("chassis bootdev {word}"), deadline)?;
        let words = self.run("chassis bootparam get 5", deadline)?.said;
        let device = words.lines().find_map(|line| line.split_once("Boot Device Selector : "));
        let device = device.map_or("nothing", |(_, device)| device.trim());
        let once = words.contains("Options apply to only next boot");
        if device == *shown && once {
            return Ok(ActuatorState::Word(source.to_owned()));
        }
        let how = if once { "once" } else { "from now on" };
        let message = format!("it was told to start once from {source} and reads {device}, {how}");
        Err(DeedError::new(DeedFault::NotConfirmed, message))
    }

    fn limit(
        &self,
        entry: &ActuatorEntry,
        watts: f64,
        deadline: Deadline,
    ) -> Result<ActuatorState, DeedError> {
        if !(watts >= entry.min && watts <= entry.max) {
            let message = format!("{watts} W is outside {} to {} W", entry.min, entry.max);
            return Err(DeedError::new(DeedFault::Refused, message));
        }
        let whole = watts.floor();
        self.run(&format!("dcmi power set_limit limit {whole}"), deadline)?;
        self.run("dcmi power activate", deadline)?;
        let state = self.cap(deadline)?;
        match &state {
            ActuatorState::Level(level) if (level - watts).abs() <= entry.quantum => Ok(state),
            found => {
                let message = format!("it was told {whole} W and reads back {found:?}");
                Err(DeedError::new(DeedFault::NotConfirmed, message))
            }
        }
    }

    fn cap(&self, deadline: Deadline) -> Result<ActuatorState, DeedError> {
        // The answer that no limit is active comes with a completion code of its own.
        let words = self.tool.run("dcmi power get_limit", deadline.at_most(self.most))?;
        Ok(cap_state(&words.said))
    }
}

/// Where a cap stands by the tool's words.
pub(super) fn cap_state(words: &str) -> ActuatorState {
    match dcmi_limit(words) {
        Some((watts, true)) => ActuatorState::Level(watts),
        Some((_, false)) => ActuatorState::Automatic,
        None if field(words, "Current Limit State").is_some() => ActuatorState::Automatic,
        None => ActuatorState::Unknown(NoData::Missing),
    }
}

/// The tool's word for a verb.
fn word(verb: ResetType) -> Result<&'static str, DeedError> {
    Ok(match verb {
        ResetType::On => "on",
        ResetType::ForceOff => "off",
        ResetType::GracefulShutdown => "soft",
        ResetType::ForceRestart => "reset",
        ResetType::PowerCycle => "cycle",
        ResetType::Nmi => "diag",
        ResetType::GracefulRestart | ResetType::Suspend => {
            return Err(DeedError::unsupported(format!("IPMI has no {}", verb.name())));
        }
    })
}
