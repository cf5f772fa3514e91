//! One board, one engine, one clock that the test owns.

use flyball_harness::{Board, FanMode, Plant, PlantState};
use flyball_safety::{
    Action, ActuatorId, ActuatorSpec, Config, Dwell, Engine, Event, EventKind, Hand, Ladder, Level,
    LimitId, LimitSpec, LimitView, Moment, Observed, Plan, Response, Sense, SensorId, SensorSpec,
    StateKind, StuckSpec, Thresholds, Timing, Vote, ZoneId, ZoneSpec,
};
use flyball_units::{Kind, NoData, Ratio, Watts};
use std::time::Duration;

pub(super) const HEAT: LimitId = LimitId::new(0);
pub(super) const POWER: LimitId = LimitId::new(1);
const PACKAGE: SensorId = SensorId::new(0);
const METER: SensorId = SensorId::new(1);
const STEP: Duration = Duration::from_millis(50);
const CYCLE: Duration = Duration::from_millis(250);

pub(super) struct Bench {
    pub(super) plant: Plant,
    pub(super) engine: Engine,
    pub(super) events: Vec<Event>,
    now: Duration,
    read_at: Duration,
    /// The guard is not running.
    pub(super) dead: bool,
    pub(super) shutdown_asked: bool,
}

impl Bench {
    /// A board at full load, watched by an engine that knows its limits.
    pub(super) fn new(seed: u64) -> Self {
        Self::of(seed, plan)
    }

    /// The same, of another plan than the board's own.
    pub(super) fn of(seed: u64, plan: impl Fn(&Board) -> Plan) -> Self {
        let mut plant = Plant::new(Board::of(seed));
        plant.set_load(Some(plant.board().max_cap_watts));
        let config = Config::check(plan(plant.board())).unwrap();
        let engine = Engine::new(config, moment(Duration::ZERO));
        Self {
            plant,
            engine,
            events: Vec::new(),
            now: Duration::ZERO,
            read_at: Duration::ZERO,
            dead: false,
            shutdown_asked: false,
        }
    }

    pub(super) fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.now < end {
            self.plant.step(STEP);
            self.now += STEP;
            if !self.dead && self.now >= self.read_at {
                self.read_at = self.now + CYCLE;
                self.cycle();
            }
        }
    }

    /// The guard was killed and comes up again.
    pub(super) fn restart(&mut self) {
        self.engine = engine(self.plant.board(), self.now);
        self.dead = false;
    }

    pub(super) fn limit(&self, id: LimitId) -> LimitView<'_> {
        self.engine.limit(id).unwrap()
    }

    pub(super) fn heat(&self) -> StateKind {
        self.limit(HEAT).state.kind()
    }

    pub(super) fn truth(&self) -> PlantState {
        self.plant.state()
    }

    pub(super) fn saw(&self, wanted: impl Fn(&EventKind) -> bool) -> bool {
        self.events.iter().any(|event| wanted(&event.kind))
    }

    pub(super) fn moment(&self) -> Moment {
        moment(self.now)
    }

    fn cycle(&mut self) {
        let now = self.moment();
        let package = self.plant.temperature(1).ok_or(NoData::Missing);
        self.engine.handle_reading(PACKAGE, package, now);
        self.act();
        let meter = self.plant.power().ok_or(NoData::Missing);
        self.engine.handle_reading(METER, meter, now);
        self.act();
        for fan in 0..self.plant.board().fans {
            let duty = Ratio(f64::from(self.plant.pwm(fan).unwrap()) / 255.0);
            let observed = match self.plant.fan_mode(fan).unwrap() {
                FanMode::Automatic => Observed::Automatic(Some(duty)),
                FanMode::Manual | FanMode::Full => Observed::Duty(duty),
            };
            self.engine.handle_readback(actuator(fan), Ok(observed), now);
        }
        let cap = Observed::Cap(Watts(self.plant.cap_watts()));
        self.engine.handle_readback(actuator(self.plant.board().fans), Ok(cap), now);
        if now >= self.engine.poll_timeout() {
            self.engine.handle_timeout(now);
        }
        self.act();
    }

    fn act(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Host { .. } => self.shutdown_asked = true,
                Action::Switch { .. } => unreachable!("the board has no switch"),
                Action::Drive { actuator, level } => match level {
                    Level::Automatic => {
                        self.plant.set_fan_mode(actuator.index(), FanMode::Automatic);
                    }
                    Level::Duty(duty) => {
                        self.plant.set_fan_mode(actuator.index(), FanMode::Manual);
                        let pwm = (duty.get() * 255.0).round() as u8;
                        self.plant.set_pwm(actuator.index(), pwm);
                    }
                    Level::Cap(watts) => self.plant.set_cap(watts.get()),
                    Level::Frequency(_) | Level::Free | Level::Down | Level::Off => {
                        unreachable!("the board has fans and a cap")
                    }
                },
            }
        }
        while let Some(event) = self.engine.poll_event() {
            self.events.push(event);
        }
    }
}

