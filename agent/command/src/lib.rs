//! An operator's command: what it asks, how it is signed, and what the machine answers.
//!
//! The aggregator signs, the agent carries, the guard checks. All three link this crate and
//! none of them links another's; it decides nothing about safety.

#![forbid(unsafe_code)]

mod action;
mod id;
mod signature;
mod verdict;

pub use action::Action;
pub use id::{DeviceId, OperationId};
pub use signature::{Command, CommandKey, PublicKey, SignatureError, SignedCommand};
pub use verdict::{Clamp, Outcome, Refusal, RefusalKind, Verdict};
