//! Limits that look downwards, vote, hold, add up, or count only at times.

use super::bench::{Bench, CAP, CYCLE, FAN, HEAT, METER, POWER, RELEASE, TEMPERATURE};
use super::rack::{Rack, STALL, TRAY};
use core::time::Duration;
use flyball_safety::{
    ActuatorId, ActuatorSpec, ClearsWhen, Dwell, EventKind, Gate, Hand, Layer, Level, LimitId,
    LimitSpec, Observed, Plan, PolicyFault, Proposal, Refusal, Response, Sense, SensorId,
    StateKind, Step, Sustained, Target, Thresholds, Verdict, Vote,
};
use flyball_units::{Hertz, NoData, PowerState, Ratio};

const SECOND: SensorId = SensorId::new(2);
const THIRD: SensorId = SensorId::new(3);

#[test]
fn a_fan_that_stands_while_it_is_told_to_turn_is_told_and_nothing_is_driven() {
    let mut rack = Rack::new();
    rack.tray = Ok(0.0);
    rack.run(1);
    assert_eq!(rack.state(STALL), StateKind::Normal);
    rack.run(1);
    assert_eq!(rack.state(STALL), StateKind::Warning);
    let before = rack.wanted(super::rack::FAN);
    rack.run(100);
    let view = rack.engine.limit(STALL).unwrap();
    assert_eq!((view.reading, view.state.step()), (Some(0.0), Some(Step::Alert)));
    assert_eq!(rack.wanted(super::rack::FAN), before);
    rack.tray = Ok(801.0);
    rack.run(40);
    assert_eq!(rack.state(STALL), StateKind::Warning, "within the hysteresis");
    rack.tray = Ok(802.0);
    rack.run(24);
    assert_eq!(rack.state(STALL), StateKind::Normal);
}

/// The bench with a fan's speed that counts while the fan is at half its duty or more.
fn stall_plan() -> Plan {
    let mut plan = super::bench::plan();
    let speed = flyball_safety::SensorSpec {
        kind: flyball_units::Kind::FanSpeed,
        lowest: 0.0,
        highest: 20_000.0,
        required: false,
        ..plan.sensors[0].clone()
    };
    plan.sensors.push(speed);
    plan.limits.push(LimitSpec {
        sensors: vec![SECOND],
        response: Response::Alert,
        sense: Sense::Below,
        factory: Thresholds { limit: Some(500.0), trip: Some(200.0), warning: None },
        hold: Duration::from_secs(3),
        gate: Some(Gate::Duty { actuator: FAN, at_least: 0.5 }),
        missing_ok: true,
        ..plan.limits[0].clone()
    });
    plan
}

const FAN_SPEED: LimitId = LimitId::new(2);

fn turn(bench: &mut Bench, rpm: f64, span: Duration) {
    let cycles = span.as_millis() / CYCLE.as_millis();
    for _ in 0..cycles {
        bench.engine.handle_reading(SECOND, Ok(rpm), bench.now);
        bench.cycles(1, 40.0);
    }
}

#[test]
fn a_stall_counts_only_while_the_fan_is_commanded_and_after_its_time() {
    let mut bench = Bench::of(stall_plan());
    bench.fan = Observed::Automatic(Some(Ratio(0.3)));
    turn(&mut bench, 0.0, Duration::from_secs(20));
    assert_eq!(bench.state(FAN_SPEED).kind(), StateKind::Normal, "it is told to rest");
    bench.fan = Observed::Automatic(Some(Ratio(0.5)));
    turn(&mut bench, 0.0, Duration::from_millis(3250));
    assert_eq!(bench.state(FAN_SPEED).kind(), StateKind::Normal);
    turn(&mut bench, 0.0, Duration::from_millis(750));
    assert_eq!(bench.state(FAN_SPEED).kind(), StateKind::Tripped);
    let view = bench.engine.limit(FAN_SPEED).unwrap();
    assert_eq!(view.state.step(), Some(Step::Alert));
    assert_eq!((bench.duty(), bench.watts()), (None, 140.0), "it is told, and nothing is driven");
    let refused = bench.engine.handle_clear(FAN_SPEED, bench.now).unwrap_err();
    assert!(
        matches!(refused, Refusal::Limit(s) if s.clears_when == ClearsWhen::ReadingAbove(505.0)),
        "{refused:?}"
    );
    turn(&mut bench, 900.0, Duration::from_secs(2));
    assert_eq!(bench.engine.handle_clear(FAN_SPEED, bench.now), Ok(()));
}

