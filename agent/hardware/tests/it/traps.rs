//! Trees with the traps that recorded ones contain, read as the guard reads them.

use crate::tree::{Tree, rapl, read, sensor};
use flyball_hardware::Thresholds;
use flyball_units::{Kind, NoData};
use std::os::unix::fs::symlink;
use std::time::Duration;

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
    assert_eq!(sensor(&mut board, "emc1403/temp3").thresholds, Thresholds::default());
    assert_eq!(read(&mut board, "nvme/temp2"), Ok(38.85));
    assert_eq!(sensor(&mut board, "nvme/temp2").thresholds, Thresholds::default());
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
    assert_eq!(sensor(&mut board, "applesmc/in1").thresholds, Thresholds::default());
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
        symlink(target, tree.path(&format!("class/hwmon/hwmon{number}"))).unwrap();
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

#[test]
fn a_zone_of_unknown_range_drops_the_sample_at_its_wrap() {
    let tree = rapl();
    let mut board = tree.board();
    let id = "powercap/intel-rapl:a/power:package-10";
    assert_eq!(read(&mut board, id), Err(NoData::NoHistory));
    let energy = "class/powercap/intel-rapl:a/energy_uj";
    tree.write(energy, "240472366267");
    assert_eq!(sensor(&mut board, id).read(Duration::from_secs(1)), Ok(50.0));
    tree.write(energy, "1000000");
    assert_eq!(sensor(&mut board, id).read(Duration::from_secs(2)), Err(NoData::NoHistory));
    tree.write(energy, "31000000");
    assert_eq!(sensor(&mut board, id).read(Duration::from_secs(3)), Ok(30.0));
}

#[test]
fn the_counter_near_its_end_wraps_within_two_minutes_at_200_watts() {
    let tree = rapl();
    let mut board = tree.board();
    let id = "powercap/intel-rapl:0/power:package-0";
    let range_uj: u64 = 262_143_328_850;
    let mut counter_uj: u64 = 240_422_366_267;
    let mut wraps = 0;
    for second in 0..120 {
        tree.write("class/powercap/intel-rapl:0/energy_uj", &counter_uj.to_string());
        let power = sensor(&mut board, id).read(Duration::from_secs(second));
        assert_eq!(power, if second == 0 { Err(NoData::NoHistory) } else { Ok(200.0) });
        counter_uj += 200_000_000;
        if counter_uj > range_uj {
            counter_uj -= range_uj;
            wraps += 1;
        }
    }
    assert_eq!(wraps, 1);
}

#[test]
fn a_limit_that_stands_for_none_is_no_range_to_drive_in() {
    let board = rapl().board();
    let ranges: Vec<_> = board.actuators.iter().map(|cap| (cap.min, cap.max)).collect();
    assert_eq!(ranges, [(9.5, 95.0), (11.875, 118.75)]);
}

#[test]
fn a_one_wire_sensor_that_has_measured_nothing_says_85() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon0/name", "w1_slave_temp"),
        ("class/hwmon/hwmon0/temp1_input", "85000"),
        ("class/hwmon/hwmon1/name", "coretemp"),
        ("class/hwmon/hwmon1/temp1_input", "85000"),
    ]);
    let mut board = tree.board();
    assert_eq!(read(&mut board, "w1_slave_temp/temp1"), Err(NoData::OutOfRange));
    assert_eq!(read(&mut board, "coretemp/temp1"), Ok(85.0));
    tree.write("class/hwmon/hwmon0/temp1_input", "84937");
    assert_eq!(read(&mut board, "w1_slave_temp/temp1"), Ok(84.937));
}

#[test]
fn what_sensors_say_with_nothing_behind_them_is_no_temperature() {
    let sentinels =
        ["-273150", "-128000", "-64000", "-63000", "127500", "255000", "511000", "65261850"];
    let tree = Tree::new(&[("class/hwmon/hwmon0/name", "it8728")]);
    tree.write("class/hwmon/hwmon0/temp1_crit", "149000");
    tree.write("class/hwmon/hwmon0/temp1_input", "30000");
    let mut board = tree.board();
    for sentinel in sentinels {
        tree.write("class/hwmon/hwmon0/temp1_input", sentinel);
        assert_eq!(read(&mut board, "it8728/temp1"), Err(NoData::OutOfRange), "{sentinel}");
    }
    tree.write("class/hwmon/hwmon0/temp1_input", "140000");
    assert_eq!(read(&mut board, "it8728/temp1"), Ok(140.0));
}

#[test]
fn hysteresis_is_an_absolute_value_on_chips_and_a_difference_on_zones() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon0/name", "nct6775"),
        ("class/hwmon/hwmon0/temp1_input", "40000"),
        ("class/hwmon/hwmon0/temp1_max", "80000"),
        ("class/hwmon/hwmon0/temp1_max_hyst", "75000"),
        ("class/hwmon/hwmon0/temp1_crit", "100000"),
        ("class/hwmon/hwmon0/temp1_crit_hyst", "-273150"),
        ("class/hwmon/hwmon0/temp1_emergency", "105000"),
        ("class/hwmon/hwmon0/temp1_emergency_hyst", "110000"),
        ("class/thermal/thermal_zone0/type", "soc"),
        ("class/thermal/thermal_zone0/temp", "40000"),
        ("class/thermal/thermal_zone0/trip_point_0_type", "hot"),
        ("class/thermal/thermal_zone0/trip_point_0_temp", "95000"),
        ("class/thermal/thermal_zone0/trip_point_0_hyst", "2000"),
    ]);
    let mut board = tree.board();
    let chip = sensor(&mut board, "nct6775/temp1").thresholds;
    assert_eq!((chip.max_clear, chip.crit_clear, chip.emergency_clear), (Some(75.0), None, None));
    let zone = sensor(&mut board, "thermal/soc").thresholds;
    assert_eq!((zone.crit, zone.crit_clear), (Some(95.0), Some(93.0)));
}

