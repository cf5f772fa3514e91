//! IPMI over LAN, or in band through the kernel, by `ipmitool`: the one program that every BMC has
//! been tried with.
//!
//! It runs as a child of this process, one session for each look and each deed. The records say
//! what there is and within which thresholds; a value that is no longer told is absence. IPMI
//! itself leaves a BMC that shows an old value as *ok* no way to be found out.

mod hands;
mod presence;
mod tool;
mod way;
mod words;

use crate::driver::{Connection, Driver, Eyes, Look};
use crate::naming::Names;
use flyball_command::ResetType;
use flyball_driver_messages::{
    ActuatorEntry, ActuatorState, Configuration, Described, Fault, FaultKind, Identity,
    MAX_SENSORS, Reading, Round, SensorEntry, Thresholds,
};
use flyball_guard_messages::ActuatorKind;
use flyball_units::{NoData, Unit};
use hands::{IpmiHands, SOURCES, cap_state};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tool::Tool;
use words::Measure;

const LOOK: &str = "chassis power status\nsdr list full\n";
const POWER: &str = "power";
const IDENTIFY: &str = "identify";
const CAP: &str = "cap";
/// A look at a hundred sensors is hundreds of exchanges.
const EXCHANGES_PER_LOOK: u32 = 12;
/// DCMI says no bounds of its limit.
const CAP_WATTS: (f64, f64) = (1.0, 32_767.0);
const VERBS: [ResetType; 6] = [
    ResetType::On,
    ResetType::ForceOff,
    ResetType::GracefulShutdown,
    ResetType::ForceRestart,
    ResetType::PowerCycle,
    ResetType::Nmi,
];

pub(super) struct Ipmi {
    tool: Arc<Tool>,
    most: Duration,
}

impl Ipmi {
    /// # Errors
    /// Where the configuration can't work, or the tool is not there.
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let exchange = Duration::from_millis(u64::from(configuration.timeout_ms));
        let tool = Arc::new(Tool::new(configuration)?);
        Ok(Self { tool, most: exchange * EXCHANGES_PER_LOOK })
    }
}

impl Driver for Ipmi {
    fn connect(&mut self) -> Result<Connection, Fault> {
        let declared = self.tool.run("sensor", self.most)?;
        // What a BMC does not have it refuses; each is asked for alone, so that none hides
        // another.
        let about = self.tool.run("mc info", self.most)?.said;
        let unit = self.tool.run("fru print 0", self.most)?.said;
        let measured = self.tool.run("dcmi power reading", self.most)?.said;
        let limited = self.tool.run("dcmi power get_limit", self.most)?.said;
        let first = |labels: [&str; 2]| labels.iter().find_map(|label| words::field(&unit, label));
        let mut described = Described {
            identity: Identity {
                vendor: first(["Product Manufacturer", "Board Mfg"])
                    .or_else(|| words::field(&about, "Manufacturer Name")),
                model: first(["Product Name", "Board Product"]),
                serial: first(["Product Serial", "Board Serial"]),
                firmware: words::field(&about, "Firmware Revision"),
            },
            ..Described::default()
        };
        let mut eyes = IpmiEyes {
            tool: Arc::clone(&self.tool),
            most: self.most,
            sensors: HashMap::new(),
            count: 0,
            dcmi: None,
            cap: None,
        };
        let mut names = Names::default();
        let mut beyond = 0;
        for sensor in declared.said.lines().filter_map(words::declared) {
            if described.sensors.len() >= MAX_SENSORS - 1 {
                beyond += 1;
                continue;
            }
            let index = u16::try_from(described.sensors.len()).unwrap_or(u16::MAX);
            eyes.sensors.entry(sensor.name.to_owned()).or_default().push(index);
            described.sensors.push(entry(
                names.give(sensor.name),
                sensor.name,
                sensor.measure,
                sensor.thresholds,
            ));
        }
        if beyond > 0 {
            described.remarks.push(format!("{beyond} sensors are beyond the {MAX_SENSORS} taken"));
        }
        if words::dcmi_power(&measured).is_some() {
            eyes.dcmi = u16::try_from(described.sensors.len()).ok();
            let name = names.give("dcmi power");
            described.sensors.push(entry(
                name,
                "DCMI power",
                Measure::POWER,
                Thresholds::default(),
            ));
        }
        eyes.count = described.sensors.len();
        described.actuators = vec![switch(), light()];
        if cap_state(&limited) != ActuatorState::Unknown(NoData::Missing) {
            eyes.cap = Some(2);
            let power = (0..).zip(&described.sensors).find(|(_, s)| s.metric == "hw.power");
            described.actuators.push(cap(eyes.dcmi.or(power.map(|(index, _)| index))));
        }
        let hands = IpmiHands {
            tool: Arc::clone(&self.tool),
            entries: described.actuators.clone(),
            most: self.most,
        };
        Ok(Connection { described, eyes: Box::new(eyes), hands: Box::new(hands) })
    }
}

