//! The steady state allocates nothing.

#![expect(
    unsafe_code,
    reason = "counting allocations takes an allocator, and that trait is unsafe"
)]

use super::bench::{Bench, CYCLE, HEAT, METER, TEMPERATURE};
use flyball_safety::{Proposal, Target, Thresholds};
use flyball_units::{NoData, PowerState, Ratio, ResetType, Watts};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

std::thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is being torn down has nothing left to count in.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn no_input_makes_the_engine_allocate() {
    let mut bench = Bench::settled(40.0);
    let engine = &mut bench.engine;
    let policy = [(HEAT, Thresholds { trip: Some(85.0), ..Thresholds::SILENT })];
    let before = ALLOCATIONS.get();
    for round in 0..2000_u32 {
        let now = bench.now;
        let celsius = match round % 300 {
            0..100 => Ok(40.0),
            100..200 => Ok(f64::from(round % 60) + 40.0),
            _ => Err(NoData::Missing),
        };
        engine.handle_reading(TEMPERATURE, celsius, now);
        engine.handle_reading(METER, Ok(f64::from(round % 250)), now);
        for proposal in [
            Proposal::PowerCap { target: Target::All, watts: Watts(f64::from(round % 200)) },
            Proposal::FanFloor { target: Target::All, floor: Ratio(0.5) },
        ] {
            let _ = engine.handle_proposal(proposal, now);
        }
        let _ = engine.handle_policy(&policy, now);
        let _ = engine.handle_clear(HEAT, now);
        engine.handle_timeout(now);
        while engine.poll_action().is_some() {}
        while engine.poll_event().is_some() {}
        bench.now = now.after(CYCLE);
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

#[test]
fn no_verb_lock_or_trip_makes_the_engine_of_a_rack_allocate() {
    use super::rack::{A, B, C, INLET, RUNTIME, Rack, TRAY};
    use flyball_safety::{Action, HostLevel, HostReport, LockId, LockSpec, Observed, Ticket};
    let mut rack = Rack::new();
    let engine = &mut rack.engine;
    let mut now = rack.now;
    let mut power = [PowerState::Off; 3];
    let mut seen = (0_u32, 0_u32, 0_u32);
    let before = ALLOCATIONS.get();
    for round in 0..4000_u32 {
        let warm = if round % 400 > 300 { 50.0 } else { 20.0 };
        let left = if round % 900 > 880 { 100.0 } else { 1800.0 };
        let tray =
            if round % 70 > 60 { Err(NoData::Missing) } else { Ok(f64::from(round % 9) * 100.0) };
        if round % 400 == 299 {
            power = [PowerState::On; 3];
        }
        engine.handle_reading(INLET, Ok(warm), now);
        engine.handle_reading(RUNTIME, Ok(left), now);
        engine.handle_reading(TRAY, tray, now);
        for (id, power) in [A, B, C].into_iter().zip(power) {
            engine.handle_readback(id, Ok(Observed::Power(power)), now);
        }
        let verb = ResetType::ALL[usize::try_from(round).unwrap_or(0) % ResetType::ALL.len()];
        let ticket = Ticket(u64::from(round % 20));
        for actuator in [A, B, C] {
            let proposal = Proposal::Switch {
                actuator,
                verb,
                expected: None,
                automatic: round % 3 == 0,
                ticket,
            };
            let _ = engine.validate(proposal);
            let _ = engine.handle_proposal(proposal, now);
        }
        let _ = engine.handle_confirm(Ticket(u64::from(round % 7)), now);
        if round % 50 == 0 {
            let until = Some(now.after(super::rack::CYCLE * 8));
            for id in 0..70 {
                let spec = LockSpec { target: Some(A), until, holds_levels: true };
                let _ = engine.handle_lock(LockId(id), spec, now);
            }
        }
        if round % 400 == 250 {
            let _ = engine.handle_clear(super::rack::ROOM, now);
            let _ = engine.handle_clear(super::rack::UPS, now);
        }
        engine.handle_timeout(now);
        while let Some(action) = engine.poll_action() {
            match action {
                Action::Switch { actuator, verb } => {
                    seen.0 += 1;
                    power[actuator.index()] = verb.leads_to();
                }
                Action::Drive { actuator, .. } if actuator.index() < 3 => {
                    seen.1 += 1;
                    power[actuator.index()] = PowerState::Off;
                }
                Action::Drive { .. } => {}
                Action::Host { level, .. } => {
                    seen.2 += 1;
                    let report = match level {
                        HostLevel::Quiesced => HostReport::Failed(level),
                        _ => HostReport::Reached(level),
                    };
                    engine.handle_host(report, now);
                }
            }
        }
        while engine.poll_event().is_some() {}
        now = now.after(super::rack::CYCLE);
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    assert!(seen.0 > 10 && seen.1 > 1 && seen.2 > 1, "{seen:?}");
}
