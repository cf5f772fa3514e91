//! A directory that looks like sysfs: what the plant measures is shown in it, and what a guard
//! writes to `pwmN`, `pwmN_enable` and `constraint_0_power_limit_uw` is taken from it.
//!
//! Files are written in place, as the kernel prints them, and never seen half written. The
//! physics is elsewhere.

mod attribute;
mod layout;

use crate::plant::{FanMode, Plant};
use attribute::Attribute;
use layout::{CPU_POLICY, HWMON, RAPL, THERMAL};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    #[error("cannot write {path}", path = .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {path}", path = .path.display())]
    Read { path: PathBuf, source: io::Error },
}

#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    temperatures: Vec<Attribute>,
    zone: Attribute,
    fans: Vec<FanFiles>,
    power: Attribute,
    energy: Attribute,
    cap: Attribute,
    frequency: Attribute,
}

#[derive(Debug)]
struct FanFiles {
    input: Attribute,
    pwm: Attribute,
    enable: Attribute,
}

impl Tree {
    /// Lays the tree of `plant`'s board out under `root`, over what is there.
    ///
    /// # Errors
    /// Where a file or folder cannot be made.
    pub fn create(root: &Path, plant: &Plant) -> Result<Self, TreeError> {
        layout::lay_out(root, plant.board())?;
        let at = |folder: &str, name: &str| Attribute::new(root.join(folder).join(name));
        let fan = |number: usize| FanFiles {
            input: at(HWMON, &format!("fan{number}_input")),
            pwm: at(HWMON, &format!("pwm{number}")),
            enable: at(HWMON, &format!("pwm{number}_enable")),
        };
        let mut tree = Self {
            temperatures: (1..=3).map(|number| at(HWMON, &format!("temp{number}_input"))).collect(),
            zone: at(THERMAL, "temp"),
            fans: (1..=plant.board().fans).map(fan).collect(),
            power: at(HWMON, "power1_average"),
            energy: at(RAPL, "energy_uj"),
            cap: at(RAPL, "constraint_0_power_limit_uw"),
            frequency: at(CPU_POLICY, "scaling_cur_freq"),
            root: root.to_path_buf(),
        };
        tree.show(plant)?;
        Ok(tree)
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Gives the plant what was written since the last look. What no driver would take is
    /// left; `show` puts the standing value back.
    ///
    /// # Errors
    /// Where a file that the tree holds cannot be read.
    pub fn take(&mut self, plant: &mut Plant) -> Result<(), TreeError> {
        for (index, fan) in self.fans.iter_mut().enumerate() {
            match fan.enable.changed()?.as_deref() {
                Some("0") => plant.set_fan_mode(index, FanMode::Full),
                Some("1") => plant.set_fan_mode(index, FanMode::Manual),
                Some("2") => plant.set_fan_mode(index, FanMode::Automatic),
                Some(_) | None => {}
            }
            if let Some(Ok(pwm)) = fan.pwm.changed()?.map(|text| text.parse::<i64>()) {
                // Drivers clamp: adt7475 takes -5 as 0 and 999 as 255.
                let pwm = u8::try_from(pwm.clamp(0, 255)).unwrap_or(u8::MAX);
                plant.set_pwm(index, pwm);
            }
        }
        if let Some(Ok(microwatts)) = self.cap.changed()?.map(|text| text.parse::<u64>()) {
            plant.set_cap(microwatts as f64 / 1e6);
        }
        Ok(())
    }

    /// Shows what the plant measures now.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn show(&mut self, plant: &Plant) -> Result<(), TreeError> {
        use crate::fault::{Fault, Target};
        for (number, attribute) in (1..).zip(&mut self.temperatures) {
            let target = Target::Temperature(number);
            let value = plant.temperature(number).map(milli);
            attribute.show_sensor(value, plant.has(Fault::SensorError, target))?;
        }
        let zone = plant.zone_temperature().map(milli);
        self.zone.show_sensor(zone, plant.has(Fault::SensorError, Target::Zone))?;
        let power = plant.power().map(micro);
        self.power.show_sensor(power, plant.has(Fault::SensorError, Target::Power))?;
        let energy = plant.energy_uj().map(|energy| format!("{energy:.0}"));
        self.energy.show_sensor(energy, plant.has(Fault::SensorError, Target::Energy))?;
        for (index, fan) in self.fans.iter_mut().enumerate() {
            let target = Target::Fan(index + 1);
            let rpm = plant.rpm(index + 1).map(|rpm| format!("{rpm:.0}"));
            fan.input.show_sensor(rpm, plant.has(Fault::SensorError, target))?;
            if let (Some(pwm), Some(mode)) = (plant.pwm(index), plant.fan_mode(index)) {
                fan.pwm.show(&pwm.to_string())?;
                fan.enable.show(enable_of(mode))?;
            }
        }
        self.cap.show(&micro(plant.cap_watts()))?;
        let board = plant.board();
        let span = (board.max_khz - board.min_khz) as f64;
        let khz = board.min_khz as f64 + span * plant.busy();
        self.frequency.show(&format!("{khz:.0}"))
    }
}

