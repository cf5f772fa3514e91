//! How soon the guard acts: from the sample that completes the dwell to the actuator's write,
//! while every core has more to do than it can.

use crate::clock;
use crate::figure::{Bench, Figure};
use crate::{peer, process};
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
/// Between two temperatures of a chip; each asks for another level of its fan.
const SWING: Duration = Duration::from_millis(100);
const SPINNERS_PER_CORE: usize = 4;
/// Each with a sensor, a limit and a fan of its own, one after the other: reactions enough for a
/// 99.9th percentile that is not merely the worst of them.
const CHIPS: u32 = 8;
/// As high as the guard's own threads; it sleeps and wakes, and nothing else.
const WAKER: &str = "usr/bin/cyclictest";
const WAKER_ARGUMENTS: &[&str] =
    &["--quiet", "--threads=1", "--priority=10", "--interval=10000", "--histogram=50000"];

/// Five times the product's pace. What is measured of each reaction is the same.
const TIMING: &str = "\
factory_margin_celsius = 5
on_trip = \"hold\"
[timing]
cycle_ms = 50
stale_after_s = 3
settle_samples = 3
step_time_s = 1
release_after_s = 1
assert_every_s = 30
";

/// Every chip for itself.
fn policy() -> String {
    let mut text = TIMING.to_owned();
    for chip in 0..CHIPS {
        text += &format!(
            "\
[[zone]]
name = \"zone{chip}\"
grace_s = 60
[[limit]]
name = \"die{chip}\"
zone = \"zone{chip}\"
sensors = [\"board{chip}/temp1\"]
warning_celsius = 90
limit_celsius = 95
trip_celsius = 110
hysteresis_celsius = 1
dwell_needed = 2
dwell_of = 3
[[fan]]
actuator = \"board{chip}/*\"
zones = [\"zone{chip}\"]
"
        );
    }
    text
}

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
    let waker = Waker::start(SPAN)?;
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
    let floor = waker.map(Waker::p999_ms).transpose()?;
    let status = board.status()?;
    let reactions = status["reactions"].as_u64().context("no reactions in the status")?;
    if reactions < 100 {
        bail!("the guard acted {reactions} times only: no percentile comes of that");
    }
    let p999 = status["reaction_p999_ms"].as_f64().context("no reaction_p999_ms in the status")?;
    let mut how = format!(
        "{reactions} reactions in {} s, {} threads spinning on {cores} cores",
        SPAN.as_secs(),
        cores * SPINNERS_PER_CORE
    );
    if let Some(floor) = floor {
        how += &format!(
            "; a thread of that priority that only sleeps wakes {floor} ms late on this machine \
             (cyclictest, p99.9), and a reaction is three wakes"
        );
    }
    let pace = format!("{how}; a loop at 20 Hz, five times the product's");
    Ok(vec![
        Figure::new("guard.reaction_p999_ms", p999, "ms", how).against("limit", 5.0),
        Figure::new("guard.cpu_percent", cpu_percent, "%", pace),
    ])
}

/// A board of files: chips of one sensor, and one fan each that has no control of its own, so that
/// it follows every step of the engine's curve.
struct Board {
    folder: TempDir,
}

impl Board {
    fn new() -> Result<Self> {
        // In memory, as sysfs is: a disk would be measured otherwise.
        let board = Self { folder: TempDir::with_prefix_in("flyball-reaction-", "/dev/shm")? };
        for number in 0..CHIPS {
            let chip = board.chip(number);
            fs::create_dir_all(&chip)?;
            for (name, text) in [
                ("name", format!("board{number}")),
                ("temp1_input", "60000".to_owned()),
                ("temp1_crit", "120000".to_owned()),
                ("pwm1", "80".to_owned()),
                ("fan1_input", "1200".to_owned()),
            ] {
                fs::write(chip.join(name), format!("{text}\n"))?;
            }
        }
        fs::write(board.path("policy.toml"), policy())?;
        Ok(board)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn chip(&self, number: u32) -> PathBuf {
        self.path(&format!("sys/class/hwmon/hwmon{number}"))
    }

    /// Up and down by a degree at a time, which is a step of the fan's curve and no jump that a
    /// sensor could not make, until `span` is over.
    fn swing(&self, started: std::time::Instant, span: Duration) -> Result<()> {
        let mut steps = (78..92).chain((79..93).rev()).cycle();
        while started.elapsed() < span {
            let celsius = steps.next().unwrap_or(78);
            for number in 0..CHIPS {
                fs::write(self.chip(number).join("temp1_input"), format!("{celsius}000\n"))?;
                sleep(SWING / CHIPS);
            }
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

/// What the machine itself is late by, meanwhile.
struct Waker(Child);

impl Waker {
    /// None where the peers are not there.
    fn start(span: Duration) -> Result<Option<Self>> {
        let Some(root) = std::env::var_os("FLYBALL_PEERS").map(PathBuf::from) else {
            return Ok(None);
        };
        let mut command = peer::command(&root, WAKER);
        command.args(WAKER_ARGUMENTS).arg(format!("--duration={}", span.as_secs()));
        let child = command.stdout(Stdio::piped()).spawn().context("cyclictest can't start")?;
        Ok(Some(Self(child)))
    }

    fn p999_ms(self) -> Result<f64> {
        let output = self.0.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        // Lines of microseconds and how many wakes were that late.
        let counts: Vec<(f64, f64)> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(late, count)| Some((late.parse().ok()?, count.trim().parse().ok()?)))
            .collect();
        let all: f64 = counts.iter().map(|(_, count)| count).sum();
        let mut seen = 0.0;
        let at = counts.iter().find(|(_, count)| {
            seen += count;
            seen >= all * 0.999
        });
        let (late_us, _) = at.context("cyclictest counted nothing")?;
        Ok(late_us / 1000.0)
    }
}

fn program() -> Result<PathBuf> {
    let target = std::env::var_os("FLYBALL_TARGET_DIR")
        .context("FLYBALL_TARGET_DIR is not set: call it through `cargo xtask bench`")?;
    Ok(Path::new(&target).join("edge/flyball-guard"))
}
