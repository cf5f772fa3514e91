//! An operator's command: what it asks, how it is signed, and what the machine answers.
//!
//! The aggregator signs, the agent carries, the guard checks. All three link this crate and
//! none of them links another's; it decides nothing about safety.

#![forbid(unsafe_code)]

mod action;
mod id;
mod lock;
mod power;
mod signature;
mod verdict;

pub use action::{Action, FleetLimit, ServiceVerb};
pub use id::{DeviceId, OperationId};
pub use lock::Lock;
pub use power::{PowerState, ResetType};
pub use signature::{Command, CommandKey, PublicKey, SignatureError, SignedCommand};
pub use verdict::{Arming, Clamp, Outcome, Refusal, RefusalKind, Verdict};
