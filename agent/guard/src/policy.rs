//! The local policy: what the root-owned file on the host says, parsed once.
//!
//! It may tighten what the hardware declares and never loosen it; the engine holds that. All
//! faults of a file are found in one reading, each with its line. `packaging/config` has an
//! example that a test parses.

mod host;
mod level;
mod limit;
mod pattern;
mod quantity;
mod returning;
mod self_test;
mod switch;
pub(crate) mod table;
mod timing;
mod watch;
mod watchdog;
mod zone;

#[cfg(test)]
mod tests;

pub(crate) use host::{HostRule, ServicesRule};
pub(crate) use level::{CapRule, FanRule};
pub(crate) use limit::{GateRule, LimitRule, STUCK_SAMPLES, StuckRule};
pub(crate) use pattern::matches;
pub(crate) use quantity::Quantity;
pub(crate) use returning::ReturnRule;
pub(crate) use self_test::SelfTestRule;
use std::fmt;
use std::sync::Arc;
pub(crate) use switch::{ConditionRule, GroupRule, InterlockRule, RESTART_HYSTERESIS, SwitchRule};
use table::Reader;
use timing::Timing;
pub(crate) use watch::PolicyWatch;
use watchdog::WatchdogRule;
pub(crate) use zone::{DEFAULT_ZONE, Zone};

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
            policy.watchdog = watchdog::read(&mut watchdog);
            watchdog.finish();
        }
        if let Some(mut timing) = root.table("timing") {
            policy.timing = timing::read(&mut timing);
            timing.finish();
        }
        let zones = root.tables("zone", zone::read);
        if !zones.is_empty() {
            policy.zones = zones;
        }
        policy.limits = root.tables("limit", limit::read);
        policy.fans = root.tables("fan", level::read_fan);
        policy.caps = root.tables("cap", level::read_cap);
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
            policy.self_test = self_test::read(&mut self_test);
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
