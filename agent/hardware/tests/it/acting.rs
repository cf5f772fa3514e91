//! Actuators: what is refused, what is written, what is read back and what is put back.

use crate::tree::{Tree, rapl, read};
use flyball_hardware::{Actuator, ActuatorError, ActuatorKind, Board, Released};
use flyball_units::NoData;
use std::os::unix::fs::PermissionsExt;

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

/// A fan of `class/thermal` and the zone whose governor drives it.
fn acpi_fan() -> Tree {
    let tree = Tree::new(&[
        ("class/thermal/cooling_device0/type", "Fan"),
        ("class/thermal/cooling_device0/cur_state", "20"),
        ("class/thermal/cooling_device0/max_state", "100"),
        ("class/thermal/cooling_device0/device/fan_speed_rpm", "900"),
        ("class/thermal/thermal_zone0/type", "acpitz"),
        ("class/thermal/thermal_zone0/temp", "40000"),
    ]);
    tree.link("class/thermal/thermal_zone0/cdev0", "class/thermal/cooling_device0");
    tree
}

fn only(board: &mut Board) -> &mut Actuator {
    let actuators = board.actuators.iter_mut().chain(&mut board.controls);
    let mut actuators: Vec<_> = actuators.collect();
    assert_eq!(actuators.len(), 1);
    actuators.pop().unwrap()
}

#[test]
fn a_fan_without_pwm_is_driven_by_its_steps_and_given_back_to_its_governor() {
    let tree = acpi_fan();
    let state = "class/thermal/cooling_device0/cur_state";
    let mut board = tree.board();
    assert_eq!(read(&mut board, "cooling/fan/speed"), Ok(900.0));
    let fan = only(&mut board);
    assert_eq!((fan.kind, fan.tach.as_deref()), (ActuatorKind::Fan, Some("cooling/fan/speed")));
    assert!(fan.has_own_control());
    assert_eq!(fan.observe(), Ok(0.2));
    // Never less cooling than was asked for.
    fan.drive(0.505).unwrap();
    assert_eq!(tree.read(state), "51");
    let observed = fan.observe().unwrap();
    assert!(fan.agrees(0.505, observed));
    assert_eq!(fan.found(), Some(0.2));
    assert_eq!(fan.release().unwrap(), Released::Restored);
    assert_eq!(tree.read(state), "20");
}

#[test]
fn a_fan_that_stands_still_once_it_is_given_back_is_set_to_full_speed() {
    let tree = fan();
    let (speed, pwm) = ("class/hwmon/hwmon0/fan2_input", "class/hwmon/hwmon0/pwm2");
    let mut board = tree.board();
    let fan = only(&mut board);
    fan.drive(0.5).unwrap();
    let mut looks = 0;
    let released = fan.release_turning(|| {
        looks += 1;
        tree.write(speed, "0");
    });
    assert_eq!((released.unwrap(), looks), (Released::Safe, 12));
    assert_eq!(tree.read("class/hwmon/hwmon0/pwm2_enable"), "0");
    // One that goes on turning stays with its chip.
    tree.write(speed, "1200");
    tree.write("class/hwmon/hwmon0/pwm2_enable", "5");
    let mut board = tree.board();
    let fan = only(&mut board);
    fan.drive(0.5).unwrap();
    assert_eq!(fan.release_turning(|| ()).unwrap(), Released::Restored);
    assert_eq!(tree.read("class/hwmon/hwmon0/pwm2_enable"), "5");
    assert_eq!(tree.read(pwm), "128");
}

#[test]
fn levels_that_a_driver_would_take_for_others_are_refused_here() {
    let tree = fan();
    let mut board = tree.board();
    let fan = only(&mut board);
    for duty in [-5.0, -0.001, 1.001, 999.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(fan.drive(duty), Err(ActuatorError::OutOfRange { .. })), "{duty}");
    }
    assert_eq!(tree.read("class/hwmon/hwmon0/pwm2"), "102");
    assert_eq!(tree.read("class/hwmon/hwmon0/pwm2_enable"), "5");
}