#[test]
fn an_alarm_that_its_chip_cleared_stands_for_a_second() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon0/name", "nct6775"),
        ("class/hwmon/hwmon0/in1_input", "12096"),
        ("class/hwmon/hwmon0/in1_min", "0"),
        ("class/hwmon/hwmon0/in1_max", "0"),
        ("class/hwmon/hwmon0/in1_alarm", "1"),
    ]);
    let mut board = tree.board();
    let alarm = sensor(&mut board, "nct6775/in1_alarm");
    assert_eq!(alarm.thresholds, Thresholds::default());
    let at = Duration::from_millis;
    assert_eq!(alarm.read(at(0)), Ok(1.0));
    tree.write("class/hwmon/hwmon0/in1_alarm", "0");
    assert_eq!(alarm.read(at(250)), Ok(1.0));
    assert_eq!(alarm.read(at(1000)), Ok(0.0));
}

#[test]
fn a_switched_off_channel_is_disabled_and_comes_back() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon0/name", "ina3221"),
        ("class/hwmon/hwmon0/in1_input", "5000"),
        ("class/hwmon/hwmon0/in1_enable", "0"),
    ]);
    let mut board = tree.board();
    assert_eq!(read(&mut board, "ina3221/in1"), Err(NoData::Disabled));
    tree.write("class/hwmon/hwmon0/in1_enable", "1");
    assert_eq!(read(&mut board, "ina3221/in1"), Ok(5.0));
}

#[test]
fn a_zone_that_the_kernel_does_not_guard_is_remarked() {
    let tree = Tree::new(&[
        ("class/thermal/thermal_zone0/type", "soc"),
        ("class/thermal/thermal_zone0/temp", "40000"),
        ("class/thermal/thermal_zone0/mode", "disabled"),
        ("class/thermal/thermal_zone1/type", "gpu"),
        ("class/thermal/thermal_zone1/temp", "40000"),
        ("class/thermal/thermal_zone1/policy", "user_space"),
        ("class/thermal/thermal_zone2/type", "cpu"),
        ("class/thermal/thermal_zone2/temp", "40000"),
        ("class/thermal/thermal_zone2/mode", "enabled"),
    ]);
    let board = tree.board();
    let subjects: Vec<_> = board.remarks.iter().map(|remark| remark.subject.as_str()).collect();
    assert_eq!(subjects.len(), 2);
    assert!(subjects[0].ends_with("thermal_zone0") && subjects[1].ends_with("thermal_zone1"));
    assert_eq!(tree.read("class/thermal/thermal_zone0/mode"), "disabled");
}

#[test]
fn a_cooling_device_that_is_idle_is_disabled_and_a_processor_is_no_fan() {
    let tree = Tree::new(&[
        ("class/thermal/cooling_device0/type", "Processor"),
        ("class/thermal/cooling_device0/cur_state", "25"),
        ("class/thermal/cooling_device0/max_state", "50"),
        ("class/thermal/cooling_device1/type", "TFN1"),
        ("class/thermal/cooling_device1/max_state", "50"),
        ("class/thermal/cooling_device2/type", "intel_powerclamp"),
        ("class/thermal/cooling_device2/cur_state", "-1"),
        ("class/thermal/cooling_device2/max_state", "27"),
    ]);
    let mut board = tree.board();
    assert_eq!(read(&mut board, "cooling/processor/state"), Ok(0.5));
    assert_eq!(read(&mut board, "cooling/intel_powerclamp/state"), Err(NoData::Disabled));
    assert_eq!(board.sensors.len(), 2);
    assert!(board.actuators.is_empty() && board.controls.is_empty());
}

#[test]
fn three_equal_chips_without_a_device_keep_their_channels_apart() {
    let tree = Tree::new(&[]);
    for chip in 0..3 {
        tree.write(&format!("class/hwmon/hwmon{chip}/name"), "mt7996");
        for channel in 1..3 {
            let file = format!("class/hwmon/hwmon{chip}/temp{channel}_input");
            tree.write(&file, &format!("{}", 40_000 + 1000 * (10 * chip + channel)));
        }
    }
    let mut board = tree.board();
    for (id, value) in [
        ("mt7996/temp1", 41.0),
        ("mt7996/temp2", 42.0),
        ("mt7996#2/temp1", 51.0),
        ("mt7996#3/temp2", 62.0),
    ] {
        assert_eq!(read(&mut board, id), Ok(value), "{id}");
    }
}

#[test]
fn memory_pressure_is_a_part_of_the_time() {
    let tree = Tree::new(&[]);
    let line = |word: &str, average: &str| {
        format!("{word} avg10={average} avg60=3.88 avg300=4.61 total=18446744073709551615")
    };
    let text = format!("{}\n{}", line("some", "12.50"), line("full", "0.00"));
    tree.write("proc/pressure/memory", &text);
    let mut board = tree.board();
    assert_eq!(read(&mut board, "pressure/memory/some"), Ok(0.125));
    assert_eq!(read(&mut board, "pressure/memory/full"), Ok(0.0));
    tree.write("proc/pressure/memory", &line("some", "12.50"));
    assert_eq!(read(&mut board, "pressure/memory/full"), Err(NoData::Unparsable));
}
