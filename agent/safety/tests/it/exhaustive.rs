//! Every order of a small set of inputs, to a stated depth, over two sensors and two actuators.
//!
//! The engine is put on short dwells and times, so that a few inputs lead through all of its
//! states. After each input of each order the invariants are looked at.

use super::bench::{CAP, CYCLE, FAN, HEAT, METER, POWER, TEMPERATURE, plan};
use core::time::Duration;
use flyball_safety::{
    Config, Dwell, Engine, Level, Moment, Observed, Proposal, State, StateKind, Step, Target,
    Verdict,
};
use flyball_units::{NoData, Ratio, Watts};
use std::collections::HashSet;

const DEPTH: usize = 5;
const STALE: Duration = Duration::from_millis(500);
const RELEASE: Duration = Duration::from_millis(750);

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Input {
    Heat(f64),
    HeatMissing,
    Power(f64),
    /// A cycle passes; every hand has obeyed.
    Cycle,
    /// A second passes in which no hand obeys.
    Deaf,
    RaiseCap,
    Clear,
}

const ALPHABET: [Input; 9] = [
    Input::Heat(40.0),
    Input::Heat(72.0),
    Input::Heat(82.0),
    Input::Heat(95.0),
    Input::HeatMissing,
    Input::Power(160.0),
    Input::Cycle,
    Input::Deaf,
    Input::RaiseCap,
];

#[derive(Clone)]
struct Node {
    engine: Engine,
    now: Moment,
    /// Since when no good temperature came.
    missing_since: Moment,
    /// When the ladder last went down.
    down_at: Option<Moment>,
}

/// What shows from outside: states, steps and levels, these in thousandths.
type Shown = ([(StateKind, Option<Step>); 2], i64, i64);

struct Seen {
    nodes: u64,
    states: HashSet<Shown>,
}

fn first() -> Node {
    let mut plan = plan();
    plan.timing.settle_samples = 1;
    plan.timing.step_time = CYCLE;
    plan.timing.release_after = RELEASE;
    plan.zones[0].grace = CYCLE;
    for limit in &mut plan.limits {
        limit.dwell = Dwell { needed: 1, of: 1 };
    }
    for sensor in &mut plan.sensors {
        sensor.stale_after = STALE;
    }
    for actuator in &mut plan.actuators {
        actuator.verify_within = CYCLE;
    }
    let now = Moment::from_millis(1_000);
    let engine = Engine::new(Config::check(plan).unwrap(), now);
    Node { engine, now, missing_since: now, down_at: None }
}

fn rung(state: &State) -> usize {
    match (state.kind(), state.step()) {
        (StateKind::Tripped, _) => 6,
        (_, None | Some(Step::Shutdown | Step::HardOff)) => 0,
        (_, Some(Step::Alert)) => 1,
        (_, Some(Step::FansRaised)) => 2,
        (_, Some(Step::FansFull)) => 3,
        (_, Some(Step::CapSafe)) => 4,
        (_, Some(Step::CapMin | Step::Quiesce | Step::Suspend)) => 5,
    }
}

impl Node {
    fn feed(&mut self, input: Input) -> Option<Verdict> {
        let engine = &mut self.engine;
        match input {
            Input::Heat(celsius) => {
                engine.handle_reading(TEMPERATURE, Ok(celsius), self.now);
                self.missing_since = self.now;
            }
            Input::HeatMissing => {
                engine.handle_reading(TEMPERATURE, Err(NoData::Missing), self.now);
            }
            Input::Power(watts) => engine.handle_reading(METER, Ok(watts), self.now),
            Input::Cycle => {
                self.now = self.now.after(CYCLE);
                let fan = match engine.actuator(FAN).unwrap().wanted {
                    Level::Duty(duty) => Observed::Duty(duty),
                    _ => Observed::Automatic(Some(Ratio(0.3))),
                };
                engine.handle_readback(FAN, Ok(fan), self.now);
                if let Level::Cap(watts) = engine.actuator(CAP).unwrap().wanted {
                    engine.handle_readback(CAP, Ok(Observed::Cap(watts)), self.now);
                }
                engine.handle_reading(METER, Ok(100.0), self.now);
                engine.handle_timeout(self.now);
            }
            Input::Deaf => {
                self.now = self.now.after(Duration::from_secs(1));
                engine.handle_timeout(self.now);
            }
            Input::RaiseCap => {
                let proposal = Proposal::PowerCap { target: Target::All, watts: Watts(130.0) };
                let foreseen = engine.validate(proposal);
                let verdict = engine.handle_proposal(proposal, self.now);
                assert_eq!(foreseen, verdict);
                return Some(verdict);
            }
            Input::Clear => {
                // Most of the time there is nothing to clear.
                let _ = engine.handle_clear(HEAT, self.now);
            }
        }
        None
    }

    fn levels(&self) -> (f64, f64) {
        let duty = match self.engine.actuator(FAN).unwrap().wanted {
            Level::Duty(duty) => duty.get(),
            _ => 0.0,
        };
        let Level::Cap(watts) = self.engine.actuator(CAP).unwrap().wanted else { panic!("no cap") };
        (duty, watts.get())
    }

