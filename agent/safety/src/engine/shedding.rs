//! What a trip does to the switches of its zone and to the host: one order after the other, the
//! host last, and power cut where the time for an orderly end is over.

use super::{Engine, actuator_id, ids, limit_id};
use crate::actuator::Actuator;
use crate::limit::Limit;
use crate::{
    Hand, HostLevel, Level, LimitId, Moment, Response, Shed, State, StateKind, Step, SwitchSpec,
    TripCause,
};
use core::time::Duration;
use flyball_units::PowerState;

impl Engine {
    /// Where the engine itself wants a switch.
    pub(super) fn power_wanted(&self, index: usize) -> Level {
        let actuator = &self.actuators[index];
        let Hand::Switch(spec) = actuator.spec.hand else { return Level::Free };
        let id = actuator_id(index);
        let cut = self.limits.iter().any(|limit| {
            limit.state.step() == Some(Step::HardOff)
                && self
                    .ladder(limit)
                    .is_some_and(|ladder| ladder.hard_off.is_some_and(|it| it.switch == id))
        });
        if cut || self.forced_off(id) {
            return Level::Off;
        }
        let Some(shed) = spec.shed else { return Level::Free };
        let turn = actuator.limits.iter().any(|limit| {
            sheds(&self.limits[limit.index()]) && self.is_turn(*limit, Some(shed.order))
        });
        if !turn {
            return Level::Free;
        }
        let since = actuator.switch.shed_since();
        let overstays = since.is_some_and(|since| self.now.since(since) >= shed.within);
        if shed.force && overstays { Level::Off } else { Level::Down }
    }

    /// A limit that has tripped and whose zone cuts power by this switch.
    pub(super) fn keeps_off(&self, index: usize) -> Option<LimitId> {
        let id = actuator_id(index);
        let cuts = |limit: &Limit| {
            limit.forbids_heat()
                && limit.state.kind() == StateKind::Tripped
                && self
                    .ladder(limit)
                    .is_some_and(|ladder| ladder.hard_off.is_some_and(|it| it.switch == id))
        };
        ids(&self.limits, LimitId::new).find(|(_, limit)| cuts(limit)).map(|(id, _)| id)
    }

    /// Whether everything that sheds before `order` (before the host where `None`) for this
    /// limit is down or has had its time.
    fn is_turn(&self, limit: LimitId, order: Option<u8>) -> bool {
        self.actuators.iter().all(|other| match other.spec.hand {
            Hand::Switch(SwitchSpec { shed: Some(shed), takes, .. })
                if other.limits.contains(&limit)
                    && order.is_none_or(|order| shed.order < order) =>
            {
                is_down(other, shed, takes, self.now)
            }
            Hand::Switch(_)
            | Hand::Fan { .. }
            | Hand::PowerCap { .. }
            | Hand::FrequencyCap { .. }
            | Hand::Setting => true,
        })
    }

    /// Brings the host to the highest level that a limit needs.
    pub(super) fn drive_host(&mut self) {
        let mut wanted = (HostLevel::Running, None);
        for index in 0..self.limits.len() {
            let level = self.host_level(index);
            if level > wanted.0 {
                wanted = (level, Some(limit_id(index)));
            }
        }
        self.host.want(wanted.0, wanted.1, self.now);
    }

    fn host_level(&self, index: usize) -> HostLevel {
        let limit = &self.limits[index];
        let Some(ladder) = self.ladder(limit) else { return HostLevel::Running };
        let quiet = match ladder.quiesce {
            Some(_) => HostLevel::Quiesced,
            None => HostLevel::Running,
        };
        match limit.need().host {
            HostLevel::Stopping if ladder.shutdown.is_none() => quiet,
            HostLevel::Stopping if !self.is_turn(limit_id(index), None) => quiet,
            HostLevel::Quiesced => quiet,
            level @ (HostLevel::Running | HostLevel::Suspended | HostLevel::Stopping) => level,
        }
    }

    /// How long the host has for what is asked of it.
    pub(super) fn host_within(&self) -> Option<Duration> {
        let ladder = self.ladder(self.limits.get(self.host.by?.index())?)?;
        let rung = match self.host.wanted {
            HostLevel::Running => None,
            HostLevel::Quiesced => ladder.quiesce,
            HostLevel::Suspended => ladder.suspend,
            HostLevel::Stopping => ladder.shutdown,
        };
        rung.map(|rung| rung.within)
    }

    pub(super) fn ladder(&self, limit: &Limit) -> Option<&crate::Ladder> {
        self.config.plan().zones.get(limit.spec.zone.index()).map(|zone| &zone.ladder)
    }

    /// The members of a group that were energised within `within`, and when the first of them
    /// leaves that time.
    pub(super) fn started(&self, group: crate::GroupId, within: Duration) -> (usize, Moment) {
        let recent = ids(&self.actuators, crate::ActuatorId::new).filter_map(|(_, other)| {
            let at = match other.spec.hand {
                Hand::Switch(spec) if spec.group == Some(group) => other.switch.energised_at(),
                Hand::Switch(_)
                | Hand::Fan { .. }
                | Hand::PowerCap { .. }
                | Hand::FrequencyCap { .. }
                | Hand::Setting => None,
            }?;
            (self.now.since(at) < within).then_some(at.after(within))
        });
        recent.fold((0, self.now), |(count, first), until| {
            (count + 1, if count == 0 { until } else { first.min(until) })
        })
    }
}

/// A trip of this run that takes things down.
fn sheds(limit: &Limit) -> bool {
    let answers = match limit.spec.response {
        Response::Heat | Response::Power | Response::Shutdown => true,
        Response::Alert => false,
    };
    answers
        && match &limit.state {
            State::Tripped(tripped) => match tripped.cause {
                TripCause::Threshold | TripCause::LadderExhausted => true,
                TripCause::Restored => false,
            },
            State::Unknown { .. }
            | State::Normal { .. }
            | State::Warning(_)
            | State::Limiting(_)
            | State::Failsafe(_) => false,
        }
}

/// It is off, or has had its time: to go in order, and to be cut where that is allowed.
fn is_down(actuator: &Actuator, shed: Shed, takes: Duration, now: Moment) -> bool {
    let most = if shed.force { shed.within + takes } else { shed.within };
    actuator.power(now) == Some(PowerState::Off)
        || actuator.switch.shed_since().is_some_and(|since| now.since(since) >= most)
}
