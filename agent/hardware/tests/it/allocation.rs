//! The steady state allocates nothing.

#![expect(
    unsafe_code,
    reason = "counting allocations takes an allocator, and that trait is unsafe"
)]

use crate::machine::Machine;
use flyball_units::NoData;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::time::Duration;

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
fn reading_a_whole_machine_allocates_nothing_even_where_files_are_gone() {
    let machine = Machine::new(5);
    let mut board = machine.tree.board();
    let mut now = Duration::ZERO;
    let mut read_all = |rounds: u32| {
        let mut missing = 0;
        for _ in 0..rounds {
            now += Duration::from_millis(250);
            for sensor in &mut board.sensors {
                missing += usize::from(sensor.read(now) == Err(NoData::Missing));
            }
        }
        missing
    };
    assert_eq!(read_all(2), 0);
    let before = ALLOCATIONS.get();
    assert_eq!(read_all(200), 0);
    assert_eq!(ALLOCATIONS.get() - before, 0);
    fs::remove_dir_all(machine.tree.path("class/power_supply")).unwrap();
    let before = ALLOCATIONS.get();
    assert!(read_all(200) > 1000);
    assert_eq!(ALLOCATIONS.get() - before, 0);
}
