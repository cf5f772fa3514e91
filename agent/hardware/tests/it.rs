//! Trees with the traps that recorded ones contain, read as the guard reads them.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

use flyball_hardware::{ActuatorError, Board, Roots, Sensor, discover};
use flyball_units::{Kind, NoData};
use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

/// A sysfs tree under a temporary folder.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap().trim().to_owned()
    }

    fn board(&self) -> Board {
        discover(&Roots { sysfs: self.0.path().into(), procfs: "/proc".into() })
    }
}

fn sensor<'a>(board: &'a mut Board, id: &str) -> &'a mut Sensor {
    let ids: Vec<String> = board.sensors.iter().map(|sensor| sensor.id.clone()).collect();
    let found = board.sensors.iter_mut().find(|sensor| sensor.id == id);
    found.unwrap_or_else(|| panic!("no {id} among {ids:#?}"))
}

fn read(board: &mut Board, id: &str) -> Result<f64, NoData> {
    sensor(board, id).read(Duration::ZERO)
}

#[test]
fn a_machine_without_class_folders_has_an_empty_board() {
    let board = Tree::new(&[]).board();
    assert!(board.sensors.is_empty() && board.actuators.is_empty() && board.remarks.is_empty());
    let board = Tree::new(&[("class/hwmon/.keep", "")]).board();
    assert!(board.sensors.is_empty());
}

#[test]
fn an_open_diode_is_a_fault_and_its_limit_is_absent() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon0/name", "adt7475"),
        ("class/hwmon/hwmon0/temp1_input", "-64000"),
        ("class/hwmon/hwmon0/temp1_fault", "1"),
        ("class/hwmon/hwmon0/temp1_max", "191000"),
        ("class/hwmon/hwmon0/temp2_input", "41250"),
        ("class/hwmon/hwmon0/temp2_crit", "100000"),
    ]);
    let mut board = tree.board();
    assert_eq!(read(&mut board, "adt7475/temp1"), Err(NoData::Fault));
    assert_eq!(sensor(&mut board, "adt7475/temp1").thresholds.max, None);
    assert_eq!(read(&mut board, "adt7475/temp2"), Ok(41.25));
    assert_eq!(sensor(&mut board, "adt7475/temp2").thresholds.crit, Some(100.0));
}

#[test]
fn unprogrammed_registers_are_no_limits() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon0/name", "emc1403"),
        ("class/hwmon/hwmon0/temp3_input", "0000"),
        ("class/hwmon/hwmon0/temp3_crit", "0"),
        ("class/hwmon/hwmon0/temp3_emergency", "0"),
        ("class/hwmon/hwmon0/temp3_max", "0"),
        ("class/hwmon/hwmon1/name", "nvme"),
        ("class/hwmon/hwmon1/temp2_input", "38850"),
        ("class/hwmon/hwmon1/temp2_max", "65261850"),
        ("class/hwmon/hwmon1/temp2_min", "-273150"),
    ]);
    let mut board = tree.board();
    assert_eq!(read(&mut board, "emc1403/temp3"), Ok(0.0));
    assert_eq!(sensor(&mut board, "emc1403/temp3").thresholds, Default::default());
    assert_eq!(read(&mut board, "nvme/temp2"), Ok(38.85));
    assert_eq!(sensor(&mut board, "nvme/temp2").thresholds, Default::default());
    assert!(sensor(&mut board, "nvme/temp2").bus.slow);
}

#[test]
fn a_folder_without_a_name_and_an_unknown_type_are_left_out() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon4/temp1_input", "30000"),
        ("class/hwmon/hwmon5/name", "applesmc"),
        ("class/hwmon/hwmon5/bogus1_input", "7"),
        ("class/hwmon/hwmon5/intrusion0_alarm", "1"),
        ("class/hwmon/hwmon5/fan1_input", "0"),
        ("class/hwmon/hwmon5/fan1_min", "2160"),
        ("class/hwmon/hwmon5/fan1_label", "Left side"),
        ("class/hwmon/hwmon5/in1_input", "12096"),
        ("class/hwmon/hwmon5/in1_min", "0"),
        ("class/hwmon/hwmon5/in1_max", "0"),
    ]);
    let mut board = tree.board();
    assert_eq!(board.sensors.len(), 3);
    assert_eq!(read(&mut board, "applesmc/intrusion0_alarm"), Ok(1.0));
    assert!(board.remarks[0].subject.ends_with("hwmon4"));
    let fan = sensor(&mut board, "applesmc/fan1:left_side");
    assert_eq!((fan.name.as_str(), fan.thresholds.low), ("Left side", Some(2160.0)));
    assert_eq!(read(&mut board, "applesmc/fan1:left_side"), Ok(0.0));
    assert_eq!(sensor(&mut board, "applesmc/in1").thresholds, Default::default());
}

