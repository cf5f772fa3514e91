//! A sysfs tree under a temporary folder, and words to look at the board that it makes.

use flyball_hardware::{Board, Roots, Sensor, discover};
use flyball_units::NoData;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) struct Tree(tempfile::TempDir);

impl Tree {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap().trim().to_owned()
    }

    pub(crate) fn remove(&self, path: &str) {
        let path = self.path(path);
        match path.symlink_metadata().unwrap().is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }

    /// A link as sysfs has them, from `path` to `target` below the root.
    pub(crate) fn link(&self, path: &str, target: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(self.path(target), path).unwrap();
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots { sysfs: self.0.path().into(), procfs: self.path("proc") }
    }

    pub(crate) fn board(&self) -> Board {
        discover(&self.roots())
    }
}

pub(crate) fn sensor<'a>(board: &'a mut Board, id: &str) -> &'a mut Sensor {
    let ids: Vec<String> = board.sensors.iter().map(|sensor| sensor.id.clone()).collect();
    let found = board.sensors.iter_mut().find(|sensor| sensor.id == id);
    found.unwrap_or_else(|| panic!("no {id} among {ids:#?}"))
}

pub(crate) fn read(board: &mut Board, id: &str) -> Result<f64, NoData> {
    sensor(board, id).read(Duration::ZERO)
}

/// A package as a recorded tree has it, with a second one of a hexadecimal number.
pub(crate) fn rapl() -> Tree {
    Tree::new(&[
        ("class/powercap/intel-rapl/enabled", "1"),
        ("class/powercap/intel-rapl:0/name", "package-0"),
        ("class/powercap/intel-rapl:0/enabled", "1"),
        ("class/powercap/intel-rapl:0/energy_uj", "240422366267"),
        ("class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850"),
        ("class/powercap/intel-rapl:0/constraint_0_name", "long_term"),
        ("class/powercap/intel-rapl:0/constraint_0_power_limit_uw", "4090000000"),
        ("class/powercap/intel-rapl:0/constraint_0_max_power_uw", "95000000"),
        ("class/powercap/intel-rapl:0/constraint_1_name", "short_term"),
        ("class/powercap/intel-rapl:0/constraint_1_power_limit_uw", "118750000"),
        ("class/powercap/intel-rapl:0/constraint_1_max_power_uw", "0"),
        ("class/powercap/intel-rapl:0:0/name", "core"),
        ("class/powercap/intel-rapl:0:0/energy_uj", "118821284256"),
        ("class/powercap/intel-rapl:a/name", "package-10"),
        ("class/powercap/intel-rapl:a/energy_uj", "240422366267"),
    ])
}
