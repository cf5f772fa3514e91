//! Made-up machines: a tree of every source, and for each value what it has to be read as.
//!
//! The expectation is made from the digits as text (the decimal point is put where the kernel's
//! document has the unit), so that it shares no arithmetic with the reader.

use crate::tree::Tree;
use flyball_units::{NoData, Unit};
use std::collections::BTreeMap;

/// What one sensor must be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) metric: &'static str,
    pub(crate) unit: Unit,
    pub(crate) value: Result<f64, NoData>,
}

pub(crate) struct Machine {
    pub(crate) tree: Tree,
    pub(crate) expected: BTreeMap<String, Expected>,
    random: u64,
}

impl Machine {
    pub(crate) fn new(seed: u64) -> Self {
        let mut machine = Self {
            tree: Tree::new(&[]),
            expected: BTreeMap::new(),
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        };
        machine.add_chips();
        machine.add_nvme();
        machine.add_zones();
        machine.add_rapl();
        machine.add_batteries();
        machine.add_cards();
        machine.add_memory();
        machine.add_processors();
        machine
    }

    /// A number from `low` to `high`.
    fn pick(&mut self, low: i64, high: i64) -> i64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        low + i64::try_from(self.random % u64::try_from(high - low + 1).unwrap()).unwrap()
    }

    fn expect(&mut self, id: String, metric: &'static str, unit: Unit, value: Result<f64, NoData>) {
        let before = self.expected.insert(id.clone(), Expected { metric, unit, value });
        assert_eq!(before, None, "{id} is made up twice");
    }

    fn write(&self, path: &str, number: i64) {
        self.tree.write(path, &number.to_string());
    }

    fn add_chips(&mut self) {
        let chips = [
            ("coretemp", "platform/coretemp.0", false),
            ("coretemp", "platform/coretemp.1", false),
            ("nct6775", "platform/nct6775.656", false),
            ("adt7475", "pci0000:00/0000:00:1f.4/i2c-0/0-002e", false),
            ("amdgpu", "pci0000:00/0000:00:03.1/0000:0a:00.0", false),
            ("power_meter", "LNXSYSTM:00/ACPI000D:00", true),
        ];
        for (number, (chip, device, old)) in chips.into_iter().enumerate() {
            // The numbers mean nothing, so they come in any order.
            let number = (number * 5 + 3) % 7;
            let device = format!("devices/{device}");
            let hwmon = format!("{device}/hwmon/hwmon{number}");
            self.tree.write(&format!("{hwmon}/name"), chip);
            self.tree.link(&format!("{hwmon}/device"), &device);
            self.tree.link(&format!("class/hwmon/hwmon{number}"), &hwmon);
            let folder = if old { device.clone() } else { hwmon };
            let id = format!("{chip}@{}", device.strip_prefix("devices/").unwrap());
            self.add_channels(&folder, &id);
        }
    }

    fn add_channels(&mut self, folder: &str, id: &str) {
        type Row = (&'static str, &'static str, &'static str, Unit, usize, i64, i64);
        let rows: [Row; 8] = [
            ("temp", "input", "hw.temperature", Unit::Celsius, 3, -19_000, 124_000),
            ("fan", "input", "hw.fan.speed", Unit::Rpm, 0, 0, 20_000),
            ("power", "average", "hw.power", Unit::Watt, 6, 0, 900_000_000),
            ("in", "input", "hw.voltage", Unit::Volt, 3, -13_000, 60_000),
            ("curr", "input", "hw.current", Unit::Ampere, 3, -5_000, 60_000),
            ("energy", "input", "hw.energy", Unit::Joule, 6, 0, 9_000_000_000_000),
            ("humidity", "input", "hw.humidity", Unit::Percent, 3, 0, 100_000),
            ("freq", "input", "hw.frequency", Unit::Hertz, 0, 0, 3_000_000_000),
        ];
        for (prefix, file, metric, unit, decimals, low, high) in rows {
            // A chip without power channels has its power made from its energy.
            let most = if prefix == "power" { 1 } else { self.pick(0, 3) };
            for channel in 1..=most {
                let raw = self.pick(low, high);
                let base = format!("{prefix}{channel}");
                self.write(&format!("{folder}/{base}_{file}"), raw);
                let mut sensor = format!("{id}/{base}");
                if self.pick(0, 1) == 1 {
                    self.tree.write(&format!("{folder}/{base}_label"), "Loop #1");
                    sensor.push_str(":loop__1");
                }
                let mut value = plausible(prefix, raw, decimal(raw, decimals));
                if prefix != "freq" && self.pick(0, 9) == 0 {
                    self.write(&format!("{folder}/{base}_fault"), 1);
                    value = Err(NoData::Fault);
                }
                if self.pick(0, 9) == 0 {
                    self.write(&format!("{folder}/{base}_enable"), 0);
                    value = Err(NoData::Disabled);
                }
                self.expect(sensor, metric, unit, value);
                for alarm in ["alarm", "max_alarm", "crit_alarm"] {
                    if self.pick(0, 3) == 0 {
                        let bit = self.pick(0, 1);
                        self.write(&format!("{folder}/{base}_{alarm}"), bit);
                        let value = Ok(decimal(bit, 0));
                        self.expect(format!("{id}/{base}_{alarm}"), "hw.status", Unit::One, value);
                    }
                }
            }
        }
        for channel in 1..=self.pick(0, 3) {
            let raw = self.pick(0, 255);
            self.write(&format!("{folder}/pwm{channel}"), raw);
            let mode = self.pick(1, 5);
            self.write(&format!("{folder}/pwm{channel}_enable"), mode);
            let duty = decimal(raw, 0) / decimal(255, 0);
            self.expect(format!("{id}/pwm{channel}"), "hw.fan.speed_ratio", Unit::One, Ok(duty));
        }
    }

    fn add_nvme(&mut self) {
        let device = "devices/pci0000:00/0000:01:00.0/nvme/nvme0";
        let hwmon = format!("{device}/hwmon9");
        self.tree.write(&format!("{hwmon}/name"), "nvme");
        self.tree.link(&format!("{hwmon}/device"), device);
        self.tree.link("class/hwmon/hwmon9", &hwmon);
        for (channel, label) in [(1, "Composite"), (2, "Sensor 1"), (3, "Sensor 2")] {
            // Whole kelvin.
            let raw = self.pick(0, 100) * 1000 - 150;
            self.write(&format!("{hwmon}/temp{channel}_input"), raw);
            self.tree.write(&format!("{hwmon}/temp{channel}_label"), label);
            self.write(&format!("{hwmon}/temp{channel}_max"), 65_261_850);
            self.write(&format!("{hwmon}/temp{channel}_min"), -273_150);
            let label = label.to_lowercase().replace(' ', "_");
            let id = format!("nvme@pci0000:00/0000:01:00.0/temp{channel}:{label}");
            self.expect(id, "hw.temperature", Unit::Celsius, Ok(decimal(raw, 3)));
        }
    }

    fn add_zones(&mut self) {
        for (number, zone) in ["x86_pkg_temp", "acpitz", "acpitz"].into_iter().enumerate() {
            let folder = format!("class/thermal/thermal_zone{number}");
            let raw = self.pick(-60_000, 124_000);
            self.tree.write(&format!("{folder}/type"), zone);
            self.write(&format!("{folder}/temp"), raw);
            let id = if number == 2 { "acpitz#2" } else { zone };
            let value = plausible("temp", raw, decimal(raw, 3));
            self.expect(format!("thermal/{id}"), "hw.temperature", Unit::Celsius, value);
        }
        for (number, device) in ["Processor", "Fan"].into_iter().enumerate() {
            let folder = format!("class/thermal/cooling_device{number}");
            let (state, most) = (self.pick(0, 10), 10);
            self.tree.write(&format!("{folder}/type"), device);
            self.write(&format!("{folder}/cur_state"), state);
            self.write(&format!("{folder}/max_state"), most);
            let metric = ["hw.cooling.state_ratio", "hw.fan.speed_ratio"][number];
            let id = format!("cooling/{}/state", device.to_lowercase());
            self.expect(id, metric, Unit::One, Ok(decimal(state, 1)));
        }
    }

    fn add_rapl(&mut self) {
        self.tree.write("class/powercap/intel-rapl/enabled", "1");
        for zone in ["0", "a"] {
            let folder = format!("class/powercap/intel-rapl:{zone}");
            let (energy, limit) =
                (self.pick(0, 262_143_328_850), self.pick(1_000_000, 500_000_000));
            self.tree.write(&format!("{folder}/name"), "package-0");
            self.tree.write(&format!("{folder}/max_energy_range_uj"), "262143328850");
            self.write(&format!("{folder}/energy_uj"), energy);
            self.tree.write(&format!("{folder}/constraint_0_name"), "long_term");
            self.write(&format!("{folder}/constraint_0_power_limit_uw"), limit);
            let id = |what: &str| format!("powercap/intel-rapl:{zone}/{what}");
            self.expect(id("power:package-0"), "hw.power", Unit::Watt, Err(NoData::NoHistory));
            let joules = Ok(decimal(energy, 6));
            self.expect(id("energy:package-0"), "hw.energy", Unit::Joule, joules);
            let watts = Ok(decimal(limit, 6));
            self.expect(id("constraint_0:long_term"), "hw.power.limit", Unit::Watt, watts);
            // The cores' energy is in the package's.
            let folder = format!("class/powercap/intel-rapl:{zone}:0");
            self.tree.write(&format!("{folder}/name"), "core");
            self.write(&format!("{folder}/energy_uj"), energy / 2);
        }
    }

    fn add_batteries(&mut self) {
        type Row = (&'static str, &'static str, Unit, usize, i64, i64);
        let rows: [Row; 8] = [
            ("capacity", "hw.battery.charge", Unit::One, 2, 0, 100),
            ("voltage_now", "hw.voltage", Unit::Volt, 6, 0, 60_000_000),
            ("current_now", "hw.current", Unit::Ampere, 6, -9_000_000, 9_000_000),
            ("power_now", "hw.power", Unit::Watt, 6, 0, 200_000_000),
            ("temp", "hw.temperature", Unit::Celsius, 1, -190, 700),
            ("cycle_count", "hw.battery.cycles", Unit::Count, 0, 0, 2_000),
            ("time_to_empty_now", "hw.battery.time_left", Unit::Second, 0, 0, 36_000),
            ("present", "hw.status", Unit::One, 0, 0, 1),
        ];
        for (number, battery) in ["BAT0", "BAT1"].into_iter().enumerate() {
            let folder = format!("class/power_supply/{battery}");
            let id = |file: &str| format!("power_supply/{}/{file}", battery.to_lowercase());
            self.tree.write(&format!("{folder}/type"), "Battery");
            for (file, metric, unit, decimals, low, high) in rows {
                let raw = self.pick(low, high);
                self.write(&format!("{folder}/{file}"), raw);
                self.expect(id(file), metric, unit, Ok(decimal(raw, decimals)));
            }
            // 10 V and whole thousands of µWh and µAh: 3.6 J and 36 J each.
            let (file, joules) = [("energy_now", 36), ("charge_now", 360)][number];
            let thousands = self.pick(0, 90_000);
            self.write(&format!("{folder}/voltage_min_design"), 10_000_000);
            self.write(&format!("{folder}/{file}"), thousands * 1000);
            let joules = Ok(decimal(thousands * joules, 1));
            self.expect(id(file), "hw.battery.energy", Unit::Joule, joules);
            let words = ["Unknown", "Charging", "Discharging", "Not charging", "Full"];
            let word = self.pick(0, 4);
            self.tree.write(&format!("{folder}/status"), words[usize::try_from(word).unwrap()]);
            self.expect(id("status"), "hw.battery.status", Unit::One, Ok(decimal(word, 0)));
        }
        let online = self.pick(0, 1);
        self.tree.write("class/power_supply/AC/type", "Mains");
        self.write("class/power_supply/AC/online", online);
        let id = "power_supply/ac/online".to_owned();
        self.expect(id, "hw.status", Unit::One, Ok(decimal(online, 0)));
    }

    fn add_cards(&mut self) {
        let device = "devices/pci0000:00/0000:0a:00.0";
        self.tree.link("class/drm/card1", &format!("{device}/drm/card1"));
        self.tree.write("devices/pci0000:00/0000:0a:00.0/vendor", "0x1002");
        self.tree.write("class/drm/card1-DP-1/status", "connected");
        let busy = self.pick(0, 100);
        let used = self.pick(0, 8_573_157_376);
        std::fs::create_dir_all(self.tree.path(&format!("{device}/drm/card1"))).unwrap();
        self.tree.link(&format!("{device}/drm/card1/device"), device);
        self.write(&format!("{device}/gpu_busy_percent"), busy);
        self.write(&format!("{device}/mem_info_vram_used"), used);
        let id = |file: &str| format!("drm@pci0000:00/0000:0a:00.0/{file}");
        let value = Ok(decimal(busy, 2));
        self.expect(id("gpu_busy_percent"), "hw.gpu.utilization", Unit::One, value);
        let value = Ok(decimal(used, 0));
        self.expect(id("mem_info_vram_used"), "hw.gpu.memory.usage", Unit::Byte, value);
    }

    fn add_memory(&mut self) {
        for (file, folder) in
            [("ce_count", "mc0"), ("ue_count", "mc0"), ("dimm_ce_count", "mc0/dimm3")]
        {
            let count = self.pick(0, 1_000_000);
            self.write(&format!("devices/system/edac/mc/{folder}/{file}"), count);
            let id = format!("edac/{folder}/{file}");
            let recent = Err(NoData::NoHistory);
            self.expect(format!("{id}:recent"), "hw.errors.recent", Unit::Count, recent);
            self.expect(id, "hw.errors", Unit::Count, Ok(decimal(count, 0)));
        }
    }

    fn add_processors(&mut self) {
        for policy in [0, 10, 2] {
            let khz = self.pick(400_000, 5_000_000);
            let file = format!("devices/system/cpu/cpufreq/policy{policy}/scaling_cur_freq");
            self.write(&file, khz);
            let id = format!("cpufreq/policy{policy}");
            self.expect(id, "system.cpu.frequency", Unit::Hertz, Ok(decimal(khz * 1000, 0)));
        }
    }
}

/// `raw` with its point `decimals` digits from its end.
fn decimal(raw: i64, decimals: usize) -> f64 {
    let digits = format!("{:0width$}", raw.abs(), width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    let sign = if raw < 0 { "-" } else { "" };
    format!("{sign}{whole}.{part}0").parse().unwrap()
}

/// A temperature outside -20 to 125 °C and an answer without a sensor behind it are none.
fn plausible(prefix: &str, raw: i64, value: f64) -> Result<f64, NoData> {
    let out = prefix == "temp" && !(-20_000..=125_000).contains(&raw);
    if out { Err(NoData::OutOfRange) } else { Ok(value) }
}
