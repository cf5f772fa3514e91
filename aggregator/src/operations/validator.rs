//! What the aggregator can refuse before the edge is asked: what would take down the machine that
//! it runs on, too many starts at once or more than feed and cooling take, and what came too late. The rest is the guard's, which
//! sees the hardware; nothing is ever permitted here that it would refuse.

use super::budget::{Draws, Exceeded};
use crate::config::{Rack, Safety};
use crate::fleet::{Device, DeviceId, DeviceKind};
use crate::operations::{Action, Operation};
use flyball_protocol::command::{PowerState, ResetType};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use sysinfo::System;

/// Starts are counted over this long.
pub(super) const WINDOW_MS: u64 = 60_000;

/// Why the aggregator refuses.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Objection {
    #[error("it would take down the machine that this aggregator runs on")]
    OwnMachine,
    #[error("{pieces} pieces of equipment are reached through that machine alone")]
    Gateway { pieces: usize },
    #[error("{starts} starts within a minute are allowed in {rack}, and that many were asked for")]
    Pace { rack: String, starts: u32, retry_in_ms: u64 },
    #[error(
        "{rack} would come to {:.0} W, and its {} budget is {:.0} W",
        .exceeded.reckoned_watts, .exceeded.budget, .exceeded.watts
    )]
    Budget { rack: String, exceeded: Exceeded },
    #[error("it was good until {not_after_ms} (Unix milliseconds), which is over")]
    TooLate { not_after_ms: u64 },
}

impl Objection {
    /// The rule's word in the API.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::OwnMachine => "own_machine",
            Self::Gateway { .. } => "gateway",
            Self::Pace { .. } => "start_pace",
            Self::Budget { .. } => "rack_budget",
            Self::TooLate { .. } => "not_after",
        }
    }
}

/// What is to be judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) machine: &'a Device,
    /// The equipment that is meant, where it is not the machine itself.
    pub(super) equipment: Option<DeviceId>,
    pub(super) action: &'a Action,
    /// How many BMCs, PDUs and the like are reached through the machine.
    pub(super) manages: usize,
    /// A superuser has said why the rules for single machines shall not hold now.
    pub(super) break_glass: bool,
    pub(super) now_ms: u64,
}

/// The kernel's names of the machine that this process runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Host {
    hostname: Option<String>,
    kernel: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Validator {
    rules: Safety,
    host: Host,
    draws: Draws,
    /// The starts of the last minute, by rack; what the store knows of it is restored at the start.
    starts: Arc<Mutex<HashMap<String, VecDeque<u64>>>>,
}

impl Validator {
    pub(super) fn new(rules: Safety, draws: Draws) -> Self {
        let host =
            Host { hostname: System::host_name().ok(), kernel: System::kernel_version().ok() };
        Self { rules, host, draws, starts: Arc::default() }
    }

    /// Judges without counting: for a question.
    pub(super) fn judge(&self, case: &Case<'_>) -> Result<(), Objection> {
        self.judge_target(case)?;
        self.pace(case, false)
    }

    /// Judges, and counts a start as one that was asked for.
    pub(super) fn admit(&self, case: &Case<'_>) -> Result<(), Objection> {
        self.judge_target(case)?;
        self.pace(case, true)
    }

    fn judge_target(&self, case: &Case<'_>) -> Result<(), Objection> {
        let Action::Reset { reset, .. } = case.action else { return Ok(()) };
        if case.break_glass {
            return Ok(());
        }
        let takes_down = *reset != ResetType::On;
        if takes_down && self.is_own(case) {
            return Err(Objection::OwnMachine);
        }
        // A restart brings the way to them back by itself.
        let stays_down = reset.leads_to() != PowerState::On;
        if stays_down && case.equipment.is_none() && case.manages > 0 {
            return Err(Objection::Gateway { pieces: case.manages });
        }
        Ok(())
    }

    /// The configuration's word counts; without it, a real machine of this host's name and kernel
    /// is this host, for its agent names both as this process does.
    fn is_own(&self, case: &Case<'_>) -> bool {
        let listed = |id: DeviceId| self.rules.own_machines.contains(&id.0);
        match case.equipment {
            Some(equipment) => listed(equipment),
            None => {
                let machine = &case.machine.machine;
                let same = self.host.hostname.as_ref() == Some(&machine.hostname)
                    && self.host.kernel.as_ref() == Some(&machine.kernel);
                listed(case.machine.id) || (case.machine.kind == DeviceKind::Real && same)
            }
        }
    }

