//! Words that steer the machine's own power management: the processors' governor, their energy
//! preference, and the firmware's platform profile.
//!
//! Source: the kernel's `Documentation/admin-guide/pm/cpufreq.rst` and
//! `Documentation/ABI/testing/sysfs-platform_profile`. Only what the kernel offers can be chosen.

use crate::actuator::{Actuator, ActuatorError, ActuatorKind, Mechanism, Released, Saved};
use crate::attribute::Attribute;
use crate::board::Board;
use crate::cpufreq::policies;
use crate::holding::Holding;
use crate::pwm::name;
use crate::tree::{self, Roots};
use flyball_units::NoData;
use std::path::Path;

/// No kernel offers more; what is beyond can't be chosen.
const MAX_WORDS: usize = 16;
/// Each word's file beside the file of what it may be.
const OF_POLICIES: [(&str, &str); 2] = [
    ("scaling_governor", "scaling_available_governors"),
    ("energy_performance_preference", "energy_performance_available_preferences"),
];

pub(crate) fn discover(roots: &Roots, board: &mut Board) {
    for (file, offers) in OF_POLICIES {
        let folders = policies(roots);
        let files = folders
            .iter()
            .filter_map(|(_, folder)| Attribute::writable(folder.join(file), roots.simulated()))
            .collect();
        let words = folders.first().map(|(_, folder)| words(&folder.join(offers)));
        let id = format!("cpufreq/{}", file.trim_start_matches("scaling_"));
        add(board, id, files, words.unwrap_or_default());
    }
    let folder = roots.sysfs.join("firmware/acpi");
    let file = Attribute::writable(folder.join("platform_profile"), roots.simulated());
    let words = words(&folder.join("platform_profile_choices"));
    add(board, "platform_profile".into(), file.into_iter().collect(), words);
}

fn words(offers: &Path) -> Vec<String> {
    let text = tree::text(offers).unwrap_or_default();
    text.split_ascii_whitespace().take(MAX_WORDS).map(str::to_owned).collect()
}

fn add(board: &mut Board, id: String, files: Vec<Attribute>, words: Vec<String>) {
    // Where there is one word there is no choice.
    if files.is_empty() || words.len() < 2 {
        return;
    }
    let name = id.replace(['/', '_'], " ");
    let highest = u32::try_from(words.len() - 1).map_or(0.0, f64::from);
    let choice = Choice::new(files, words.clone());
    let actuator = Actuator::new(ActuatorKind::Profile, id, name, (0.0, highest), Box::new(choice));
    board.add_actuator(actuator.with_words(words));
}

/// One word in every one of some files; the level is its place among the words.
#[derive(Debug)]
pub(crate) struct Choice {
    files: Vec<Attribute>,
    words: Vec<String>,
    /// What each file had when this process took it.
    found: Vec<Option<usize>>,
    holding: Holding,
}

impl Choice {
    pub(crate) fn new(files: Vec<Attribute>, words: Vec<String>) -> Self {
        Self { files, words, found: Vec::new(), holding: Holding::default() }
    }

    fn save(&mut self) -> Result<(), ActuatorError> {
        let words = &self.words;
        self.found = self.files.iter_mut().map(|file| file.read_word(words).ok()).collect();
        let Some(first) = self.found.iter().flatten().next() else {
            let (file, reason) = (self.first_name(), NoData::Unparsable);
            return Err(ActuatorError::Read { file, reason });
        };
        let level = i64::try_from(*first).unwrap_or_default();
        self.holding.save(Saved { level, enable: None });
        Ok(())
    }

    /// Writes every file that is there, and says the first fault after all have had their turn.
    fn write_each(&self, place: impl Fn(usize) -> Option<usize>) -> Result<(), ActuatorError> {
        let mut outcome = Ok(());
        for (index, file) in self.files.iter().enumerate().filter(|(_, f)| f.path().exists()) {
            let Some(word) = place(index).and_then(|place| self.words.get(place)) else {
                continue;
            };
            let written = file.write_word(word);
            outcome = outcome
                .and(written.map_err(|source| ActuatorError::Write { file: name(file), source }));
        }
        outcome
    }

    fn first_name(&self) -> String {
        self.files.first().map(name).unwrap_or_default()
    }
}

impl Mechanism for Choice {
    fn drive(&mut self, level: f64) -> Result<(), ActuatorError> {
        if self.holding.saved().is_none() {
            self.save()?;
        }
        self.holding.take();
        #[expect(clippy::cast_possible_truncation, reason = "a place in a short list")]
        #[expect(clippy::cast_sign_loss, reason = "a place in a short list")]
        let place = level.round() as usize;
        self.write_each(|_| Some(place))
    }

    fn observe(&mut self) -> Result<f64, NoData> {
        let mut agreed = None;
        for file in &mut self.files {
            match file.read_word(&self.words) {
                Ok(place) if agreed.is_none_or(|other| other == place) => agreed = Some(place),
                Ok(_) => return Err(NoData::Disagreement),
                Err(NoData::Missing) => {}
                Err(reason) => return Err(reason),
            }
        }
        let place = agreed.ok_or(NoData::Missing)?;
        u32::try_from(place).map(f64::from).map_err(|_| NoData::OutOfRange)
    }

    fn release(&mut self) -> Result<Released, ActuatorError> {
        let Some(saved) = self.holding.to_put_back() else {
            return Ok(Released::Untouched);
        };
        let common = usize::try_from(saved.level).ok();
        self.write_each(|index| self.found.get(index).copied().flatten().or(common))?;
        self.holding.let_go();
        Ok(Released::Restored)
    }

    /// No word is safer than another.
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
        u32::try_from(raw).ok().map(f64::from)
    }

    fn quantum(&self, _level: f64) -> f64 {
        0.0
    }

    fn path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), Attribute::path)
    }
}
