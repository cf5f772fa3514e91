//! The router as clients see it. Every JSON answer is held against the OpenAPI document of its
//! dialect on the way.

mod api_keys;
mod application_metrics;
mod audit;
mod board;
mod commands;
mod conformance;
mod equipment;
mod errors;
mod exports;
mod imports;
mod letters;
mod machine;
mod media;
mod mfa;
mod oauth;
mod openapi;
mod profile;
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
