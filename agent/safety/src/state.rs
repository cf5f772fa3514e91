//! The states of a limit and the steps of the ladder.

use crate::Moment;

/// Where a limit stands, with what that state has to remember.
///
/// ```text
///              K good samples        over warning            over limit
///   Unknown ────────────────▶ Normal ────────────▶ Warning ────────────▶ Limiting
///      │                        ▲ ▲ ◀────────────     │  ◀────────────     │
///      │                        │ │  released          │    released        │
///      │ stale                  │ │ cleared            │ over trip          │
///      ▼         group reads    │ │                    ▼                    │
///   Failsafe ───────────────────┘ └──────────────── Tripped ◀───────────────┘
///      ▲                                           (latched)
///      └── from Normal, Warning and Limiting when the group is lost
/// ```
///
/// A limit passes states upwards as far as a sample tells it, and downwards one step of the
/// ladder per release time. From `Unknown` and `Failsafe` hot samples lead straight to
/// `Warning`, `Limiting` or `Tripped`. `Tripped` stands through a loss of its sensors, because
/// it asks for more than `Failsafe`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    /// Nothing has been read yet, or not often enough.
    Unknown { since: Moment },
    /// Its group reads, and nothing is passed.
    Normal { since: Moment },
    /// The warning is passed: told, and fans rise.
    Warning(Raised),
    /// The limit is passed: nothing that adds heat is taken, and the ladder climbs.
    Limiting(Raised),
    /// Latched until it is cleared by somebody with the right.
    Tripped(Tripped),
    /// Its group can't be relied upon.
    Failsafe(Failsafe),
}

/// A limit on the ladder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Raised {
    pub since: Moment,
    pub step: Step,
    /// Since when the step stands, or since when its next step down may be counted.
    pub(crate) step_since: Moment,
    /// Since when the reading is under the threshold of the state.
    pub(crate) calm_since: Option<Moment>,
}

/// A latched trip and what proved it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tripped {
    pub since: Moment,
    pub reading: Option<f64>,
    pub threshold: Option<f64>,
    pub cause: TripCause,
    /// The highest step that it has come to: `CapMin` where the zone has none above, `Shutdown`
    /// or `HardOff` where it has, `Alert` where the limit only tells.
    pub step: Step,
}

/// What made a limit trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TripCause {
    /// The trip threshold was passed.
    Threshold,
    /// The limit stayed passed at the end of the ladder, with an actuator or a host that does
    /// not obey, or for longer than the zone's ladder allows.
    LadderExhausted,
    /// It stood when the guard last ran.
    Restored,
}

/// A limit whose group cannot be relied upon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Failsafe {
    pub since: Moment,
    /// The step that stood when the group was lost, or that failsafe has climbed to since.
    pub held: Option<Step>,
    /// Since when the step stands.
    pub(crate) climbed_at: Moment,
    /// Since when the group reads again.
    pub(crate) sighted_since: Option<Moment>,
}

/// The state without what it remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateKind {
    Unknown,
    Normal,
    Warning,
    Limiting,
    Tripped,
    Failsafe,
}

/// The ladder. Steps that a machine has no actuator for are passed at once.
///
/// ```text
///   Alert ─▶ FansRaised ─▶ FansFull ─▶ CapSafe ─▶ CapMin ─▶ Quiesce ─▶ Suspend
///   └──────── warning ────────┘   └───── limiting, released step by step ────┘
///                                                          trip │ latched
///                                                               ▼
///                                                  CapMin or Shutdown ─▶ HardOff
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An event, and nothing is driven.
    Alert,
    /// Fans at their failsafe level or more.
    FansRaised,
    FansFull,
    /// Power at the safe cap or less, fans at full.
    CapSafe,
    CapMin,
    /// Plugins paused and workloads told.
    Quiesce,
    /// The machine sleeps.
    Suspend,
    /// The machine, and what sheds in its zone, stops in order. Latched.
    Shutdown,
    /// Power is cut. Latched.
    HardOff,
}

