//! Room on the file systems of local disks, by `statvfs` on what `/proc/mounts` names.
//!
//! A file system behind a network or a user's program is never asked: its answer may not come.

use super::procfs::{HeldFile, Procfs, reason};
use super::{Book, Slot, Tick, float};
use flyball_units::{Kind, NoData, Unit};
use rustix::fs::statvfs;

const MAX_FILESYSTEMS: usize = 32;
/// Kinds that live on a local disk.
const LOCAL: [&str; 12] = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "vfat", "exfat", "ntfs3",
    "jfs",
];

#[derive(Debug)]
pub(super) struct Filesystems {
    file: HeldFile,
    filesystems: Vec<Filesystem>,
}

#[derive(Debug)]
struct Filesystem {
    device: String,
    mountpoint: String,
    utilization: Option<Slot>,
    used: Option<Slot>,
    free: Option<Slot>,
}

struct Room {
    used_bytes: u64,
    /// What an unprivileged user may still write.
    free_bytes: u64,
}

impl Filesystems {
    pub(super) fn open(procfs: &Procfs) -> Self {
        Self { file: procfs.file("mounts"), filesystems: Vec::new() }
    }

    /// Takes up each local file system once, at the first place where it is mounted.
    pub(super) fn scan(&mut self, book: &mut Book) {
        let Ok(text) = self.file.read() else { return };
        for (device, mountpoint) in text.lines().filter_map(local_mount) {
            let known = self.filesystems.iter().any(|each| each.device == device);
            if known || self.filesystems.len() >= MAX_FILESYSTEMS {
                continue;
            }
            self.filesystems.push(Filesystem::announce(device, mountpoint, book));
        }
    }

    pub(super) fn read(&mut self, tick: &mut Tick<'_>) {
        for filesystem in &self.filesystems {
            filesystem.read(tick);
        }
    }
}

impl Filesystem {
    fn announce(device: &str, mountpoint: String, book: &mut Book) -> Self {
        let place = [("system.device", device), ("system.filesystem.mountpoint", &*mountpoint)];
        let [device_pair, mountpoint_pair] = place;
        let mut usage = |state| {
            let attributes = [device_pair, mountpoint_pair, ("system.filesystem.state", state)];
            book.announce("system.filesystem.usage", Kind::Disk, Unit::Byte, &attributes)
        };
        let (used, free) = (usage("used"), usage("free"));
        let utilization =
            book.announce("system.filesystem.utilization", Kind::Utilization, Unit::One, &place);
        Self { device: device.to_owned(), mountpoint, utilization, used, free }
    }

    fn read(&self, tick: &mut Tick<'_>) {
        match room(&self.mountpoint) {
            Ok(room) => {
                let all = room.used_bytes.saturating_add(room.free_bytes);
                let part = if all == 0 {
                    Err(NoData::OutOfRange)
                } else {
                    Ok(float(room.used_bytes) / float(all))
                };
                tick.put(self.utilization, part);
                tick.put(self.used, Ok(float(room.used_bytes)));
                tick.put(self.free, Ok(float(room.free_bytes)));
            }
            Err(failure) => tick.fail([self.utilization, self.used, self.free], failure),
        }
    }
}

fn room(mountpoint: &str) -> Result<Room, NoData> {
    let stat = statvfs(mountpoint).map_err(|errno| reason(&errno.into()))?;
    let used_blocks = stat.f_blocks.saturating_sub(stat.f_bfree);
    Ok(Room {
        used_bytes: used_blocks.saturating_mul(stat.f_frsize),
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
    })
}

/// `device mountpoint kind options 0 0`
fn local_mount(line: &str) -> Option<(&str, String)> {
    let mut columns = line.split(' ');
    let (device, mountpoint, kind) = (columns.next()?, columns.next()?, columns.next()?);
    LOCAL.contains(&kind).then(|| (device, unescape(mountpoint)))
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescape(path: &str) -> String {
    let mut rest = path;
    let mut plain = String::with_capacity(path.len());
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                plain.push(char::from(code));
                rest = &after[3..];
            }
            None => {
                plain.push('\\');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_disks_are_told_from_the_rest() {
        assert_eq!(
            local_mount("/dev/vda1 /mnt/my\\040disk ext4 rw,relatime 0 0"),
            Some(("/dev/vda1", "/mnt/my disk".to_owned()))
        );
        for line in ["proc /proc proc rw 0 0", "host:/x /mnt nfs4 rw 0 0", "x /y fuse.z rw 0 0", ""]
        {
            assert_eq!(local_mount(line), None);
        }
    }

    #[test]
    fn a_path_is_read_as_the_kernel_wrote_it() {
        assert_eq!(unescape("/a\\040b\\134c\\"), "/a b\\c\\");
        assert_eq!(unescape("/é\\9"), "/é\\9");
    }
}
