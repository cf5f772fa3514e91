//! The aggregator: takes committed telemetry from agents, answers operators, carries commands.
//!
//! `ingest` speaks QUIC with agents and `http` HTTP with people; both call the domain modules,
//! which know neither and reach the database through [`store::Store`] alone. The aggregator
//! never judges safety: the edge does, and its verdicts are shown here.

#![forbid(unsafe_code)]

pub mod app;
pub mod authority;
mod caches;
pub mod cli;
pub mod clock;
pub mod config;

pub mod enrolment;
pub mod export;
pub mod fleet;
pub mod history;
pub mod listing;
pub mod live;
pub mod log;
pub mod metrics;
pub mod operations;
pub mod page;
pub mod rates;
pub mod record;
pub mod telemetry;

pub mod access;
pub mod accounts;
pub mod audit;
#[cfg(feature = "oidc")]
pub mod oidc;
pub mod tenancy;

pub mod backups;
pub mod jobs;
pub mod mail;
pub mod notifications;
pub mod outbound;
pub mod reports;
pub mod resilience;
pub mod sealing;
pub mod webhooks;

pub mod applications;
pub mod clients;
pub mod content;
pub mod idle;
pub mod imports;
pub mod logs;
pub mod media;
pub mod plugins;

pub mod http;
pub mod ingest;
pub mod store;
