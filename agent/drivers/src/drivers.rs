//! The kinds of equipment, a file each.

use crate::clock::Clock;
use crate::driver::Driver;
use flyball_driver_messages::{Configuration, DriverKind, Fault, FaultKind};

/// The driver of a configuration.
///
/// # Errors
/// Where the configuration can't work.
pub(crate) fn open(configuration: Configuration, clock: Clock) -> Result<Box<dyn Driver>, Fault> {
    let _ = clock;
    match configuration.driver {
        DriverKind::Redfish
        | DriverKind::Ipmi
        | DriverKind::Nut
        | DriverKind::Snmp
        | DriverKind::Modbus
        | DriverKind::Nvml
        | DriverKind::Smart => Err(Fault::new(
            FaultKind::Misconfigured,
            format!("this program has no driver `{}`", configuration.driver.name()),
        )),
    }
}
