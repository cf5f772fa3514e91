//! An IPMI BMC over LAN: OpenIPMI's `ipmi_sim`, with sensors that are read from files and a
//! chassis whose power is a file, or with a virtual machine that it switches itself.

mod control;
mod dcmi;
mod records;

use super::{CounterpartError, Program, Running, free_tcp, free_udp, port};
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const SIMULATOR: Program = Program::Debian { name: "ipmi_sim", package: "openipmi" };
const COMPILER: Program = Program::Debian { name: "sdrcomp", package: "openipmi" };

/// RMCP, class ASF: a presence ping (DSP0136, 3.2.4.2).
const PING: [u8; 12] = [6, 0, 255, 6, 0, 0, 0x11, 0xbe, 0x80, 1, 0, 0];

/// What its chassis switches.
#[derive(Clone, Debug)]
enum Chassis {
    File,
    /// A virtual machine that `command` starts, and whose BMC device connects to `port`.
    Machine {
        command: PathBuf,
        port: u16,
    },
}

/// One of its sensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BmcSensor {
    Processor,
    Inlet,
    Fan,
    Power,
}

impl BmcSensor {
    const ALL: [Self; 4] = [Self::Processor, Self::Inlet, Self::Fan, Self::Power];

    /// The name in its records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processor => "CPU1 Temp",
            Self::Inlet => "Inlet Temp",
            Self::Fan => "Fan1",
            Self::Power => "Sys Power",
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Processor => "cpu1",
            Self::Inlet => "inlet",
            Self::Fan => "fan1",
            Self::Power => "power",
        }
    }

    const fn at_start(self) -> u32 {
        match self {
            Self::Processor => 45,
            Self::Inlet => 22,
            Self::Fan => 3000,
            Self::Power => 120,
        }
    }
}

/// The BMC. `ipmiusr` with `test` is its administrator, `ro` with `test` may only look.
#[derive(Debug)]
pub struct IpmiBmc {
    port: u16,
    machine_port: Option<u16>,
    process: Running,
    folder: TempDir,
}

impl IpmiBmc {
    pub const USER: &str = "ipmiusr";
    pub const PASSWORD: &str = "test";
    pub const READER: &str = "ro";

    /// With a chassis of its own, which is off.
    ///
    /// # Errors
    /// Where OpenIPMI is missing or does not get ready.
    pub fn start() -> Result<Self, CounterpartError> {
        port::on_a_free_port(free_udp, |port| Self::on(port, Chassis::File))
    }

    /// With the virtual machine that `command` starts. Its QEMU has a
    /// `-chardev socket,id=bmc,host=127.0.0.1,port=…,reconnect=5` on [`Self::machine_port`], a
    /// `-device ipmi-bmc-extern` on that, and ends when it is told to power off.
    ///
    /// # Errors
    /// Where OpenIPMI is missing or does not get ready.
    pub fn of_machine(command: &Path) -> Result<Self, CounterpartError> {
        port::on_a_free_port(free_udp, |port| {
            let chassis = Chassis::Machine { command: command.into(), port: free_tcp()? };
            Self::on(port, chassis)
        })
    }

    fn on(port: u16, chassis: Chassis) -> Result<Self, CounterpartError> {
        let folder = super::folder("ipmi")?;
        let here = folder.path();
        let state = here.join("ipmi_sim").join(records::NAME);
        let sensors = here.join("sensors");
        for dir in [&state, &sensors] {
            fs::create_dir_all(dir)
                .map_err(|source| CounterpartError::Write { path: dir.clone(), source })?;
        }
        for sensor in BmcSensor::ALL {
            super::write(sensors.join(sensor.file()), &format!("{}\n", sensor.at_start()))?;
        }
        compile(here, &state)?;
        let script = control::script(here)?;
        let lan = super::write(here.join("lan.conf"), &records::lan(port, &chassis, &script))?;
        let commands = super::write(here.join("bmc.emu"), &records::commands(&sensors))?;
        let mut process = Running::start(SIMULATOR, here.join("log"), |command| {
            command.arg("-c").arg(lan).arg("-f").arg(commands).arg("-s").arg(here).arg("-n");
        })?;
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(CounterpartError::Port)?;
        socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .map_err(CounterpartError::Port)?;
        process.wait_until(|| {
            let mut pong = [0; 64];
            socket.send_to(&PING, ("127.0.0.1", port)).is_ok() && socket.recv(&mut pong).is_ok()
        })?;
        let machine_port = match chassis {
            Chassis::File => None,
            Chassis::Machine { port, .. } => Some(port),
        };
        Ok(Self { port, machine_port, process, folder })
    }

