//! What the guard's ring holds: samples, events and outcomes in one order.

use crate::LimitState;
use flyball_command::Outcome;
use flyball_units::{NoData, Unit};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Unix milliseconds. Samples carry their tick, a whole multiple of their cadence.
    pub at_ms: u64,
    pub body: RecordBody,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RecordBody {
    /// All series of one tick, in the order of the series list.
    ///
    /// A tick is the name of a whole second of the wall clock, and guard and agent keep one rule:
    /// where the clock is set, either way, `ClockStepped` says so and the next tick is the next
    /// whole second of the new time. Nobody waits for the old time to come again. A second that
    /// comes twice may be sampled twice; the agent's books take the first and leave the other out.
    Samples(Vec<Sample>),
    Event(GuardEvent),
    Outcome(Outcome),
    /// The ring was full: the records of this span are lost.
    Lost {
        from_ms: u64,
        to_ms: u64,
        records: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Index into the series list of `Attached`.
    pub series: u16,
    pub value: Result<f64, NoData>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// Something that the guard did or saw, with what proves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardEvent {
    pub kind: EventKind,
    pub severity: Severity,
    /// The limit, actuator or sensor by its name.
    pub subject: String,
    /// One sentence for a person.
    pub message: String,
    pub reading: Option<f64>,
    pub threshold: Option<f64>,
    pub unit: Option<Unit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    GuardStarted,
    GuardStopping,
    LimitState {
        from: LimitState,
        to: LimitState,
    },
    SensorLost,
    SensorBack,
    ActuatorDriven,
    /// The read-back did not agree.
    ActuatorStuck,
    CommandAccepted,
    CommandClamped,
    CommandRefused,
    TripCleared,
    ClockStepped,
    CycleLate,
    PolicyRejected,
    /// The ladder moved within a limit's state.
    LadderStep,
    /// Failsafe has outlasted its grace: the fans are at full.
    FailsafeClimbed,
    /// A stuck actuator agrees again.
    ActuatorBack,
    /// More happened at once than the engine could tell.
    EventsLost,
    /// A limit has tripped and the policy asks for an orderly shutdown.
    ShutdownWanted,
    /// The trips of the guard's last run can't be read: every limit that can trip is latched.
    LatchesLost,
    /// An interlock began or ceased to forbid.
    Interlock {
        active: bool,
    },
    LockSet,
    LockReleased,
    /// A dangerous command waits for its second hand.
    CommandArmed,
    /// A switch was asked to do something.
    Switched,
    /// A switch did not do what it was asked within its time.
    SwitchFailed,
    EquipmentLost,
    EquipmentBack,
    /// Sensors or actuators came or went.
    HardwareChanged,
    /// The ladder asks something of the host: to quiesce, to suspend, to shut down.
    HostAsked,
    /// A fleet policy was taken; what of it would have loosened a limit is named.
    PolicyTaken,
    /// The machine was reset by its watchdog before this run.
    WatchdogReset,
    /// A person's hold puts a step of the ladder off.
    StepHeld,
    /// A hold, or what somebody asked of an actuator, has come to its end.
    ClaimOver,
    SelfTestBegan,
    /// Not passed is failed, or broken off.
    SelfTestEnded {
        passed: bool,
    },
    /// No self-test could be run though one is due.
    SelfTestOverdue,
    /// The agent's spool lost entries, or had to be begun anew.
    SpoolDamaged,
}
