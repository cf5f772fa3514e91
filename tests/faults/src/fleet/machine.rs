//! One machine of the fleet: a simulated board, its guard and its agent, in a network namespace
//! and on a disk of their own.

use super::settable;
use super::{Aggregator, Program};
use crate::arguments::Programs;
use crate::disk::{self, Disk};
use crate::wire::Wire;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

const DISK_BYTES: u64 = 48 << 20;
/// Where the aggregator's wire listens, on this side of every machine's link.
const PORT: u16 = 8767;

pub(crate) struct Machine {
    pub(crate) number: u32,
    pub(crate) device: String,
    pub(crate) guard: Program,
    pub(crate) agent: Program,
    /// It is the machine's hardware: nothing happens to it.
    plant: Program,
    pub(crate) disk: Disk,
    pub(crate) wire: Wire,
    /// The file that its clock is read from, where it can be set.
    clock: Option<PathBuf>,
}

impl Machine {
    /// Lays it out, enrols it and starts it.
    ///
    /// # Errors
    /// Where any of that fails.
    pub(crate) fn new(
        programs: &Programs,
        folder: &Path,
        images: &Path,
        number: u32,
        aggregator: &Aggregator,
        seed: u64,
    ) -> Result<Self> {
        let name = format!("board-{number}");
        let at = folder.join(&name);
        let disk = Disk::new(&images.join(&name), at.clone(), DISK_BYTES)?;
        let here = link(number)?;
        let wire = Wire::new(here.parse()?, aggregator.ingest, seed + u64::from(number))?;
        let path = |name: &str| at.join(name).display().to_string();
        let socket =
            |role: &str| folder.join(format!("{role}-{number}.sock")).display().to_string();
        let board = folder.join(format!("board-{number}.sys")).display().to_string();
        let log = |role: &str| folder.join(format!("{role}-{number}.log"));
        let words = |file: &Path, words: &[&str]| -> Vec<String> {
            // The process that is started becomes the program: its id is the program's.
            let inside = format!("--net=/run/netns/machine-{number}");
            let first = ["nsenter".to_owned(), inside, file.display().to_string()];
            first.into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect()
        };
        let mut plant = Program::new(
            format!("plant-{number}"),
            words(
                &programs.plant,
                &["--root", &board, "--seed", &number.to_string(), "--socket", &socket("plant")],
            ),
            log("plant"),
        );
        plant.start()?;
        // The guard looks the board through once, when it starts.
        for _ in 0..200 {
            if Path::new(&socket("plant")).exists() {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        let (state, pin) = (path("agent"), path("pin.toml"));
        fs::create_dir_all(at.join("guard"))?;
        let token = aggregator.token(&name)?;
        let enrol = words(
            &programs.agent,
            &[
                "enrol",
                "--state",
                &state,
                "--server",
                &here,
                "--token",
                &token,
                "--guard-pin",
                &pin,
                "--name",
                &name,
                "--simulated",
            ],
        );
        disk::run(Command::new(&enrol[0]).args(&enrol[1..]))?;
        let clock = programs.set_clock.as_ref().map(|_| folder.join(format!("clock-{number}")));
        let environment = match (&programs.set_clock, &clock) {
            (Some(library), Some(file)) => settable::environment(library, file)?,
            _ => Vec::new(),
        };
        let guard = Program::new(
            format!("guard-{number}"),
            words(
                &programs.guard,
                &[
                    "run",
                    "--socket",
                    &socket("guard"),
                    "--state",
                    &path("guard"),
                    "--pin",
                    &pin,
                    "--sysfs-root",
                    &board,
                ],
            ),
            log("guard"),
        );
        let agent = Program::new(
            format!("agent-{number}"),
            words(
                &programs.agent,
                &[
                    "run",
                    "--state",
                    &state,
                    "--server",
                    &here,
                    "--guard-socket",
                    &socket("guard"),
                    "--simulated",
                ],
            ),
            log("agent"),
        );
        let mut machine = Self {
            number,
            device: device(Path::new(&pin))?,
            guard: guard.with_environment(environment.clone()),
            agent: agent.with_environment(environment),
            plant,
            disk,
            wire,
            clock,
        };
        machine.guard.start()?;
        machine.agent.start()?;
        Ok(machine)
    }

    pub(crate) fn name(&self) -> String {
        format!("board-{}", self.number)
    }

    pub(crate) fn programs(&mut self) -> [&mut Program; 3] {
        [&mut self.plant, &mut self.guard, &mut self.agent]
    }

    /// Pulls its cable, or puts it back.
    ///
    /// # Errors
    /// Where the link does not obey.
    pub(crate) fn set_link(&self, up: bool) -> Result<()> {
        let word = if up { "up" } else { "down" };
        disk::run(Command::new("ip").args(["link", "set", &near(self.number), word]))
    }

    /// Sets its clock off by so much; false where it can't be set.
    ///
    /// # Errors
    /// Where the file that it is read from can't be written.
    pub(crate) fn set_clock(&mut self, offset_s: i64) -> Result<bool> {
        let Some(file) = &self.clock else { return Ok(false) };
        settable::set(file, offset_s)?;
        self.guard.set_off(offset_s * 1000);
        self.agent.set_off(offset_s * 1000);
        Ok(true)
    }
}

fn near(number: u32) -> String {
    format!("near{number}")
}

/// Makes the machine's namespace and its link; gives back where its wire listens.
fn link(number: u32) -> Result<String> {
    let (space, near) = (format!("machine-{number}"), near(number));
    let far = format!("far{number}");
    let ip = |words: &[&str]| disk::run(Command::new("ip").args(words));
    ip(&["netns", "add", &space])?;
    ip(&["link", "add", &near, "type", "veth", "peer", "name", &far, "netns", &space])?;
    ip(&["address", "add", &format!("10.77.{number}.1/24"), "dev", &near])?;
    ip(&["link", "set", &near, "up"])?;
    ip(&["-n", &space, "address", "add", &format!("10.77.{number}.2/24"), "dev", &far])?;
    ip(&["-n", &space, "link", "set", &far, "up"])?;
    ip(&["-n", &space, "link", "set", "lo", "up"])?;
    Ok(format!("10.77.{number}.1:{PORT}"))
}

/// The id that it was enrolled with, out of the guard's pin.
fn device(pin: &Path) -> Result<String> {
    let text = fs::read_to_string(pin).context("the pin can't be read")?;
    let line = text.lines().find_map(|line| line.strip_prefix("device")).context("no device")?;
    Ok(line.trim_start_matches([' ', '=']).trim_matches('"').to_owned())
}
