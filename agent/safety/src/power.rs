//! Power of a machine or an outlet: where a switch stands and what may be asked of it, in the
//! meaning of Redfish's `PowerState` and `ResetType` (DSP0268).

/// Where a switch was seen to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Power {
    On,
    Off,
    PoweringOn,
    PoweringOff,
    /// Suspended to memory.
    Paused,
}

/// What may be asked of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
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

impl Verb {
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

    /// It leads current into something: what locks, trips and interlocks stand against.
    #[must_use]
    pub const fn energises(self) -> bool {
        match self {
            Self::On | Self::GracefulRestart | Self::ForceRestart | Self::PowerCycle => true,
            Self::ForceOff | Self::GracefulShutdown | Self::Nmi | Self::Suspend => false,
        }
    }

    /// It interrupts what runs.
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

    /// Work may be lost by it: it is armed first and confirmed then.
    #[must_use]
    pub const fn is_destructive(self) -> bool {
        match self {
            Self::ForceOff | Self::ForceRestart | Self::PowerCycle | Self::Nmi => true,
            Self::On | Self::GracefulShutdown | Self::GracefulRestart | Self::Suspend => false,
        }
    }

    /// The state that proves it done.
    #[must_use]
    pub const fn leads_to(self) -> Power {
        match self {
            Self::On
            | Self::GracefulRestart
            | Self::ForceRestart
            | Self::PowerCycle
            | Self::Nmi => Power::On,
            Self::ForceOff | Self::GracefulShutdown => Power::Off,
            Self::Suspend => Power::Paused,
        }
    }

    /// Its end can be told by the state alone: it leads to another one than it starts from.
    pub(crate) const fn shows(self) -> bool {
        match self {
            Self::On | Self::ForceOff | Self::GracefulShutdown | Self::Suspend => true,
            Self::GracefulRestart | Self::ForceRestart | Self::PowerCycle | Self::Nmi => false,
        }
    }

    /// A BMC in transition drops what it is asked, so nothing but a forced off is sent to one.
    pub(crate) const fn fits(self, state: Power) -> Fit {
        match (self, state) {
            (Self::On, Power::Off | Power::Paused)
            | (
                Self::ForceOff,
                Power::On | Power::PoweringOn | Power::PoweringOff | Power::Paused,
            )
            | (
                Self::GracefulShutdown
                | Self::GracefulRestart
                | Self::ForceRestart
                | Self::PowerCycle
                | Self::Nmi
                | Self::Suspend,
                Power::On,
            ) => Fit::Fits,
            (Self::On, Power::On | Power::PoweringOn)
            | (Self::ForceOff, Power::Off)
            | (Self::GracefulShutdown, Power::Off | Power::PoweringOff)
            | (Self::Suspend, Power::Paused) => Fit::Done,
            (Self::On, Power::PoweringOff)
            | (Self::GracefulShutdown, Power::PoweringOn | Power::Paused)
            | (
                Self::GracefulRestart | Self::ForceRestart | Self::PowerCycle | Self::Nmi,
                Power::Off | Power::PoweringOn | Power::PoweringOff | Power::Paused,
            )
            | (Self::Suspend, Power::Off | Power::PoweringOn | Power::PoweringOff) => Fit::Wrong,
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The verbs that a switch takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Verbs(u8);

impl Verbs {
    #[must_use]
    pub fn of(verbs: &[Verb]) -> Self {
        Self(verbs.iter().fold(0, |set, verb| set | verb.bit()))
    }

    #[must_use]
    pub const fn contains(self, verb: Verb) -> bool {
        self.0 & verb.bit() != 0
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_into_it_and_once_is_as_good_as_twice() {
        let set = Verbs::of(&[Verb::On, Verb::Nmi, Verb::On]);
        let held: [bool; 8] = Verb::ALL.map(|verb| set.contains(verb));
        assert_eq!(held, [true, false, false, false, false, false, true, false]);
        assert!(!set.is_empty() && Verbs::of(&[]).is_empty());
    }
}
