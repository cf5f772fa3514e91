//! The driver as the guard meets it: a process with an input and an output.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod it {
    mod conversation;
    mod driven;
    mod fake_upsd;
    mod ipmi;
    mod modbus;
    mod nut;
    mod nvml;
    mod recorded;
    mod redfish;
    mod redfish_faults;
    mod redfish_trust;
    mod smart;
    mod snmp;
    mod wol;
}