#[test]
fn a_quantised_read_back_agrees_and_none_does_not() {
    let board = rapl().board();
    let cap = &board.actuators[0];
    assert!(cap.agrees(45.0, 44.85));
    assert!(!cap.agrees(95.0, 0.0));
    assert!(!cap.agrees(45.0, 46.0));
}

#[test]
fn a_cap_that_somebody_switched_off_does_not_stand() {
    let tree = rapl();
    let mut board = tree.board();
    let cap = &mut board.actuators[0];
    cap.drive(50.0).unwrap();
    assert_eq!(cap.observe(), Ok(50.0));
    tree.write("class/powercap/intel-rapl:0/enabled", "0");
    assert_eq!(cap.observe(), Err(NoData::Disabled));
    cap.drive(50.0).unwrap();
    assert_eq!(cap.observe(), Ok(50.0));
}

#[test]
fn a_meter_with_a_cap_is_driven_within_its_declared_range() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon0/name", "power_meter"),
        ("class/hwmon/hwmon0/device/power1_average", "212500000"),
        ("class/hwmon/hwmon0/device/power1_cap", "400000000"),
        ("class/hwmon/hwmon0/device/power1_cap_min", "150000000"),
        ("class/hwmon/hwmon0/device/power1_cap_max", "500000000"),
    ]);
    let mut board = tree.board();
    let cap = only(&mut board);
    assert_eq!((cap.min, cap.max), (150.0, 500.0));
    assert!(matches!(cap.drive(149.0), Err(ActuatorError::OutOfRange { .. })));
    cap.drive(250.0).unwrap();
    assert_eq!(tree.read("class/hwmon/hwmon0/device/power1_cap"), "250000000");
    assert_eq!(read(&mut board, "power_meter/power1_cap"), Ok(250.0));
}

#[test]
fn what_only_the_firmware_writes_is_no_actuator() {
    let tree = fan();
    let path = tree.path("class/hwmon/hwmon0/pwm2");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o444)).unwrap();
    let mut board = tree.board();
    assert!(board.actuators.is_empty());
    assert_eq!(read(&mut board, "nct6775/pwm2"), Ok(0.4));
}

/// Two kinds of core, as on a phone's chip.
fn processors() -> Tree {
    let tree = Tree::new(&[]);
    let cpufreq = "devices/system/cpu/cpufreq";
    for (policy, lowest, highest) in [(0, 400_000, 1_800_000), (4, 800_000, 3_000_000)] {
        for (file, text) in [
            ("cpuinfo_min_freq", lowest.to_string()),
            ("cpuinfo_max_freq", highest.to_string()),
            ("scaling_max_freq", highest.to_string()),
            ("scaling_cur_freq", lowest.to_string()),
            ("scaling_governor", "schedutil".to_owned()),
            ("scaling_available_governors", "performance powersave schedutil".to_owned()),
        ] {
            tree.write(&format!("{cpufreq}/policy{policy}/{file}"), &text);
        }
    }
    tree
}

fn control<'a>(board: &'a mut Board, id: &str) -> &'a mut Actuator {
    board.controls.iter_mut().find(|control| control.id == id).unwrap()
}

#[test]
fn one_ceiling_holds_every_policy_within_its_own_range() {
    let tree = processors();
    let ceiling_of = |policy: u32| {
        tree.read(&format!("devices/system/cpu/cpufreq/policy{policy}/scaling_max_freq"))
    };
    tree.write("devices/system/cpu/cpufreq/policy4/scaling_max_freq", "2900000");
    let mut board = tree.board();
    let ceiling = control(&mut board, "cpufreq/ceiling");
    assert_eq!((ceiling.kind, ceiling.min, ceiling.max), (ActuatorKind::FrequencyCap, 8e8, 3e9));
    assert!(matches!(ceiling.drive(7e8), Err(ActuatorError::OutOfRange { .. })));
    ceiling.drive(2e9).unwrap();
    assert_eq!((ceiling_of(0).as_str(), ceiling_of(4).as_str()), ("1800000", "2000000"));
    assert_eq!(ceiling.observe(), Ok(2e9));
    ceiling.drive(1e9).unwrap();
    assert_eq!((ceiling_of(0).as_str(), ceiling_of(4).as_str()), ("1000000", "1000000"));
    // A policy that did not follow shows.
    tree.write("devices/system/cpu/cpufreq/policy4/scaling_max_freq", "3000000");
    let observed = ceiling.observe().unwrap();
    assert!(!ceiling.agrees(1e9, observed));
    // Processors that are offline have no folder.
    tree.remove("devices/system/cpu/cpufreq/policy4");
    ceiling.drive(1.2e9).unwrap();
    assert_eq!(ceiling.observe(), Ok(1.2e9));
    assert_eq!(ceiling.found(), Some(2.9e9));
    ceiling.release().unwrap();
    assert_eq!(ceiling_of(0), "1800000");
}

