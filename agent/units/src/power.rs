//! Power of a machine or an outlet: what may be asked of a switch and where it stands, in
//! Redfish's words (`Resource.ResetType`, `Resource.PowerState`; DSP0268). Engine, drivers and
//! wire say the same ones.

use serde::{Deserialize, Serialize};

/// What may be asked of a switch. Numbered on the wire: new verbs go at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ResetType {
    On,
    /// Power is cut, whatever runs.
    ForceOff,
    /// The machine is asked to stop.
    GracefulShutdown,
    /// The machine is asked to stop and start again.
    GracefulRestart,
    ForceRestart,
    /// Off, a pause, and on again.
    PowerCycle,
    /// A non-maskable interrupt: a crash dump where one is set up.
    Nmi,
    Suspend,
}

/// Where a switch was seen to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PowerState {
    On,
    Off,
    PoweringOn,
    PoweringOff,
    /// Suspended to memory.
    Paused,
}

impl ResetType {
    pub const ALL: [Self; 8] = [
        Self::On,
        Self::ForceOff,
        Self::GracefulShutdown,
        Self::GracefulRestart,
        Self::ForceRestart,
        Self::PowerCycle,
        Self::Nmi,
        Self::Suspend,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "On",
            Self::ForceOff => "ForceOff",
            Self::GracefulShutdown => "GracefulShutdown",
            Self::GracefulRestart => "GracefulRestart",
            Self::ForceRestart => "ForceRestart",
            Self::PowerCycle => "PowerCycle",
            Self::Nmi => "Nmi",
            Self::Suspend => "Suspend",
        }
    }

    /// The verb of Redfish's word, which is written as it is.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }

    /// Whether it leads current into something: what locks, trips and interlocks stand against.
    #[must_use]
    pub const fn energises(self) -> bool {
        match self {
            Self::On | Self::GracefulRestart | Self::ForceRestart | Self::PowerCycle => true,
            Self::ForceOff | Self::GracefulShutdown | Self::Nmi | Self::Suspend => false,
        }
    }

    /// Whether it interrupts what runs.
    #[must_use]
    pub const fn interrupts(self) -> bool {
        match self {
            Self::On => false,
            Self::ForceOff
            | Self::GracefulShutdown
            | Self::GracefulRestart
            | Self::ForceRestart
            | Self::PowerCycle
            | Self::Nmi
            | Self::Suspend => true,
        }
    }

    /// Whether work may be lost by it: it is armed first and confirmed then.
    #[must_use]
    pub const fn is_destructive(self) -> bool {
        match self {
            Self::ForceOff | Self::ForceRestart | Self::PowerCycle | Self::Nmi => true,
            Self::On | Self::GracefulShutdown | Self::GracefulRestart | Self::Suspend => false,
        }
    }

    /// The state that proves it done.
    #[must_use]
    pub const fn leads_to(self) -> PowerState {
        match self {
            Self::On
            | Self::GracefulRestart
            | Self::ForceRestart
            | Self::PowerCycle
            | Self::Nmi => PowerState::On,
            Self::ForceOff | Self::GracefulShutdown => PowerState::Off,
            Self::Suspend => PowerState::Paused,
        }
    }

    /// Whether its end can be told by the state alone, and so asking twice is asking once: it
    /// leads to another state than it starts from.
    #[must_use]
    pub const fn shows(self) -> bool {
        match self {
            Self::On | Self::ForceOff | Self::GracefulShutdown | Self::Suspend => true,
            Self::GracefulRestart | Self::ForceRestart | Self::PowerCycle | Self::Nmi => false,
        }
    }
}

impl PowerState {
    pub const ALL: [Self; 5] =
        [Self::On, Self::Off, Self::PoweringOn, Self::PoweringOff, Self::Paused];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "On",
            Self::Off => "Off",
            Self::PoweringOn => "PoweringOn",
            Self::PoweringOff => "PoweringOff",
            Self::Paused => "Paused",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_and_states_are_called_by_redfishs_words_and_found_by_them_alone() {
        assert_eq!(ResetType::GracefulRestart.name(), "GracefulRestart");
        assert_eq!(PowerState::PoweringOff.name(), "PoweringOff");
        for verb in ResetType::ALL {
            assert_eq!(ResetType::from_name(verb.name()), Some(verb));
        }
        for state in PowerState::ALL {
            assert_eq!(PowerState::from_name(state.name()), Some(state));
        }
        for other in ["", "on", "OFF", "Reboot"] {
            assert_eq!((ResetType::from_name(other), PowerState::from_name(other)), (None, None));
        }
    }
}
