//! Chips of `class/hwmon`: temperatures, fans, powers, voltages, currents, energies, humidity,
//! and the pwm outputs that drive fans.
//!
//! Source: the kernel's `Documentation/hwmon/sysfs-interface.rst`. Only `name` is mandatory;
//! attributes stand in the hwmon folder or, with old drivers, in its `device/`.

use crate::actuator::Actuator;
use crate::attribute::Attribute;
use crate::board::Board;
use crate::cap::{Cap, CapFiles};
use crate::energy::EnergyMeter;
use crate::identity::{self, slug};
use crate::pwm::Pwm;
use crate::sensor::{Bus, Form, Sensor, Source};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, Unit};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One kind of attribute: how its files begin, and what its digits are.
struct Measure {
    prefix: &'static str,
    /// The files that carry the value, best first.
    inputs: &'static [&'static str],
    metric: &'static str,
    kind: Kind,
    unit: Unit,
    divisor: f64,
    hw_type: &'static str,
}

const MEASURES: [Measure; 7] = [
    Measure {
        prefix: "temp",
        inputs: &["input"],
        metric: "hw.temperature",
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        divisor: 1e3,
        hw_type: "temperature",
    },
    Measure {
        prefix: "fan",
        inputs: &["input"],
        metric: "hw.fan.speed",
        kind: Kind::FanSpeed,
        unit: Unit::Rpm,
        divisor: 1.0,
        hw_type: "fan",
    },
    Measure {
        prefix: "power",
        inputs: &["input", "average"],
        metric: "hw.power",
        kind: Kind::Power,
        unit: Unit::Watt,
        divisor: 1e6,
        hw_type: "power_supply",
    },
    Measure {
        prefix: "in",
        inputs: &["input"],
        metric: "hw.voltage",
        kind: Kind::Voltage,
        unit: Unit::Volt,
        divisor: 1e3,
        hw_type: "voltage",
    },
    Measure {
        prefix: "curr",
        inputs: &["input"],
        metric: "hw.current",
        kind: Kind::Current,
        unit: Unit::Ampere,
        divisor: 1e3,
        hw_type: "power_supply",
    },
    Measure {
        prefix: "energy",
        inputs: &["input"],
        metric: "hw.energy",
        kind: Kind::Energy,
        unit: Unit::Joule,
        divisor: 1e6,
        hw_type: "power_supply",
    },
    Measure {
        prefix: "humidity",
        inputs: &["input"],
        metric: "hw.humidity",
        kind: Kind::Humidity,
        unit: Unit::Percent,
        divisor: 1e3,
        hw_type: "enclosure",
    },
];

/// One chip while it is being looked through.
struct Chip<'a> {
    roots: &'a Roots,
    name: String,
    /// What all ids of the chip begin with: its name and the device behind it.
    id: String,
    bus: Bus,
    /// Where each attribute file is.
    files: BTreeMap<String, PathBuf>,
}

/// Adds the sensors and actuators of every chip to `board`.
pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let class = roots.class("hwmon");
    for folder in tree::names(&class) {
        let folder = class.join(folder);
        let Some(chip) = Chip::open(roots, &folder) else {
            board.remark(
                folder.display().to_string(),
                "is no hwmon chip: it has no readable `name`; it is left out".into(),
            );
            continue;
        };
        // The same number again, already read as a thermal zone or as a battery.
        if ["/thermal_zone", "/power_supply/"].iter().any(|part| chip.id.contains(part)) {
            continue;
        }
        chip.add_sensors(board);
        chip.add_pwms(board);
        chip.add_caps(board);
    }
}

impl<'a> Chip<'a> {
    fn open(roots: &'a Roots, folder: &Path) -> Option<Self> {
        let device_folder = folder.join("device");
        let name =
            tree::text(&folder.join("name")).or_else(|| tree::text(&device_folder.join("name")))?;
        let device = identity::device(roots, folder);
        let id = match &device {
            Some(device) => format!("{}@{device}", slug(&name)),
            None => slug(&name),
        };
        let mut files = BTreeMap::new();
        for place in [&device_folder, folder] {
            for file in tree::names(place) {
                files.insert(file.clone(), place.join(file));
            }
        }
        let bus = bus_of(&name, device.as_deref().unwrap_or(""));
        Some(Self { roots, name, id, bus, files })
    }

    fn attribute(&self, file: &str) -> Option<Attribute> {
        Some(Attribute::new(self.files.get(file)?.clone(), self.roots.simulated()))
    }

    fn number(&self, file: &str) -> Option<i64> {
        tree::number(self.files.get(file)?)
    }

