//! Thermal zones of `class/thermal` with their trip points.
//!
//! Source: the kernel's `Documentation/driver-api/thermal/sysfs-api.rst`. The kernel acts at its
//! own critical trip by itself; nothing here ever changes a zone's mode, policy or trips, because
//! that net must stay.

use crate::attribute::Attribute;
use crate::board::Board;
use crate::identity::{self, slug};
use crate::sensor::{Bus, Sensor, Source, float};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, Unit};
use std::path::Path;

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let class = roots.class("thermal");
    for folder in tree::names(&class) {
        if !folder.starts_with("thermal_zone") {
            continue;
        }
        let folder = class.join(folder);
        let Some(value) = Attribute::existing(folder.join("temp"), roots.simulated()) else {
            continue;
        };
        remark_missing_net(board, &folder);
        let zone_type = tree::text(&folder.join("type")).unwrap_or_else(|| "unknown".into());
        let id = match identity::linked_device(roots, &folder) {
            Some(device) => format!("thermal/{}@{device}", slug(&zone_type)),
            None => format!("thermal/{}", slug(&zone_type)),
        };
        let thresholds = trip_points(&folder);
        let band = Band::of(Kind::Temperature).widened(&thresholds);
        board.add_sensor(
            Sensor {
                id,
                name: zone_type,
                metric: "hw.temperature",
                kind: Kind::Temperature,
                unit: Unit::Celsius,
                attributes: Vec::new(),
                bus: Bus::fast("thermal"),
                thresholds,
                source: Source::level(value, 1e3, band),
            },
            "temperature",
        );
    }
}

/// The kernel's own cut-off may have been switched off by somebody.
fn remark_missing_net(board: &mut Board, folder: &Path) {
    let mode = tree::text(&folder.join("mode"));
    let policy = tree::text(&folder.join("policy"));
    let what = match (mode.as_deref(), policy.as_deref()) {
        (Some("disabled"), _) => "is disabled: write `enabled` to its mode, so that",
        (_, Some("user_space")) => "leaves its trips to user space: choose another policy, so that",
        _ => return,
    };
    board.remark(
        folder.display().to_string(),
        format!("{what} the kernel's own cut-off stands behind the guard"),
    );
}

/// Passive trips begin what `max` means elsewhere, hot is `crit`, critical is `emergency`.
/// A trip's hysteresis is a difference, unlike a chip's.
fn trip_points(folder: &Path) -> Thresholds {
    let mut thresholds = Thresholds::default();
    for file in tree::names(folder) {
        let Some(base) = file.strip_suffix("_type").filter(|b| b.starts_with("trip_point_")) else {
            continue;
        };
        let Some(raw) = tree::number(&folder.join(format!("{base}_temp"))) else {
            continue;
        };
        let Some(value) = Thresholds::believable(Kind::Temperature, float(raw) / 1e3) else {
            continue;
        };
        let hysteresis = tree::number(&folder.join(format!("{base}_hyst"))).filter(|h| *h > 0);
        let clears = hysteresis.map(|hysteresis| float(raw - hysteresis) / 1e3);
        let (slot, clear) = match tree::text(&folder.join(&file)).as_deref() {
            Some("passive") => (&mut thresholds.max, &mut thresholds.max_clear),
            Some("hot") => (&mut thresholds.crit, &mut thresholds.crit_clear),
            Some("critical") => (&mut thresholds.emergency, &mut thresholds.emergency_clear),
            _ => continue,
        };
        if slot.is_none_or(|other| value < other) {
            *slot = Some(value);
            *clear = clears;
        }
    }
    thresholds
}
