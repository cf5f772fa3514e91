//! Chips of `class/hwmon`: temperatures, fans, powers, voltages, currents, energies, humidity,
//! their alarms, and the outputs that drive fans and power limits.
//!
//! Source: the kernel's `Documentation/hwmon/sysfs-interface.rst`. Only `name` is mandatory;
//! attributes stand in the hwmon folder or, with old drivers, in its `device/`.

mod measure;
mod outputs;

use crate::attribute::Attribute;
use crate::board::Board;
use crate::energy::EnergyMeter;
use crate::identity::{self, slug};
use crate::sensor::{Bus, Form, Sensor, Source, float};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, Unit};
use measure::{ALARMS, MEASURES, Measure, POWER};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How deep a recorded tree without `class/hwmon` is searched below `devices`.
const MAX_DEPTH: usize = 12;

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
    for folder in folders(roots) {
        let Some(mut chip) = Chip::open(roots, &folder) else {
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
        chip.id = board.unique(chip.id);
        chip.add_sensors(board);
        chip.add_intrusion(board);
        chip.add_pwms(board);
        chip.add_caps(board);
    }
}

/// The folders of all chips. A recorded tree may have the devices without the class.
pub(crate) fn folders(roots: &Roots) -> Vec<PathBuf> {
    let class = roots.class("hwmon");
    if class.is_dir() || !roots.simulated() {
        return tree::names(&class).iter().map(|name| class.join(name)).collect();
    }
    let mut found = Vec::new();
    search(&roots.sysfs.join("devices"), MAX_DEPTH, &mut found);
    found
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for name in tree::names(folder) {
        let path = folder.join(&name);
        let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        if !is_folder {
            continue;
        }
        if identity::is_numbered(&name) && name != "hwmon" {
            found.push(path);
        } else if depth > 0 {
            search(&path, depth - 1, found);
        }
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

    fn writable(&self, file: &str) -> Option<Attribute> {
        Attribute::writable(self.files.get(file)?.clone(), self.roots.simulated())
    }

    fn number(&self, file: &str) -> Option<i64> {
        tree::number(self.files.get(file)?)
    }

    fn text(&self, file: &str) -> Option<String> {
        tree::text(self.files.get(file)?)
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
        self.add_alarms(board, &base, measure);
    }

    /// A chip that counts energy and says no power: the power is the counter's slope.
    fn add_power_of_energy(&self, board: &mut Board, base: &str) {
        let Some(value) = self.attribute(&format!("{base}_input")) else {
            return;
        };
        let form = Form::Power(EnergyMeter::new(None));
        let source = Source::of(value, form, Band::of(Kind::Power));
        self.push(board, base, &POWER, source, Thresholds::default());
    }

    /// The channel under its label, or under chip and attribute.
    fn push(
        &self,
        board: &mut Board,
        base: &str,
        measure: &Measure,
        source: Source,
        thresholds: Thresholds,
    ) {
        let label = self.text(&format!("{base}_label"));
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

    /// The chip's own alarm bits. Drivers compare nothing: the bit is what the chip says.
    fn add_alarms(&self, board: &mut Board, base: &str, measure: &Measure) {
        let label = self.text(&format!("{base}_label"));
        let name = label.unwrap_or_else(|| format!("{} {base}", self.name));
        for (suffix, failed) in ALARMS {
            let state = if failed { "failed" } else { "degraded" };
            self.add_alarm(board, &format!("{base}_{suffix}"), &name, state, measure.hw_type);
        }
    }

    fn add_intrusion(&self, board: &mut Board) {
        for channel in self.channels("intrusion", &["alarm"]) {
            let name = format!("{} intrusion", self.name);
            let file = format!("intrusion{channel}_alarm");
            self.add_alarm(board, &file, &name, "degraded", "enclosure");
        }
    }

    fn add_alarm(&self, board: &mut Board, file: &str, name: &str, state: &str, hw_type: &str) {
        let Some(value) = self.attribute(file) else {
            return;
        };
        board.add_sensor(
            Sensor {
                id: format!("{}/{file}", self.id),
                name: format!("{name} alarm"),
                metric: "hw.status",
                kind: Kind::State,
                unit: Unit::One,
                attributes: vec![
                    ("hw.parent".into(), self.id.clone()),
                    ("hw.state".into(), state.into()),
                ],
                bus: self.bus.clone(),
                thresholds: Thresholds::default(),
                source: Source::of(value, Form::Alarm { seen: None }, Band::of(Kind::State)),
            },
            hw_type,
        );
    }

    fn thresholds(&self, measure: &Measure, base: &str) -> Thresholds {
        let declared = |suffix: &str| {
            let raw = self.number(&format!("{base}_{suffix}"))?;
            Thresholds::believable(measure.kind, float(raw) / measure.divisor)
        };
        // A temperature's lower bounds are about cold rooms, and mostly unprogrammed.
        let low = |suffix| if measure.kind == Kind::Temperature { None } else { declared(suffix) };
        // The hysteresis is an absolute value in spite of its name.
        let clear = |suffix, of: Option<f64>| declared(suffix).filter(|clear| Some(*clear) < of);
        let (max, crit) = (declared("max"), declared("crit"));
        let emergency = declared("emergency");
        Thresholds {
            low_crit: low("lcrit"),
            low: low("min"),
            max,
            max_clear: clear("max_hyst", max),
            crit,
            crit_clear: clear("crit_hyst", crit),
            emergency,
            emergency_clear: clear("emergency_hyst", emergency),
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
    // Firmware's own code runs at each reading of these.
    if chip.starts_with("power_meter") || chip.starts_with("acpi") {
        return Bus::fast("acpi");
    }
    if device.split('/').any(|part| part.strip_prefix("usb").is_some_and(is_number)) {
        return Bus::fast("usb");
    }
    match device.split('/').find(|part| part.strip_prefix("i2c-").is_some_and(is_number)) {
        Some(i2c) => Bus::fast(i2c),
        None => Bus::fast("hwmon"),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
