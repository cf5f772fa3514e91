//! How a verb fits the state that a switch stands in, and the verbs that a switch takes.

use flyball_units::{PowerState, ResetType};

/// How a verb fits the state that a switch was seen in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It can be carried out.
    Fits,
    /// What it leads to stands already, or is on its way.
    Done,
    /// It makes no sense from here.
    Wrong,
}

/// A BMC in transition drops what it is asked, so nothing but a forced off is sent to one.
pub(crate) const fn fit(verb: ResetType, state: PowerState) -> Fit {
    match (verb, state) {
        (ResetType::On, PowerState::Off | PowerState::Paused)
        | (
            ResetType::ForceOff,
            PowerState::On | PowerState::PoweringOn | PowerState::PoweringOff | PowerState::Paused,
        )
        | (
            ResetType::GracefulShutdown
            | ResetType::GracefulRestart
            | ResetType::ForceRestart
            | ResetType::PowerCycle
            | ResetType::Nmi
            | ResetType::Suspend,
            PowerState::On,
        ) => Fit::Fits,
        (ResetType::On, PowerState::On | PowerState::PoweringOn)
        | (ResetType::ForceOff, PowerState::Off)
        | (ResetType::GracefulShutdown, PowerState::Off | PowerState::PoweringOff)
        | (ResetType::Suspend, PowerState::Paused) => Fit::Done,
        (ResetType::On, PowerState::PoweringOff)
        | (ResetType::GracefulShutdown, PowerState::PoweringOn | PowerState::Paused)
        | (
            ResetType::GracefulRestart
            | ResetType::ForceRestart
            | ResetType::PowerCycle
            | ResetType::Nmi,
            PowerState::Off | PowerState::PoweringOn | PowerState::PoweringOff | PowerState::Paused,
        )
        | (
            ResetType::Suspend,
            PowerState::Off | PowerState::PoweringOn | PowerState::PoweringOff,
        ) => Fit::Wrong,
    }
}

/// The verbs that a switch takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Verbs(u8);

impl Verbs {
    #[must_use]
    pub fn of(verbs: &[ResetType]) -> Self {
        Self(verbs.iter().fold(0, |set, verb| set | bit(*verb)))
    }

    #[must_use]
    pub const fn contains(self, verb: ResetType) -> bool {
        self.0 & bit(verb) != 0
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

const fn bit(verb: ResetType) -> u8 {
    1 << verb as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_into_it_and_once_is_as_good_as_twice() {
        let set = Verbs::of(&[ResetType::On, ResetType::Nmi, ResetType::On]);
        let held: [bool; 8] = ResetType::ALL.map(|verb| set.contains(verb));
        assert_eq!(held, [true, false, false, false, false, false, true, false]);
        assert!(!set.is_empty() && Verbs::of(&[]).is_empty());
    }
}
