//! The local policy: what the root-owned file on the host says, parsed once.
//!
//! It may tighten what the hardware declares and never loosen it; the engine holds that. All
//! faults of a file are found in one reading, each with its line. `packaging/config` has an
//! example that a test parses.

mod host;
mod limit;
mod quantity;
mod returning;
mod switch;
pub(crate) mod table;
mod watch;

use flyball_safety::{Ladder, Rung};
pub(crate) use host::{HostRule, ServicesRule};
pub(crate) use limit::{GateRule, LimitRule, STUCK_SAMPLES, StuckRule};
pub(crate) use quantity::Quantity;
pub(crate) use returning::ReturnRule;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
pub(crate) use switch::{ConditionRule, GroupRule, InterlockRule, RESTART_HYSTERESIS, SwitchRule};
use table::{Reader, Table};
pub(crate) use watch::PolicyWatch;

/// Everything the file may say. What it doesn't say has these defaults.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Policy {
    pub(crate) timing: Timing,
    /// How far below the hardware's own critical temperature the guard trips: time for its
    /// answer to work before the hardware's does.
    pub(crate) factory_margin_celsius: f64,
    /// Whether the loop asks for a real-time priority.
    pub(crate) realtime: bool,
    pub(crate) watchdog: Option<WatchdogRule>,
    /// Sensors that may be pulled out: what guards them by itself asks for nothing without them.
    pub(crate) missing_ok: Vec<String>,
    /// Whether a trip also asks for an orderly shutdown.
    pub(crate) shutdown_on_trip: bool,
    pub(crate) zones: Vec<Zone>,
    pub(crate) limits: Vec<LimitRule>,
    pub(crate) fans: Vec<FanRule>,
    pub(crate) caps: Vec<CapRule>,
    pub(crate) switches: Vec<SwitchRule>,
    pub(crate) groups: Vec<GroupRule>,
    pub(crate) interlocks: Vec<InterlockRule>,
    pub(crate) host: HostRule,
    pub(crate) services: ServicesRule,
    pub(crate) self_test: SelfTestRule,
    /// Shared, because the loop looks at it each cycle and allocates nothing.
    pub(crate) returning: Option<Arc<ReturnRule>>,
}

/// When self-tests are run without being asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SelfTestRule {
    /// Once a boot, as soon as nothing stands against it.
    pub(crate) at_start: bool,
    pub(crate) every: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timing {
    pub(crate) cycle: Duration,
    pub(crate) stale_after: Duration,
    pub(crate) settle_samples: u8,
    pub(crate) step_time: Duration,
    pub(crate) release_after: Duration,
    pub(crate) release_jitter: Duration,
    pub(crate) assert_every: Duration,
    /// How long people may put steps of one limit off while it is passed.
    pub(crate) hold_at_most: Duration,
}

/// The kernel's watchdog, which resets the machine where the loop no longer feeds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WatchdogRule {
    pub(crate) device: PathBuf,
    pub(crate) timeout: Duration,
}

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

/// Levels of the fans whose id matches. Of several rules the first counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FanRule {
    pub(crate) actuator: String,
    pub(crate) zones: Vec<String>,
    pub(crate) min_duty: f64,
    pub(crate) failsafe_duty: f64,
    pub(crate) full_duty: f64,
}

/// Levels of the power caps whose id matches; `None` is the hardware's own, or a part of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CapRule {
    pub(crate) actuator: String,
    pub(crate) zones: Vec<String>,
    pub(crate) min_watts: Option<f64>,
    pub(crate) safe_watts: Option<f64>,
    pub(crate) max_watts: Option<f64>,
}

/// One fault of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

pub(crate) const DEFAULT_ZONE: &str = "board";
/// Long enough for a start of the guard, short enough for a hot machine.
const DEFAULT_WATCHDOG_S: f64 = 30.0;
const SELF_TEST_DAYS: f64 = 30.0;
const DEFAULT_GRACE: Duration = Duration::from_secs(60);

