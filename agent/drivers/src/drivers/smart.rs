//! SMART: the disks of this machine, by smartctl's JSON.
//!
//! smartctl asks the drives; this driver starts it, bounds it and reads what it says. A drive
//! that sleeps is left asleep (`-n standby`) and has no value meanwhile. Nothing is ever set.

mod disk;
mod tool;

use crate::clock::Clock;
use crate::driver::{Connection, Deadline, Driver, Eyes, Hands, Look};
use crate::gathering::Gathering;
use disk::{NUMBERS, Number, more_temperatures};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedError, Fault, FaultKind, Identity, Reading, Round,
    SensorEntry, Thresholds,
};
use flyball_units::{Kind, NoData, Unit};
use serde_json::Value;
use std::path::Path;
use std::process::Child;
use std::time::Duration;
use tool::{SmartError, Tool, ended, reason_of};

/// Disks that are read; a full chassis has 60.
const MAX_DISKS: usize = 64;

impl From<SmartError> for Fault {
    fn from(error: SmartError) -> Self {
        let kind = match &error {
            SmartError::Missing | SmartError::TooOld => FaultKind::Misconfigured,
            SmartError::Start { .. } => FaultKind::Failing,
            SmartError::TimedOut => FaultKind::TimedOut,
            SmartError::NoJson(_) => FaultKind::Nonsense,
        };
        Self::new(kind, error.to_string())
    }
}

pub(super) struct Smart {
    tool: Tool,
    /// The devices that the file names; all that smartctl finds where there are none.
    named: Vec<String>,
}

impl Smart {
    /// # Errors
    /// Where smartctl is missing, or a device is named that can't be one.
    pub(super) fn new(configuration: &Configuration, clock: Clock) -> Result<Self, Fault> {
        let timeout = Duration::from_millis(u64::from(configuration.timeout_ms));
        let tool = Tool::find(configuration.option("program"), clock, timeout)?;
        let named = configuration.option("devices").unwrap_or_default();
        let named: Vec<String> = named.split_whitespace().map(str::to_owned).collect();
        // It stands in a command line: nothing that could be taken for an option.
        if let Some(wrong) = named.iter().find(|device| !device.starts_with("/dev/")) {
            let text = format!("`devices` are files below /dev, and `{wrong}` is none");
            return Err(Fault::new(FaultKind::Misconfigured, text));
        }
        Ok(Self { tool, named })
    }

    fn devices(&self) -> Result<Vec<String>, Fault> {
        if !self.named.is_empty() {
            return Ok(self.named.clone());
        }
        let found = self.tool.ask(&["--json=c", "--scan"], &mut None)?;
        let devices = found.get("devices").and_then(Value::as_array);
        let name = |device: &Value| Some(device.get("name")?.as_str()?.to_owned());
        let names = devices.into_iter().flatten().filter_map(name);
        let mut names: Vec<String> = names.filter(|name| name.starts_with("/dev/")).collect();
        names.sort();
        names.dedup();
        if names.is_empty() {
            let text = "smartctl finds no disk; name them in `devices`";
            return Err(Fault::new(FaultKind::Failing, text));
        }
        Ok(names)
    }
}

impl Driver for Smart {
    fn connect(&mut self) -> Result<Connection, Fault> {
        let mut gathering = Gathering::new(Identity::default());
        let mut disks = Vec::new();
        let devices = self.devices()?;
        if devices.len() > MAX_DISKS {
            gathering.remark(&format!("only {MAX_DISKS} of {} disks are read", devices.len()));
        }
        for device in devices.into_iter().take(MAX_DISKS) {
            let mut disk = Disk::new(device);
            let answer = disk.ask(&self.tool);
            disk.describe(&mut gathering, &answer);
            disks.push(disk);
        }
        let described = gathering.close();
        let eyes = SmartEyes { tool: self.tool.clone(), disks };
        Ok(Connection { described, eyes: Box::new(eyes), hands: Box::new(NoHands) })
    }
}

