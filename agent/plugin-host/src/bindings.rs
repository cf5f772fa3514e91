//! The worlds as the host sees them: one module per version of `wit/`, each with conversions
//! to the messages, which are the newest types.

pub(crate) mod v0_1;
