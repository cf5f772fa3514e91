//! Who the machine says it is.

use crate::board::Info;
use crate::tree::{self, Roots};
use std::path::Path;

/// What firmware vendors leave in fields that nobody filled in.
const PLACEHOLDERS: [&str; 8] = [
    "to be filled by o.e.m.",
    "default string",
    "system manufacturer",
    "system product name",
    "not specified",
    "none",
    "no asset tag",
    "0123456789",
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
        uuid: first(&["product_uuid"]),
        firmware: firmware(&dmi),
        asset_tag: first(&["chassis_asset_tag", "board_asset_tag"]),
        simulated: roots.simulated(),
    }
}

/// Vendor, version and date in one line.
fn firmware(dmi: &Path) -> Option<String> {
    let parts = ["bios_vendor", "bios_version", "bios_date"];
    let parts: Vec<String> = parts.iter().filter_map(|file| tree::text(&dmi.join(file))).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn is_filled_in(text: &str) -> bool {
    !PLACEHOLDERS.contains(&text.to_ascii_lowercase().as_str())
}
