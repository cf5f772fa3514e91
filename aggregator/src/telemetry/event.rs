//! Events: what a guard did or saw, as operators read it.

use crate::fleet::DeviceId;
use crate::listing::Listing;
use crate::tenancy::Sight;
use flyball_protocol::guard::{EventKind, GuardEvent, LimitState, Severity};
use flyball_units::Unit;
use serde::{Deserialize, Serialize};

/// An event's number at this aggregator, rising with its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub i64);

/// The kind of the aggregator's own event: an entry of the device could not be taken in.
pub(crate) const QUARANTINED: &str = "entry.quarantined";

/// And: the device was seen in two places at once.
pub(crate) const TWO_PLACES: &str = "device.quarantined";

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub device: DeviceId,
    pub at_ms: u64,
    /// Such as `limit.tripped` or `command.refused`.
    pub kind: String,
    pub severity: Severity,
    pub subject: String,
    pub message: String,
    pub reading: Option<f64>,
    pub threshold: Option<f64>,
    pub unit: Option<Unit>,
}

/// Which events, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventQuery {
    pub listing: Listing,
    /// The machine whose guard told of it.
    pub device: Option<DeviceId>,
    /// Only what is about one of these, where there are any.
    pub subjects: Option<Subjects>,
    /// Any of these kinds, where there are any; `limit.*` is every kind that begins so.
    pub kinds: Vec<String>,
    /// This severity and worse.
    pub severity: Option<Severity>,
    pub from_ms: Option<u64>,
    pub to_ms: Option<u64>,
    /// Only what stands behind this place in the order: the last event of the page before.
    pub before: Option<(u64, EventId)>,
    /// Only those of machines that are seen.
    pub sight: Sight,
    /// The caller has bounded it.
    pub limit: u32,
}

/// What events are about: things by their names, and everything of one piece of equipment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subjects {
    pub equipment: Option<String>,
    pub names: Vec<String>,
}

impl Event {
    pub(crate) fn from_guard(id: EventId, device: DeviceId, at_ms: u64, event: GuardEvent) -> Self {
        let GuardEvent { kind, severity, subject, message, reading, threshold, unit } = event;
        let kind = kind_name(kind).into();
        Self { id, device, at_ms, kind, severity, subject, message, reading, threshold, unit }
    }
}

#[must_use]
pub const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

#[must_use]
pub fn severity_from_name(name: &str) -> Option<Severity> {
    [Severity::Info, Severity::Warning, Severity::Critical]
        .into_iter()
        .find(|severity| severity_name(*severity).eq_ignore_ascii_case(name))
}

/// The word of the API for a guard's event.
#[must_use]
pub const fn kind_name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::GuardStarted => "guard.started",
        EventKind::GuardStopping => "guard.stopping",
        EventKind::LimitState { to, .. } => match to {
            LimitState::Unknown => "limit.unknown",
            LimitState::Normal => "limit.normal",
            LimitState::Warning => "limit.warning",
            LimitState::Limiting => "limit.limiting",
            LimitState::Tripped => "limit.tripped",
            LimitState::Failsafe => "limit.failsafe",
        },
        EventKind::SensorLost => "sensor.lost",
        EventKind::SensorBack => "sensor.back",
        EventKind::ActuatorDriven => "actuator.driven",
        EventKind::ActuatorStuck => "actuator.stuck",
        EventKind::CommandAccepted => "command.accepted",
        EventKind::CommandClamped => "command.clamped",
        EventKind::CommandRefused => "command.refused",
        EventKind::TripCleared => "trip.cleared",
        EventKind::ClockStepped => "clock.stepped",
        EventKind::CycleLate => "cycle.late",
        EventKind::PolicyRejected => "policy.rejected",
        EventKind::LadderStep => "ladder.step",
        EventKind::FailsafeClimbed => "failsafe.climbed",
        EventKind::ActuatorBack => "actuator.back",
        EventKind::SpoolDamaged => "spool.damaged",
        EventKind::EventsLost => "events.lost",
        EventKind::ShutdownWanted => "shutdown.wanted",
        EventKind::LatchesLost => "latches.lost",
        EventKind::Interlock { active: true } => "interlock.active",
        EventKind::Interlock { active: false } => "interlock.cleared",
        EventKind::LockSet => "lock.set",
        EventKind::LockReleased => "lock.released",
        EventKind::CommandArmed => "command.armed",
        EventKind::Switched => "switch.driven",
        EventKind::SwitchFailed => "switch.failed",
        EventKind::EquipmentLost => "equipment.lost",
        EventKind::EquipmentBack => "equipment.back",
        EventKind::HardwareChanged => "hardware.changed",
        EventKind::HostAsked => "host.asked",
        EventKind::PolicyTaken => "policy.taken",
        EventKind::WatchdogReset => "watchdog.reset",
        EventKind::StepHeld => "ladder.held",
        EventKind::ClaimOver => "claim.over",
        EventKind::SelfTestBegan => "self_test.began",
        EventKind::SelfTestEnded { passed: true } => "self_test.passed",
        EventKind::SelfTestEnded { passed: false } => "self_test.failed",
        EventKind::SelfTestOverdue => "self_test.overdue",
    }
}