fn engine(board: &Board, now: Duration) -> Engine {
    Engine::new(Config::check(plan(board)).unwrap(), moment(now))
}

fn moment(now: Duration) -> Moment {
    Moment::from_millis(u64::try_from(now.as_millis()).unwrap())
}

fn actuator(index: usize) -> ActuatorId {
    ActuatorId::new(u16::try_from(index).unwrap())
}

/// What a guard would make of the board's own declarations.
pub(super) fn plan(board: &Board) -> Plan {
    let zone = ZoneId::new(0);
    let sensor = |kind, lowest, highest, slew_per_s| SensorSpec {
        kind,
        zone,
        lowest,
        highest,
        slew_per_s,
        jump_per_s: None,
        period: CYCLE,
        stale_after: Duration::from_secs(2),
        required: true,
        stuck: None,
    };
    let package = SensorSpec {
        stuck: Some(StuckSpec { samples: 20, companion: METER, moved: 15.0 }),
        jump_per_s: Some(20.0),
        ..sensor(Kind::Temperature, -20.0, 125.0, 3.0)
    };
    let limit = |sensor, response, factory, hysteresis| LimitSpec {
        zone,
        sensors: vec![sensor],
        response,
        sense: Sense::Above,
        vote: Vote::Any,
        tolerance: None,
        factory,
        local: Thresholds::SILENT,
        emergency: None,
        hysteresis,
        dwell: Dwell { needed: 3, of: 4 },
        hold: Duration::ZERO,
        lead: None,
        sustained: None,
        gate: None,
        missing_ok: false,
    };
    let heat = Thresholds {
        warning: Some(board.max_celsius - 10.0),
        limit: Some(board.max_celsius),
        trip: Some(board.critical_celsius - 5.0),
    };
    let most = board.max_cap_watts + board.base_watts;
    let power = Thresholds { warning: None, limit: Some(most * 1.1), trip: Some(most * 1.3) };
    let served = |hand| ActuatorSpec {
        hand,
        zones: vec![zone],
        tolerance: 0.01,
        verify_within: Duration::from_secs(3),
    };
    let fan = Hand::Fan { min: 0.2, failsafe: 0.7, full: 1.0, automatic: true };
    let mut actuators: Vec<ActuatorSpec> = (0..board.fans).map(|_| served(fan)).collect();
    actuators.push(served(Hand::PowerCap {
        min: board.min_cap_watts,
        safe: board.max_cap_watts * 0.5,
        max: board.max_cap_watts,
    }));
    Plan {
        zones: vec![ZoneSpec { grace: Duration::from_secs(10), ladder: Ladder::NONE }],
        sensors: vec![package, sensor(Kind::Power, 0.0, 1000.0, 200.0)],
        limits: vec![
            limit(PACKAGE, Response::Heat, heat, 4.0),
            limit(METER, Response::Power, power, 5.0),
        ],
        actuators,
        timing: Timing {
            cycle: CYCLE,
            settle_samples: 3,
            step_time: Duration::from_secs(5),
            release_after: Duration::from_secs(20),
            release_jitter: Duration::ZERO,
            assert_every: Duration::from_secs(30),
            armed_for: Duration::from_secs(60),
            hold_at_most: Duration::from_secs(30),
        },
        groups: Vec::new(),
        interlocks: Vec::new(),
        seed: 0,
    }
}
