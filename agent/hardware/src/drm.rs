//! Graphics cards of `class/drm`: how busy they are and how full their memory is. Their
//! temperatures, powers and fans are hwmon's.
//!
//! Source: the kernel's `Documentation/gpu/amdgpu/driver-misc.rst`.

use crate::attribute::Attribute;
use crate::board::Board;
use crate::identity;
use crate::sensor::{Bus, Sensor, Source};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, Unit};
use std::path::Path;

struct File {
    name: &'static str,
    metric: &'static str,
    kind: Kind,
    unit: Unit,
    divisor: f64,
    /// What tells series of one metric apart.
    attribute: (&'static str, &'static str),
}

const TASK: &str = "hw.gpu.task";
const MEMORY: &str = "hw.gpu.memory.type";

const fn busy(name: &'static str, task: &'static str) -> File {
    let (kind, unit) = (Kind::Utilization, Unit::One);
    let metric = "hw.gpu.utilization";
    File { name, metric, kind, unit, divisor: 100.0, attribute: (TASK, task) }
}

const fn memory(name: &'static str, metric: &'static str, memory: &'static str) -> File {
    let (kind, unit) = (Kind::Memory, Unit::Byte);
    File { name, metric, kind, unit, divisor: 1.0, attribute: (MEMORY, memory) }
}

const FILES: [File; 8] = [
    busy("gpu_busy_percent", "general"),
    busy("mem_busy_percent", "memory"),
    memory("mem_info_vram_total", "hw.gpu.memory.limit", "vram"),
    memory("mem_info_vram_used", "hw.gpu.memory.usage", "vram"),
    memory("mem_info_vis_vram_total", "hw.gpu.memory.limit", "visible_vram"),
    memory("mem_info_vis_vram_used", "hw.gpu.memory.usage", "visible_vram"),
    memory("mem_info_gtt_total", "hw.gpu.memory.limit", "gtt"),
    memory("mem_info_gtt_used", "hw.gpu.memory.usage", "gtt"),
];

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let class = roots.class("drm");
    for card in tree::names(&class) {
        // `card0-HDMI-A-1` is a connector.
        let is_card = card.strip_prefix("card").is_some_and(|rest| rest.parse::<u32>().is_ok());
        if is_card {
            add_card(roots, board, &card, &class.join(&card));
        }
    }
}

fn add_card(roots: &Roots, board: &mut Board, card: &str, folder: &Path) {
    let device = folder.join("device");
    let files = FILES.iter().filter(|file| device.join(file.name).exists());
    let files: Vec<&File> = files.collect();
    if files.is_empty() {
        return;
    }
    let place = identity::linked_device(roots, folder).filter(|place| !place.contains("/drm/"));
    let parent = board.unique(place.map_or_else(|| format!("drm/{card}"), |p| format!("drm@{p}")));
    for file in files {
        let (key, value) = file.attribute;
        board.add_sensor(
            Sensor {
                id: format!("{parent}/{}", file.name),
                name: format!("{card} {}", file.name),
                metric: file.metric,
                kind: file.kind,
                unit: file.unit,
                attributes: vec![("hw.parent".into(), parent.clone()), (key.into(), value.into())],
                bus: Bus::fast("drm"),
                thresholds: Thresholds::default(),
                source: Source::level(
                    Attribute::new(device.join(file.name), roots.simulated()),
                    file.divisor,
                    Band::of(file.kind),
                ),
            },
            "gpu",
        );
    }
}