impl Default for Timing {
    fn default() -> Self {
        Self {
            cycle: Duration::from_millis(250),
            stale_after: Duration::from_secs(3),
            settle_samples: 3,
            step_time: Duration::from_secs(10),
            release_after: Duration::from_secs(300),
            release_jitter: Duration::ZERO,
            assert_every: Duration::from_secs(30),
            hold_at_most: Duration::from_secs(60),
        }
    }
}

impl Zone {
    pub(crate) fn named(name: &str) -> Self {
        let ladder = LadderRule::default();
        Self { name: name.to_owned(), grace: DEFAULT_GRACE, ladder }
    }
}

impl FanRule {
    /// The levels of a fan that no rule names.
    pub(crate) fn default_levels() -> Self {
        Self {
            actuator: "*".into(),
            zones: Vec::new(),
            min_duty: 0.2,
            failsafe_duty: 0.8,
            full_duty: 1.0,
        }
    }
}

impl Policy {
    /// What holds without a file: the hardware's own thresholds, one zone, and every fan and
    /// cap at its service.
    pub(crate) fn factory() -> Self {
        Self {
            timing: Timing::default(),
            factory_margin_celsius: 5.0,
            realtime: true,
            watchdog: None,
            missing_ok: Vec::new(),
            shutdown_on_trip: false,
            zones: vec![Zone::named(DEFAULT_ZONE)],
            limits: Vec::new(),
            fans: Vec::new(),
            caps: Vec::new(),
            switches: Vec::new(),
            groups: Vec::new(),
            interlocks: Vec::new(),
            host: HostRule::default(),
            services: ServicesRule::default(),
            self_test: SelfTestRule::default(),
            returning: None,
        }
    }

    /// The policy of a file's text.
    ///
    /// # Errors
    /// All of its faults, by line.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(text);
        let policy = Self::read(&mut reader);
        let faults = reader.into_faults();
        if faults.is_empty() { Ok(policy) } else { Err(faults) }
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        let mut policy = Self::factory();
        let Some(mut root) = reader.root() else {
            return policy;
        };
        if let Some(margin) = root.number("factory_margin_celsius", 0.0..=40.0) {
            policy.factory_margin_celsius = margin;
        }
        if let Some(word) = root.word("on_trip", &["hold", "request-shutdown"]) {
            policy.shutdown_on_trip = word == "request-shutdown";
        }
        if let Some(realtime) = root.switch("realtime") {
            policy.realtime = realtime;
        }
        policy.missing_ok = root.texts("missing_ok");
        if let Some(mut watchdog) = root.table("watchdog") {
            policy.watchdog = read_watchdog(&mut watchdog);
            watchdog.finish();
        }
        if let Some(mut timing) = root.table("timing") {
            policy.timing = read_timing(&mut timing);
            timing.finish();
        }
        let zones = root.tables("zone", read_zone);
        if !zones.is_empty() {
            policy.zones = zones;
        }
        policy.limits = root.tables("limit", limit::read);
        policy.fans = root.tables("fan", read_fan);
        policy.caps = root.tables("cap", read_cap);
        policy.switches = root.tables("switch", switch::read_switch);
        policy.groups = root.tables("group", switch::read_group);
        policy.interlocks = root.tables("interlock", switch::read_interlock);
        if let Some(mut host) = root.table("host") {
            policy.host = host::read_host(&mut host);
            host.finish();
        }
        if let Some(mut services) = root.table("services") {
            policy.services = host::read_services(&mut services);
            services.finish();
        }
        if let Some(mut self_test) = root.table("self_test") {
            policy.self_test = read_self_test(&mut self_test);
            self_test.finish();
        }
        if let Some(mut table) = root.table("return") {
            policy.returning = Some(Arc::new(returning::read(&mut table)));
            table.finish();
        }
        root.finish();
        policy.check_names(reader);
        policy
    }

    /// Zones that are named must exist, and names stand for one thing.
    fn check_names(&self, reader: &mut Reader<'_>) {
        for (index, zone) in self.zones.iter().enumerate() {
            if self.zones[..index].iter().any(|other| other.name == zone.name) {
                reader.fault_at_word(&zone.name, &format!("the zone `{}` stands twice", zone.name));
            }
        }
        for (index, limit) in self.limits.iter().enumerate() {
            if self.limits[..index].iter().any(|other| other.name == limit.name) {
                let message = format!("the limit `{}` stands twice", limit.name);
                reader.fault_at_word(&limit.name, &message);
            }
        }
        self.check_interlocks(reader);
        for (name, fault) in self.returning.iter().flat_map(|rule| rule.faults(&self.limits)) {
            reader.fault_at_word(name, &fault);
        }
        let named = self.limits.iter().filter_map(|limit| limit.zone.as_ref());
        let named = named.chain(self.switches.iter().flat_map(|switch| &switch.zones));
        let named = named.chain(self.fans.iter().flat_map(|fan| &fan.zones));
        for name in named.chain(self.caps.iter().flat_map(|cap| &cap.zones)) {
            if !self.zones.iter().any(|zone| zone.name == *name) {
                reader.fault_at_word(name, &format!("there is no [[zone]] with the name `{name}`"));
            }
        }
    }
}

