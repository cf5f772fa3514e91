//! An engine with a fan, a cap, a temperature and a power limit, and hands that obey.

use core::time::Duration;
use flyball_safety::{
    Action, ActuatorId, ActuatorSpec, Config, Dwell, Engine, Event, EventKind, Hand, Ladder, Level,
    LimitId, LimitSpec, Moment, Observed, Plan, Response, Sense, SensorId, SensorSpec, State,
    StateKind, Step, Thresholds, Timing, Vote, ZoneId, ZoneSpec,
};
use flyball_units::{Kind, NoData, Ratio, Watts};

pub(super) const TEMPERATURE: SensorId = SensorId::new(0);
pub(super) const METER: SensorId = SensorId::new(1);
pub(super) const HEAT: LimitId = LimitId::new(0);
pub(super) const POWER: LimitId = LimitId::new(1);
pub(super) const FAN: ActuatorId = ActuatorId::new(0);
pub(super) const CAP: ActuatorId = ActuatorId::new(1);
pub(super) const CYCLE: Duration = Duration::from_millis(250);
pub(super) const STEP_TIME: Duration = Duration::from_secs(2);
pub(super) const RELEASE: Duration = Duration::from_secs(4);
pub(super) const STALE: Duration = Duration::from_secs(1);
/// More than this is asked and told in no test.
pub(super) const ENDLESS: usize = 100_000;

/// Heat: warning 70, limit 80, trip 90. Power: limit 150, trip 200. Fan 0.2, 0.6, 1; cap 30, 60, 140.
pub(super) fn plan() -> Plan {
    let zone = ZoneId::new(0);
    let sensor = |kind, highest, slew_per_s| SensorSpec {
        kind,
        zone,
        lowest: if kind == Kind::Power { 0.0 } else { -20.0 },
        highest,
        slew_per_s,
        jump_per_s: None,
        period: CYCLE,
        stale_after: STALE,
        required: true,
        stuck: None,
    };
    let limit = |sensor, response, factory| LimitSpec {
        zone,
        sensors: vec![sensor],
        response,
        sense: Sense::Above,
        vote: Vote::Any,
        tolerance: None,
        factory,
        local: Thresholds::SILENT,
        emergency: None,
        hysteresis: 5.0,
        dwell: Dwell { needed: 2, of: 3 },
        hold: Duration::ZERO,
        lead: None,
        sustained: None,
        gate: None,
        missing_ok: false,
    };
    let heat = Thresholds { warning: Some(70.0), limit: Some(80.0), trip: Some(90.0) };
    let power = Thresholds { warning: None, limit: Some(150.0), trip: Some(200.0) };
    let actuator = |hand, tolerance| ActuatorSpec {
        hand,
        zones: vec![zone],
        tolerance,
        verify_within: Duration::from_secs(1),
    };
    Plan {
        zones: vec![ZoneSpec { grace: Duration::from_secs(5), ladder: Ladder::NONE }],
        sensors: vec![sensor(Kind::Temperature, 125.0, 4.0), sensor(Kind::Power, 1000.0, 40.0)],
        limits: vec![
            limit(TEMPERATURE, Response::Heat, heat),
            limit(METER, Response::Power, power),
        ],
        actuators: vec![
            actuator(Hand::Fan { min: 0.2, failsafe: 0.6, full: 1.0, automatic: true }, 0.01),
            actuator(Hand::PowerCap { min: 30.0, safe: 60.0, max: 140.0 }, 0.5),
        ],
        timing: Timing {
            cycle: CYCLE,
            settle_samples: 3,
            step_time: STEP_TIME,
            release_after: RELEASE,
            release_jitter: Duration::ZERO,
            assert_every: Duration::from_secs(30),
            armed_for: Duration::from_secs(60),
            hold_at_most: Duration::from_secs(30),
        },
        groups: vec![],
        interlocks: vec![],
        seed: 1,
    }
}

pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) now: Moment,
    pub(super) actions: Vec<Action>,
    pub(super) events: Vec<EventKind>,
    pub(super) fan: Observed,
    pub(super) cap: Observed,
    /// Hands that take no order.
    pub(super) fan_deaf: bool,
    pub(super) cap_deaf: bool,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::of(plan())
    }

    pub(super) fn of(plan: Plan) -> Self {
        let now = Moment::from_millis(10_000);
        let config = Config::check(plan).unwrap();
        Self {
            engine: Engine::new(config, now),
            now,
            actions: Vec::new(),
            events: Vec::new(),
            fan: Observed::Automatic(Some(Ratio(0.3))),
            cap: Observed::Cap(Watts(140.0)),
            fan_deaf: false,
            cap_deaf: false,
        }
    }

    /// A machine that has settled at `celsius` and 100 W.
    pub(super) fn settled(celsius: f64) -> Self {
        let mut bench = Self::new();
        bench.cycles(4, celsius);
        bench
    }

    /// `count` cycles of `celsius` and 100 W.
    pub(super) fn cycles(&mut self, count: usize, celsius: f64) {
        for _ in 0..count {
            self.cycle(Ok(celsius), Ok(100.0));
        }
    }

    pub(super) fn pass(&mut self, span: Duration, celsius: f64) {
        let cycles = span.as_millis() / CYCLE.as_millis();
        self.cycles(usize::try_from(cycles).unwrap(), celsius);
    }

    /// Cycles in which the temperature is not to be had.
    pub(super) fn blind(&mut self, span: Duration) {
        let cycles = span.as_millis() / CYCLE.as_millis();
        for _ in 0..cycles {
            self.cycle(Err(NoData::Missing), Ok(100.0));
        }
    }

    pub(super) fn cycle(&mut self, celsius: Result<f64, NoData>, watts: Result<f64, NoData>) {
        self.engine.handle_reading(TEMPERATURE, celsius, self.now);
        self.obey();
        self.engine.handle_reading(METER, watts, self.now);
        self.end_cycle();
    }

    pub(super) fn end_cycle(&mut self) {
        self.obey();
        self.engine.handle_readback(FAN, Ok(self.fan), self.now);
        self.engine.handle_readback(CAP, Ok(self.cap), self.now);
        self.engine.handle_timeout(self.now);
        self.obey();
        self.now = self.now.after(CYCLE);
    }

    pub(super) fn obey(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            self.actions.push(action);
            assert!(self.actions.len() < ENDLESS, "it asks for ever");
            if let Action::Drive { level, .. } = action {
                match level {
                    Level::Automatic if !self.fan_deaf => {
                        self.fan = Observed::Automatic(Some(Ratio(0.3)));
                    }
                    Level::Duty(duty) if !self.fan_deaf => self.fan = Observed::Duty(duty),
                    Level::Cap(watts) if !self.cap_deaf => self.cap = Observed::Cap(watts),
                    _ => {}
                }
            }
        }
        while let Some(Event { kind, .. }) = self.engine.poll_event() {
            self.events.push(kind);
            assert!(self.events.len() < ENDLESS, "it tells for ever");
        }
    }

    pub(super) fn state(&self, limit: LimitId) -> State {
        *self.engine.limit(limit).unwrap().state
    }

    pub(super) fn heat(&self) -> StateKind {
        self.state(HEAT).kind()
    }

    pub(super) fn step(&self) -> Option<Step> {
        self.state(HEAT).step()
    }

    /// The duty that is wanted; `None` for automatic.
    pub(super) fn duty(&self) -> Option<f64> {
        match self.engine.actuator(FAN).unwrap().wanted {
            Level::Duty(duty) => Some(duty.get()),
            Level::Automatic => None,
            other => panic!("no level of a fan: {other:?}"),
        }
    }

    pub(super) fn watts(&self) -> f64 {
        match self.engine.actuator(CAP).unwrap().wanted {
            Level::Cap(watts) => watts.get(),
            other => panic!("no level of a cap: {other:?}"),
        }
    }

    pub(super) fn saw(&self, wanted: impl Fn(&EventKind) -> bool) -> bool {
        self.events.iter().any(wanted)
    }
}
