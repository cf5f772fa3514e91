//! The router as clients see it. Every JSON answer is held against the OpenAPI document of its
//! dialect on the way.

mod api_keys;
mod application_metrics;
mod attacks;
mod audit;
mod batch_requests;
mod board;
mod commands;
mod conformance;
mod curricula;
mod device_changes;
mod equipment;
mod errors;
mod exports;
mod flat_examples;
mod idle;
mod imports;
mod ipc;
mod letters;
mod listener;
mod listing;
mod machine;
mod manners;
mod media;
mod mfa;
mod oauth;
#[cfg(feature = "oidc")]
mod oidc;
mod openapi;
mod outbound;
mod platform;
mod profile;
mod purge;
mod quarantine;
mod registration;
mod resuming;
mod rig;
mod rights;
mod safety;
mod sessions;
mod shapes;
mod sockets;
mod streams;
mod telemetry;
mod tenancy;
mod users;