impl Step {
    /// The next step up; `None` at the top.
    #[must_use]
    pub const fn up(self) -> Option<Self> {
        match self {
            Self::Alert => Some(Self::FansRaised),
            Self::FansRaised => Some(Self::FansFull),
            Self::FansFull => Some(Self::CapSafe),
            Self::CapSafe => Some(Self::CapMin),
            Self::CapMin => Some(Self::Quiesce),
            Self::Quiesce => Some(Self::Suspend),
            Self::Suspend => Some(Self::Shutdown),
            Self::Shutdown => Some(Self::HardOff),
            Self::HardOff => None,
        }
    }

    /// The next step down; `None` at the bottom.
    #[must_use]
    pub const fn down(self) -> Option<Self> {
        match self {
            Self::Alert => None,
            Self::FansRaised => Some(Self::Alert),
            Self::FansFull => Some(Self::FansRaised),
            Self::CapSafe => Some(Self::FansFull),
            Self::CapMin => Some(Self::CapSafe),
            Self::Quiesce => Some(Self::CapMin),
            Self::Suspend => Some(Self::Quiesce),
            Self::Shutdown => Some(Self::Suspend),
            Self::HardOff => Some(Self::Shutdown),
        }
    }
}

impl State {
    #[must_use]
    pub const fn kind(&self) -> StateKind {
        match self {
            Self::Unknown { .. } => StateKind::Unknown,
            Self::Normal { .. } => StateKind::Normal,
            Self::Warning(_) => StateKind::Warning,
            Self::Limiting(_) => StateKind::Limiting,
            Self::Tripped(_) => StateKind::Tripped,
            Self::Failsafe(_) => StateKind::Failsafe,
        }
    }

    #[must_use]
    pub const fn since(&self) -> Moment {
        match self {
            Self::Unknown { since } | Self::Normal { since } => *since,
            Self::Warning(raised) | Self::Limiting(raised) => raised.since,
            Self::Tripped(tripped) => tripped.since,
            Self::Failsafe(failsafe) => failsafe.since,
        }
    }

    /// The step of the ladder that stands, the one that failsafe holds among them.
    #[must_use]
    pub const fn step(&self) -> Option<Step> {
        match self {
            Self::Unknown { .. } | Self::Normal { .. } => None,
            Self::Tripped(tripped) => Some(tripped.step),
            Self::Warning(raised) | Self::Limiting(raised) => Some(raised.step),
            Self::Failsafe(failsafe) => failsafe.held,
        }
    }

    pub(crate) fn transition_to_normal(&mut self, now: Moment) {
        *self = Self::Normal { since: now };
    }

    pub(crate) fn transition_to_unknown(&mut self, now: Moment) {
        *self = Self::Unknown { since: now };
    }

    pub(crate) fn transition_to_warning(&mut self, step: Step, now: Moment) {
        *self = Self::Warning(Raised::at(step, now));
    }

    pub(crate) fn transition_to_limiting(&mut self, step: Step, now: Moment) {
        *self = Self::Limiting(Raised::at(step, now));
    }

    pub(crate) fn transition_to_tripped(
        &mut self,
        reading: Option<f64>,
        threshold: Option<f64>,
        cause: TripCause,
        step: Step,
        now: Moment,
    ) {
        *self = Self::Tripped(Tripped { since: now, reading, threshold, cause, step });
    }

    pub(crate) fn transition_to_failsafe(&mut self, now: Moment) {
        let held = self.step();
        *self = Self::Failsafe(Failsafe { since: now, held, climbed_at: now, sighted_since: None });
    }
}

impl Raised {
    const fn at(step: Step, now: Moment) -> Self {
        Self { since: now, step, step_since: now, calm_since: None }
    }
}

impl StateKind {
    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Limiting => "limiting",
            Self::Tripped => "tripped",
            Self::Failsafe => "failsafe",
        }
    }
}
