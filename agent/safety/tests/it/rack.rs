//! An engine at a rack: an inlet, a UPS and a fan tray, three machines behind switches, and
//! hands that obey.

use super::bench::ENDLESS;
use core::time::Duration;
use flyball_safety::{
    Action, ActuatorId, ActuatorSpec, Against, Condition, Config, Dwell, Engine, EventKind,
    GroupId, GroupSpec, Hand, HostLevel, HostReport, InterlockId, InterlockSpec, Ladder, Level,
    LimitId, LimitSpec, LockSpec, Moment, Needs, Observed, Plan, Proposal, Recoveries, Refusal,
    Response, Rung, Sense, SensorId, SensorSpec, Shed, StateKind, SwitchSpec, Thresholds, Ticket,
    Timing, Verbs, Verdict, Vote, ZoneId, ZoneSpec,
};
use flyball_units::{Kind, NoData, PowerState, Ratio, ResetType};

pub(super) const INLET: SensorId = SensorId::new(0);
pub(super) const RUNTIME: SensorId = SensorId::new(1);
pub(super) const TRAY: SensorId = SensorId::new(2);
pub(super) const ROOM: LimitId = LimitId::new(0);
pub(super) const UPS: LimitId = LimitId::new(1);
pub(super) const STALL: LimitId = LimitId::new(2);
/// Machine `a` and `b` shed, in this order; `c` feeds the gateway itself.
pub(super) const A: ActuatorId = ActuatorId::new(0);
pub(super) const B: ActuatorId = ActuatorId::new(1);
pub(super) const C: ActuatorId = ActuatorId::new(2);
pub(super) const FAN: ActuatorId = ActuatorId::new(3);
pub(super) const PROFILE: ActuatorId = ActuatorId::new(4);
/// `a` only while the fan tray turns.
pub(super) const TURNING: InterlockId = InterlockId::new(0);
pub(super) const GROUP: GroupId = GroupId::new(0);
pub(super) const CYCLE: Duration = Duration::from_secs(1);
pub(super) const FRESH: Duration = Duration::from_secs(15);
pub(super) const TAKES: Duration = Duration::from_secs(60);
pub(super) const RESTART: Duration = Duration::from_secs(10);
pub(super) const STAGGER: Duration = Duration::from_secs(30);
pub(super) const ORDERLY: Duration = Duration::from_secs(40);
pub(super) const ARMED_FOR: Duration = Duration::from_secs(20);

pub(super) fn switch(shed: Option<Shed>) -> Hand {
    Hand::Switch(SwitchSpec {
        verbs: Verbs::of(&ResetType::ALL),
        fresh_for: FRESH,
        takes: TAKES,
        restart_interval: RESTART,
        group: Some(GROUP),
        recoveries: Some(Recoveries { at_most: 2, within: Duration::from_secs(3600) }),
        shed,
    })
}

pub(super) fn limit(
    sensor: SensorId,
    response: Response,
    sense: Sense,
    factory: Thresholds,
) -> LimitSpec {
    LimitSpec {
        zone: ZoneId::new(0),
        sensors: vec![sensor],
        response,
        sense,
        vote: Vote::Any,
        tolerance: None,
        factory,
        local: Thresholds::SILENT,
        emergency: None,
        hysteresis: 1.0,
        dwell: Dwell { needed: 2, of: 2 },
        hold: Duration::ZERO,
        lead: None,
        sustained: None,
        gate: None,
        missing_ok: false,
    }
}

