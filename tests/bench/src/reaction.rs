//! How soon the guard acts: from the sample that completes the dwell to the actuator's write,
//! while every core has more to do than it can.

use crate::clock;
use crate::figure::{Bench, Figure};
use crate::process;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const BENCH: Bench =
    Bench { names: &["guard.reaction_p999_ms", "guard.cpu_percent"], measure };

const SPAN: Duration = Duration::from_secs(90);
const SETTLE: Duration = Duration::from_secs(6);
/// Between two temperatures; each asks for another level of the fan.
const SWING: Duration = Duration::from_millis(100);
const SPINNERS_PER_CORE: usize = 4;

/// Five times the product's pace, so that a minute and a half has reactions enough for a 99.9th
/// percentile. What is measured of each is the same.
const POLICY: &str = "\
factory_margin_celsius = 5
on_trip = \"hold\"
[timing]
cycle_ms = 50
stale_after_s = 3
settle_samples = 3
step_time_s = 1
release_after_s = 1
assert_every_s = 30
[[zone]]
name = \"board\"
grace_s = 60
[[limit]]
name = \"die\"
zone = \"board\"
sensors = [\"*temp1*\"]
warning_celsius = 90
limit_celsius = 95
trip_celsius = 110
hysteresis_celsius = 1
dwell_needed = 2
dwell_of = 3
";

fn measure() -> Result<Vec<Figure>> {
    let board = Board::new()?;
    let guard = Guarded::start(&board)?;
    sleep(SETTLE);
    let stop = Arc::new(AtomicBool::new(false));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let spinners: Vec<JoinHandle<()>> = (0..cores * SPINNERS_PER_CORE)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || while !stop.load(Ordering::Relaxed) {})
        })
        .collect();
    let before = process::cpu_s(guard.0.id())?;
    let started = clock::now();
    let swung = board.swing(started, SPAN);
    let cpu_percent =
        (process::cpu_s(guard.0.id())? - before) / started.elapsed().as_secs_f64() * 100.0;
    stop.store(true, Ordering::Relaxed);
    for spinner in spinners {
        // A loop that does nothing does not panic.
        let _ = spinner.join();
    }
    swung?;
    let status = board.status()?;
    let reactions = status["reactions"].as_u64().context("no reactions in the status")?;
    if reactions < 100 {
        bail!("the guard acted {reactions} times only: no percentile comes of that");
    }
    let p999 = status["reaction_p999_ms"].as_f64().context("no reaction_p999_ms in the status")?;
    let how = format!(
        "{reactions} reactions in {} s, {} threads spinning on {cores} cores",
        SPAN.as_secs(),
        cores * SPINNERS_PER_CORE
    );
    let pace = format!("{how}; a loop at 20 Hz, five times the product's");
    Ok(vec![
        Figure::new("guard.reaction_p999_ms", p999, "ms", how).against("limit", 5.0),
        Figure::new("guard.cpu_percent", cpu_percent, "%", pace),
    ])
}

/// A board of files: one sensor, and one fan that has no control of its own, so that it follows
/// every step of the engine's curve.
struct Board {
    folder: TempDir,
}

impl Board {
    fn new() -> Result<Self> {
        // In memory, as sysfs is: a disk would be measured otherwise.
        let board = Self { folder: TempDir::with_prefix_in("flyball-reaction-", "/dev/shm")? };
        let chip = board.chip();
        fs::create_dir_all(&chip)?;
        for (name, text) in [
            ("name", "board"),
            ("temp1_input", "60000"),
            ("temp1_crit", "120000"),
            ("pwm1", "80"),
            ("fan1_input", "1200"),
        ] {
            fs::write(chip.join(name), format!("{text}\n"))?;
        }
        fs::write(board.path("policy.toml"), POLICY)?;
        Ok(board)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn chip(&self) -> PathBuf {
        self.path("sys/class/hwmon/hwmon0")
    }

    /// Up and down by a degree at a time, which is a step of the fan's curve and no jump that a
    /// sensor could not make, until `span` is over.
    fn swing(&self, started: std::time::Instant, span: Duration) -> Result<()> {
        let input = self.chip().join("temp1_input");
        let mut steps = (78..92).chain((79..93).rev()).cycle();
        while started.elapsed() < span {
            let celsius = steps.next().unwrap_or(78);
            fs::write(&input, format!("{celsius}000\n"))?;
            sleep(SWING);
        }
        Ok(())
    }

    fn status(&self) -> Result<Value> {
        let output = Command::new(program()?)
            .args(["status", "--json", "--socket"])
            .arg(self.path("guard.sock"))
            .output()?;
        serde_json::from_slice(&output.stdout).context("the guard's status is no JSON")
    }
}

struct Guarded(Child);

impl Guarded {
    fn start(board: &Board) -> Result<Self> {
        let child = Command::new(program()?)
            .arg("run")
            .arg("--socket")
            .arg(board.path("guard.sock"))
            .arg("--state")
            .arg(board.path("state"))
            .arg("--policy")
            .arg(board.path("policy.toml"))
            .arg("--sysfs-root")
            .arg(board.path("sys"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(board.path("log"))?)
            .spawn()
            .context("the guard can't be started")?;
        Ok(Self(child))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Its board goes with it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> Result<PathBuf> {
    let target = std::env::var_os("FLYBALL_TARGET_DIR")
        .context("FLYBALL_TARGET_DIR is not set: call it through `cargo xtask bench`")?;
    Ok(Path::new(&target).join("edge/flyball-guard"))
}
