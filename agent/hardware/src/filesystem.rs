//! How full the local file systems are: the part of what an unprivileged process can have that
//! is used, by `statvfs`.
//!
//! Source: `proc_pid_mountinfo(5)`, `statvfs(3)`. Only file systems on this machine's own disks
//! are asked; one behind a network or a user's program may never answer. Nothing is held open,
//! so that every one of them can still be unmounted. A recorded tree has none: its mounts are
//! another machine's.

use crate::attribute::{Attribute, reason};
use crate::board::Board;
use crate::sensor::{Bus, Form, Sensor, Source};
use crate::threshold::{Band, Thresholds};
use crate::tree::Roots;
use flyball_units::{Kind, NoData, Unit};
use rustix::fs::statvfs;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const MAX_FILESYSTEMS: usize = 32;
/// They live on disks and yet have an anonymous device number.
const ANONYMOUS: [&str; 3] = ["btrfs", "zfs", "bcachefs"];

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    if roots.simulated() {
        return;
    }
    let text = fs::read_to_string(roots.procfs.join("self/mountinfo")).unwrap_or_default();
    for mountpoint in local(&text) {
        let place = mountpoint.display().to_string();
        board.add_sensor(
            Sensor {
                id: format!("filesystem{place}"),
                name: place.clone(),
                metric: "system.filesystem.utilization",
                kind: Kind::Utilization,
                unit: Unit::One,
                attributes: vec![("system.filesystem.mountpoint".to_owned(), place)],
                bus: Bus::slow("filesystems"),
                thresholds: Thresholds::default(),
                source: Source::of(
                    Attribute::new(mountpoint, false),
                    Form::Room,
                    Band::of(Kind::Utilization),
                ),
            },
            "logical_disk",
        );
    }
}

/// Where the local file systems are mounted: each once, at the first place, and none that can't
/// be written.
fn local(mountinfo: &str) -> Vec<PathBuf> {
    let mut devices = BTreeSet::new();
    let mut places = Vec::new();
    for line in mountinfo.lines() {
        let Some(mount) = Mount::parse(line) else { continue };
        if mount.is_local() && devices.insert(mount.device) && places.len() < MAX_FILESYSTEMS {
            places.push(mount.place);
        }
    }
    places
}

#[derive(Debug)]
struct Mount<'a> {
    device: &'a str,
    place: PathBuf,
    writable: bool,
    kind: &'a str,
}

impl<'a> Mount<'a> {
    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
    fn parse(line: &'a str) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut columns = mount.split(' ').skip(2);
        let device = columns.next()?;
        let place = columns.nth(1)?;
        let writable = columns.next()?.split(',').any(|option| option == "rw");
        let kind = filesystem.split(' ').next()?;
        Some(Self { device, place: PathBuf::from(unescaped(place)), writable, kind })
    }

    fn is_local(&self) -> bool {
        let anonymous = self.device.starts_with("0:");
        self.writable && (!anonymous || ANONYMOUS.contains(&self.kind))
    }
}

/// Space, tab, newline and backslash stand as three octal digits.
fn unescaped(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(path.to_owned(), |path, (code, plain)| path.replace(code, plain))
}

/// The used part of the file system that is mounted at `place`.
pub(crate) fn used_part(place: &Path) -> Result<f64, NoData> {
    let stat = statvfs(place).map_err(|errno| reason(&errno.into()))?;
    let used = stat.f_blocks.saturating_sub(stat.f_bfree);
    let all = used.saturating_add(stat.f_bavail);
    #[expect(clippy::cast_precision_loss, reason = "a part of 2^53 blocks needs no last digit")]
    match all {
        0 => Err(NoData::OutOfRange),
        all => Ok(used as f64 / all as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 28 0:20 / /sys rw,nosuid - sysfs sysfs rw
28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
31 28 254:1 /var/lib /srv/bind rw,relatime - ext4 /dev/vda1 rw
40 28 0:45 / /data rw,relatime shared:9 - btrfs /dev/vdb rw
41 28 0:50 / /mnt/nfs rw,relatime - nfs4 host:/x rw
42 28 7:1 / /snap/core/1 ro,nodev - squashfs /dev/loop1 ro
43 28 254:17 / /mnt/my\\040disk rw,relatime - xfs /dev/vdc1 rw
44 28 0:60 / /home/x/mnt rw - fuse.sshfs x rw
45 28 broken";

    #[test]
    fn each_local_disk_is_watched_once_and_nothing_else_is_touched() {
        let places: Vec<PathBuf> = ["/", "/data", "/mnt/my disk"].map(PathBuf::from).into();
        assert_eq!(local(MOUNTINFO), places);
    }

    #[test]
    fn a_part_is_between_nothing_and_all_and_what_is_gone_is_missing() {
        let part = used_part(Path::new("/")).unwrap();
        assert!((0.0..=1.0).contains(&part), "{part}");
        assert_eq!(used_part(Path::new("/no/such/place")), Err(NoData::Missing));
        assert_eq!(used_part(Path::new("/proc")), Err(NoData::OutOfRange), "it has no blocks");
    }

    #[test]
    fn a_recorded_tree_has_no_file_systems_of_its_own() {
        let machine = crate::discover(&Roots::machine());
        let there = machine.sensors.iter().any(|sensor| sensor.id.starts_with("filesystem/"));
        let local = !local(&fs::read_to_string("/proc/self/mountinfo").unwrap()).is_empty();
        assert_eq!(there, local);
        let recorded = Roots { sysfs: "/tmp".into(), procfs: "/proc".into() };
        let recorded = crate::discover(&recorded);
        assert!(!recorded.sensors.iter().any(|sensor| sensor.id.starts_with("filesystem")));
    }
}
