//! Folders, links and the files that never change.

use super::TreeError;
use crate::board::{Board, ENERGY_RANGE_UJ};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub(super) const HWMON: &str = "devices/platform/flyball-plant.0/hwmon/hwmon0";
pub(super) const THERMAL: &str = "devices/virtual/thermal/thermal_zone0";
pub(super) const RAPL: &str = "devices/virtual/powercap/intel-rapl/intel-rapl:0";
pub(super) const CPU_POLICY: &str = "devices/system/cpu/cpufreq/policy0";
const DMI: &str = "devices/virtual/dmi/id";

/// Link and what it leads to, relative to the link's folder.
const LINKS: [(&str, &str); 7] = [
    ("class/hwmon/hwmon0", "../../devices/platform/flyball-plant.0/hwmon/hwmon0"),
    ("devices/platform/flyball-plant.0/hwmon/hwmon0/device", "../../../flyball-plant.0"),
    ("class/thermal/thermal_zone0", "../../devices/virtual/thermal/thermal_zone0"),
    ("class/powercap/intel-rapl", "../../devices/virtual/powercap/intel-rapl"),
    ("class/powercap/intel-rapl:0", "../../devices/virtual/powercap/intel-rapl/intel-rapl:0"),
    ("class/dmi/id", "../../devices/virtual/dmi/id"),
    ("devices/system/cpu/cpu0/cpufreq", "../cpufreq/policy0"),
];

pub(super) fn lay_out(root: &Path, board: &Board) -> Result<(), TreeError> {
    for folder in [
        HWMON,
        THERMAL,
        RAPL,
        CPU_POLICY,
        DMI,
        "class/hwmon",
        "class/thermal",
        "class/powercap",
        "class/dmi",
        "devices/system/cpu/cpu0",
    ] {
        let path = root.join(folder);
        fs::create_dir_all(&path).map_err(|source| TreeError::Write { path, source })?;
    }
    for (link, target) in LINKS {
        let path = root.join(link);
        match symlink(target, &path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(TreeError::Write { path, source }),
        }
    }
    for (path, text) in constants(root, board) {
        fs::write(&path, format!("{text}\n"))
            .map_err(|source| TreeError::Write { path, source })?;
    }
    Ok(())
}

fn constants(root: &Path, board: &Board) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut put = |folder: &str, name: &str, text: &dyn ToString| {
        files.push((root.join(folder).join(name), text.to_string()));
    };
    hwmon(board, &mut |name, text| put(HWMON, name, text));
    let critical_milli = milli(board.critical_celsius);
    for (name, text) in [
        ("type", "x86_pkg_temp"),
        ("mode", "enabled"),
        ("policy", "step_wise"),
        ("trip_point_0_type", "critical"),
        ("trip_point_0_temp", &critical_milli),
        ("trip_point_0_hyst", "0"),
        ("trip_point_1_type", "passive"),
        ("trip_point_1_temp", &milli(board.max_celsius)),
        ("trip_point_1_hyst", "5000"),
    ] {
        put(THERMAL, name, &text);
    }
    for (name, text) in [
        ("name", "package-0"),
        ("enabled", "1"),
        ("max_energy_range_uj", &ENERGY_RANGE_UJ.to_string()),
        ("constraint_0_name", "long_term"),
        ("constraint_0_time_window_us", "999424"),
        ("constraint_0_max_power_uw", &micro(board.max_cap_watts)),
        ("constraint_0_min_power_uw", &micro(board.min_cap_watts)),
    ] {
        put(RAPL, name, &text);
    }
    for (name, text) in [
        ("sys_vendor", board.vendor.as_str()),
        ("product_name", &board.product),
        ("product_serial", &board.serial),
        ("board_vendor", &board.vendor),
        ("board_name", &board.product),
        ("chassis_type", "23"),
    ] {
        put(DMI, name, &text);
    }
    for (name, text) in [
        ("scaling_driver", "flyball-plant"),
        ("scaling_governor", "schedutil"),
        ("scaling_available_governors", "performance schedutil powersave"),
        ("affected_cpus", "0"),
        ("related_cpus", "0"),
        ("cpuinfo_min_freq", &board.min_khz.to_string()),
        ("cpuinfo_max_freq", &board.max_khz.to_string()),
        ("scaling_min_freq", &board.min_khz.to_string()),
        ("scaling_max_freq", &board.max_khz.to_string()),
    ] {
        put(CPU_POLICY, name, &text);
    }
    for name in ["online", "possible", "present"] {
        put("devices/system/cpu", name, &"0");
    }
    files
}

fn hwmon(board: &Board, put: &mut dyn FnMut(&str, &dyn ToString)) {
    put("name", &"simboard");
    let sensors = [
        ("Package", board.max_celsius, board.critical_celsius),
        ("Board", 70.0, 85.0),
        ("Inlet", 45.0, 55.0),
    ];
    for (number, (label, max, critical)) in (1..).zip(sensors) {
        put(&format!("temp{number}_label"), &label);
        put(&format!("temp{number}_max"), &milli(max));
        put(&format!("temp{number}_crit"), &milli(critical));
    }
    for number in 1..=board.fans {
        put(&format!("fan{number}_label"), &format!("Fan {number}"));
        put(&format!("fan{number}_min"), &"300");
    }
    put("power1_label", &"Board");
    put("power1_max", &micro(board.max_cap_watts + board.base_watts));
    put("power1_crit", &micro((board.max_cap_watts + board.base_watts) * 1.2));
}

fn milli(celsius: f64) -> String {
    format!("{:.0}", celsius * 1e3)
}

fn micro(watts: f64) -> String {
    format!("{:.0}", watts * 1e6)
}
