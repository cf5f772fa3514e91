//! A computer-room cooling unit on Modbus TCP: pymodbus' simulator over a register map.

use super::{CounterpartError, Program, Running, free_tcp, port};
use serde_json::{Value, json};
use std::net::TcpStream;
use tempfile::TempDir;

const SIMULATOR: Program =
    Program::Python { name: "pymodbus.simulator", package: "pymodbus[simulator]" };

/// One register of the unit, or a pair of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Register {
    Bit {
        at: u16,
        on: bool,
    },
    U16 {
        at: u16,
        value: u16,
    },
    U32 {
        at: u16,
        value: u32,
    },
    F32 {
        at: u16,
        value: f32,
    },
    /// Like `U16`, and it may be written.
    Written {
        at: u16,
        value: u16,
    },
}

/// The unit.
#[derive(Debug)]
pub struct CoolingUnit {
    port: u16,
    process: Running,
    _folder: TempDir,
}

impl CoolingUnit {
    /// A unit with these registers, all of one block: inputs and holding registers share it.
    ///
    /// # Errors
    /// Where pymodbus is missing or does not get ready.
    pub fn start(registers: &[Register]) -> Result<Self, CounterpartError> {
        port::on_a_free_port(free_tcp, |port| Self::on(port, registers))
    }

    fn on(port: u16, registers: &[Register]) -> Result<Self, CounterpartError> {
        let folder = super::folder("modbus")?;
        let web = free_tcp()?.to_string();
        let file = folder.path().join("setup.json");
        let file = super::write(file, &setup(port, registers).to_string())?;
        let mut process = Running::start(SIMULATOR, folder.path().join("log"), |command| {
            command
                .current_dir(folder.path())
                .args(["--modbus_server", "unit", "--modbus_device", "unit"])
                .args(["--http_host", "127.0.0.1", "--http_port", &web])
                .arg("--json_file")
                .arg(file);
        })?;
        process.wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { port, process, _folder: folder })
    }

    /// `127.0.0.1:1502`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    #[must_use]
    pub const fn process(&self) -> &Running {
        &self.process
    }
}

fn setup(port: u16, registers: &[Register]) -> Value {
    let mut bits = Vec::new();
    let mut words = Vec::new();
    let mut pairs = Vec::new();
    let mut floats = Vec::new();
    let mut writable = Vec::new();
    for register in registers {
        match *register {
            Register::Bit { at, on } => bits.push(json!({"addr": at, "value": u16::from(on)})),
            Register::U16 { at, value } => words.push(json!({"addr": at, "value": value})),
            Register::U32 { at, value } => {
                pairs.push(json!({"addr": [at, at + 1], "value": value}));
            }
            Register::F32 { at, value } => {
                floats.push(json!({"addr": [at, at + 1], "value": value}));
            }
            Register::Written { at, value } => {
                words.push(json!({"addr": at, "value": value}));
                writable.push(json!([at, at]));
            }
        }
    }
    let defaults = json!({
        "value": {"bits": 0, "uint16": 0, "uint32": 0, "float32": 0.0, "string": " "},
        "action": {"bits": null, "uint16": null, "uint32": null, "float32": null, "string": null},
    });
    json!({
        "server_list": {"unit": {
            "comm": "tcp", "host": "127.0.0.1", "port": port, "framer": "socket",
            "ignore_missing_devices": false,
            "identity": {
                "VendorName": "Example Cooling", "ProductCode": "CRAC",
                "VendorUrl": "", "ProductName": "Room unit",
                "ModelName": "RU-12", "MajorMinorRevision": "1.4",
            },
        }},
        "device_list": {"unit": {
            "setup": {
                "co size": 200, "di size": 200, "hr size": 200, "ir size": 200,
                "shared blocks": true, "type exception": false, "defaults": defaults,
            },
            "invalid": [], "write": writable, "bits": bits, "uint16": words,
            "uint32": pairs, "float32": floats, "string": [], "repeat": [],
        }},
    })
}
