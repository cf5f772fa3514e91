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
mod id;
mod limit;
mod plan;
mod proposal;
mod sensor;
mod state;
mod threshold;
mod time;

pub use action::{Action, Level, Observed};
pub use engine::{ActuatorView, Engine, LimitView, PolicyFault, SensorView};
pub use event::{Event, EventKind};
pub use id::{ActuatorId, LimitId, SensorId, ZoneId};
pub use plan::{
    ActuatorSpec, Config, ConfigFault, Dwell, Hand, LimitSpec, OnTrip, Place, Plan, Response,
    SensorSpec, StuckSpec, Timing, ZoneSpec,
};
pub use proposal::{ClampedBy, ClearsWhen, Proposal, Refusal, Standing, Target, Verdict};
pub use state::{Failsafe, Raised, State, StateKind, Step, TripCause, Tripped};
pub use threshold::{Bound, Effective, Layer, Thresholds};
pub use time::Moment;