#[test]
fn a_duty_that_cannot_be_read_is_taken_as_it_was_asked_for() {
    let mut bench = Bench::of(stall_plan());
    turn(&mut bench, 900.0, Duration::from_secs(2));
    let floor = Proposal::FanFloor { target: Target::All, floor: Ratio(0.7) };
    assert_eq!(bench.engine.handle_proposal(floor, bench.now), Verdict::Accepted);
    for _ in 0..24 {
        bench.engine.handle_readback(FAN, Err(NoData::Fault), bench.now);
        bench.engine.handle_reading(SECOND, Ok(0.0), bench.now);
        bench.engine.handle_reading(TEMPERATURE, Ok(40.0), bench.now);
        bench.engine.handle_reading(METER, Ok(100.0), bench.now);
        bench.engine.handle_timeout(bench.now);
        bench.now = bench.now.after(CYCLE);
    }
    assert_eq!(bench.state(FAN_SPEED).kind(), StateKind::Tripped);
}

#[test]
fn what_is_switched_off_is_no_fault_of_what_it_feeds() {
    let mut plan = super::rack::plan();
    plan.limits[2].gate = Some(Gate::On { actuator: super::rack::B });
    let mut rack = Rack::of(plan);
    rack.tray = Ok(0.0);
    rack.run(10);
    assert_eq!(rack.state(STALL), StateKind::Normal);
    rack.power[1] = Ok(PowerState::On);
    rack.run(3);
    assert_eq!(rack.state(STALL), StateKind::Warning);
    let mut plan = super::rack::plan();
    plan.limits[2].gate = Some(Gate::On { actuator: super::rack::B });
    let mut rack = Rack::of(plan);
    rack.power[1] = Err(NoData::Busy);
    rack.run(20);
    rack.tray = Ok(0.0);
    rack.run(3);
    assert_eq!(rack.state(STALL), StateKind::Warning, "what nobody knows may be on");
}

#[test]
fn below_a_policy_tightens_upwards_and_what_is_old_sinks() {
    let mut rack = Rack::new();
    let policy = |warning| [(STALL, Thresholds { warning: Some(warning), ..Thresholds::SILENT })];
    assert_eq!(rack.engine.handle_policy(&policy(700.0), rack.now), Ok(()));
    let bound = rack.engine.limit(STALL).unwrap().thresholds.warning.unwrap();
    assert_eq!((bound.value, bound.layer), (800.0, Layer::Factory));
    assert_eq!(rack.engine.handle_policy(&policy(2900.0), rack.now), Ok(()));
    let bound = rack.engine.limit(STALL).unwrap().thresholds.warning.unwrap();
    assert_eq!((bound.value, bound.layer), (2900.0, Layer::Fleet));
    let wrong = Thresholds { warning: Some(300.0), limit: Some(600.0), trip: None };
    let refused = rack.engine.handle_policy(&[(STALL, wrong)], rack.now);
    assert_eq!(refused, Err(PolicyFault::Thresholds(STALL)));
    rack.tray = Err(NoData::Busy);
    rack.run(2);
    assert_eq!(rack.state(STALL), StateKind::Warning, "3000 less 200 a second");
    assert_eq!(rack.engine.sensor(TRAY).unwrap().reading, Err(NoData::Busy));
}