    /// Starts that were admitted before this process came; without them a restart would let
    /// everything start once more.
    pub(super) fn restore(&self, admitted: &[Operation], now_ms: u64) {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        for operation in admitted {
            if energises(&operation.action) && operation.created_at_ms + WINDOW_MS > now_ms {
                let target = operation.equipment.unwrap_or(operation.device);
                let (rack, _) = self.place_of(target, operation.device);
                starts.entry(rack).or_default().push_back(operation.created_at_ms);
            }
        }
        for times in starts.values_mut() {
            times.make_contiguous().sort_unstable();
        }
    }

    fn pace(&self, case: &Case<'_>, count: bool) -> Result<(), Objection> {
        if !energises(case.action) {
            return Ok(());
        }
        let target = case.equipment.unwrap_or(case.machine.id);
        let (rack, allowed) = self.place_of(target, case.machine.id);
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        starts.retain(|_, times| {
            times.retain(|at_ms| at_ms.saturating_add(WINDOW_MS) > case.now_ms);
            !times.is_empty()
        });
        let times = starts.entry(rack.clone()).or_default();
        if times.len() >= allowed as usize {
            let oldest_ms = times.front().copied().unwrap_or(case.now_ms);
            let retry_in_ms = (oldest_ms + WINDOW_MS).saturating_sub(case.now_ms);
            return Err(Objection::Pace { rack, starts: allowed, retry_in_ms });
        }
        if let Some(listed) = self.rack_of(target, case.machine.id) {
            let judged = self.draws.check(listed, times.len(), case.now_ms);
            judged.map_err(|exceeded| Objection::Budget { rack, exceeded })?;
        }
        if count {
            times.push_back(case.now_ms);
        }
        Ok(())
    }

    fn rack_of(&self, target: DeviceId, machine: DeviceId) -> Option<&Rack> {
        let racks = &self.rules.racks;
        let holding = |id: DeviceId| racks.iter().find(|rack| rack.devices.contains(&id.0));
        holding(target).or_else(|| holding(machine))
    }

    /// The rack that a device is listed in, else its machine by itself, and what may start there.
    fn place_of(&self, target: DeviceId, machine: DeviceId) -> (String, u32) {
        match self.rack_of(target, machine) {
            Some(rack) => (
                format!("rack {}", rack.name),
                rack.energising_per_minute.unwrap_or(self.rules.energising_per_minute),
            ),
            None => (format!("machine {machine}"), self.rules.energising_per_minute),
        }
    }
}

