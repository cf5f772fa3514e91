//! The connection to the aggregator.

pub(crate) mod endpoint;
pub(crate) mod wire;