struct IpmiEyes {
    tool: Arc<Tool>,
    most: Duration,
    /// The sensors of each name, in the order of the records.
    sensors: HashMap<String, Vec<u16>>,
    count: usize,
    dcmi: Option<u16>,
    cap: Option<u16>,
}

impl Eyes for IpmiEyes {
    fn look(&mut self) -> Result<Look, Fault> {
        let words = self.tool.run(LOOK, self.most)?;
        let power = words::power(&words.said);
        // What is not told is gone: no value is taken over from the look before.
        let mut values = vec![Err(NoData::Missing); self.count];
        let mut met: HashMap<&str, usize> = HashMap::new();
        let mut told = 0;
        for (name, value) in words.said.lines().filter_map(words::reading) {
            let nth = met.entry(name).or_default();
            let index = self.sensors.get(name).and_then(|indices| indices.get(*nth));
            *nth += 1;
            if let Some(place) = index.and_then(|index| values.get_mut(usize::from(*index))) {
                *place = value;
                told += 1;
            }
        }
        if power.is_none() && told == 0 {
            // Before its reason the tool may miss a list of manufacturers.
            let complaint = words.complained.lines().rfind(|line| !line.trim().is_empty());
            let complaint = complaint.unwrap_or("it said nothing");
            return Err(Fault::new(
                FaultKind::Failing,
                format!("a look gave nothing: {complaint}"),
            ));
        }
        if let Some(place) = self.dcmi.and_then(|index| values.get_mut(usize::from(index))) {
            let words = self.tool.run("dcmi power reading", self.most)?;
            *place = words::dcmi_power(&words.said).ok_or(NoData::Missing);
        }
        let power = power.map_or(ActuatorState::Unknown(NoData::Missing), ActuatorState::Power);
        let mut states = vec![(0, power)];
        if let Some(index) = self.cap {
            let words = self.tool.run("dcmi power get_limit", self.most)?;
            states.push((index, cap_state(&words.said)));
        }
        let readings = (0..).zip(values).map(|(sensor, value)| Reading { sensor, value });
        Ok(Look::Seen(Round { readings: readings.collect(), states, ..Round::default() }))
    }
}

fn entry(name: String, label: &str, measure: Measure, thresholds: Thresholds) -> SensorEntry {
    SensorEntry {
        name,
        label: flyball_driver_messages::bounded(label),
        metric: measure.metric.to_owned(),
        kind: measure.kind,
        unit: measure.unit,
        attributes: Vec::new(),
        thresholds,
    }
}

fn switch() -> ActuatorEntry {
    ActuatorEntry {
        verbs: VERBS.to_vec(),
        words: SOURCES.map(|(name, ..)| name.to_owned()).to_vec(),
        ..ActuatorEntry::bare(ActuatorKind::Switch, POWER, "chassis power")
    }
}

fn light() -> ActuatorEntry {
    ActuatorEntry::bare(ActuatorKind::Indicator, IDENTIFY, "identify light")
}

fn cap(effect: Option<u16>) -> ActuatorEntry {
    let (min, max) = CAP_WATTS;
    ActuatorEntry {
        unit: Unit::Watt,
        min,
        max,
        quantum: 1.0,
        effect,
        ..ActuatorEntry::bare(ActuatorKind::PowerCap, CAP, "DCMI power limit")
    }
}
