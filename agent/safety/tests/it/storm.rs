//! An engine with everything, and all that may happen to it.

use super::bench::{CAP, FAN, HEAT, METER, POWER, TEMPERATURE, plan as small_plan};
use core::time::Duration;
use flyball_safety::{
    Action, ActuatorId, ActuatorSpec, Against, Condition, Config, Engine, GroupId, GroupSpec, Hand,
    HardOff, HostLevel, HostReport, InterlockId, InterlockSpec, Level, LimitId, LimitSpec, LockId,
    LockSpec, Mapping, Moment, Needs, Observed, Plan, Proposal, Response, Rung, Sense, SensorId,
    SensorSpec, Shed, State, StateKind, SwitchSpec, Target, Thresholds, Ticket, TripCause, Verbs,
    Verdict,
};
use flyball_units::{Hertz, Kind, NoData, PowerState, Ratio, ResetType, Watts};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::VecDeque;

const RUNTIME: SensorId = SensorId::new(2);
pub(super) const UPS: LimitId = LimitId::new(2);
pub(super) const CLOCK: ActuatorId = ActuatorId::new(2);
pub(super) const MACHINE: ActuatorId = ActuatorId::new(3);
pub(super) const OUTLET: ActuatorId = ActuatorId::new(4);
pub(super) const PROFILE: ActuatorId = ActuatorId::new(5);
pub(super) const LIMITS: [LimitId; 3] = [HEAT, POWER, UPS];
pub(super) const SWITCHES: [ActuatorId; 2] = [MACHINE, OUTLET];
pub(super) const COOL_ENOUGH: InterlockId = InterlockId::new(0);
pub(super) const AT_MOST: usize = 1;
pub(super) const WITHIN: Duration = Duration::from_secs(2);
const FRESH: Duration = Duration::from_secs(5);