    /// `127.0.0.1:19623`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where the virtual machine's BMC device connects.
    #[must_use]
    pub const fn machine_port(&self) -> Option<u16> {
        self.machine_port
    }

    #[must_use]
    pub const fn process(&self) -> &Running {
        &self.process
    }

    /// Sets what a sensor measures, in its own unit; the simulator looks once a second.
    ///
    /// # Errors
    /// Where its file can't be written.
    pub fn set(&self, sensor: BmcSensor, value: u32) -> Result<(), CounterpartError> {
        super::write(self.sensor_file(sensor), &format!("{value}\n")).map(|_| ())
    }

    /// Takes a sensor's file away: the simulator goes on showing its last value, with status ok.
    ///
    /// # Errors
    /// Where it is gone already.
    pub fn take_away(&self, sensor: BmcSensor) -> Result<(), CounterpartError> {
        let path = self.sensor_file(sensor);
        fs::remove_file(&path).map_err(|source| CounterpartError::Write { path, source })
    }

    /// Whether the chassis is on: the truth, not what the BMC says.
    #[must_use]
    pub fn is_on(&self) -> bool {
        control::is_on(self.folder.path())
    }

    /// Sets the chassis's power behind the BMC's back.
    ///
    /// # Errors
    /// Where its file can't be written.
    pub fn turn(&self, on: bool) -> Result<(), CounterpartError> {
        control::turn(self.folder.path(), on)
    }

    /// From now on the chassis takes every order and does nothing (or obeys again).
    ///
    /// # Errors
    /// Where its file can't be written.
    pub fn ignore_orders(&self, ignore: bool) -> Result<(), CounterpartError> {
        control::ignore(self.folder.path(), ignore)
    }

    /// From now on a machine runs behind the chassis that stops when it is asked to (or none
    /// does, as at the start: a soft order is taken and nothing comes of it).
    ///
    /// # Errors
    /// Where its file can't be written.
    pub fn hear_soft_orders(&self, hear: bool) -> Result<(), CounterpartError> {
        control::listen(self.folder.path(), hear)
    }

    /// The orders that reached the chassis, oldest first: `power=1`, `shutdown=1`, `boot=pxe`.
    #[must_use]
    pub fn orders(&self) -> Vec<String> {
        control::orders(self.folder.path())
    }

    /// What stands in `ipmitool`'s place for a BMC that has DCMI's power limit too.
    ///
    /// # Errors
    /// Where `ipmitool` is missing.
    pub fn tool_with_dcmi(&self) -> Result<PathBuf, CounterpartError> {
        dcmi::tool(self.folder.path())
    }

    /// The power limit that is in force: the truth, not what the BMC says.
    #[must_use]
    pub fn power_limit(&self) -> Option<u32> {
        dcmi::limit(self.folder.path())
    }

    fn sensor_file(&self, sensor: BmcSensor) -> PathBuf {
        self.folder.path().join("sensors").join(sensor.file())
    }
}

fn compile(here: &Path, state: &Path) -> Result<(), CounterpartError> {
    let source = super::write(here.join("records.sdrs"), &records::sources())?;
    let program = COMPILER.name();
    let output = Command::new(COMPILER.file()?)
        .arg("-o")
        .arg(state.join("sdr.20.main"))
        .arg(source)
        .output()
        .map_err(|source| CounterpartError::Start { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let what = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(CounterpartError::Answer { program, what })
}