impl Policy {
    fn check_interlocks(&self, reader: &mut Reader<'_>) {
        for (index, interlock) in self.interlocks.iter().enumerate() {
            let name = &interlock.name;
            if self.interlocks[..index].iter().any(|other| other.name == *name) {
                reader.fault_at_word(name, &format!("the interlock `{name}` stands twice"));
            }
        }
        for group in self.switches.iter().filter_map(|switch| switch.group.as_ref()) {
            if !self.groups.iter().any(|known| known.name == *group) {
                let message = format!("there is no [[group]] with the name `{group}`");
                reader.fault_at_word(group, &message);
            }
        }
        let rungs = self.zones.iter().filter_map(|zone| zone.ladder.rungs);
        for (rung, key, command) in rungs.flat_map(|rungs| {
            [
                (rungs.quiesce, "quiesce", &self.host.quiesce),
                (rungs.suspend, "suspend", &self.host.suspend),
                (rungs.shutdown, "shutdown", &self.host.shutdown),
            ]
        }) {
            if rung.is_some() && command.is_empty() {
                let message =
                    format!("a zone has the step {key}, and [host] says no command `{key}`");
                reader.fault_at_key(&format!("{key}_within_s"), &message);
            }
        }
    }
}

fn read_timing(table: &mut Table<'_, '_>) -> Timing {
    let default = Timing::default();
    let seconds = |value: Option<f64>, default| value.map_or(default, Duration::from_secs_f64);
    Timing {
        cycle: table
            .number("cycle_ms", 50.0..=1000.0)
            .map_or(default.cycle, |ms| Duration::from_secs_f64(ms / 1e3)),
        stale_after: seconds(table.number("stale_after_s", 1.0..=600.0), default.stale_after),
        settle_samples: table.whole("settle_samples", 1..=32).unwrap_or(default.settle_samples),
        step_time: seconds(table.number("step_time_s", 1.0..=600.0), default.step_time),
        release_after: seconds(
            table.number("release_after_s", 1.0..=86_400.0),
            default.release_after,
        ),
        release_jitter: seconds(
            table.number("release_jitter_s", 0.0..=3600.0),
            default.release_jitter,
        ),
        assert_every: seconds(table.number("assert_every_s", 1.0..=600.0), default.assert_every),
        hold_at_most: seconds(table.number("hold_at_most_s", 0.0..=600.0), default.hold_at_most),
    }
}

fn read_watchdog(table: &mut Table<'_, '_>) -> Option<WatchdogRule> {
    let timeout = table.number("timeout_s", 5.0..=600.0).unwrap_or(DEFAULT_WATCHDOG_S);
    let device = table.required_text("device")?;
    Some(WatchdogRule { device: device.into(), timeout: Duration::from_secs_f64(timeout.round()) })
}

