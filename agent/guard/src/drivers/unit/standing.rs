//! What the loop is told of the equipment as a whole.

use super::Unit;
use crate::drivers::restart::After;
use crate::log;
use crate::sources::{Change, Ended};
use flyball_driver_messages::{Identity, bounded};
use flyball_guard_messages::{self as wire, EquipmentState};
use flyball_units::NoData;

impl Unit {
    /// The driver is gone, for now or for longer.
    pub(super) fn lose(
        &mut self,
        reason: &str,
        absence: NoData,
        after: After,
    ) -> Result<(), Ended> {
        let key = &self.equipment.key;
        let wait = after.wait().as_secs();
        match after {
            After::Wait(_) => log::warn(format_args!(
                "a driver failed, it is started again equipment={key} in_s={wait} cause={:?}",
                bounded(reason)
            )),
            After::Open(_) => log::error(format_args!(
                "a driver is left alone until its credential or its configuration is mended \
                 equipment={key} next_try_in_s={wait} cause={:?}",
                bounded(reason)
            )),
        }
        self.meter.fault(after.wait());
        self.absent(absence);
        self.unreachable(reason)
    }

    pub(super) fn absent(&self, reason: NoData) {
        for slot in self.slots.iter().flatten() {
            self.sources.put(*slot, Err(reason));
        }
        for held in &self.held {
            held.grip.saw(Err(reason));
        }
    }

    pub(super) fn unreachable(&mut self, reason: &str) -> Result<(), Ended> {
        let since_ms = match &self.state {
            EquipmentState::Unreachable { since_ms, .. } => *since_ms,
            EquipmentState::Connecting | EquipmentState::Connected => {
                self.sources.clock().wall_ms()
            }
        };
        self.stand(EquipmentState::Unreachable { since_ms, reason: bounded(reason) })
    }

    pub(super) fn stand(&mut self, state: EquipmentState) -> Result<(), Ended> {
        if self.state == state && self.stands {
            return Ok(());
        }
        self.state = state;
        self.stands = true;
        self.tell_equipment()
    }

    pub(super) fn tell_equipment(&self) -> Result<(), Ended> {
        let Identity { vendor, model, serial, firmware } = self.identity.clone();
        let short = |text: Option<String>| text.map(|text| bounded(&text));
        self.sources.tell(Change::Equipment(wire::Equipment {
            key: self.equipment.key.clone(),
            kind: self.equipment.kind,
            driver: self.equipment.driver.name().to_owned(),
            vendor: short(vendor),
            model: short(model),
            serial: short(serial),
            firmware: short(firmware),
            address: self.equipment.address.clone(),
            state: self.state.clone(),
        }))
    }
}
