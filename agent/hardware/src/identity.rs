//! Names that stay: a chip is known by the device behind it, never by its hwmon number.

use crate::tree::Roots;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The device of a class folder (`class/hwmon/hwmon3`) as a path below `/sys/devices`;
/// `None` where the tree doesn't say (a plain folder of a recorded tree).
pub(crate) fn device(roots: &Roots, class_folder: &Path) -> Option<String> {
    let root = fs::canonicalize(&roots.sysfs).ok()?;
    let resolved = match fs::canonicalize(class_folder.join("device")) {
        Ok(device) => device,
        Err(_) => fs::canonicalize(class_folder).ok()?,
    };
    let below = resolved.strip_prefix(root).ok()?.strip_prefix("devices").ok()?;
    let mut steady: Vec<&str> = below
        .iter()
        .filter_map(|part| part.to_str())
        .take_while(|part| !is_numbered(part))
        .map(without_instance)
        .collect();
    // A controller is its slot; its own number is the order in which disks answered.
    if let [.., "nvme", controller] = steady[..]
        && controller.starts_with("nvme")
    {
        steady.truncate(steady.len() - 2);
    }
    (!steady.is_empty()).then(|| steady.join("/"))
}

/// The last digits of a HID device (`0003:1E71:2007.0004`) count how often one was plugged in.
fn without_instance(part: &str) -> &str {
    match part.split_once('.') {
        Some((device, _)) if device.len() == 14 && device.matches(':').count() == 2 => device,
        _ => part,
    }
}

/// The device behind a class folder that links to one; `None` for a virtual one, whose place
/// carries nothing but a number.
pub(crate) fn linked_device(roots: &Roots, class_folder: &Path) -> Option<String> {
    class_folder.join("device").exists().then(|| device(roots, class_folder))?
}

/// `hwmon`, `hwmon3`: the part of a path that depends on the order of loading.
pub(crate) fn is_numbered(part: &str) -> bool {
    part.strip_prefix("hwmon").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

/// A label as part of an id: lower case, nothing but letters, digits, `_`, `.` and `-`.
pub(crate) fn slug(label: &str) -> String {
    label
        .trim()
        .chars()
        .map(|c| match c {
            'A'..='Z' => c.to_ascii_lowercase(),
            'a'..='z' | '0'..='9' | '.' | '-' => c,
            _ => '_',
        })
        .collect()
}

/// Gives each id once: the second `x` is `x#2`.
#[derive(Debug, Default)]
pub(crate) struct Ids(HashMap<String, u32>);

impl Ids {
    pub(crate) fn unique(&mut self, id: String) -> String {
        let count = self.0.entry(id.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { id } else { format!("{id}#{count}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_chip_keeps_its_identity_when_its_number_changes() {
        for number in [0, 7] {
            let root = tempfile::tempdir().unwrap();
            let device = root.path().join("devices/platform/coretemp.0");
            let folder = device.join(format!("hwmon/hwmon{number}"));
            fs::create_dir_all(&folder).unwrap();
            symlink("../../../coretemp.0", folder.join("device")).unwrap();
            let roots = Roots { sysfs: root.path().into(), procfs: "/proc".into() };
            assert_eq!(super::device(&roots, &folder).unwrap(), "platform/coretemp.0");
        }
    }

    #[test]
    fn a_chip_without_a_device_link_is_known_by_its_place() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("devices/virtual/thermal/thermal_zone0/hwmon2");
        fs::create_dir_all(&folder).unwrap();
        let roots = Roots { sysfs: root.path().into(), procfs: "/proc".into() };
        assert_eq!(device(&roots, &folder).unwrap(), "virtual/thermal/thermal_zone0");
    }

    #[test]
    fn a_device_keeps_its_identity_when_it_is_plugged_in_again_or_answers_later() {
        for (one, other, identity) in [
            (
                "pci0000:00/0000:01:00.0/nvme/nvme0",
                "pci0000:00/0000:01:00.0/nvme/nvme1",
                "pci0000:00/0000:01:00.0",
            ),
            (
                "pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0/0003:1E71:2007.0004",
                "pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0/0003:1E71:2007.000A",
                "pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0/0003:1E71:2007",
            ),
        ] {
            for device in [one, other] {
                let root = tempfile::tempdir().unwrap();
                let folder = root.path().join("devices").join(device).join("hwmon/hwmon1");
                fs::create_dir_all(&folder).unwrap();
                symlink("../..", folder.join("device")).unwrap();
                let roots = Roots { sysfs: root.path().into(), procfs: "/proc".into() };
                assert_eq!(super::device(&roots, &folder).unwrap(), identity);
            }
        }
    }

    #[test]
    fn equal_names_are_told_apart() {
        let mut ids = Ids::default();
        assert_eq!(ids.unique("coretemp/temp1".into()), "coretemp/temp1");
        assert_eq!(ids.unique("coretemp/temp1".into()), "coretemp/temp1#2");
    }
}
