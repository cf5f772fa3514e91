//! Thermal zones of `class/thermal` with their trip points.
//!
//! The kernel acts at its own critical trip by itself; nothing here ever changes a zone's mode,
//! policy or trips, because that net must stay.

use crate::attribute::Attribute;
use crate::board::Board;
use crate::identity::slug;
use crate::sensor::{Bus, Sensor, Source};
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
        let zone_type = tree::text(&folder.join("type")).unwrap_or_else(|| "unknown".into());
        let thresholds = trip_points(&folder);
        let band = Band::of(Kind::Temperature).widened(&thresholds);
        let source = Source::level(value, 1e3, band);
        board.add_sensor(
            Sensor {
                id: format!("thermal/{}", slug(&zone_type)),
                name: zone_type,
                metric: "hw.temperature",
                kind: Kind::Temperature,
                unit: Unit::Celsius,
                attributes: Vec::new(),
                bus: Bus::fast("thermal"),
                thresholds,
                source,
            },
            "temperature",
        );
    }
}

/// Passive trips begin what `max` means elsewhere, hot is `crit`, critical is `emergency`.
fn trip_points(folder: &Path) -> Thresholds {
    let mut thresholds = Thresholds::default();
    for file in tree::names(folder) {
        let Some(base) = file.strip_suffix("_type").filter(|b| b.starts_with("trip_point_")) else {
            continue;
        };
        let Some(raw) = tree::number(&folder.join(format!("{base}_temp"))) else {
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "a temperature")]
        let Some(value) = Thresholds::believable(Kind::Temperature, raw as f64 / 1e3) else {
            continue;
        };
        let slot = match tree::text(&folder.join(&file)).as_deref() {
            Some("passive") => &mut thresholds.max,
            Some("hot") => &mut thresholds.crit,
            Some("critical") => &mut thresholds.emergency,
            _ => continue,
        };
        *slot = Some(slot.map_or(value, |other| other.min(value)));
    }
    thresholds
}