#[test]
fn intel_pstate_holds_the_ceiling_for_processors_that_come_later() {
    let tree = processors();
    let percent = "devices/system/cpu/intel_pstate/max_perf_pct";
    tree.write(percent, "100");
    tree.write("devices/system/cpu/intel_pstate/min_perf_pct", "13");
    let mut board = tree.board();
    let ceiling = control(&mut board, "cpufreq/ceiling");
    ceiling.drive(1.5e9).unwrap();
    assert_eq!(tree.read(percent), "50");
    let observed = ceiling.observe().unwrap();
    assert!(ceiling.agrees(1.5e9, observed));
    ceiling.release().unwrap();
    assert_eq!(tree.read(percent), "100");
}

#[test]
fn a_restarted_guard_gives_the_ceiling_back() {
    let tree = processors();
    let saved = {
        let mut board = tree.board();
        let ceiling = control(&mut board, "cpufreq/ceiling");
        ceiling.drive(1e9).unwrap();
        ceiling.saved().unwrap()
    };
    let mut board = tree.board();
    let ceiling = control(&mut board, "cpufreq/ceiling");
    ceiling.inherit(saved);
    ceiling.release().unwrap();
    let read = tree.read("devices/system/cpu/cpufreq/policy4/scaling_max_freq");
    assert_eq!(read, "3000000");
}

#[test]
fn a_profile_takes_only_the_words_that_it_offers() {
    let tree = processors();
    tree.write("firmware/acpi/platform_profile", "balanced");
    tree.write("firmware/acpi/platform_profile_choices", "low-power balanced performance");
    let governor_of = |policy: u32| {
        tree.read(&format!("devices/system/cpu/cpufreq/policy{policy}/scaling_governor"))
    };
    let mut board = tree.board();
    let governor = control(&mut board, "cpufreq/governor");
    assert_eq!(governor.kind, ActuatorKind::Profile);
    assert_eq!(governor.words, ["performance", "powersave", "schedutil"]);
    assert!(matches!(governor.choose("turbo"), Err(ActuatorError::UnknownWord { .. })));
    governor.choose("powersave").unwrap();
    assert_eq!((governor_of(0).as_str(), governor_of(4).as_str()), ("powersave", "powersave"));
    assert_eq!(governor.chosen(), Ok("powersave"));
    tree.write("devices/system/cpu/cpufreq/policy4/scaling_governor", "performance");
    assert_eq!(governor.chosen(), Err(NoData::Disagreement));
    governor.release().unwrap();
    assert_eq!((governor_of(0).as_str(), governor_of(4).as_str()), ("schedutil", "schedutil"));
    let profile = control(&mut board, "platform_profile");
    assert_eq!(profile.chosen(), Ok("balanced"));
    profile.choose("low-power").unwrap();
    assert_eq!(tree.read("firmware/acpi/platform_profile"), "low-power");
}

#[test]
fn a_slot_of_an_enclosure_is_lit_and_dark_again() {
    let tree = Tree::new(&[
        ("class/enclosure/0:0:8:0/Slot 01/locate", "0"),
        ("class/enclosure/0:0:8:0/Slot 01/status", "OK"),
    ]);
    let mut board = tree.board();
    let light = only(&mut board);
    assert_eq!(light.id, "enclosure/0_0_8_0/slot_01/locate");
    light.drive(1.0).unwrap();
    assert_eq!(tree.read("class/enclosure/0:0:8:0/Slot 01/locate"), "1");
    assert_eq!(light.observe(), Ok(1.0));
    light.drive(0.0).unwrap();
    assert_eq!(light.observe(), Ok(0.0));
}
