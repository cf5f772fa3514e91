//! An operator's command: what it asks, how it is signed, and what the machine answers.
//!
//! The aggregator signs, the agent carries, the guard checks. All three link this crate and
//! none of them links another's; it decides nothing about safety.

#![forbid(unsafe_code)]

mod action;
mod id;
mod lock;
mod signature;
mod verdict;

pub use action::{Action, FleetLimit, HeldStep, ServiceVerb};
/// The words of power and of rank are everybody's; a command is said with them.
pub use flyball_units::{Origin, PowerState, ResetType};
pub use id::{DeviceId, OperationId};
pub use lock::Lock;
pub use signature::{Command, CommandKey, PublicKey, SignatureError, SignedCommand};
pub use verdict::{Arming, Clamp, Outcome, Refusal, RefusalKind, Verdict};