/// Inlet: warning 30, limit 35, trip 45. UPS: warning 600, limit 300, trip 120 seconds left.
/// Fan tray: a warning below 800 rpm.
pub(super) fn plan() -> Plan {
    let zone = ZoneId::new(0);
    let sensor = |kind, lowest, highest, slew_per_s| SensorSpec {
        kind,
        zone,
        lowest,
        highest,
        slew_per_s,
        jump_per_s: None,
        period: CYCLE,
        stale_after: Duration::from_secs(5),
        required: false,
        stuck: None,
    };
    let thresholds = |warning, limit, trip| Thresholds { warning, limit, trip };
    let actuator = |hand| ActuatorSpec {
        hand,
        zones: vec![zone],
        tolerance: 0.01,
        verify_within: Duration::from_secs(5),
    };
    let shed = |order| Some(Shed { order, within: ORDERLY, force: true });
    let rung = |seconds| Some(Rung { within: Duration::from_secs(seconds) });
    let ladder = Ladder { quiesce: rung(5), shutdown: rung(30), ..Ladder::NONE };
    Plan {
        zones: vec![ZoneSpec { grace: Duration::from_secs(60), ladder }],
        sensors: vec![
            sensor(Kind::Temperature, -20.0, 90.0, 0.5),
            sensor(Kind::Duration, 0.0, 100_000.0, 2.0),
            sensor(Kind::FanSpeed, 0.0, 20_000.0, 200.0),
        ],
        limits: vec![
            limit(
                INLET,
                Response::Heat,
                Sense::Above,
                thresholds(Some(30.0), Some(35.0), Some(45.0)),
            ),
            limit(
                RUNTIME,
                Response::Shutdown,
                Sense::Below,
                thresholds(Some(600.0), Some(300.0), Some(120.0)),
            ),
            LimitSpec {
                missing_ok: true,
                ..limit(TRAY, Response::Alert, Sense::Below, thresholds(Some(800.0), None, None))
            },
        ],
        actuators: vec![
            actuator(switch(shed(0))),
            actuator(switch(shed(1))),
            actuator(switch(None)),
            actuator(Hand::Fan { min: 0.2, failsafe: 0.6, full: 1.0, automatic: false }),
            actuator(Hand::Setting),
        ],
        groups: vec![GroupSpec { at_most: 2, within: STAGGER }],
        interlocks: vec![InterlockSpec {
            targets: vec![A],
            against: Against::Energising,
            conditions: vec![Condition::AtLeast { sensor: TRAY, value: 500.0, hysteresis: 100.0 }],
            needs: Needs::All,
            forces_off: false,
        }],
        timing: Timing {
            cycle: CYCLE,
            settle_samples: 2,
            step_time: Duration::from_secs(10),
            release_after: Duration::from_secs(20),
            release_jitter: Duration::ZERO,
            assert_every: Duration::from_secs(30),
            armed_for: ARMED_FOR,
            hold_at_most: Duration::from_secs(30),
        },
        seed: 7,
    }
}

pub(super) struct Rack {
    pub(super) engine: Engine,
    pub(super) now: Moment,
    pub(super) inlet: Result<f64, NoData>,
    pub(super) runtime: Result<f64, NoData>,
    pub(super) tray: Result<f64, NoData>,
    pub(super) power: [Result<PowerState, NoData>; 3],
    /// Machines that don't stop when they are asked to.
    pub(super) hangs: [bool; 3],
    pub(super) actions: Vec<Action>,
    pub(super) events: Vec<EventKind>,
    pub(super) host: Option<HostLevel>,
    /// The host answers what it is asked for.
    pub(super) host_obeys: bool,
}

impl Rack {
    pub(super) fn of(plan: Plan) -> Self {
        let now = Moment::from_millis(1_000_000);
        let mut rack = Self {
            engine: Engine::new(Config::check(plan).unwrap(), now),
            now,
            inlet: Ok(22.0),
            runtime: Ok(1800.0),
            tray: Ok(3000.0),
            power: [Ok(PowerState::Off); 3],
            hangs: [false; 3],
            actions: Vec::new(),
            events: Vec::new(),
            host: None,
            host_obeys: true,
        };
        rack.run(4);
        rack
    }

    pub(super) fn new() -> Self {
        Self::of(plan())
    }

