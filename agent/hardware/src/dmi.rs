//! Who the machine says it is.

use crate::board::Info;
use crate::tree::{self, Roots};

/// What firmware vendors leave in fields that nobody filled in.
const PLACEHOLDERS: [&str; 6] = [
    "to be filled by o.e.m.",
    "default string",
    "system manufacturer",
    "system product name",
    "not specified",
    "none",
];

/// DMI's identity, else the device tree's, else the board's own.
pub(crate) fn identify(roots: &Roots) -> Info {
    let dmi = roots.class("dmi").join("id");
    let first = |files: &[&str]| {
        files.iter().filter_map(|file| tree::text(&dmi.join(file))).find(|text| is_filled_in(text))
    };
    let model = tree::text(&roots.sysfs.join("firmware/devicetree/base/model"));
    Info {
        vendor: first(&["sys_vendor", "board_vendor"]),
        product: first(&["product_name", "board_name"]).or(model),
        serial: first(&["product_serial", "board_serial", "chassis_serial"]),
        simulated: roots.simulated(),
    }
}

fn is_filled_in(text: &str) -> bool {
    !PLACEHOLDERS.contains(&text.to_ascii_lowercase().as_str())
}
