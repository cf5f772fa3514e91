//! What the agent does for plugins outside their sandbox.

pub(crate) mod mqtt;
