//! Frequencies of `devices/system/cpu/cpufreq`, one a policy, and one ceiling over all of them.
//!
//! Source: the kernel's `Documentation/admin-guide/pm/cpufreq.rst` and `intel_pstate.rst`. The
//! ceiling is `scaling_max_freq` of every policy, and intel_pstate's `max_perf_pct` beside them,
//! which holds for processors that come online later too.

use crate::actuator::{Actuator, ActuatorError, ActuatorKind, Mechanism, Released, Saved};
use crate::attribute::Attribute;
use crate::board::Board;
use crate::holding::Holding;
use crate::pwm::{read, write};
use crate::sensor::{Bus, Sensor, Source, float};
use crate::threshold::{Band, Thresholds};
use crate::tree::{self, Roots};
use flyball_units::{Kind, NoData, Unit};
use std::path::{Path, PathBuf};

const HERTZ_PER_KILOHERTZ: f64 = 1e3;

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    let mut parts = Vec::new();
    for (policy, folder) in policies(roots) {
        add_frequency(roots, board, &policy, &folder);
        parts.extend(Part::of_policy(roots, &folder));
    }
    let highest_khz = parts.iter().map(|part| part.highest).max();
    parts.extend(highest_khz.and_then(|highest| Part::of_pstate(roots, highest)));
    if let Some(ceiling) = Ceiling::over(parts) {
        let range = ceiling.range_hertz();
        board.add_actuator(Actuator::new(
            ActuatorKind::FrequencyCap,
            "cpufreq/ceiling".into(),
            "processor frequency ceiling".into(),
            range,
            Box::new(ceiling),
        ));
    }
}

/// The policies by name, with their folders.
pub(crate) fn policies(roots: &Roots) -> Vec<(String, PathBuf)> {
    let folder = roots.sysfs.join("devices/system/cpu/cpufreq");
    let names = tree::names(&folder).into_iter().filter(|name| name.starts_with("policy"));
    names.map(|name| (name.clone(), folder.join(name))).collect()
}

fn add_frequency(roots: &Roots, board: &mut Board, policy: &str, folder: &Path) {
    let path = folder.join("scaling_cur_freq");
    let Some(value) = Attribute::existing(path, roots.simulated()) else {
        return;
    };
    // kHz; a division by the inverse keeps one form for all levels.
    let source = Source::level(value, 1.0 / HERTZ_PER_KILOHERTZ, Band::of(Kind::Frequency));
    board.add_sensor(
        Sensor {
            id: format!("cpufreq/{policy}"),
            name: policy.to_owned(),
            metric: "system.cpu.frequency",
            kind: Kind::Frequency,
            unit: Unit::Hertz,
            attributes: Vec::new(),
            bus: Bus::fast("cpufreq"),
            thresholds: Thresholds::default(),
            source,
        },
        "cpu",
    );
}

/// One file of the ceiling, in its own digits.
#[derive(Debug)]
struct Part {
    limit: Attribute,
    lowest: i64,
    highest: i64,
    hertz_per_digit: f64,
    /// Of one policy, in kHz; else of all processors, in hundredths.
    of_policy: bool,
    /// What stood there before it was taken by this process.
    found: Option<i64>,
}

impl Part {
    fn of_policy(roots: &Roots, folder: &Path) -> Option<Self> {
        let limit = Attribute::writable(folder.join("scaling_max_freq"), roots.simulated())?;
        let lowest = tree::number(&folder.join("cpuinfo_min_freq")).filter(|min| *min > 0)?;
        let highest = tree::number(&folder.join("cpuinfo_max_freq")).filter(|max| *max > lowest)?;
        let hertz_per_digit = HERTZ_PER_KILOHERTZ;
        Some(Self { limit, lowest, highest, hertz_per_digit, of_policy: true, found: None })
    }

    fn of_pstate(roots: &Roots, highest_khz: i64) -> Option<Self> {
        let folder = roots.sysfs.join("devices/system/cpu/intel_pstate");
        let limit = Attribute::writable(folder.join("max_perf_pct"), roots.simulated())?;
        let lowest = tree::number(&folder.join("min_perf_pct")).unwrap_or(1).clamp(1, 99);
        let hertz_per_digit = float(highest_khz) * HERTZ_PER_KILOHERTZ / 100.0;
        Some(Self { limit, lowest, highest: 100, hertz_per_digit, of_policy: false, found: None })
    }

