//! Frequencies of `devices/system/cpu/cpufreq`, one a policy.

use crate::attribute::Attribute;
use crate::board::Board;
use crate::sensor::{Bus, Sensor, Source};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, Unit};

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let folder = roots.sysfs.join("devices/system/cpu/cpufreq");
    for policy in tree::names(&folder) {
        if !policy.starts_with("policy") {
            continue;
        }
        let path = folder.join(&policy).join("scaling_cur_freq");
        let Some(value) = Attribute::existing(path, roots.simulated()) else {
            continue;
        };
        // kHz; a division by the inverse keeps one form for all levels.
        let source = Source::level(value, 1e-3, Band::of(Kind::Frequency));
        board.add_sensor(
            Sensor {
                id: format!("cpufreq/{policy}"),
                name: policy,
                metric: "system.cpu.frequency",
                kind: Kind::Frequency,
                unit: Unit::Hertz,
                attributes: Vec::new(),
                bus: Bus::fast("cpufreq"),
                thresholds: Thresholds::default(),
                source,
            },
            "cpu",
        );
    }
}
