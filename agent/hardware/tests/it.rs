//! Trees as they are recorded and made up, read and driven as the guard does it.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

#[path = "it/acting.rs"]
mod acting;
#[path = "it/allocation.rs"]
mod allocation;
#[path = "it/failures.rs"]
mod failures;
#[path = "it/generated.rs"]
mod generated;
#[path = "it/hotplug.rs"]
mod hotplug;
#[path = "it/machine.rs"]
mod machine;
#[path = "it/traps.rs"]
mod traps;
#[path = "it/tree.rs"]
mod tree;
