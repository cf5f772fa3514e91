//! The kinds of equipment, a file each.

mod ipmi;
mod modbus;
mod nut;
mod nvml;
mod redfish;
mod smart;
mod snmp;
mod wol;

use crate::clock::Clock;
use crate::driver::Driver;
use flyball_driver_messages::{Configuration, DriverKind, Fault};

/// The driver of a configuration.
///
/// # Errors
/// Where the configuration can't work.
pub(crate) fn open(configuration: &Configuration, clock: Clock) -> Result<Box<dyn Driver>, Fault> {
    Ok(match configuration.driver {
        DriverKind::Redfish => Box::new(redfish::Redfish::new(configuration, clock)?),
        DriverKind::Ipmi => Box::new(ipmi::Ipmi::new(configuration)?),
        DriverKind::Modbus => Box::new(modbus::Modbus::new(configuration)?),
        DriverKind::Snmp => Box::new(snmp::Snmp::new(configuration)?),
        DriverKind::Smart => Box::new(smart::Smart::new(configuration, clock)?),
        DriverKind::Nut => Box::new(nut::Nut::new(configuration, clock)?),
        DriverKind::Nvml => Box::new(nvml::Gpus::new(configuration)?),
        DriverKind::Wol => Box::new(wol::Wol::new(configuration)?),
    })
}
