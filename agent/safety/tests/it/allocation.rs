//! The steady state allocates nothing.

#![expect(
    unsafe_code,
    reason = "counting allocations takes an allocator, and that trait is unsafe"
)]

use super::bench::{Bench, CYCLE, HEAT, METER, TEMPERATURE};
use flyball_safety::{Proposal, Target, Thresholds};
use flyball_units::{NoData, Ratio, Watts};
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