const fn enable_of(mode: FanMode) -> &'static str {
    match mode {
        FanMode::Full => "0",
        FanMode::Manual => "1",
        FanMode::Automatic => "2",
    }
}

fn milli(celsius: f64) -> String {
    format!("{:.0}", celsius * 1e3)
}

fn micro(watts: f64) -> String {
    format!("{:.0}", watts * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Board;
    use crate::fault::{Fault, Target};
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::time::Duration;

    struct Bench {
        folder: tempfile::TempDir,
        plant: Plant,
        tree: Tree,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let plant = Plant::new(Board::of(1));
            let tree = Tree::create(folder.path(), &plant).unwrap();
            Self { folder, plant, tree }
        }

        fn path(&self, path: &str) -> PathBuf {
            self.folder.path().join(path)
        }

        fn read(&self, path: &str) -> String {
            fs::read_to_string(self.path(path)).unwrap()
        }

        fn pass(&mut self, seconds: u64) {
            self.tree.take(&mut self.plant).unwrap();
            self.plant.step(Duration::from_secs(seconds));
            self.tree.show(&self.plant).unwrap();
        }
    }

    #[test]
    fn the_classes_lead_to_the_devices_as_in_sysfs() {
        let bench = Bench::new();
        for (path, text) in [
            ("class/hwmon/hwmon0/name", "simboard\n"),
            ("class/hwmon/hwmon0/temp1_label", "Package\n"),
            ("class/thermal/thermal_zone0/type", "x86_pkg_temp\n"),
            ("class/thermal/thermal_zone0/trip_point_0_type", "critical\n"),
            ("class/powercap/intel-rapl:0/name", "package-0\n"),
            ("class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n"),
            ("class/dmi/id/product_name", "Flyball simulated board 1\n"),
            ("devices/system/cpu/cpu0/cpufreq/scaling_driver", "flyball-plant\n"),
        ] {
            assert_eq!(bench.read(path), text, "{path}");
        }
    }

    #[test]
    fn a_file_keeps_its_inode_and_its_newline_while_numbers_change() {
        let mut bench = Bench::new();
        let path = "class/hwmon/hwmon0/temp1_input";
        let (inode, first) = (fs::metadata(bench.path(path)).unwrap().ino(), bench.read(path));
        bench.plant.set_load(Some(90.0));
        bench.pass(200);
        let second = bench.read(path);
        assert_ne!(first, second);
        assert!(second.ends_with('\n') && second.trim().parse::<i64>().is_ok(), "{second:?}");
        assert_eq!(fs::metadata(bench.path(path)).unwrap().ino(), inode);
    }

    #[test]
    fn pwm_counts_in_manual_mode_only_and_is_clamped() {
        let mut bench = Bench::new();
        let (pwm, enable) = ("class/hwmon/hwmon0/pwm1", "class/hwmon/hwmon0/pwm1_enable");
        fs::write(bench.path(pwm), "10").unwrap();
        bench.pass(1);
        assert_ne!(bench.read(pwm), "10\n", "the board's own curve stands");
        fs::write(bench.path(enable), "1").unwrap();
        bench.pass(1);
        for (written, read) in [("99", "99\n"), ("-5", "0\n"), ("999", "255\n"), ("abc", "255\n")] {
            fs::write(bench.path(pwm), written).unwrap();
            bench.pass(1);
            assert_eq!(bench.read(pwm), read, "{written}");
        }
        fs::write(bench.path(enable), "0").unwrap();
        bench.pass(9);
        assert_eq!(bench.read(pwm), "255\n");
        let rpm: f64 = bench.read("class/hwmon/hwmon0/fan1_input").trim().parse().unwrap();
        assert!(rpm > bench.plant.board().fan_max_rpm * 0.97, "{rpm}");
    }

    #[test]
    fn a_written_cap_holds_and_a_stuck_one_is_put_back() {
        let mut bench = Bench::new();
        let cap = "class/powercap/intel-rapl:0/constraint_0_power_limit_uw";
        let before = bench.read(cap);
        fs::write(bench.path(cap), "50000000").unwrap();
        bench.pass(1);
        assert_eq!(bench.read(cap), "50000000\n");
        bench.plant.inject(Fault::CapStuck, Target::Cap).unwrap();
        fs::write(bench.path(cap), before.trim()).unwrap();
        bench.pass(1);
        assert_eq!(bench.read(cap), "50000000\n");
    }

    #[test]
    fn a_missing_sensor_has_no_file_and_a_faulty_one_no_number() {
        let mut bench = Bench::new();
        let path = "class/hwmon/hwmon0/temp1_input";
        bench.plant.inject(Fault::SensorMissing, Target::Temperature(1)).unwrap();
        bench.pass(1);
        assert!(!bench.path(path).exists());
        bench.plant.heal(Target::Temperature(1));
        bench.plant.inject(Fault::SensorError, Target::Temperature(1)).unwrap();
        bench.pass(1);
        assert!(bench.read(path).trim().parse::<f64>().is_err());
        bench.plant.heal_all();
        bench.pass(1);
        assert!(bench.read(path).trim().parse::<f64>().is_ok());
    }
}
