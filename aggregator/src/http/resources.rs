//! One file a resource: its JSON, its handlers, and nothing of another's.

pub(crate) mod application_metrics;
pub(crate) mod audit;
pub(crate) mod certificates;
pub(crate) mod clients;
pub(crate) mod commands;
pub(crate) mod curricula;
pub(crate) mod devices;
pub(crate) mod enrolment_tokens;
pub(crate) mod events;
pub(crate) mod fleet_limits;
pub(crate) mod health;
pub(crate) mod imports;
pub(crate) mod interlocks;
pub(crate) mod limits;
pub(crate) mod media;
pub(crate) mod operations;
pub(crate) mod plugins;
pub(crate) mod quarantine;
pub(crate) mod readings;
pub(crate) mod retention;
pub(crate) mod series;
pub(crate) mod sessions;
pub(crate) mod stats;
pub(crate) mod stream_tickets;
pub(crate) mod system;