/// A heat limit over three sensors. `jump_per_s` is off, so that any value is good.
fn voters(vote: Vote, count: usize) -> Plan {
    let mut plan = super::bench::plan();
    plan.sensors[0].required = false;
    for id in [SECOND, THIRD].into_iter().take(count - 1) {
        plan.sensors.push(plan.sensors[0].clone());
        plan.limits[0].sensors.push(id);
    }
    plan.limits[0].vote = vote;
    plan.limits[0].tolerance = Some(10.0);
    plan
}

type Said = Result<f64, NoData>;
const BAD: Said = Err(NoData::Fault);

fn heard(bench: &mut Bench, said: &[Said], cycles: usize) {
    for _ in 0..cycles {
        for (id, said) in [TEMPERATURE, SECOND, THIRD].into_iter().zip(said).skip(1) {
            bench.engine.handle_reading(id, *said, bench.now);
        }
        bench.cycle(said[0], Ok(100.0));
    }
}

/// The state after the group was cool and then says `said`, with its reading.
fn voted(vote: Vote, said: &[Said]) -> (StateKind, Option<f64>) {
    let mut bench = Bench::of(voters(vote, said.len()));
    let cool = vec![Ok(40.0); said.len()];
    heard(&mut bench, &cool, 4);
    heard(&mut bench, said, 3);
    (bench.heat(), bench.engine.limit(HEAT).unwrap().reading)
}

#[test]
fn two_of_two_need_both_and_one_alone_when_the_other_is_bad() {
    use StateKind::{Limiting, Normal, Tripped, Warning};
    for (said, expected) in [
        ([Ok(41.0), Ok(82.0)], (Normal, Some(41.0))),
        ([Ok(82.0), Ok(41.0)], (Normal, Some(41.0))),
        ([Ok(82.0), Ok(84.0)], (Limiting, Some(82.0))),
        ([Ok(95.0), Ok(72.0)], (Warning, Some(72.0))),
        ([Ok(95.0), Ok(95.0)], (Tripped, Some(95.0))),
        ([BAD, Ok(82.0)], (Limiting, Some(82.0))),
        ([Ok(82.0), BAD], (Limiting, Some(82.0))),
        ([Ok(41.0), BAD], (Normal, Some(41.0))),
    ] {
        assert_eq!(voted(Vote::TwoOfTwo, &said), expected, "{said:?}");
    }
}

#[test]
fn two_of_three_are_the_median_then_any_of_two_then_the_last() {
    use StateKind::{Limiting, Normal, Tripped};
    for (said, expected) in [
        ([Ok(40.0), Ok(41.0), Ok(99.0)], (Normal, Some(41.0))),
        ([Ok(99.0), Ok(41.0), Ok(40.0)], (Normal, Some(41.0))),
        ([Ok(41.0), Ok(99.0), Ok(40.0)], (Normal, Some(41.0))),
        ([Ok(40.0), Ok(82.0), Ok(99.0)], (Limiting, Some(82.0))),
        ([Ok(95.0), Ok(94.0), Ok(40.0)], (Tripped, Some(94.0))),
        ([BAD, Ok(40.0), Ok(82.0)], (Limiting, Some(82.0))),
        ([BAD, Ok(82.0), Ok(40.0)], (Limiting, Some(82.0))),
        ([BAD, Ok(40.0), Ok(42.0)], (Normal, Some(42.0))),
        ([BAD, BAD, Ok(82.0)], (Limiting, Some(82.0))),
        ([BAD, BAD, Ok(40.0)], (Normal, Some(40.0))),
    ] {
        assert_eq!(voted(Vote::TwoOfThree, &said), expected, "{said:?}");
    }
}

