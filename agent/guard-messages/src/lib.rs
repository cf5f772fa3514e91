//! What guard and agent say over the guard's Unix socket.
//!
//! The agent attaches with a cursor, the guard replays its ring from there and goes on; the
//! agent confirms what is durable on its side. Frames are postcard behind a `u32` length. The
//! crate holds messages and frames only: no socket, no engine.

#![forbid(unsafe_code)]

mod frame;
mod inventory;
mod message;
mod record;

pub use frame::{Decoder, FrameError, MAX_FRAME_BYTES, encode};
pub use inventory::{
    Actuator, ActuatorKind, ClaimSnapshot, ConditionSnapshot, EQUIPMENT_ATTRIBUTE, Equipment,
    EquipmentKind, EquipmentState, HoldSnapshot, InterlockSnapshot, Inventory, LayerThresholds,
    LimitSnapshot, LockSnapshot, SelfTest, SelfTestEnd, SelfTestResult, TrialSnapshot,
    TripSnapshot,
};
pub use message::{
    AttachRefusal, BoardInfo, BusAccount, FromAgent, FromGuard, LimitState, Series, Status, VERSION,
};
pub use record::{EventKind, GuardEvent, Record, RecordBody, Sample, Severity};
