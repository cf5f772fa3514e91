//! What comes and goes: a look at the folders' listings, and only where they changed a look
//! through the whole tree.
//!
//! A census knows names and places, and holds no file: it may live on a thread of its own, beside
//! the pollers that hold the sensors.

use crate::actuator::Actuator;
use crate::board::{Board, Remark, discover};
use crate::hwmon;
use crate::sensor::Sensor;
use crate::tree::{self, Roots};
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// Folders whose entries are devices.
const CLASSES: [&str; 5] = ["thermal", "powercap", "power_supply", "drm", "enclosure"];
const DEVICES: [&str; 2] = ["devices/system/cpu/cpufreq", "devices/system/edac/mc"];

/// The ids of a board and where their files are.
#[derive(Clone, Debug)]
pub struct Census {
    roots: Roots,
    listing: u64,
    sensors: BTreeMap<String, PathBuf>,
    actuators: BTreeMap<String, PathBuf>,
    remarks: Vec<Remark>,
}

/// What is different from the last look. What moved to another folder, as a driver that was
/// loaded again does, has come under the id that it had.
#[derive(Debug, Default)]
pub struct Changes {
    pub came: Vec<Sensor>,
    /// Ids.
    pub went: Vec<String>,
    /// Of every kind: the board's controls are among them.
    pub actuators_came: Vec<Actuator>,
    pub actuators_went: Vec<String>,
    /// What had not been remarked before.
    pub remarks: Vec<Remark>,
}

impl Census {
    /// The census of a board that was just discovered under `roots`.
    #[must_use]
    pub fn of(roots: &Roots, board: &Board) -> Self {
        let (sensors, actuators) = places(board);
        let remarks = board.remarks.clone();
        Self { roots: roots.clone(), listing: listing(roots), sensors, actuators, remarks }
    }

    /// Looks at the listings, and where they changed at everything. Costs some dozens of system
    /// calls where nothing did.
    pub fn look(&mut self) -> Option<Changes> {
        let listing = listing(&self.roots);
        if listing == self.listing {
            return None;
        }
        self.listing = listing;
        let mut board = discover(&self.roots);
        let (sensors, actuators) = places(&board);
        board.actuators.append(&mut board.controls);
        board.sensors.retain(|sensor| self.sensors.get(&sensor.id) != sensors.get(&sensor.id));
        board.actuators.retain(|each| self.actuators.get(&each.id) != actuators.get(&each.id));
        let mut remarks = board.remarks;
        let known = std::mem::replace(&mut self.remarks, remarks.clone());
        remarks.retain(|remark| !known.contains(remark));
        let gone = |before: &BTreeMap<String, PathBuf>, now: &BTreeMap<String, PathBuf>| {
            before.keys().filter(|id| !now.contains_key(*id)).cloned().collect()
        };
        let changes = Changes {
            came: board.sensors,
            went: gone(&self.sensors, &sensors),
            actuators_came: board.actuators,
            actuators_went: gone(&self.actuators, &actuators),
            remarks,
        };
        (self.sensors, self.actuators) = (sensors, actuators);
        (!changes.is_empty()).then_some(changes)
    }
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.came.is_empty()
            && self.went.is_empty()
            && self.actuators_came.is_empty()
            && self.actuators_went.is_empty()
            && self.remarks.is_empty()
    }
}

fn places(board: &Board) -> (BTreeMap<String, PathBuf>, BTreeMap<String, PathBuf>) {
    let sensors = board.sensors.iter().map(|s| (s.id.clone(), s.path().to_owned())).collect();
    let actuators = board.actuators.iter().chain(&board.controls);
    (sensors, actuators.map(|a| (a.id.clone(), a.path().to_owned())).collect())
}

/// One number for all listings that discovery depends on.
fn listing(roots: &Roots) -> u64 {
    let mut hasher = DefaultHasher::new();
    for chip in hwmon::folders(roots) {
        fs::canonicalize(&chip).ok().hash(&mut hasher);
        // A chip's attributes may come after the chip.
        tree::names(&chip).hash(&mut hasher);
    }
    for class in CLASSES {
        hash_entries(&roots.class(class), &mut hasher);
    }
    for folder in DEVICES {
        hash_entries(&roots.sysfs.join(folder), &mut hasher);
    }
    hasher.finish()
}

fn hash_entries(folder: &Path, hasher: &mut DefaultHasher) {
    for name in tree::names(folder) {
        fs::read_link(folder.join(&name)).ok().hash(hasher);
        name.hash(hasher);
    }
}