/// The small plan with a UPS, a frequency cap, two switches, a setting, an interlock and a full
/// ladder. The outlet feeds the machine that the engine runs on.
fn plan() -> Plan {
    let mut plan = small_plan();
    plan.sensors.push(SensorSpec {
        kind: Kind::Duration,
        lowest: 0.0,
        highest: 100_000.0,
        slew_per_s: 2.0,
        ..plan.sensors[0].clone()
    });
    plan.limits.push(LimitSpec {
        sensors: vec![RUNTIME],
        response: Response::Shutdown,
        sense: Sense::Below,
        factory: Thresholds { warning: Some(600.0), limit: Some(300.0), trip: Some(120.0) },
        ..plan.limits[0].clone()
    });
    let switch = |shed| {
        Hand::Switch(SwitchSpec {
            verbs: Verbs::of(&ResetType::ALL),
            fresh_for: FRESH,
            takes: Duration::from_secs(10),
            restart_interval: Duration::from_secs(1),
            group: Some(GroupId::new(0)),
            recoveries: None,
            shed,
        })
    };
    let zones = plan.actuators[0].zones.clone();
    let actuator = |hand| ActuatorSpec {
        hand,
        zones: zones.clone(),
        tolerance: 0.5,
        verify_within: Duration::from_secs(1),
    };
    let shed = Shed { order: 0, within: Duration::from_secs(3), force: true };
    plan.actuators.push(actuator(Hand::FrequencyCap { min: 1.0, safe: 2.0, max: 4.0 }));
    plan.actuators.push(actuator(switch(Some(shed))));
    plan.actuators.push(actuator(switch(None)));
    plan.actuators.push(actuator(Hand::Setting));
    plan.groups.push(GroupSpec { at_most: 1, within: WITHIN });
    plan.interlocks.push(InterlockSpec {
        targets: vec![MACHINE],
        against: Against::Energising,
        conditions: vec![Condition::AtMost { sensor: TEMPERATURE, value: 60.0, hysteresis: 5.0 }],
        needs: Needs::All,
        forces_off: false,
    });
    let rung = Some(Rung { within: Duration::from_secs(2) });
    let ladder = &mut plan.zones[0].ladder;
    ladder.quiesce = rung;
    ladder.suspend = rung;
    ladder.shutdown = rung;
    ladder.hard_off = Some(HardOff { switch: OUTLET, after: Duration::from_secs(4) });
    plan.timing.release_jitter = Duration::from_secs(1);
    plan
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Input {
    Reading(SensorId, Result<f64, NoData>),
    Readback(ActuatorId, Result<Observed, NoData>),
    Propose(Proposal),
    Confirm(Ticket),
    Lock(LockId, LockSpec),
    Unlock(LockId),
    Policy(LimitId, Thresholds),
    Clear(LimitId),
    Host(HostReport),
    Settled(ActuatorId, bool),
    Pass(u16),
    /// The caller's clock runs backwards, or far ahead.
    Jump(i32),
    /// The guard is killed and comes up again with the latches that it kept.
    Restart,
    /// The same plan again, as after a hot-plug.
    Replan,
}

fn proposal() -> impl Strategy<Value = Proposal> {
    let target = || prop_oneof![Just(Target::All), Just(Target::One(CAP))];
    let verb = (0..ResetType::ALL.len()).prop_map(|index| ResetType::ALL[index]);
    let switch = prop_oneof![Just(MACHINE), Just(OUTLET)];
    let expected = proptest::option::weighted(0.2, power());
    prop_oneof![
        2 => (target(), 20.0..250.0).prop_map(|(target, watts)| {
            Proposal::PowerCap { target, watts: Watts(watts) }
        }),
        1 => target().prop_map(|target| Proposal::ClearPowerCap { target }),
        1 => (0.0..1.1).prop_map(|floor| {
            Proposal::FanFloor { target: Target::All, floor: Ratio(floor) }
        }),
        1 => Just(Proposal::ClearFanFloor { target: Target::All }),
        1 => (0.5..5.0).prop_map(|hertz| {
            Proposal::FrequencyCap { target: Target::All, hertz: Hertz(hertz) }
        }),
        1 => any::<bool>().prop_map(|heats| Proposal::Setting { actuator: PROFILE, heats }),
        6 => (switch, verb, expected, any::<bool>(), 0..3_u64).prop_map(
            |(actuator, verb, expected, automatic, ticket)| Proposal::Switch {
                actuator,
                verb,
                expected,
                automatic,
                ticket: Ticket(ticket),
            },
        ),
    ]
}

fn power() -> impl Strategy<Value = PowerState> {
    prop_oneof![
        3 => Just(PowerState::On),
        3 => Just(PowerState::Off),
        1 => Just(PowerState::PoweringOn),
        1 => Just(PowerState::PoweringOff),
        1 => Just(PowerState::Paused),
    ]
}

fn reading() -> impl Strategy<Value = Input> {
    let of = |id, values: core::ops::Range<f64>| {
        prop_oneof![
            8 => values.prop_map(Ok),
            1 => any::<f64>().prop_map(Ok),
            2 => (0..NoData::ALL.len()).prop_map(|index| Err(NoData::ALL[index])),
        ]
        .prop_map(move |reading| Input::Reading(id, reading))
    };
    prop_oneof![
        4 => of(TEMPERATURE, 30.0..100.0),
        2 => of(METER, 20.0..250.0),
        2 => of(RUNTIME, 50.0..2000.0),
    ]
}

fn readback() -> impl Strategy<Value = Input> {
    let switch = prop_oneof![Just(MACHINE), Just(OUTLET)];
    let seen = prop_oneof![
        6 => power().prop_map(|power| Ok(Observed::Power(power))),
        1 => Just(Err(NoData::Busy)),
    ];
    prop_oneof![
        4 => (switch, seen).prop_map(|(id, seen)| Input::Readback(id, seen)),
        1 => (0.0..1.0).prop_map(|duty| Input::Readback(FAN, Ok(Observed::Duty(Ratio(duty))))),
        1 => (20.0..150.0).prop_map(|cap| Input::Readback(CAP, Ok(Observed::Cap(Watts(cap))))),
        1 => Just(Input::Readback(CLOCK, Err(NoData::Fault))),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let limit = || (0..LIMITS.len()).prop_map(|index| LIMITS[index]);
    let level = prop_oneof![
        Just(HostLevel::Running),
        Just(HostLevel::Quiesced),
        Just(HostLevel::Suspended),
        Just(HostLevel::Stopping),
    ];
    let report = (level, any::<bool>()).prop_map(|(level, reached)| match reached {
        true => HostReport::Reached(level),
        false => HostReport::Failed(level),
    });
    let lock = (proptest::option::of((0..6_u16).prop_map(ActuatorId::new)), any::<bool>())
        .prop_map(|(target, holds_levels)| LockSpec { target, until: None, holds_levels });
    let value = || proptest::option::of(prop_oneof![4 => 20.0..260.0, 1 => any::<f64>()]);
    let thresholds =
        (value(), value()).prop_map(|(limit, trip)| Thresholds { warning: None, limit, trip });
    let lock_id = || (0..3_u32).prop_map(LockId);
    prop_oneof![
        12 => reading(),
        8 => readback(),
        8 => proposal().prop_map(Input::Propose),
        3 => (0..3_u64).prop_map(|ticket| Input::Confirm(Ticket(ticket))),
        1 => (lock_id(), lock).prop_map(|(id, spec)| Input::Lock(id, spec)),
        1 => lock_id().prop_map(Input::Unlock),
        1 => (limit(), thresholds).prop_map(|(id, thresholds)| Input::Policy(id, thresholds)),
        2 => limit().prop_map(Input::Clear),
        2 => report.prop_map(Input::Host),
        1 => (prop_oneof![Just(MACHINE), Just(OUTLET), Just(FAN)], any::<bool>())
            .prop_map(|(id, reached)| Input::Settled(id, reached)),
        10 => (1..800_u16).prop_map(Input::Pass),
        1 => prop_oneof![-100_000..0, 0..5_000_i32].prop_map(Input::Jump),
        1 => Just(Input::Restart),
        1 => Just(Input::Replan),
    ]
}

/// Single inputs among stretches of an ordinary life.
pub(super) fn inputs(stretches: core::ops::Range<usize>) -> impl Strategy<Value = Vec<Input>> {
    let life = (30.0..95.0, 20.0..160.0, 1..40_usize).prop_map(|(celsius, watts, cycles)| {
        let cycle = [
            Input::Reading(TEMPERATURE, Ok(celsius)),
            Input::Reading(METER, Ok(watts)),
            Input::Reading(RUNTIME, Ok(1800.0)),
            Input::Readback(MACHINE, Ok(Observed::Power(PowerState::Off))),
            Input::Pass(250),
        ];
        core::iter::repeat_n(cycle, cycles).flatten().collect::<Vec<_>>()
    });
    let single = input().prop_map(|input| vec![input]);
    vec(prop_oneof![8 => single, 1 => life, 1 => calm()], stretches)
        .prop_map(|stretches| stretches.concat())
}

/// All is well again, and somebody wants something of a switch.
fn calm() -> impl Strategy<Value = Vec<Input>> {
    let switch = prop_oneof![Just(MACHINE), Just(OUTLET)];
    let wish = prop_oneof![
        3 => Just((PowerState::Off, ResetType::On)),
        1 => Just((PowerState::On, ResetType::GracefulRestart)),
        1 => Just((PowerState::On, ResetType::PowerCycle)),
        1 => Just((PowerState::On, ResetType::ForceOff)),
    ];
    (switch, wish, any::<bool>()).prop_map(|(actuator, (power, verb), confirm)| {
        let cycle = [
            Input::Reading(TEMPERATURE, Ok(40.0)),
            Input::Reading(METER, Ok(100.0)),
            Input::Reading(RUNTIME, Ok(1800.0)),
            Input::Readback(actuator, Ok(Observed::Power(power))),
            Input::Pass(250),
        ];
        let mut inputs: Vec<Input> = (0..3).map(LockId).map(Input::Unlock).collect();
        inputs.extend(core::iter::repeat_n(cycle, 8).flatten());
        inputs.extend(LIMITS.map(Input::Clear));
        inputs.extend(core::iter::repeat_n(cycle, 24).flatten());
        let ticket = Ticket(1);
        let (expected, automatic) = (None, false);
        let switch = Proposal::Switch { actuator, verb, expected, automatic, ticket };
        inputs.push(Input::Propose(switch));
        if confirm {
            inputs.push(Input::Confirm(ticket));
        }
        inputs
    })
}

pub(super) struct Storm {
    pub(super) engine: Engine,
    pub(super) now: Moment,
    pub(super) actions: Vec<Action>,
    /// When switches of the group were energised, within the time that counts.
    pub(super) started: VecDeque<Moment>,
}

fn engine(now: Moment) -> Engine {
    Engine::new(Config::check(plan()).unwrap(), now)
}

impl Storm {
    pub(super) fn new() -> Self {
        let now = Moment::from_millis(200_000);
        Self { engine: engine(now), now, actions: Vec::new(), started: VecDeque::new() }
    }

    pub(super) fn feed(&mut self, input: Input) -> Option<Verdict> {
        let now = self.now;
        let engine = &mut self.engine;
        let mut verdict = None;
        match input {
            Input::Reading(id, reading) => engine.handle_reading(id, reading, now),
            Input::Readback(id, observed) => engine.handle_readback(id, observed, now),
            Input::Propose(proposal) => {
                engine.handle_timeout(now);
                let foreseen = engine.validate(proposal);
                let given = engine.handle_proposal(proposal, now);
                assert_eq!(foreseen, given);
                verdict = Some(given);
            }
            Input::Confirm(ticket) => {
                engine.handle_timeout(now);
                let foreseen = engine.validate_confirm(ticket);
                let given = engine.handle_confirm(ticket, now);
                assert_eq!(foreseen, given);
                verdict = Some(given);
            }
            // Many of these make no sense; that they then change nothing is the point.
            Input::Lock(id, spec) => {
                let _ = engine.handle_lock(id, spec, now);
            }
            Input::Unlock(id) => {
                let _ = engine.handle_unlock(id, now);
            }
            Input::Policy(id, thresholds) => {
                let _ = engine.handle_policy(&[(id, thresholds)], now);
            }
            Input::Clear(id) => {
                let _ = engine.handle_clear(id, now);
            }
            Input::Host(report) => engine.handle_host(report, now),
            Input::Settled(id, reached) => engine.handle_settled(id, reached, now),
            Input::Pass(ms) => {
                self.now = now.after(Duration::from_millis(u64::from(ms)));
                engine.handle_timeout(self.now);
            }
            Input::Jump(ms) => {
                let there = now.as_millis().saturating_add_signed(i64::from(ms));
                engine.handle_timeout(Moment::from_millis(there));
                self.now = now.max(Moment::from_millis(there));
            }
            Input::Restart => self.restart(),
            Input::Replan => {
                let config = Config::check(plan()).unwrap();
                let (s, l) = ([0, 1, 2].map(SensorId::new), LIMITS);
                let a = [0, 1, 2, 3, 4, 5].map(ActuatorId::new);
                let mapping = Mapping {
                    sensors: &s.map(Some),
                    limits: &l.map(Some),
                    actuators: &a.map(Some),
                    interlocks: &[Some(COOL_ENOUGH)],
                };
                assert_eq!(engine.replan(config, mapping, now), Ok(()));
            }
        }
        self.actions.clear();
        while let Some(action) = self.engine.poll_action() {
            self.actions.push(action);
        }
        while self.engine.poll_event().is_some() {}
        verdict
    }

    fn restart(&mut self) {
        let latched: Vec<LimitId> =
            LIMITS.into_iter().filter(|id| self.kind(*id) == StateKind::Tripped).collect();
        let locks = self.engine.locks().to_vec();
        self.engine = engine(self.now);
        self.started.clear();
        for id in latched {
            self.engine.handle_latch(id, self.now);
        }
        for lock in locks {
            assert_eq!(self.engine.handle_lock(lock.id, lock.spec, self.now), Ok(()));
        }
    }

    pub(super) fn state(&self, id: LimitId) -> State {
        *self.engine.limit(id).unwrap().state
    }

    pub(super) fn kind(&self, id: LimitId) -> StateKind {
        self.state(id).kind()
    }

    pub(super) fn tripped_in_this_run(&self) -> bool {
        LIMITS.into_iter().any(|id| match self.state(id) {
            State::Tripped(tripped) => tripped.cause != TripCause::Restored,
            _ => false,
        })
    }

    /// A limit of heat or power that lets no heat be added.
    pub(super) fn forbids_heat(&self) -> bool {
        [HEAT, POWER].into_iter().any(|id| match self.kind(id) {
            StateKind::Unknown | StateKind::Limiting | StateKind::Tripped | StateKind::Failsafe => {
                true
            }
            StateKind::Normal | StateKind::Warning => false,
        })
    }

    pub(super) fn level(&self, id: ActuatorId) -> Level {
        self.engine.actuator(id).unwrap().wanted
    }

    /// More is warmer.
    pub(super) fn warmth(&self, id: ActuatorId) -> f64 {
        match self.level(id) {
            Level::Duty(duty) => -duty.get(),
            Level::Cap(watts) => watts.get(),
            Level::Frequency(hertz) => hertz.get(),
            Level::Automatic | Level::Free => 0.0,
            Level::Down => -1.0,
            Level::Off => -2.0,
        }
    }

    pub(super) fn sent(&self) -> impl Iterator<Item = (ActuatorId, ResetType)> {
        self.actions.iter().filter_map(|action| match action {
            Action::Switch { actuator, verb } => Some((*actuator, *verb)),
            Action::Drive { .. } | Action::Host { .. } => None,
        })
    }
}