    fn digits(&self, hertz: f64) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the part's own range")]
        let digits = (hertz / self.hertz_per_digit).round() as i64;
        digits.clamp(self.lowest, self.highest)
    }

    fn hertz(&self, digits: i64) -> f64 {
        float(digits) * self.hertz_per_digit
    }

    /// The folder of a policy whose processors are offline is gone; it comes back at its maximum
    /// and is written again then.
    fn is_gone(&self) -> bool {
        !self.limit.path().exists()
    }
}

/// One ceiling over all parts. The parts' own ranges differ where cores do: each takes what it
/// can of the level.
#[derive(Debug)]
struct Ceiling {
    parts: Vec<Part>,
    holding: Holding,
}

impl Ceiling {
    fn over(parts: Vec<Part>) -> Option<Self> {
        (!parts.is_empty()).then_some(Self { parts, holding: Holding::default() })
    }

    /// Every level of the range can be held by every policy: the lowest is the highest minimum.
    fn range_hertz(&self) -> (f64, f64) {
        let policies = || self.parts.iter().filter(|part| part.of_policy);
        let lowest = policies().map(|part| part.hertz(part.lowest)).fold(0.0, f64::max);
        let highest = policies().map(|part| part.hertz(part.highest)).fold(0.0, f64::max);
        (lowest, highest.max(lowest))
    }

    fn save(&mut self) -> Result<(), ActuatorError> {
        let mut highest_khz = 0;
        for part in self.parts.iter_mut().filter(|part| !part.is_gone()) {
            let found = read(&mut part.limit)?;
            part.found = Some(found);
            #[expect(clippy::cast_possible_truncation, reason = "a frequency in kHz")]
            let khz = (part.hertz(found) / HERTZ_PER_KILOHERTZ).round() as i64;
            highest_khz = highest_khz.max(khz);
        }
        self.holding.save(Saved { level: highest_khz, enable: None });
        Ok(())
    }

    /// Writes every part, and says the first fault after all have had their turn.
    fn write_each(&self, digits: impl Fn(&Part) -> i64) -> Result<(), ActuatorError> {
        let mut outcome = Ok(());
        for part in self.parts.iter().filter(|part| !part.is_gone()) {
            outcome = outcome.and(write(&part.limit, digits(part)));
        }
        outcome
    }
}

impl Mechanism for Ceiling {
    fn drive(&mut self, hertz: f64) -> Result<(), ActuatorError> {
        if self.holding.saved().is_none() {
            self.save()?;
        }
        self.holding.take();
        self.write_each(|part| part.digits(hertz))
    }

    /// The highest ceiling: a policy that did not follow shows.
    fn observe(&mut self) -> Result<f64, NoData> {
        let mut highest = None;
        for part in &mut self.parts {
            match part.limit.read() {
                Ok(digits) => highest = Some(part.hertz(digits).max(highest.unwrap_or(0.0))),
                Err(NoData::Missing) => {}
                Err(reason) => return Err(reason),
            }
        }
        highest.ok_or(NoData::Missing)
    }

    /// What each part had, where this process took it; else what the highest of them had.
    fn release(&mut self) -> Result<Released, ActuatorError> {
        let Some(saved) = self.holding.to_put_back() else {
            return Ok(Released::Untouched);
        };
        let hertz = float(saved.level) * HERTZ_PER_KILOHERTZ;
        self.write_each(|part| part.found.unwrap_or_else(|| part.digits(hertz)))?;
        self.holding.let_go();
        Ok(Released::Restored)
    }

    /// A ceiling's safe end is where it stands: the machine may be hot.
    fn make_safe(&mut self) -> Result<(), ActuatorError> {
        Ok(())
    }

    fn holding(&self) -> &Holding {
        &self.holding
    }

    fn holding_mut(&mut self) -> &mut Holding {
        &mut self.holding
    }

    fn level_of(&self, raw: i64) -> Option<f64> {
        Some(float(raw) * HERTZ_PER_KILOHERTZ)
    }

    /// Steps of a P-state are 100 MHz, those of `max_perf_pct` a hundredth of the maximum.
    fn quantum(&self, level: f64) -> f64 {
        let (_, highest) = self.range_hertz();
        (highest * 0.01).max(level * 0.01).max(1e8)
    }

    fn path(&self) -> &Path {
        // There is always a first part.
        self.parts.first().map_or(Path::new(""), |part| part.limit.path())
    }
}
