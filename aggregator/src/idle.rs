//! How idle a machine is, by what nobody did with it: active, warm, cool, cold, dormant, each
//! after a threshold of its mode. What a state means for the machine is a word of its own power
//! profiles. Pure: time is an argument, and who acts is elsewhere.

use serde::{Deserialize, Serialize};

/// Powers of all: no thresholds are longer.
pub const MAX_THRESHOLD_S: u64 = 7 * 24 * 60 * 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Active,
    Warm,
    Cool,
    Cold,
    Dormant,
}

impl State {
    pub const ALL: [Self; 5] = [Self::Active, Self::Warm, Self::Cool, Self::Cold, Self::Dormant];

    /// The word of the API and of the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Warm => "warm",
            Self::Cool => "cool",
            Self::Cold => "cold",
            Self::Dormant => "dormant",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Seconds without activity after which each state begins, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    pub warm: u64,
    pub cool: u64,
    pub cold: u64,
    pub dormant: u64,
}

impl Thresholds {
    const fn new(warm: u64, cool: u64, cold: u64, dormant: u64) -> Self {
        Self { warm, cool, cold, dormant }
    }

    /// Do they follow each other?
    #[must_use]
    pub const fn are_ordered(&self) -> bool {
        1 <= self.warm
            && self.warm <= self.cool
            && self.cool <= self.cold
            && self.cold <= self.dormant
            && self.dormant <= MAX_THRESHOLD_S
    }

    /// With `seconds` as the time after which the machine is cold; the others give way.
    #[must_use]
    pub fn with_timeout(self, seconds: u64) -> Self {
        Self {
            warm: self.warm.min(seconds),
            cool: self.cool.min(seconds),
            cold: seconds,
            dormant: self.dormant.max(seconds),
        }
    }

    const fn of(&self) -> [(State, u64); 4] {
        [
            (State::Warm, self.warm),
            (State::Cool, self.cool),
            (State::Cold, self.cold),
            (State::Dormant, self.dormant),
        ]
    }
}

/// The modes that every server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Performance,
    Balanced,
    PowerSaver,
    Development,
    Presentation,
}

impl Mode {
    pub const ALL: [Self; 5] = [
        Self::Performance,
        Self::Balanced,
        Self::PowerSaver,
        Self::Development,
        Self::Presentation,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Performance => "performance",
            Self::Balanced => "balanced",
            Self::PowerSaver => "power_saver",
            Self::Development => "development",
            Self::Presentation => "presentation",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// `None` where it is never idle.
    #[must_use]
    pub const fn thresholds(self) -> Option<Thresholds> {
        match self {
            Self::Performance => None,
            Self::Balanced => Some(Thresholds::new(30, 300, 1_800, 7_200)),
            Self::PowerSaver => Some(Thresholds::new(10, 60, 300, 1_800)),
            Self::Development => Some(Thresholds::new(60, 180, 600, 3_600)),
            Self::Presentation => Some(Thresholds::new(300, 900, 3_600, 7_200)),
        }
    }

    /// The kernel's words for a platform profile or a governor, the best first.
    const fn words(self, state: State) -> &'static [&'static str] {
        const FAST: &[&str] = &["performance", "balanced-performance", "schedutil", "balanced"];
        const EVEN: &[&str] = &["balanced", "schedutil", "ondemand", "quiet", "conservative"];
        const QUIET: &[&str] = &["quiet", "cool", "conservative", "low-power", "powersave"];
        const LEAST: &[&str] = &["low-power", "power-saver", "powersave", "quiet", "cool"];
        match (self, state) {
            (Self::Performance | Self::Presentation, State::Active) => FAST,
            (Self::Balanced | Self::Development, State::Active) | (_, State::Warm) => EVEN,
            (Self::PowerSaver, State::Active) | (_, State::Cool) => QUIET,
            (_, State::Cold | State::Dormant) => LEAST,
        }
    }
}

/// A mode of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// `None` where it is never idle.
    pub thresholds: Option<Thresholds>,
    /// The machine's own word for a state; where there is none, the machine is left as it is.
    pub profiles: std::collections::BTreeMap<State, String>,
}

/// What decides over one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    BuiltIn(Mode),
    Own(Definition),
}

impl Plan {
    #[must_use]
    pub const fn thresholds(&self) -> Option<Thresholds> {
        match self {
            Self::BuiltIn(mode) => mode.thresholds(),
            Self::Own(definition) => definition.thresholds,
        }
    }

    /// The one of the machine's `offered` profiles that suits `state`.
    #[must_use]
    pub fn choose<'a>(&self, state: State, offered: &'a [String]) -> Option<&'a str> {
        let find = |word: &str| offered.iter().find(|one| *one == word).map(String::as_str);
        match self {
            Self::BuiltIn(mode) => mode.words(state).iter().find_map(|word| find(word)),
            Self::Own(definition) => find(definition.profiles.get(&state)?),
        }
    }
}

/// What is known of one machine's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idleness {
    pub enabled: bool,
    /// `None` where it is never idle.
    pub thresholds: Option<Thresholds>,
    pub active_at_ms: u64,
    pub awake_until_ms: Option<u64>,
    /// A state that was asked for, and when: it holds until somebody does something.
    pub forced: Option<(State, u64)>,
}

