//! The router as clients see it. Every JSON answer is held against the OpenAPI document of its
//! dialect on the way.

mod application_metrics;
mod audit;
mod board;
mod commands;
mod conformance;
mod equipment;
mod errors;
mod exports;
mod imports;
mod ipc;
mod machine;
mod media;
mod openapi;
mod quarantine;
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