/// One disk, and what of it is described.
struct Disk {
    device: String,
    /// A child of smartctl that the kernel holds.
    left: Option<Child>,
    numbers: Vec<(u16, Number)>,
    more: Vec<u16>,
    /// It has not told what it is yet: it slept, or hung.
    is_unknown: bool,
}

impl Disk {
    const fn new(device: String) -> Self {
        Self { device, left: None, numbers: Vec::new(), more: Vec::new(), is_unknown: true }
    }

    /// The answer, or why there is none.
    fn ask(&mut self, tool: &Tool) -> Result<Value, NoData> {
        if let Some(child) = &mut self.left {
            if !ended(child) {
                return Err(NoData::Busy);
            }
            self.left = None;
        }
        let arguments = ["--json=c", "--nocheck=standby", "--info", "--health", "--attributes"];
        let arguments: Vec<&str> = arguments.into_iter().chain([self.device.as_str()]).collect();
        match tool.ask(&arguments, &mut self.left) {
            Ok(answer) => reason_of(&answer).map_or(Ok(answer), Err),
            Err(SmartError::TimedOut) => Err(NoData::Busy),
            Err(SmartError::NoJson(_) | SmartError::TooOld) => Err(NoData::Unparsable),
            Err(SmartError::Missing | SmartError::Start { .. }) => Err(NoData::NotRunning),
        }
    }

    fn name(&self) -> &str {
        let name = Path::new(&self.device).file_name().and_then(|name| name.to_str());
        name.unwrap_or(&self.device)
    }

    fn describe(&mut self, gathering: &mut Gathering, answer: &Result<Value, NoData>) {
        let nothing = Value::Null;
        let known = answer.as_ref().unwrap_or(&nothing);
        self.is_unknown = answer.is_err();
        for number in NUMBERS {
            if number.is_of(known)
                && let Some(index) = gathering.sensor(number.describe(self.name(), known))
            {
                self.numbers.push((index, number));
            }
        }
        for (place, _) in more_temperatures(known) {
            let name = format!("{}/temperature-{}", self.name(), place + 1);
            let entry = SensorEntry {
                label: name.clone(),
                name,
                metric: "hw.temperature".to_owned(),
                kind: Kind::Temperature,
                unit: Unit::Celsius,
                attributes: Vec::new(),
                thresholds: Thresholds::default(),
            };
            self.more.extend(gathering.sensor(entry));
        }
        if let Err(reason) = answer {
            let text = format!("{} does not tell what it is: {}", self.device, reason.name());
            gathering.remark(&text);
        }
    }

    fn read(&self, answer: &Result<Value, NoData>, round: &mut Round) {
        let mut put = |sensor, value| round.readings.push(Reading { sensor, value });
        for (index, number) in &self.numbers {
            put(*index, answer.as_ref().map_err(|reason| *reason).and_then(|a| number.read(a)));
        }
        let more = answer.as_ref().map(more_temperatures);
        for (place, index) in self.more.iter().enumerate() {
            let value = match &more {
                Ok(more) => more.get(place).map_or(Err(NoData::Missing), |(_, value)| *value),
                Err(reason) => Err(**reason),
            };
            put(*index, value);
        }
    }
}

struct SmartEyes {
    tool: Tool,
    disks: Vec<Disk>,
}

impl Eyes for SmartEyes {
    fn look(&mut self) -> Result<Look, Fault> {
        let mut round = Round::default();
        for disk in &mut self.disks {
            let answer = disk.ask(&self.tool);
            if disk.is_unknown && answer.is_ok() {
                return Ok(Look::Changed);
            }
            disk.read(&answer, &mut round);
        }
        Ok(Look::Seen(round))
    }
}

/// Disks are read and never touched.
struct NoHands;

impl Hands for NoHands {
    fn act(&mut self, _: u16, _: &Deed, _: Deadline) -> Result<ActuatorState, DeedError> {
        Err(DeedError::unsupported("disks have nothing that can be set here"))
    }
}
