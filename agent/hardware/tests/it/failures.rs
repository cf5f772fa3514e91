//! Files that are damaged, gone or forbidden while they are being read: each has its reason, and
//! the reading comes back with the file.

use crate::machine::Machine;
use crate::tree::{Tree, read};
use flyball_hardware::{Board, Sensor};
use flyball_units::NoData;
use rustix::thread::set_thread_uid;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Longer than the pause between two tries to open a file again.
const READINGS: usize = 12;

fn settled(sensor: &mut Sensor) -> Result<f64, NoData> {
    for _ in 1..READINGS {
        // The last one counts.
        let _ = sensor.read(Duration::ZERO);
    }
    sensor.read(Duration::ZERO)
}

/// Does `damage` to the file of every sensor that reads, one after the other.
fn damage_each(damage: impl Fn(&Path), reason: NoData) {
    damage_each_of(&Machine::new(3), damage, reason, true);
}

/// A link to another file that is there stays open, so that there is nothing to come back to.
fn link_each(target: &str, reason: NoData) {
    damage_each_of(&Machine::new(3), |path| replace_by_link(path, target), reason, false);
}

fn damage_each_of(machine: &Machine, damage: impl Fn(&Path), reason: NoData, comes_back: bool) {
    let mut board = machine.tree.board();
    let mut damaged = 0;
    for sensor in &mut board.sensors {
        let before = sensor.read(Duration::ZERO);
        if !matches!(before, Ok(_) | Err(NoData::NoHistory)) {
            continue;
        }
        let path = sensor.path().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        damage(&path);
        assert_eq!(settled(sensor), Err(reason), "{}", sensor.id);
        match path.is_dir() {
            true => fs::remove_dir(&path).unwrap(),
            false if path.symlink_metadata().is_ok() => fs::remove_file(&path).unwrap(),
            false => {}
        }
        fs::write(&path, text).unwrap();
        let after = settled(sensor);
        let back = matches!((after, before), (Ok(_), _) | (Err(NoData::NoHistory), Err(_)));
        assert!(back || !comes_back, "{} is {after:?} afterwards", sensor.id);
        damaged += 1;
    }
    assert!(damaged > 40, "{damaged}");
}

#[test]
fn an_empty_file_is_no_number() {
    damage_each(|path| fs::write(path, "").unwrap(), NoData::Unparsable);
}

#[test]
fn words_where_a_number_belongs_are_no_number() {
    for text in ["N/A\n", "-\n", "0x2f\n", "12.5\n", "1e3\n", "99999999999999999999\n", "\u{fffd}"]
    {
        damage_each(|path| fs::write(path, text).unwrap(), NoData::Unparsable);
    }
}

#[test]
fn bytes_that_are_no_text_are_no_number() {
    damage_each(|path| fs::write(path, b"\xff\xfe\x00\x01").unwrap(), NoData::Unparsable);
}

#[test]
fn a_flood_of_digits_is_no_number() {
    damage_each(|path| fs::write(path, "7".repeat(5000)).unwrap(), NoData::Unparsable);
}

#[test]
fn a_vanished_file_is_missing() {
    damage_each(|path| fs::remove_file(path).unwrap(), NoData::Missing);
}

#[test]
fn a_folder_in_a_files_place_is_a_fault() {
    damage_each(
        |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        },
        NoData::Fault,
    );
}

#[test]
fn an_input_output_error_is_a_fault() {
    // The kernel answers EIO at an address where nothing is mapped.
    link_each("/proc/self/mem", NoData::Fault);
}

#[test]
fn a_value_that_a_driver_does_not_have_is_unsupported() {
    // A loopback has no speed: the kernel answers EINVAL.
    let speed = "/sys/class/net/lo/speed";
    if fs::read(speed).is_err_and(|error| error.kind() == std::io::ErrorKind::InvalidInput) {
        link_each(speed, NoData::Unsupported);
    }
}

fn replace_by_link(path: &Path, target: &str) {
    fs::remove_file(path).unwrap();
    symlink(target, path).unwrap();
}

#[test]
fn a_forbidden_file_is_denied_and_said_once() {
    let tree = Tree::new(&[]);
    for zone in 0..4 {
        let folder = format!("class/powercap/intel-rapl:{zone}");
        tree.write(&format!("{folder}/name"), &format!("package-{zone}"));
        tree.write(&format!("{folder}/max_energy_range_uj"), "262143328850");
        let energy = format!("{folder}/energy_uj");
        tree.write(&energy, "1");
        fs::set_permissions(tree.path(&energy), Permissions::from_mode(0o000)).unwrap();
    }
    let roots = tree.roots();
    fs::set_permissions(&roots.sysfs, Permissions::from_mode(0o755)).unwrap();
    // Root may read everything, so this is done without its rights, on a thread of its own.
    let (readings, remarks) = thread::spawn(move || {
        if rustix::process::getuid().is_root() {
            set_thread_uid(rustix::process::Uid::from_raw(65_534)).unwrap();
        }
        let mut board: Board = flyball_hardware::discover(&roots);
        let readings: Vec<_> = board.sensors.iter_mut().map(settled).collect();
        (readings, board.remarks)
    })
    .join()
    .unwrap();
    assert_eq!(readings, vec![Err(NoData::Denied); 8]);
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert!(remarks[0].message.contains("CAP_DAC_READ_SEARCH"), "{}", remarks[0].message);
}

#[test]
fn a_descriptor_whose_device_is_gone_is_opened_anew() {
    // A process's number in procfs answers ESRCH once the process is gone, as a driver's
    // attribute answers ENODEV.
    let run = || {
        let mut command = Command::new("sleep");
        command.arg("600").stdin(Stdio::null()).spawn().unwrap()
    };
    let tree = Tree::new(&[("class/hwmon/hwmon0/name", "coretemp")]);
    let input = tree.path("class/hwmon/hwmon0/temp1_input");
    let mut first = run();
    symlink(format!("/proc/{}/oom_score_adj", first.id()), &input).unwrap();
    let mut board = tree.board();
    let before = read(&mut board, "coretemp/temp1");
    assert!(before.is_ok(), "{before:?}");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(read(&mut board, "coretemp/temp1"), Err(NoData::Missing));
    assert_eq!(read(&mut board, "coretemp/temp1"), Err(NoData::Missing));
    let mut second = run();
    replace_by_link(&input, &format!("/proc/{}/oom_score_adj", second.id()));
    let back = settled(&mut board.sensors[0]);
    second.kill().unwrap();
    second.wait().unwrap();
    assert_eq!(back, before);
}

#[test]
fn a_pipe_in_a_files_place_holds_nobody() {
    let tree = Tree::new(&[
        ("class/hwmon/hwmon0/name", "coretemp"),
        ("class/hwmon/hwmon0/temp1_input", "41000"),
    ]);
    let mut board = tree.board();
    let path = tree.path("class/hwmon/hwmon0/temp1_input");
    fs::remove_file(&path).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert_eq!(read(&mut board, "coretemp/temp1"), Err(NoData::Fault));
}
