//! `[[zone]]` of the policy: what is shed together, and the steps above the caps.

use super::table::Table;
use flyball_safety::{Ladder, Rung};
use std::time::Duration;

pub(crate) const DEFAULT_ZONE: &str = "board";
const DEFAULT_GRACE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) grace: Duration,
    pub(crate) ladder: LadderRule,
}

/// The steps above the caps that a zone has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LadderRule {
    /// All but the hard off, which names an actuator.
    pub(crate) rungs: Option<Ladder>,
    /// The switch that feeds the machine, and how long the machine has to stop by itself.
    pub(crate) hard_off: Option<(String, Duration)>,
}

impl Zone {
    pub(crate) fn named(name: &str) -> Self {
        let ladder = LadderRule::default();
        Self { name: name.to_owned(), grace: DEFAULT_GRACE, ladder }
    }
}

pub(super) fn read(table: &mut Table<'_, '_>) -> Option<Zone> {
    let grace = table.number("grace_s", 0.0..=3600.0);
    let ladder = read_ladder(table);
    let name = table.required_text("name")?;
    let grace = grace.map_or(DEFAULT_GRACE, Duration::from_secs_f64);
    Some(Zone { name, grace, ladder })
}

fn read_ladder(table: &mut Table<'_, '_>) -> LadderRule {
    let mut within = |key| table.number(key, 1.0..=3600.0).map(Duration::from_secs_f64);
    let rung = |within: Option<Duration>| within.map(|within| Rung { within });
    let quiesce = rung(within("quiesce_within_s"));
    let suspend = rung(within("suspend_within_s"));
    let shutdown = rung(within("shutdown_within_s"));
    let exhausts_after = within("exhausts_after_s");
    let after = within("hard_off_after_s");
    let switch = table.text("hard_off_switch");
    if switch.is_some() != after.is_some() {
        table.fault("`hard_off_switch` and `hard_off_after_s` stand together");
    }
    let rungs = Ladder { quiesce, suspend, shutdown, exhausts_after, ..Ladder::NONE };
    LadderRule { rungs: (rungs != Ladder::NONE).then_some(rungs), hard_off: switch.zip(after) }
}