fn energises(action: &Action) -> bool {
    matches!(action, Action::Reset { reset, .. } if reset.energises())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::device;
    use crate::operations::operation::tests::queued;
    use uuid::Uuid;

    fn reset(reset: ResetType) -> Action {
        Action::Reset { switch: "host/power".into(), reset, expected: None }
    }

    fn case<'a>(machine: &'a Device, action: &'a Action, now_ms: u64) -> Case<'a> {
        Case { machine, equipment: None, action, manages: 0, break_glass: false, now_ms }
    }

    #[test]
    fn the_own_machine_is_known_by_its_names_or_by_the_configuration() {
        let mut own = device(Uuid::from_u128(1));
        own.kind = DeviceKind::Real;
        let other = own.clone();
        let validator = Validator::new(Safety::default(), Draws::default());
        own.machine.hostname = validator.host.hostname.clone().unwrap();
        own.machine.kernel = validator.host.kernel.clone().unwrap();
        let cycle = reset(ResetType::PowerCycle);
        assert_eq!(validator.judge(&case(&own, &cycle, 0)), Err(Objection::OwnMachine));
        assert_eq!(validator.judge(&case(&other, &cycle, 0)), Ok(()));
        assert_eq!(validator.judge(&case(&own, &reset(ResetType::On), 0)), Ok(()));
        let glass = Case { break_glass: true, ..case(&own, &cycle, 0) };
        assert_eq!(validator.judge(&glass), Ok(()));
        // A simulated board shares this host's names and none of its power.
        let simulated = Device { kind: DeviceKind::Simulated, ..own.clone() };
        assert_eq!(validator.judge(&case(&simulated, &cycle, 0)), Ok(()));
        // Its power supply hangs on an outlet that only the configuration knows.
        let outlet = Uuid::from_u128(5);
        let rules = Safety { own_machines: vec![outlet], ..Safety::default() };
        let listed = Case { equipment: Some(DeviceId(outlet)), ..case(&other, &cycle, 0) };
        assert_eq!(
            Validator::new(rules, Draws::default()).judge(&listed),
            Err(Objection::OwnMachine)
        );
    }

    fn rack(machines: &[&Device]) -> Rack {
        Rack {
            name: "r12".into(),
            devices: machines.iter().map(|machine| machine.id.0).collect(),
            energising_per_minute: Some(2),
            power_watts: None,
            cooling_watts: None,
            start_watts: 400.0,
        }
    }

    fn rules(rack: Rack) -> Safety {
        Safety { racks: vec![rack], ..Safety::default() }
    }

    #[test]
    fn a_start_that_a_feed_does_not_take_is_refused_with_what_it_would_come_to() {
        let (one, two) = (device(Uuid::from_u128(1)), device(Uuid::from_u128(2)));
        let rack = Rack { power_watts: Some(1_000.0), ..rack(&[&one, &two]) };
        let validator = Validator::new(rules(rack), Draws::default());
        let refused = validator.admit(&case(&one, &reset(ResetType::On), 0)).unwrap_err();
        assert_eq!(refused.rule(), "rack_budget");
        assert_eq!(
            refused.to_string(),
            "rack r12 would come to 1200 W, and its power budget is 1000 W"
        );
        assert_eq!(validator.judge(&case(&one, &reset(ResetType::ForceOff), 0)), Ok(()));
        let elsewhere = device(Uuid::from_u128(3));
        assert_eq!(validator.judge(&case(&elsewhere, &reset(ResetType::On), 0)), Ok(()));
    }

    #[test]
    fn starts_before_a_restart_still_count() {
        let (one, two) = (device(Uuid::from_u128(1)), device(Uuid::from_u128(2)));
        let started = |created_at_ms, what| Operation {
            device: one.id,
            action: reset(what),
            created_at_ms,
            ..queued()
        };
        let admitted = [
            started(50_000, ResetType::On),
            started(45_000, ResetType::PowerCycle),
            started(49_000, ResetType::ForceOff),
            started(1_000, ResetType::On),
        ];
        let validator = Validator::new(rules(rack(&[&one, &two])), Draws::default());
        validator.restore(&admitted, 62_000);
        let refused = validator.admit(&case(&two, &reset(ResetType::On), 62_000));
        assert_eq!(
            refused,
            Err(Objection::Pace { rack: "rack r12".into(), starts: 2, retry_in_ms: 43_000 })
        );
    }

    #[test]
    fn what_others_are_reached_through_stays_up_unless_somebody_says_why() {
        let (machine, validator) =
            (device(Uuid::from_u128(1)), Validator::new(Safety::default(), Draws::default()));
        let off = reset(ResetType::GracefulShutdown);
        let gateway = Case { manages: 2, ..case(&machine, &off, 0) };
        assert_eq!(validator.judge(&gateway), Err(Objection::Gateway { pieces: 2 }));
        assert_eq!(validator.judge(&Case { break_glass: true, ..gateway }), Ok(()));
        assert_eq!(validator.judge(&Case { manages: 0, ..gateway }), Ok(()));
        let bmc = Case { equipment: Some(DeviceId(Uuid::from_u128(5))), ..gateway };
        assert_eq!(validator.judge(&bmc), Ok(()));
        let restart = reset(ResetType::GracefulRestart);
        assert_eq!(validator.judge(&Case { action: &restart, ..gateway }), Ok(()));
    }

    #[test]
    fn starts_of_a_rack_are_counted_over_a_minute_and_others_are_not() {
        let (one, two) = (device(Uuid::from_u128(1)), device(Uuid::from_u128(2)));
        let rack = rack(&[&one, &two]);
        let validator = Validator::new(rules(rack), Draws::default());
        let (on, off) = (reset(ResetType::On), reset(ResetType::ForceOff));
        assert_eq!(validator.admit(&case(&one, &on, 1_000)), Ok(()));
        assert_eq!(validator.judge(&case(&one, &on, 1_000)), Ok(()));
        assert_eq!(validator.admit(&case(&two, &on, 11_000)), Ok(()));
        let refused = validator.admit(&case(&one, &on, 31_000));
        assert_eq!(
            refused,
            Err(Objection::Pace { rack: "rack r12".into(), starts: 2, retry_in_ms: 30_000 })
        );
        assert_eq!(validator.admit(&case(&one, &off, 31_000)), Ok(()));
        let elsewhere = device(Uuid::from_u128(3));
        assert_eq!(validator.admit(&case(&elsewhere, &on, 31_000)), Ok(()));
        assert_eq!(validator.admit(&case(&one, &on, 61_000)), Ok(()));
        assert!(validator.admit(&case(&one, &on, 61_000)).is_err());
    }
}