impl Idleness {
    /// Where it stands now, and what it turns into at what time if nobody does anything.
    #[must_use]
    pub fn look(&self, now_ms: u64) -> (State, Option<(State, u64)>) {
        let Some(thresholds) = self.thresholds.filter(|_| self.enabled) else {
            return (State::Active, None);
        };
        let awake_until_ms = self.awake_until_ms.unwrap_or(0);
        let base_ms = self.active_at_ms.max(awake_until_ms);
        let turns = thresholds.of().map(|(state, after_s)| (state, base_ms + after_s * 1_000));
        if awake_until_ms > now_ms {
            return (State::Active, turns.first().copied());
        }
        if let Some((state, since_ms)) = self.forced
            && since_ms >= self.active_at_ms
            && since_ms >= awake_until_ms
        {
            return (state, None);
        }
        let state = turns.iter().rev().find(|(_, at_ms)| *at_ms <= now_ms);
        let next = turns.iter().find(|(_, at_ms)| *at_ms > now_ms);
        (state.map_or(State::Active, |(state, _)| *state), next.copied())
    }
}

/// A machine whose state is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub device: crate::fleet::DeviceId,
    pub at_ms: u64,
    pub from: State,
    pub to: State,
    pub mode: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const NOW_MS: u64 = 1_000_000_000;

    fn idleness() -> Idleness {
        Idleness {
            enabled: true,
            thresholds: Mode::Balanced.thresholds(),
            active_at_ms: NOW_MS,
            awake_until_ms: None,
            forced: None,
        }
    }

    fn after(idleness: Idleness, seconds: u64) -> State {
        idleness.look(NOW_MS + seconds * 1_000).0
    }

    #[test]
    fn a_machine_nobody_uses_goes_from_state_to_state_at_its_modes_thresholds() {
        for (seconds, state) in [
            (0, State::Active),
            (29, State::Active),
            (30, State::Warm),
            (300, State::Cool),
            (1_800, State::Cold),
            (7_199, State::Cold),
            (7_200, State::Dormant),
            (1_000_000, State::Dormant),
        ] {
            assert_eq!(after(idleness(), seconds), state, "{seconds}");
        }
        let (_, next) = idleness().look(NOW_MS + 30_000);
        assert_eq!(next, Some((State::Cool, NOW_MS + 300_000)));
        let performance = Idleness { thresholds: Mode::Performance.thresholds(), ..idleness() };
        assert_eq!(performance.look(NOW_MS + 1_000_000_000), (State::Active, None));
        let off = Idleness { enabled: false, ..idleness() };
        assert_eq!(after(off, 1_000_000), State::Active);
    }

    #[test]
    fn one_that_is_kept_awake_is_active_to_the_end_and_idle_from_there() {
        let awake = Idleness { awake_until_ms: Some(NOW_MS + 3_600_000), ..idleness() };
        assert_eq!(after(awake, 3_599), State::Active);
        assert_eq!(after(awake, 3_600 + 29), State::Active);
        assert_eq!(after(awake, 3_600 + 30), State::Warm);
    }

    #[test]
    fn a_forced_state_holds_until_somebody_does_something() {
        let forced = Idleness { forced: Some((State::Dormant, NOW_MS + 1)), ..idleness() };
        assert_eq!(after(forced, 1), State::Dormant);
        let used = Idleness { active_at_ms: NOW_MS + 2_000, ..forced };
        assert_eq!(after(used, 2), State::Active);
        let awake = Idleness { awake_until_ms: Some(NOW_MS + 60_000), ..forced };
        assert_eq!(after(awake, 59), State::Active);
    }

    #[test]
    fn a_timeout_moves_what_stands_in_its_way() {
        let of = |minutes: u64| Mode::Balanced.thresholds().unwrap().with_timeout(minutes * 60);
        assert_eq!(of(30), Mode::Balanced.thresholds().unwrap());
        assert_eq!(of(1), Thresholds::new(30, 60, 60, 7_200));
        assert_eq!(of(600), Thresholds::new(30, 300, 36_000, 36_000));
        assert!(of(1).are_ordered() && of(600).are_ordered());
        assert!(!Thresholds::new(30, 20, 40, 50).are_ordered());
        assert!(!Thresholds::new(0, 20, 40, 50).are_ordered());
    }

    #[test]
    fn a_machine_is_asked_only_for_what_it_offers() {
        let offered = ["low-power", "balanced", "performance"].map(String::from);
        let choose = |plan: &Plan, state| plan.choose(state, &offered).map(str::to_owned);
        let balanced = Plan::BuiltIn(Mode::Balanced);
        assert_eq!(choose(&balanced, State::Active).as_deref(), Some("balanced"));
        assert_eq!(choose(&balanced, State::Dormant).as_deref(), Some("low-power"));
        let fast = Plan::BuiltIn(Mode::Presentation);
        assert_eq!(choose(&fast, State::Active).as_deref(), Some("performance"));
        let profiles = BTreeMap::from([
            (State::Cold, "low-power".to_owned()),
            (State::Dormant, "asleep".to_owned()),
        ]);
        let own = Plan::Own(Definition { thresholds: None, profiles });
        assert_eq!(choose(&own, State::Cold).as_deref(), Some("low-power"));
        assert_eq!(choose(&own, State::Dormant), None);
        assert_eq!(choose(&own, State::Active), None);
    }
}