    fn look(&mut self, before: &Self, input: Input, verdict: Option<Verdict>, path: &[Input]) {
        let state = *self.engine.limit(HEAT).unwrap().state;
        let was = *before.engine.limit(HEAT).unwrap().state;
        let ((duty, watts), (_, watts_before)) = (self.levels(), before.levels());
        assert!((30.0..=140.0).contains(&watts), "{path:?}");
        match state.kind() {
            StateKind::Failsafe | StateKind::Unknown => {
                assert!(duty >= 0.6 && watts <= 60.0, "{path:?}");
            }
            StateKind::Tripped => assert!(duty >= 1.0 && watts <= 30.0, "{path:?}"),
            StateKind::Limiting => assert!(duty >= 1.0, "{path:?}"),
            StateKind::Normal | StateKind::Warning => {}
        }
        if was.kind() == StateKind::Tripped && input != Input::Clear {
            assert_eq!(state.kind(), StateKind::Tripped, "{path:?}");
        }
        if input == Input::Heat(95.0) {
            assert_eq!(state.kind(), StateKind::Tripped, "{path:?}");
        }
        if self.now.since(self.missing_since) >= STALE && input == Input::Cycle {
            let safe = matches!(state.kind(), StateKind::Failsafe | StateKind::Tripped);
            assert!(safe, "{path:?}: {state:?}");
        }
        let (down, from) = (rung(&state), rung(&was));
        if down < from && was.kind() != StateKind::Tripped {
            assert_eq!(from - down, 1, "{path:?}");
            let rested = self.down_at.is_none_or(|at| self.now.since(at) >= RELEASE);
            assert!(rested, "{path:?}");
            self.down_at = Some(self.now);
        }
        if verdict.is_some() && watts > watts_before {
            for limit in [HEAT, POWER] {
                let kind = before.engine.limit(limit).unwrap().state.kind();
                assert!(
                    matches!(kind, StateKind::Normal | StateKind::Warning),
                    "{path:?}: {kind:?}"
                );
            }
        }
        assert!(self.engine.poll_timeout() <= self.now.after(CYCLE), "{path:?}");
    }
}

fn explore(node: &Node, path: &mut Vec<Input>, seen: &mut Seen) {
    for input in ALPHABET {
        path.push(input);
        let mut next = node.clone();
        let verdict = next.feed(input);
        next.look(node, input, verdict, path);
        while next.engine.poll_action().is_some() {}
        while next.engine.poll_event().is_some() {}
        seen.nodes += 1;
        let kinds = [HEAT, POWER].map(|limit| {
            let state = *next.engine.limit(limit).unwrap().state;
            (state.kind(), state.step())
        });
        let (duty, watts) = next.levels();
        seen.states.insert((kinds, (duty * 1e3) as i64, (watts * 1e3) as i64));
        if path.len() < DEPTH {
            explore(&next, path, seen);
        }
        path.pop();
    }
}

#[test]
fn every_order_of_nine_inputs_to_depth_five_keeps_the_invariants() {
    let mut seen = Seen { nodes: 0, states: HashSet::new() };
    explore(&first(), &mut Vec::new(), &mut seen);
    let expected: u64 = (1..=u32::try_from(DEPTH).unwrap()).map(|depth| 9_u64.pow(depth)).sum();
    println!("{} nodes, {} distinct states", seen.nodes, seen.states.len());
    assert_eq!(seen.nodes, expected);
    for kind in [
        StateKind::Unknown,
        StateKind::Normal,
        StateKind::Warning,
        StateKind::Limiting,
        StateKind::Tripped,
        StateKind::Failsafe,
    ] {
        assert!(seen.states.iter().any(|shown| shown.0[0].0 == kind), "{kind:?}");
    }
    assert!(seen.states.len() > 60, "{}", seen.states.len());
}

#[test]
fn every_order_of_inputs_after_a_trip_keeps_it_until_it_is_cleared_while_cool() {
    let mut tripped = first();
    for input in [Input::Heat(40.0), Input::Cycle, Input::Heat(95.0), Input::Cycle] {
        tripped.feed(input);
    }
    let inputs = [
        Input::Heat(40.0),
        Input::Heat(82.0),
        Input::HeatMissing,
        Input::Cycle,
        Input::Deaf,
        Input::RaiseCap,
        Input::Clear,
    ];
    let mut cleared = 0;
    let mut stack = vec![(tripped, Vec::new(), 95.0)];
    while let Some((node, path, last)) = stack.pop() {
        for input in inputs {
            let mut next = node.clone();
            next.feed(input);
            let mut path: Vec<Input> = path.clone();
            path.push(input);
            let last = match input {
                Input::Heat(celsius) => celsius,
                _ => last,
            };
            let kind = next.engine.limit(HEAT).unwrap().state.kind();
            if kind != StateKind::Tripped {
                assert_eq!((input, last), (Input::Clear, 40.0), "{path:?}");
                cleared += 1;
            } else if path.len() < 5 {
                stack.push((next, path, last));
            }
        }
    }
    assert!(cleared > 100, "{cleared}");
}
