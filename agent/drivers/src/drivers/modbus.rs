//! Modbus TCP: a cooling unit, a meter, anything whose registers the equipment file names.
//!
//! A Modbus device can't say what it is: points with table, address, form, scale and unit come
//! from its manual. What is written is within the point's range, is read back, and is never a
//! register that the file does not name as one to be set. The protocol has no credentials.

mod client;
mod eyes;
mod hands;
mod place;
mod plan;

use crate::driver::{Connection, Driver};
use client::Client;
use eyes::ModbusEyes;
use flyball_driver_messages::{Configuration, Fault, FaultKind};
use hands::ModbusHands;
use plan::Plan;
use std::time::Duration;

/// Where the device is.
#[derive(Clone, Debug)]
struct Target {
    address: String,
    unit: u8,
    timeout: Duration,
}

impl Target {
    fn connect(&self, timeout: Duration) -> Result<Client, client::ModbusError> {
        Client::connect(&self.address, self.unit, timeout)
    }
}

pub(super) struct Modbus {
    target: Target,
    plan: Plan,
}

impl Modbus {
    /// # Errors
    /// Where the configuration can't work.
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let unit = configuration.option("unit_id").unwrap_or("1");
        let unit = unit.parse().map_err(|_| {
            let text = format!("`unit_id` is a number from 0 to 255, and not `{unit}`");
            Fault::new(FaultKind::Misconfigured, text)
        })?;
        let target = Target {
            address: configuration.address.clone(),
            unit,
            timeout: Duration::from_millis(u64::from(configuration.timeout_ms)),
        };
        Ok(Self { target, plan: Plan::of(configuration)? })
    }
}

impl Driver for Modbus {
    fn connect(&mut self) -> Result<Connection, Fault> {
        let client = self.target.connect(self.target.timeout)?;
        let hands = ModbusHands::new(self.target.clone(), self.plan.items.clone());
        let described = self.plan.described.clone();
        let eyes = ModbusEyes::new(self.target.clone(), client, &self.plan.items);
        Ok(Connection { described, eyes: Box::new(eyes), hands: Box::new(hands) })
    }
}
