//! Memory errors of `devices/system/edac/mc`: corrected and uncorrected, of each controller and
//! of each module that says its own.
//!
//! Source: the kernel's `Documentation/admin-guide/RAS/main.rst`. The counters only rise, and
//! what matters is how fast: beside each there is the number of its last minute.

use crate::attribute::Attribute;
use crate::board::Board;
use crate::counter::Recent;
use crate::identity::slug;
use crate::sensor::{Bus, Form, Sensor, Source};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, Unit};
use std::path::Path;

const OF_CONTROLLER: [(&str, &str); 4] = [
    ("ce_count", "corrected"),
    ("ue_count", "uncorrected"),
    ("ce_noinfo_count", "corrected_unlocated"),
    ("ue_noinfo_count", "uncorrected_unlocated"),
];
const OF_MODULE: [(&str, &str); 2] =
    [("dimm_ce_count", "corrected"), ("dimm_ue_count", "uncorrected")];

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let edac = roots.sysfs.join("devices/system/edac/mc");
    for controller in tree::names(&edac) {
        if !controller.starts_with("mc") {
            continue;
        }
        let folder = edac.join(&controller);
        let name = tree::text(&folder.join("mc_name")).unwrap_or_else(|| controller.clone());
        let parent = format!("edac/{}", slug(&controller));
        add(roots, board, &parent, &name, &folder, &OF_CONTROLLER);
        let modules = tree::names(&folder).into_iter();
        for module in modules.filter(|name| name.starts_with("dimm") || name.starts_with("rank")) {
            let folder = folder.join(&module);
            let label = tree::text(&folder.join("dimm_label")).unwrap_or_else(|| module.clone());
            let parent = format!("{parent}/{}", slug(&module));
            add(roots, board, &parent, &label, &folder, &OF_MODULE);
        }
    }
}

fn add(
    roots: &Roots,
    board: &mut Board,
    parent: &str,
    name: &str,
    folder: &Path,
    files: &[(&str, &str)],
) {
    for (file, error_type) in files {
        let path = folder.join(file);
        if !path.exists() {
            continue;
        }
        let forms = [
            ("", "hw.errors", Form::Level { divisor: 1.0 }),
            (":recent", "hw.errors.recent", Form::Recent(Recent::new())),
        ];
        for (suffix, metric, form) in forms {
            let value = Attribute::new(path.clone(), roots.simulated());
            board.add_sensor(
                Sensor {
                    id: format!("{parent}/{file}{suffix}"),
                    name: format!("{name} {error_type} errors"),
                    metric,
                    kind: Kind::Count,
                    unit: Unit::Count,
                    attributes: vec![
                        ("error.type".into(), (*error_type).into()),
                        ("hw.parent".into(), parent.to_owned()),
                    ],
                    bus: Bus::fast("edac"),
                    thresholds: Thresholds::default(),
                    source: Source::of(value, form, Band::of(Kind::Count)),
                },
                "memory",
            );
        }
    }
}