#[test]
fn attributes_under_device_are_found_and_equal_chips_are_told_apart() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon0/name", "power_meter"),
        ("class/hwmon/hwmon0/device/power1_average", "212500000"),
        ("devices/platform/coretemp.0/hwmon/hwmon2/name", "coretemp"),
        ("devices/platform/coretemp.0/hwmon/hwmon2/temp1_input", "51000"),
        ("devices/platform/coretemp.1/hwmon/hwmon1/name", "coretemp"),
        ("devices/platform/coretemp.1/hwmon/hwmon1/temp1_input", "52000"),
    ]);
    for (number, device) in [(1, "coretemp.1"), (2, "coretemp.0")] {
        let target = format!("../../devices/platform/{device}/hwmon/hwmon{number}");
        symlink(target, tree.0.path().join(format!("class/hwmon/hwmon{number}"))).unwrap();
    }
    let mut board = tree.board();
    assert_eq!(read(&mut board, "power_meter/power1"), Ok(212.5));
    assert_eq!(read(&mut board, "coretemp@platform/coretemp.0/temp1"), Ok(51.0));
    assert_eq!(read(&mut board, "coretemp@platform/coretemp.1/temp1"), Ok(52.0));
}

#[test]
fn a_thermal_zone_gives_its_trip_points_and_minus_44_is_no_temperature() {
    let tree = Tree::new(&[
        ("class/thermal/thermal_zone0/type", "x86_pkg_temp"),
        ("class/thermal/thermal_zone0/temp", "49925"),
        ("class/thermal/thermal_zone0/trip_point_0_type", "passive"),
        ("class/thermal/thermal_zone0/trip_point_0_temp", "90000"),
        ("class/thermal/thermal_zone0/trip_point_1_type", "critical"),
        ("class/thermal/thermal_zone0/trip_point_1_temp", "105000"),
        ("class/thermal/thermal_zone0/trip_point_2_type", "hot"),
        ("class/thermal/thermal_zone0/trip_point_2_temp", "-273200"),
        ("class/thermal/thermal_zone1/type", "acpitz"),
        ("class/thermal/thermal_zone1/temp", "-44000"),
        ("class/thermal/cooling_device0/type", "Processor"),
    ]);
    let mut board = tree.board();
    assert_eq!(read(&mut board, "thermal/x86_pkg_temp"), Ok(49.925));
    let thresholds = sensor(&mut board, "thermal/x86_pkg_temp").thresholds;
    assert_eq!((thresholds.max, thresholds.crit), (Some(90.0), None));
    assert_eq!(thresholds.emergency, Some(105.0));
    assert_eq!(read(&mut board, "thermal/acpitz"), Err(NoData::OutOfRange));
}

fn rapl() -> Tree {
    Tree::new(&[
        ("class/powercap/intel-rapl/enabled", "1"),
        ("class/powercap/intel-rapl:0/name", "package-0"),
        ("class/powercap/intel-rapl:0/enabled", "1"),
        ("class/powercap/intel-rapl:0/energy_uj", "240422366267"),
        ("class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850"),
        ("class/powercap/intel-rapl:0/constraint_0_name", "long_term"),
        ("class/powercap/intel-rapl:0/constraint_0_power_limit_uw", "4090000000"),
        ("class/powercap/intel-rapl:0/constraint_0_max_power_uw", "95000000"),
        ("class/powercap/intel-rapl:0/constraint_1_name", "short_term"),
        ("class/powercap/intel-rapl:0/constraint_1_power_limit_uw", "118750000"),
        ("class/powercap/intel-rapl:0/constraint_1_max_power_uw", "0"),
        ("class/powercap/intel-rapl:0:0/name", "core"),
        ("class/powercap/intel-rapl:0:0/energy_uj", "118821284256"),
        ("class/powercap/intel-rapl:a/name", "package-10"),
        ("class/powercap/intel-rapl:a/energy_uj", "240422366267"),
    ])
}

#[test]
fn rapl_power_comes_from_top_zones_and_survives_the_wrap() {
    let tree = rapl();
    let mut board = tree.board();
    let id = "powercap/intel-rapl:0/power:package-0";
    assert_eq!(read(&mut board, id), Err(NoData::NoHistory));
    // 21,720.962583 J to the wrap, and 279.037417 J beyond.
    tree.write("class/powercap/intel-rapl:0/energy_uj", "279037417");
    assert_eq!(sensor(&mut board, id).read(Duration::from_secs(110)), Ok(200.0));
    assert!(!board.sensors.iter().any(|sensor| sensor.id.contains("intel-rapl:0:0")));
    assert!(board.remarks.iter().any(|remark| remark.subject.ends_with("intel-rapl:a")));
}

