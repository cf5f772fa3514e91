//! Memory pressure of `pressure/memory` in procfs: the part of the last ten seconds in which
//! some work, or all of it, waited for memory.
//!
//! Source: the kernel's `Documentation/accounting/psi.rst`. The other resources are no matter of
//! limits; the agent samples them.

use crate::attribute::Attribute;
use crate::board::Board;
use crate::sensor::{Bus, Form, Sensor, Source};
use crate::threshold::{Band, Thresholds};
use crate::tree::Roots;
use flyball_units::{Kind, Unit};

const LINES: [(&str, &str); 2] =
    [("some", "system.pressure.memory.some.avg10"), ("full", "system.pressure.memory.full.avg10")];

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let path = roots.procfs.join("pressure/memory");
    for (line, metric) in LINES {
        let Some(value) = Attribute::existing(path.clone(), roots.simulated()) else {
            return;
        };
        board.add_sensor(
            Sensor {
                id: format!("pressure/memory/{line}"),
                name: format!("memory pressure, {line}"),
                metric,
                // A part of a whole, as limits have it.
                kind: Kind::Utilization,
                unit: Unit::One,
                attributes: Vec::new(),
                bus: Bus::fast("pressure"),
                thresholds: Thresholds::default(),
                source: Source::of(value, Form::Pressure { line }, Band::of(Kind::Duty)),
            },
            "memory",
        );
    }
}