    pub(super) fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.cycle();
        }
    }

    pub(super) fn cycle(&mut self) {
        let now = self.now;
        self.engine.handle_reading(INLET, self.inlet, now);
        self.engine.handle_reading(RUNTIME, self.runtime, now);
        self.engine.handle_reading(TRAY, self.tray, now);
        self.obey();
        for (id, power) in [A, B, C].into_iter().zip(self.power) {
            self.engine.handle_readback(id, power.map(Observed::Power), now);
        }
        if let Level::Duty(duty) = self.engine.actuator(FAN).unwrap().wanted {
            self.engine.handle_readback(FAN, Ok(Observed::Duty(duty)), now);
        }
        self.engine.handle_readback(PROFILE, Ok(Observed::Present), now);
        self.engine.handle_timeout(now);
        self.obey();
        self.now = now.after(CYCLE);
    }

    pub(super) fn obey(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            self.actions.push(action);
            assert!(self.actions.len() < ENDLESS, "it asks for ever");
            match action {
                Action::Switch { actuator, verb } => {
                    let hangs = self.hangs[actuator.index()] && verb != ResetType::ForceOff;
                    if !hangs {
                        self.power[actuator.index()] = Ok(verb.leads_to());
                    }
                }
                Action::Drive { actuator, level: Level::Down } => {
                    if !self.hangs[actuator.index()] {
                        self.power[actuator.index()] = Ok(PowerState::Off);
                    }
                }
                Action::Drive { actuator, level: Level::Off } => {
                    self.power[actuator.index()] = Ok(PowerState::Off);
                }
                Action::Host { level, .. } => {
                    self.host = Some(level);
                    if self.host_obeys {
                        self.engine.handle_host(HostReport::Reached(level), self.now);
                    }
                }
                Action::Drive { .. } => {}
            }
        }
        while let Some(event) = self.engine.poll_event() {
            self.events.push(event.kind);
            assert!(self.events.len() < ENDLESS, "it tells for ever");
        }
    }

    pub(super) fn ask(&mut self, actuator: ActuatorId, verb: ResetType) -> Verdict {
        self.propose(actuator, verb, None, false)
    }

    pub(super) fn propose(
        &mut self,
        actuator: ActuatorId,
        verb: ResetType,
        expected: Option<PowerState>,
        automatic: bool,
    ) -> Verdict {
        let ticket = Ticket(9);
        let proposal = Proposal::Switch { actuator, verb, expected, automatic, ticket };
        self.engine.handle_timeout(self.now);
        let foreseen = self.engine.validate(proposal);
        let verdict = self.engine.handle_proposal(proposal, self.now);
        assert_eq!(foreseen, verdict);
        self.obey();
        verdict
    }

    /// Arms and confirms at once.
    pub(super) fn force(&mut self, actuator: ActuatorId, verb: ResetType) -> Verdict {
        let armed = self.ask(actuator, verb);
        assert!(matches!(armed, Verdict::Armed { .. }), "{armed:?}");
        let verdict = self.engine.handle_confirm(Ticket(9), self.now);
        self.obey();
        verdict
    }

    pub(super) fn lock(&mut self, id: u32, target: Option<ActuatorId>, holds_levels: bool) {
        let spec = LockSpec { target, until: None, holds_levels };
        let id = flyball_safety::LockId(id);
        assert_eq!(self.engine.handle_lock(id, spec, self.now), Ok(()));
    }

    pub(super) fn sent(&self) -> Vec<(ActuatorId, ResetType)> {
        let verb = |action: &Action| match action {
            Action::Switch { actuator, verb } => Some((*actuator, *verb)),
            Action::Drive { .. } | Action::Host { .. } => None,
        };
        self.actions.iter().filter_map(verb).collect()
    }

    pub(super) fn state(&self, limit: LimitId) -> StateKind {
        self.engine.limit(limit).unwrap().state.kind()
    }

    pub(super) fn wanted(&self, actuator: ActuatorId) -> Level {
        self.engine.actuator(actuator).unwrap().wanted
    }

    pub(super) fn saw(&self, wanted: impl Fn(&EventKind) -> bool) -> bool {
        self.events.iter().any(wanted)
    }
}

pub(super) fn refused(verdict: Verdict) -> Refusal {
    match verdict {
        Verdict::Refused(refusal) => refusal,
        Verdict::Accepted | Verdict::Clamped { .. } | Verdict::Armed { .. } => {
            panic!("not refused: {verdict:?}")
        }
    }
}

/// A floor for all fans.
pub(super) fn floor(floor: f64) -> Proposal {
    Proposal::FanFloor { target: flyball_safety::Target::All, floor: Ratio(floor) }
}
