//! The safety engine: readings, proposals and time in, levels of actuators and events out.
//!
//! It is the only door to an actuator. It owns every decision about heat and power and nothing
//! else: no clock, no file, no name, no thread. After [`Engine::new`] it allocates nothing and
//! no input makes it panic.
//!
//! # Words
//!
//! - **reading**: a number from a sensor, or [`NoData`](flyball_units::NoData) with its reason.
//! - **good**: in its band, not a jump, not stuck. Only good readings can say *cool*.
//! - **doubtful**: the last reading was not good, the last good one is not yet stale; it counts
//!   as its worst case, the last good value plus slew rate times age.
//! - **lost**: no good reading within `stale_after`. A lost sensor says nothing at all.
//! - **group**: the sensors of one limit; the highest counts.
//! - **blind**: a limit whose group has no trusted sensor, or misses a required one.
//! - **step**: one level of the ladder: alert, fans raised, fans full, safe cap, minimal cap.
//! - **trip**: fans full and minimal caps, latched until cleared.
//! - **failsafe**: fans at their failsafe level or more and the safe cap, for as long as a limit
//!   is blind. Not a trip.
//! - **ceiling**: the most that a power cap may be, by the tightest limit of its zones.
//! - **wanted**: the level that the engine asks for; **observed**: what was read back.
//!
//! # Use
//!
//! Hand in what happened with `handle_*`, then drain [`Engine::poll_action`] and drive the
//! actuators, then drain [`Engine::poll_event`]. Read actuators back and tell
//! [`Engine::handle_readback`]. Call [`Engine::handle_timeout`] at [`Engine::poll_timeout`] at
//! the latest. The states of a limit are drawn at [`State`].

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod action;
mod actuator;
mod engine;
mod event;
mod host;
mod id;
mod interlock;
mod limit;
mod lock;
mod plan;
mod power;
mod proposal;
mod sensor;
mod state;
mod switch;
mod threshold;
mod time;

pub use action::{Action, HostLevel, HostReport, Level, Observed};
pub use engine::{
    ActuatorView, ArmedView, ConditionView, Engine, InterlockView, LimitView, Mapping, PolicyFault,
    ReplanFault, SensorView, SwitchView,
};
pub use event::{Event, EventKind};
pub use id::{ActuatorId, GroupId, InterlockId, LimitId, LockId, SensorId, Ticket, ZoneId};
pub use lock::{LockFault, LockSpec, LockView};
pub use plan::{
    ActuatorSpec, Against, Condition, Config, ConfigFault, Dwell, Gate, GroupSpec, Hand, HardOff,
    InterlockSpec, Ladder, LimitSpec, Needs, Place, Plan, Recoveries, Response, Rung, SensorSpec,
    Shed, StuckSpec, Sustained, SwitchSpec, Timing, Vote, ZoneSpec,
};
pub use power::{Power, Verb, Verbs};
pub use proposal::{ClampedBy, ClearsWhen, Pacing, Proposal, Refusal, Standing, Target, Verdict};
pub use state::{Failsafe, Raised, State, StateKind, Step, TripCause, Tripped};
pub use threshold::{Bound, Effective, Layer, Sense, Thresholds};
pub use time::Moment;
