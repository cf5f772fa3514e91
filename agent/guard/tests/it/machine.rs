//! A machine of files, and the drivers behind them that a test plays.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Writes files into the tree that lies in `folder`.
pub(crate) fn lay(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join("sys").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }
}

pub(crate) const CHIP: &str = "class/hwmon/hwmon0";
pub(crate) const RAPL: &str = "class/powercap/intel-rapl:0";
pub(crate) const CAP: &str = "class/powercap/intel-rapl:0/constraint_0_power_limit_uw";

/// One chip with three temperatures of 41 degrees and two fans under its own control, and a
/// package that may be capped between 10 and 400 W.
pub(crate) fn lay_machine(folder: &Path) {
    let mut files = vec![("name".to_owned(), "chip")];
    for number in 1..=3 {
        files.push((format!("temp{number}_input"), "41000"));
        files.push((format!("temp{number}_crit"), "95000"));
    }
    for number in 1..=2 {
        files.push((format!("fan{number}_input"), "1200"));
        files.push((format!("pwm{number}"), "102"));
        files.push((format!("pwm{number}_enable"), "2"));
    }
    for (name, text) in files {
        lay(folder, &[(&format!("{CHIP}/{name}"), text)]);
    }
    for (name, text) in [
        ("name", "package-0"),
        ("energy_uj", "1000000"),
        ("max_energy_range_uj", "262143328850"),
        ("constraint_0_name", "long_term"),
        ("constraint_0_max_power_uw", "400000000"),
        ("constraint_0_min_power_uw", "10000000"),
        ("constraint_0_power_limit_uw", "400000000"),
    ] {
        lay(folder, &[(&format!("{RAPL}/{name}"), text)]);
    }
}

/// Stands behind one file: what somebody else writes there is taken down, and what the driver
/// makes of it stands there instead.
pub(crate) struct Driver {
    taken: Arc<Mutex<Vec<String>>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// `answer` is what the file shows after a write; `None` leaves it as it was written.
    pub(crate) fn behind(
        path: PathBuf,
        mut answer: impl FnMut(&str) -> Option<String> + Send + 'static,
    ) -> Self {
        let (taken, end) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (down, ends) = (Arc::clone(&taken), Arc::clone(&end));
        let mut shown = fs::read_to_string(&path).unwrap();
        let thread = thread::spawn(move || {
            // A kernel's driver answers within the write; where it is not permitted, soon after.
            let _ = rustix::process::setpriority_process(None, -15);
            while !ends.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
                // Its writer stands between the truncation and the write.
                let text = fs::read_to_string(&path).unwrap_or_default();
                if !text.ends_with('\n') || text == shown {
                    continue;
                }
                let word = text.trim().to_owned();
                let answered = answer(&word);
                down.lock().unwrap().push(word);
                shown = text;
                if let Some(answered) = answered {
                    shown = format!("{answered}\n");
                    fs::write(&path, &shown).unwrap();
                }
            }
        });
        Self { taken, end, thread: Some(thread) }
    }

    /// What was written, in order.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed by itself.
            let _ = thread.join();
        }
    }
}
