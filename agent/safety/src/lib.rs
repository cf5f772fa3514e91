//! The safety engine: readings, proposals and time in, levels of actuators and events out.
//!
//! It is the only door to an actuator. It owns every decision about heat and power and nothing
//! else: no clock, no file, no name, no thread. After [`Engine::new`] it allocates nothing (but
//! for [`Engine::replan`] and the beginning of a self-test) and no input makes it panic.
//!
//! # Words
//!
//! Readings:
//!
//! - **reading**: a number from a sensor, or [`NoData`](flyball_units::NoData) with its reason.
//! - **good**: in its band, not a jump, not stuck. Only good readings can say *cool*.
//! - **doubtful**: the last reading was not good, the last good one is not yet stale; it counts
//!   as its worst case, the last good value plus (below: less) slew rate times age.
//! - **lost**: no good reading within `stale_after`. A lost sensor says nothing at all.
//! - **speaks**: its last reading was good and the next is not overdue. Only what speaks votes.
//!
//! Limits:
//!
//! - **group**: the sensors of one limit; by its [`Vote`] the worst counts, or two of them.
//! - **sense**: whether danger is above the thresholds or below them. *Over* a threshold means
//!   beyond it in that sense, *tighter* means sooner met.
//! - **dwell**, **hold**: how many samples, and for how long, before a threshold counts.
//! - **gate**: when samples count at all: a fan's speed only while the fan is told to turn.
//! - **apart**: good sensors of a group that contradict each other; told, and nothing more.
//! - **blind**: a limit whose group has no trusted sensor, or misses a required one.
//!
//! Answers:
//!
//! - **step**: one level of the ladder, drawn at [`Step`]: alert, fans raised, fans full, safe
//!   cap, minimal cap, quiesce, suspend; and of a trip: shutdown, hard off.
//! - **trip**: fans full and minimal caps, and what the zone's [`Ladder`] has above them; latched
//!   until cleared.
//! - **failsafe**: fans at their failsafe level or more and the safe cap, for as long as a limit
//!   is blind. Not a trip.
//! - **shed**: switches of a tripped zone go down in their order, the host last.
//! - **ceiling**: the most that a power cap may be, by the tightest limit of its zones.
//! - **wanted**: the level that the engine asks for; **observed**: what was read back.
//!
//! What stands against proposals:
//!
//! - **energising**: leading current into something, or adding heat. It is refused under a lock,
//!   under a limit that forbids heat, under an interlock, and faster than the pace allows.
//! - **lock**: somebody works there. It holds proposals, never the engine.
//! - **interlock**: conditions between things; what nobody can know does not hold.
//! - **armed**: a verb that loses work waits to be confirmed, and is judged anew then.
//!
//! # Use
//!
//! Hand in what happened with `handle_*`, then drain [`Engine::poll_action`] and act, then drain
//! [`Engine::poll_event`]. Read actuators back and tell [`Engine::handle_readback`], for switches
//! as [`Observed::Power`]; tell [`Engine::handle_host`] what came of an [`Action::Host`]. Call
//! [`Engine::handle_timeout`] at [`Engine::poll_timeout`] at the latest. Before the first
//! reading of a run hand in what stood in the last one: [`Engine::handle_latch`] for each trip
//! and [`Engine::handle_lock`] for each lock.
//!
//! Actions are levels and come again until the read-back agrees, with one exception: the verb of
//! an accepted [`Proposal::Switch`] comes once as [`Action::Switch`]. It has come about when the
//! state says so ([`EventKind::VerbEnded`]), or when the caller says
//! [`Engine::handle_settled`].
//!
//! The states of a limit are drawn at [`State`]. A verb of a switch goes this way:
//!
//! ```text
//!                    nothing stands              sent once           seen, or settled
//!   proposed ──┬──── against it ────▶ accepted ──────────▶ in flight ───────────────▶ ended
//!              │                         ▲                     │ takes too long
//!              │ work may be lost        │ judged anew         └────▶ given up
//!              ├───────────────▶ armed ──┤
//!              │                   │     └─▶ refused
//!              │                   └─ not confirmed in time ─▶ forgotten
//!              └─ refused: state, lock, limit, interlock, pace
//! ```
//!
//! What the engine itself takes down is no verb but a level, [`Level::Down`] and then
//! [`Level::Off`], asserted until the switch is seen off.

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
mod origin;
mod plan;
mod power;
mod proposal;
mod self_test;
mod sensor;
mod state;
mod switch;
mod threshold;
mod time;

pub use action::{Action, HostLevel, HostReport, Level, Observed};
pub use engine::{
    ActuatorView, ArmedView, ConditionView, Engine, InterlockView, LimitView, Mapping, PolicyFault,
    ReplanFault, SelfTestView, SensorView, SwitchView,
};
pub use event::{Event, EventKind};
pub use flyball_units::Origin;
pub use id::{ActuatorId, GroupId, InterlockId, LimitId, LockId, SensorId, Ticket, ZoneId};
pub use limit::Hold;
pub use lock::{LockFault, LockSpec, LockView};
pub use origin::{Claim, Issued};
pub use plan::{
    ActuatorSpec, Against, Condition, Config, ConfigFault, Dwell, Gate, GroupSpec, Hand, HardOff,
    InterlockSpec, Ladder, LimitSpec, Needs, Place, Plan, Recoveries, Response, Rung, SensorSpec,
    Shed, StuckSpec, Sustained, SwitchSpec, Timing, Vote, ZoneSpec,
};
pub use power::Verbs;
pub use proposal::{ClampedBy, ClearsWhen, Pacing, Proposal, Refusal, Standing, Target, Verdict};
pub use self_test::{Aborted, SelfTestEnd, Trial};
pub use state::{Failsafe, Raised, State, StateKind, Step, TripCause, Tripped};
pub use threshold::{Bound, Effective, Layer, Sense, Thresholds};
pub use time::Moment;