#[test]
fn a_group_of_which_none_speaks_counts_at_its_worst_until_it_is_lost() {
    for (vote, count) in [(Vote::TwoOfTwo, 2), (Vote::TwoOfThree, 3)] {
        let mut bench = Bench::of(voters(vote, count));
        let warm = vec![Ok(69.0); count];
        heard(&mut bench, &warm, 4);
        heard(&mut bench, &vec![BAD; count], 3);
        assert_eq!(bench.heat(), StateKind::Warning, "{vote:?}: 69 °C and 4 °C a second");
        heard(&mut bench, &vec![BAD; count], 4);
        assert_eq!(bench.heat(), StateKind::Failsafe, "{vote:?}");
    }
}

#[test]
fn sensors_that_contradict_each_other_are_told_once_and_when_they_agree_again() {
    let mut bench = Bench::of(voters(Vote::TwoOfThree, 3));
    heard(&mut bench, &[Ok(40.0), Ok(41.0), Ok(50.0)], 40);
    let told = |bench: &Bench| {
        let told = bench.events.iter().filter_map(|kind| match kind {
            EventKind::Disagreement { limit: HEAT, spread, apart } => Some((*spread, *apart)),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(told(&bench), [], "10 is the tolerance");
    heard(&mut bench, &[Ok(40.0), Ok(41.0), Ok(51.0)], 8);
    assert!(!bench.engine.limit(HEAT).unwrap().disagrees);
    heard(&mut bench, &[Ok(40.0), Ok(41.0), Ok(51.0)], 40);
    assert!(bench.engine.limit(HEAT).unwrap().disagrees);
    heard(&mut bench, &[Ok(40.0), Ok(41.0), Ok(49.0)], 4);
    heard(&mut bench, &[Ok(40.0), Ok(41.0), Ok(53.0)], 1);
    heard(&mut bench, &[Ok(40.0), Ok(41.0), Ok(49.0)], 7);
    assert!(bench.engine.limit(HEAT).unwrap().disagrees);
    heard(&mut bench, &[Ok(40.0), Ok(41.0), Ok(49.0)], 40);
    assert_eq!(told(&bench), [(11.0, true), (9.0, false)]);
}

#[test]
fn an_emergency_needs_two_samples_in_a_row_whatever_the_dwell() {
    let slow = || {
        let mut plan = super::bench::plan();
        plan.limits[0].dwell = Dwell { needed: 20, of: 30 };
        plan.limits[0].hold = Duration::from_secs(60);
        plan.limits[0].emergency = Some(110.0);
        let mut bench = Bench::of(plan);
        bench.cycles(4, 40.0);
        bench
    };
    let mut bench = slow();
    bench.cycles(12, 109.0);
    assert_eq!(bench.heat(), StateKind::Normal);
    bench.cycles(1, 110.0);
    bench.cycles(1, 109.0);
    bench.cycles(1, 110.0);
    assert_eq!(bench.heat(), StateKind::Normal, "not in a row");
    bench.cycles(1, 110.0);
    assert_eq!(bench.heat(), StateKind::Tripped);
    let mut bench = slow();
    bench.cycles(1, 110.0);
    bench.blind(CYCLE);
    bench.cycles(1, 110.0);
    assert_eq!(bench.heat(), StateKind::Tripped, "two good samples, and nothing good between");
}

#[test]
fn a_hold_lets_what_is_short_pass() {
    let mut plan = super::bench::plan();
    plan.limits[0].hold = Duration::from_secs(5);
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    bench.pass(Duration::from_millis(5250), 82.0);
    assert_eq!(bench.heat(), StateKind::Normal);
    bench.cycles(1, 82.0);
    assert_eq!(bench.heat(), StateKind::Limiting);
}

#[test]
fn power_over_its_rating_is_limited_when_the_budget_is_spent() {
    let mut plan = super::bench::plan();
    plan.limits[1].factory = Thresholds::SILENT;
    plan.limits[1].sustained = Some(Sustained { rated: 100.0, budget: 50_000.0 });
    let mut bench = Bench::of(plan);
    bench.cycles(4, 40.0);
    let draw = |bench: &mut Bench, watts, seconds: usize| {
        for _ in 0..seconds * 4 {
            bench.cycle(Ok(40.0), Ok(watts));
        }
        bench.state(POWER).kind()
    };
    assert_eq!(draw(&mut bench, 100.0, 200), StateKind::Normal);
    assert_eq!(draw(&mut bench, 150.0, 3), StateKind::Normal, "12 500 a second");
    assert_eq!(draw(&mut bench, 150.0, 1), StateKind::Limiting);
    assert_eq!(bench.watts(), 60.0);
    assert_eq!(draw(&mut bench, 150.0, 30), StateKind::Limiting);
    let whole = usize::try_from(RELEASE.as_secs()).unwrap();
    assert_eq!(draw(&mut bench, 20.0, whole * 4), StateKind::Normal);
}

#[test]
fn the_ceiling_of_caps_is_a_limit_of_watts_alone() {
    let mut plan = super::bench::plan();
    plan.sensors[1].kind = flyball_units::Kind::Current;
    plan.limits[1].factory.limit = Some(20.0);
    let mut bench = Bench::of(plan);
    for _ in 0..4 {
        bench.cycle(Ok(40.0), Ok(5.0));
    }
    assert_eq!(bench.watts(), 140.0, "20 A are not 20 W");
}

#[test]
fn a_frequency_is_capped_with_the_power_and_proposed_by_itself() {
    const CLOCK: ActuatorId = ActuatorId::new(2);
    let mut plan = super::bench::plan();
    plan.actuators.push(ActuatorSpec {
        hand: Hand::FrequencyCap { min: 8e8, safe: 2e9, max: 4e9 },
        ..plan.actuators[1].clone()
    });
    let mut bench = Bench::of(plan);
    let step = |bench: &mut Bench, celsius| {
        if let Level::Frequency(hertz) = bench.engine.actuator(CLOCK).unwrap().wanted {
            bench.engine.handle_readback(CLOCK, Ok(Observed::Frequency(hertz)), bench.now);
        }
        bench.cycles(1, celsius);
        bench.engine.actuator(CLOCK).unwrap().wanted
    };
    let hertz = |hertz| Level::Frequency(Hertz(hertz));
    assert_eq!(bench.engine.actuator(CLOCK).unwrap().wanted, hertz(2e9));
    for _ in 0..4 {
        step(&mut bench, 40.0);
    }
    assert_eq!(step(&mut bench, 40.0), hertz(4e9), "no limit of watts bounds it");
    let cap = |hertz| Proposal::FrequencyCap { target: Target::All, hertz: Hertz(hertz) };
    assert_eq!(bench.engine.handle_proposal(cap(3e9), bench.now), Verdict::Accepted);
    assert_eq!(step(&mut bench, 40.0), hertz(3e9));
    assert_eq!(bench.watts(), 140.0);
    let range = Verdict::Refused(Refusal::Range { min: 8e8, max: 4e9 });
    assert_eq!(bench.engine.handle_proposal(cap(5e9), bench.now), range);
    for _ in 0..12 {
        step(&mut bench, 82.0);
    }
    assert_eq!(step(&mut bench, 82.0), hertz(2e9));
    let clear = Proposal::ClearFrequencyCap { target: Target::One(CLOCK) };
    assert_eq!(bench.engine.handle_proposal(clear, bench.now), Verdict::Accepted);
    let raise = bench.engine.handle_proposal(cap(2.5e9), bench.now);
    assert!(matches!(raise, Verdict::Refused(Refusal::Limit(s)) if s.limit == HEAT), "{raise:?}");
    let wrong = Proposal::FrequencyCap { target: Target::One(CAP), hertz: Hertz(1e9) };
    let none = Verdict::Refused(Refusal::NoActuator);
    assert_eq!(bench.engine.handle_proposal(wrong, bench.now), none);
}