#[test]
fn a_cap_outside_its_range_is_refused_before_the_write() {
    let tree = rapl();
    let mut board = tree.board();
    let cap = &mut board.actuators[0];
    assert_eq!(
        (cap.id.as_str(), cap.min, cap.max),
        ("powercap/intel-rapl:0/constraint_0:long_term", 9.5, 95.0)
    );
    for watts in [0.0, 9.0, 96.0, f64::NAN, f64::INFINITY, -20.0] {
        assert!(matches!(cap.drive(watts), Err(ActuatorError::OutOfRange { .. })), "{watts}");
    }
    let limit = "class/powercap/intel-rapl:0/constraint_0_power_limit_uw";
    assert_eq!(tree.read(limit), "4090000000");
    cap.drive(45.0).unwrap();
    assert_eq!(tree.read(limit), "45000000");
    tree.write(limit, "44850000");
    let observed = cap.observe().unwrap();
    assert!((observed - 45.0).abs() <= cap.quantum(45.0));
    cap.release().unwrap();
    assert_eq!(tree.read(limit), "4090000000");
}

fn fan() -> Tree {
    Tree::new(&[
        ("class/hwmon/hwmon0/name", "nct6775"),
        ("class/hwmon/hwmon0/fan2_input", "1480"),
        ("class/hwmon/hwmon0/pwm2", "102"),
        ("class/hwmon/hwmon0/pwm2_enable", "5"),
    ])
}

#[test]
fn a_fan_is_taken_by_hand_and_given_back_to_its_chip() {
    let tree = fan();
    let mut board = tree.board();
    let fan = &mut board.actuators[0];
    assert_eq!(fan.tach.as_deref(), Some("nct6775/fan2"));
    assert_eq!(fan.observe(), Ok(0.4));
    fan.drive(0.8).unwrap();
    assert_eq!(tree.read("class/hwmon/hwmon0/pwm2_enable"), "1");
    assert_eq!(tree.read("class/hwmon/hwmon0/pwm2"), "204");
    assert_eq!(fan.observe(), Ok(0.8));
    assert!(!fan.has_drifted());
    tree.write("class/hwmon/hwmon0/pwm2_enable", "5");
    assert!(fan.has_drifted());
    fan.drive(0.8).unwrap();
    fan.release().unwrap();
    assert_eq!(tree.read("class/hwmon/hwmon0/pwm2_enable"), "5");
    assert!(matches!(fan.drive(-0.02), Err(ActuatorError::OutOfRange { .. })));
}

#[test]
fn a_restarted_guard_gives_back_what_its_predecessor_found() {
    let tree = fan();
    let saved = {
        let mut board = tree.board();
        board.actuators[0].drive(1.0).unwrap();
        board.actuators[0].saved().unwrap()
    };
    let mut board = tree.board();
    board.actuators[0].inherit(saved);
    board.actuators[0].release().unwrap();
    assert_eq!(tree.read("class/hwmon/hwmon0/pwm2_enable"), "5");
}

#[test]
fn a_battery_speaks_in_its_own_units() {
    let tree = Tree::new(&[
        ("class/power_supply/BAT0/type", "Battery"),
        ("class/power_supply/BAT0/capacity", "98"),
        ("class/power_supply/BAT0/voltage_now", "12229000"),
        ("class/power_supply/BAT0/power_now", "4830000"),
        ("class/power_supply/AC/type", "Mains"),
        ("class/power_supply/AC/online", "0"),
        ("devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1699981"),
    ]);
    let mut board = tree.board();
    assert_eq!(read(&mut board, "power_supply/bat0/capacity"), Ok(0.98));
    assert_eq!(read(&mut board, "power_supply/bat0/voltage_now"), Ok(12.229));
    assert_eq!(read(&mut board, "power_supply/bat0/power_now"), Ok(4.83));
    assert_eq!(read(&mut board, "power_supply/ac/online"), Ok(0.0));
    assert_eq!(read(&mut board, "cpufreq/policy0").map(f64::round), Ok(1_699_981_000.0));
    assert_eq!(sensor(&mut board, "cpufreq/policy0").kind, Kind::Frequency);
}

#[test]
fn every_sensor_has_a_unique_id_and_says_it_in_its_attributes() {
    let board = rapl().board();
    let mut ids: Vec<&str> = board.sensors.iter().map(|sensor| sensor.id.as_str()).collect();
    for sensor in &board.sensors {
        assert_eq!(sensor.attributes[0], ("hw.id".to_owned(), sensor.id.clone()));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), board.sensors.len());
}
