//! What the limits of a zone ask for together, and what the zone has to answer with.

use super::{Engine, limit_id};
use crate::actuator::Demand;
use crate::limit::{CapNeed, FanNeed, Hands, HostHands};
use crate::{Hand, StateKind};

impl Engine {
    /// What the zone of a limit has to act with.
    pub(super) fn hands(&self, index: usize) -> Hands {
        let mut hands = Hands::default();
        if let Some(ladder) = self.ladder(&self.limits[index]) {
            hands.host = HostHands::of(ladder, &self.host, self.now);
        }
        let id = limit_id(index);
        for actuator in self.actuators.iter().filter(|actuator| actuator.limits.contains(&id)) {
            match actuator.spec.hand {
                Hand::Fan { .. } => {
                    hands.fan = true;
                    hands.fan_stuck |= actuator.stuck_hot();
                }
                Hand::PowerCap { .. } | Hand::FrequencyCap { .. } => {
                    hands.cap = true;
                    hands.cap_stuck |= actuator.stuck_hot();
                }
                Hand::Switch(_) | Hand::Setting => {}
            }
        }
        hands
    }

    /// Another limit of the zone, of the same response and over other sensors, reads normal.
    pub(super) fn vouched(&self, index: usize) -> bool {
        let lost = &self.limits[index].spec;
        self.limits.iter().any(|limit| {
            limit.spec.zone == lost.zone
                && limit.spec.response == lost.response
                && limit.state.kind() == StateKind::Normal
                && !limit.spec.sensors.iter().any(|sensor| lost.sensors.contains(sensor))
        })
    }

    /// Brings every actuator, and the host, to what the limits of their zones ask for.
    pub(super) fn drive(&mut self) {
        self.look_at_interlocks();
        self.watch_self_test();
        for index in 0..self.actuators.len() {
            let demand = self.demand_and_self_test(index);
            let actuator = &mut self.actuators[index];
            let (level, _) = actuator.level(&demand, actuator.claims.value());
            actuator.want(level, self.now);
        }
        self.drive_host();
    }

    pub(super) fn demand(&self, actuator: usize) -> Demand {
        let mut demand = Demand {
            fan: (FanNeed::Rest, None),
            curve: (0.0, None),
            cap: (CapNeed::Rest, None),
            ceiling: None,
            power: self.power_wanted(actuator),
        };
        for id in &self.actuators[actuator].limits {
            let limit = &self.limits[id.index()];
            let need = limit.need();
            if need.fan > demand.fan.0 {
                demand.fan = (need.fan, Some(*id));
            }
            if need.cap > demand.cap.0 {
                demand.cap = (need.cap, Some(*id));
            }
            let curve = limit.curve(&self.sensors, self.now);
            if curve > demand.curve.0 {
                demand.curve = (curve, Some(*id));
            }
            if let Some(ceiling) = limit.cap_ceiling()
                && demand.ceiling.is_none_or(|(held, _)| ceiling < held)
            {
                demand.ceiling = Some((ceiling, *id));
            }
        }
        demand
    }
}