/// The table alone asks for what is usual: once a boot, and every 30 days.
fn read_self_test(table: &mut Table<'_, '_>) -> SelfTestRule {
    let at_start = table.switch("at_start").unwrap_or(true);
    let days = table.number("every_days", 0.0..=3650.0).unwrap_or(SELF_TEST_DAYS);
    let every = (days > 0.0).then(|| Duration::from_secs_f64(days * 86_400.0));
    SelfTestRule { at_start, every }
}

fn read_zone(table: &mut Table<'_, '_>) -> Option<Zone> {
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

fn read_fan(table: &mut Table<'_, '_>) -> Option<FanRule> {
    let default = FanRule::default_levels();
    let zones = table.texts("zones");
    let mut duty = |key, default| table.number(key, 0.0..=1.0).unwrap_or(default);
    let min_duty = duty("min_duty", default.min_duty);
    let failsafe_duty = duty("failsafe_duty", default.failsafe_duty);
    let full_duty = duty("full_duty", default.full_duty);
    if !(min_duty <= failsafe_duty && failsafe_duty <= full_duty) {
        table.fault("a fan needs min_duty <= failsafe_duty <= full_duty");
    }
    let actuator = table.required_text("actuator")?;
    Some(FanRule { actuator, zones, min_duty, failsafe_duty, full_duty })
}

fn read_cap(table: &mut Table<'_, '_>) -> Option<CapRule> {
    let zones = table.texts("zones");
    let mut watts = |key| table.number(key, 0.1..=100_000.0);
    let (min_watts, safe_watts, max_watts) =
        (watts("min_watts"), watts("safe_watts"), watts("max_watts"));
    let given: Vec<f64> = [min_watts, safe_watts, max_watts].into_iter().flatten().collect();
    if !given.is_sorted() {
        table.fault("a cap needs min_watts <= safe_watts <= max_watts");
    }
    let actuator = table.required_text("actuator")?;
    Some(CapRule { actuator, zones, min_watts, safe_watts, max_watts })
}

/// True where `id` is `pattern`, in which each `*` stands for any text.
pub(crate) fn matches(pattern: &str, id: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == id;
    };
    let Some(rest) = id.strip_prefix(head) else {
        return false;
    };
    let mut starts = rest.char_indices().map(|(index, _)| index).chain([rest.len()]);
    starts.any(|index| matches(tail, &rest[index..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_that_is_packaged_is_sound_and_says_the_defaults_it_names() {
        let text = include_str!("../../../packaging/config/guard-policy.toml");
        let policy = Policy::parse(text).unwrap();
        assert_eq!(policy.timing, Timing::default());
        assert_eq!(policy.limits.len(), 2);
        assert_eq!(policy.limits[0].local.trip, Some(95.0));
    }

    /// Everything that the example shows behind a comment is sound too.
    #[test]
    fn what_the_example_shows_in_comments_is_sound() {
        let text = include_str!("../../../packaging/config/guard-policy.toml");
        let is_key = |line: &str| line.split(' ').nth(1) == Some("=");
        let uncommented: Vec<&str> = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.starts_with('[') || is_key(rest) => rest,
                _ => line,
            })
            .collect();
        let policy = Policy::parse(&uncommented.join("\n")).unwrap();
        assert_eq!((policy.limits.len(), policy.switches.len()), (9, 1));
        assert!(policy.returning.is_some());
        assert_eq!((policy.interlocks.len(), policy.groups.len()), (1, 1));
        assert!(policy.watchdog.is_some() && !policy.host.shutdown.is_empty());
        assert!(
            policy.zones[0].ladder.rungs.is_some() && policy.zones[0].ladder.hard_off.is_some()
        );
    }

    #[test]
    fn only_what_a_ups_has_left_comes_back_by_itself_and_only_with_the_power() {
        let text = "[[limit]]\nname = \"hot\"\nsensors = [\"a\"]\ntrip_celsius = 90\n\
                    [[limit]]\nname = \"exhausted\"\nsensors = [\"b\"]\ntrip_state = 1\n\
                    [[limit]]\nname = \"on-battery\"\nsensors = [\"c\"]\nwarning_state = 1\n\
                    [return]\n";
        let sound = "limits = [\"exhausted\"]\nneeds = [\"on-battery\"]\n";
        let policy = Policy::parse(&format!("{text}{sound}")).unwrap();
        let rule = policy.returning.unwrap();
        assert_eq!((rule.after.as_secs(), rule.stagger.as_secs(), rule.at_most), (300, 30, 2));
        let words = |more: &str| {
            let faults = Policy::parse(&format!("{text}{more}")).unwrap_err();
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let heat = words("limits = [\"hot\"]\nneeds = [\"on-battery\"]\n");
        assert!(heat.contains("heat is for a person"), "{heat}");
        let bare = words("limits = [\"exhausted\"]\n");
        assert!(bare.contains("`needs` names at least one"), "{bare}");
        let unknown = words("limits = [\"x\"]\nneeds = [\"y\"]\n");
        assert!(unknown.contains("name `x`") && unknown.contains("name `y`"), "{unknown}");
    }

    #[test]
    fn faults_of_what_stands_between_things_have_their_lines_too() {
        let text = "[host]\n\
                    shutdown = [\"poweroff\"]\n\
                    [[zone]]\n\
                    name = \"board\"\n\
                    quiesce_within_s = 5\n\
                    hard_off_switch = \"pdu-1/outlet-4\"\n\
                    [[switch]]\n\
                    actuator = \"pdu-*\"\n\
                    group = \"rack-9\"\n\
                    [[interlock]]\n\
                    name = \"x\"\n\
                    targets = []\n\
                    [[interlock.condition]]\n\
                    sensor = \"a\"\n\
                    [[limit]]\n\
                    name = \"fan\"\n\
                    sensors = [\"*\"]\n\
                    warning_rpm = 100\n\
                    limit_rpm = 200\n\
                    vote = \"most\"\n\
                    [services]\n\
                    allow = [\"a b\"]\n";
        let faults = Policy::parse(text).unwrap_err();
        let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
        let shown: Vec<String> = faults.iter().map(Fault::to_string).collect();
        assert_eq!(lines, [1, 3, 5, 9, 10, 10, 10, 13, 15, 20, 21], "{shown:#?}");
    }

    #[test]
    fn an_empty_file_is_the_factory_policy() {
        assert_eq!(Policy::parse("").unwrap(), Policy::factory());
    }

    #[test]
    fn all_faults_are_found_at_once_with_their_lines() {
        let text = "on_trip = \"explode\"\n\
                    [timing]\n\
                    cycle_ms = 5\n\
                    cicle_ms = 250\n\
                    [[limit]]\n\
                    name = \"cpu\"\n\
                    sensors = []\n\
                    warning_celsius = 90\n\
                    limit_celsius = 80\n\
                    zone = \"attic\"\n\
                    [[limit]]\n\
                    name = \"power\"\n\
                    sensors = [\"powercap/*\"]\n\
                    limit_watts = nan\n\
                    trip_celsius = 90\n\
                    [[fan]]\n\
                    min_duty = 0.9\n";
        let faults = Policy::parse(text).unwrap_err();
        let shown: Vec<String> = faults.iter().map(Fault::to_string).collect();
        let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [1, 3, 4, 5, 5, 10, 11, 14, 16, 16], "{shown:#?}");
        assert!(shown[2].contains("`cicle_ms` is no key"), "{}", shown[2]);
    }

    #[test]
    fn a_file_that_is_no_toml_says_where() {
        let faults = Policy::parse("[timing]\ncycle_ms == 3\n").unwrap_err();
        assert_eq!(faults[0].line, 2);
    }

    #[test]
    fn patterns_match_as_a_person_expects() {
        let id = "coretemp@platform/coretemp.0/temp1:package_id_0";
        for pattern in ["*", "coretemp@*", "*/temp1:*", "coretemp@*/temp1:package_id_*", id] {
            assert!(matches(pattern, id), "{pattern}");
        }
        for pattern in ["", "coretemp", "*/temp2:*", "k10temp@*"] {
            assert!(!matches(pattern, id), "{pattern}");
        }
    }
}
