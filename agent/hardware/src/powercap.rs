//! RAPL and its like in `class/powercap`: energy counters, power from them, and power limits.
//!
//! Source: the kernel's `Documentation/power/powercap/powercap.rst`. Only top zones are read
//! (`intel-rapl:0`, not `intel-rapl:0:1`): the cores' energy is in the package's already. The
//! counter is readable by root only since CVE-2020-8694.

use crate::attribute::Attribute;
use crate::board::{Board, CapSpec};
use crate::cap::{Cap, CapFiles};
use crate::energy::EnergyMeter;
use crate::identity::slug;
use crate::sensor::{Bus, Form, Sensor, Source, float};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, Unit};
use std::path::Path;

/// The kernel's bound on constraints of a zone is two; firmware has shown three.
const MAX_CONSTRAINTS: u32 = 4;

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let class = roots.class("powercap");
    let folders = tree::names(&class);
    for zone in folders.iter().filter(|zone| is_top_zone(zone)) {
        // The same package by its memory-mapped door.
        let twin = zone.replacen("intel-rapl-mmio:", "intel-rapl:", 1);
        if twin != **zone && folders.contains(&twin) {
            continue;
        }
        let folder = class.join(zone);
        let label = tree::text(&folder.join("name")).unwrap_or_else(|| zone.clone());
        add_energy(roots, board, zone, &label, &folder);
        add_power(roots, board, zone, &label, &folder);
        add_constraints(roots, board, zone, &label, &folder);
    }
}

/// `intel-rapl:0` and `intel-rapl:a`; neither the control type nor a zone within a zone.
fn is_top_zone(name: &str) -> bool {
    name.bytes().filter(|byte| *byte == b':').count() == 1
}

fn add_energy(roots: &Roots, board: &mut Board, zone: &str, label: &str, folder: &Path) {
    let path = folder.join("energy_uj");
    if !path.exists() {
        return;
    }
    let range_uj = tree::number(&folder.join("max_energy_range_uj")).filter(|r| *r > 0);
    if range_uj.is_none() {
        board.remark(
            folder.display().to_string(),
            "says no max_energy_range_uj: there is no reading of its power at each wrap".into(),
        );
    }
    let hw_type = if label == "psys" { "enclosure" } else { "cpu" };
    let forms = [
        ("hw.power", Kind::Power, Unit::Watt, Form::Power(EnergyMeter::new(range_uj))),
        ("hw.energy", Kind::Energy, Unit::Joule, Form::Energy(EnergyMeter::new(range_uj))),
    ];
    for (metric, kind, unit, form) in forms {
        let value = Attribute::new(path.clone(), roots.simulated());
        let what = if kind == Kind::Power { "power" } else { "energy" };
        board.add_sensor(
            Sensor {
                id: format!("powercap/{zone}/{what}:{}", slug(label)),
                name: label.to_owned(),
                metric,
                kind,
                unit,
                attributes: vec![("hw.parent".into(), format!("powercap/{zone}"))],
                bus: Bus::fast("powercap"),
                thresholds: Thresholds { max: declared_power(folder, kind), ..Default::default() },
                source: Source::of(value, form, Band::of(kind)),
            },
            hw_type,
        );
    }
}

/// A zone that says its power itself, and counts no energy that would say it too.
fn add_power(roots: &Roots, board: &mut Board, zone: &str, label: &str, folder: &Path) {
    let Some(value) = Attribute::existing(folder.join("power_uw"), roots.simulated()) else {
        return;
    };
    if folder.join("energy_uj").exists() {
        return;
    }
    board.add_sensor(
        Sensor {
            id: format!("powercap/{zone}/power:{}", slug(label)),
            name: label.to_owned(),
            metric: "hw.power",
            kind: Kind::Power,
            unit: Unit::Watt,
            attributes: vec![("hw.parent".into(), format!("powercap/{zone}"))],
            bus: Bus::fast("powercap"),
            thresholds: Thresholds {
                max: declared_power(folder, Kind::Power),
                ..Default::default()
            },
            source: Source::level(value, 1e6, Band::of(Kind::Power)),
        },
        "cpu",
    );
}

/// `constraint_0_max_power_uw`: what the package is made for. 0 is "unknown".
fn declared_power(folder: &Path, kind: Kind) -> Option<f64> {
    if kind != Kind::Power {
        return None;
    }
    let raw = tree::number(&folder.join("constraint_0_max_power_uw"))?;
    Thresholds::believable(Kind::Power, float(raw) / 1e6)
}

fn add_constraints(roots: &Roots, board: &mut Board, zone: &str, label: &str, folder: &Path) {
    let zone_max_uw =
        tree::number(&folder.join("constraint_0_max_power_uw")).filter(|max| *max > 0);
    for index in 0..MAX_CONSTRAINTS {
        let base = folder.join(format!("constraint_{index}"));
        let file = |suffix: &str| base.with_file_name(format!("constraint_{index}_{suffix}"));
        let Some(reading) = Attribute::existing(file("power_limit_uw"), roots.simulated()) else {
            continue;
        };
        let limit_uw = tree::number(&file("power_limit_uw"));
        let constraint = tree::text(&file("name")).unwrap_or_else(|| index.to_string());
        let max_uw = tree::number(&file("max_power_uw"))
            .filter(|max| *max > 0)
            .or_else(|| burst(index, zone_max_uw?, limit_uw?))
            .or(zone_max_uw);
        let limit = Attribute::writable(file("power_limit_uw"), roots.simulated());
        let cap = limit.and_then(|limit| {
            Cap::new(CapFiles {
                limit,
                enabled: Attribute::existing(folder.join("enabled"), roots.simulated()),
                min_uw: tree::number(&file("min_power_uw")),
                max_uw,
            })
        });
        board.add_cap(CapSpec {
            id: format!("powercap/{zone}/constraint_{index}:{}", slug(&constraint)),
            name: format!("{label} {constraint}"),
            bus: Bus::fast("powercap"),
            attributes: vec![("hw.parent".into(), format!("powercap/{zone}"))],
            reading,
            sustained: index == 0,
            cap,
        });
    }
}

/// The most of a constraint on bursts that declares nothing: what stands there, where that is
/// no more than twice what the package is made for.
fn burst(index: u32, zone_max_uw: i64, limit_uw: i64) -> Option<i64> {
    (index > 0 && limit_uw >= zone_max_uw && limit_uw <= 2 * zone_max_uw).then_some(limit_uw)
}