    /// The numbers of a prefix's channels: `temp1_input`, `temp12_input` → 1, 12.
    fn channels(&self, prefix: &str, suffixes: &[&str]) -> Vec<u32> {
        let mut channels: Vec<u32> = self
            .files
            .keys()
            .filter_map(|file| {
                let (digits, suffix) = file.strip_prefix(prefix)?.split_once('_')?;
                suffixes.contains(&suffix).then(|| digits.parse().ok())?
            })
            .collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    fn add_sensors(&self, board: &mut Board) {
        for measure in &MEASURES {
            for channel in self.channels(measure.prefix, measure.inputs) {
                self.add_sensor(board, measure, channel);
            }
        }
    }

    fn add_sensor(&self, board: &mut Board, measure: &Measure, channel: u32) {
        let base = format!("{}{channel}", measure.prefix);
        let Some(value) =
            measure.inputs.iter().find_map(|i| self.attribute(&format!("{base}_{i}")))
        else {
            return;
        };
        let thresholds = self.thresholds(measure, &base);
        let band = match self.name.starts_with("w1_") {
            true => Band::one_wire(),
            false => Band::of(measure.kind).widened(&thresholds),
        };
        let mut source = Source::level(value, measure.divisor, band);
        source.fault = self.attribute(&format!("{base}_fault"));
        source.enable = self.attribute(&format!("{base}_enable"));
        if measure.kind == Kind::Energy {
            source.form = Form::Energy(EnergyMeter::new(None));
            if self.channels("power", &["input", "average"]).is_empty() {
                self.add_power_of_energy(board, &base);
            }
        }
        self.push(board, &base, measure, source, thresholds);
    }

    /// A chip that counts energy and says no power: the power is the counter's slope.
    fn add_power_of_energy(&self, board: &mut Board, base: &str) {
        let Some(value) = self.attribute(&format!("{base}_input")) else {
            return;
        };
        let power = &MEASURES[2];
        let source = Source {
            form: Form::Power(EnergyMeter::new(None)),
            ..Source::level(value, 1.0, Band::of(Kind::Power))
        };
        self.push(board, base, power, source, Thresholds::default());
    }

    fn push(
        &self,
        board: &mut Board,
        base: &str,
        measure: &Measure,
        source: Source,
        thresholds: Thresholds,
    ) {
        let label = self.files.get(&format!("{base}_label")).and_then(|path| tree::text(path));
        let mut id = format!("{}/{base}", self.id);
        if let Some(label) = &label {
            id = format!("{id}:{}", slug(label));
        }
        if measure.kind == Kind::Power && base.starts_with("energy") {
            id.push_str(":power");
        }
        board.add_sensor(
            Sensor {
                id,
                name: label.unwrap_or_else(|| format!("{} {base}", self.name)),
                metric: measure.metric,
                kind: measure.kind,
                unit: measure.unit,
                attributes: vec![("hw.parent".into(), self.id.clone())],
                bus: self.bus.clone(),
                thresholds,
                source,
            },
            measure.hw_type,
        );
    }

    fn thresholds(&self, measure: &Measure, base: &str) -> Thresholds {
        let declared = |suffix: &str| {
            let raw = self.number(&format!("{base}_{suffix}"))?;
            #[expect(clippy::cast_precision_loss, reason = "no threshold is above 2^53")]
            let value = raw as f64 / measure.divisor;
            Thresholds::believable(measure.kind, value)
        };
        let lower_bound_means_something =
            matches!(measure.kind, Kind::FanSpeed | Kind::Voltage | Kind::Current);
        Thresholds {
            low: if lower_bound_means_something { declared("min") } else { None },
            max: declared("max"),
            crit: declared("crit"),
            emergency: declared("emergency"),
        }
    }

    fn add_pwms(&self, board: &mut Board) {
        let channels = self.files.keys().filter_map(|file| file.strip_prefix("pwm")?.parse().ok());
        let channels: Vec<u32> = channels.collect();
        for channel in channels {
            let base = format!("pwm{channel}");
            let (Some(level), Some(reading)) = (self.attribute(&base), self.attribute(&base))
            else {
                continue;
            };
            let id = format!("{}/{base}", self.id);
            let name = format!("{} {base}", self.name);
            let pwm = Pwm::new(level, self.attribute(&format!("{base}_enable")));
            let tach = board.sensor_id_with_prefix(&format!("{}/fan{channel}", self.id));
            board.add_sensor(
                Sensor {
                    id: id.clone(),
                    name: name.clone(),
                    metric: "hw.fan.speed_ratio",
                    kind: Kind::Duty,
                    unit: Unit::One,
                    attributes: vec![("hw.parent".into(), self.id.clone())],
                    bus: self.bus.clone(),
                    thresholds: Thresholds::default(),
                    source: Source::level(reading, 255.0, Band::of(Kind::Duty)),
                },
                "fan",
            );
            board.add_actuator(Actuator::fan(id, name, tach, pwm));
        }
    }

    /// `power1_cap` exists only where the hardware enforces it.
    fn add_caps(&self, board: &mut Board) {
        for channel in self.channels("power", &["cap"]) {
            let base = format!("power{channel}");
            let (Some(limit), Some(reading)) =
                (self.attribute(&format!("{base}_cap")), self.attribute(&format!("{base}_cap")))
            else {
                continue;
            };
            let id = format!("{}/{base}_cap", self.id);
            let name = format!("{} {base} cap", self.name);
            let files = CapFiles {
                limit,
                enabled: None,
                min_uw: self.number(&format!("{base}_cap_min")),
                max_uw: self.number(&format!("{base}_cap_max")),
            };
            let attributes = vec![("hw.parent".into(), self.id.clone())];
            board.add_cap(id, name, &self.bus, attributes, reading, true, Cap::new(files));
        }
    }
}

/// Chips that share a wire share a poller. Disks and 1-wire sensors take seconds at worst.
fn bus_of(chip: &str, device: &str) -> Bus {
    if chip == "nvme" || chip == "drivetemp" {
        return Bus::slow("storage");
    }
    if chip.starts_with("w1_") {
        return Bus::slow("w1");
    }
    match device.split('/').find(|part| {
        part.strip_prefix("i2c-").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    }) {
        Some(i2c) => Bus::fast(i2c),
        None => Bus::fast("hwmon"),
    }
}
