//! What leaves the house, against receivers of the tests' own on loopback.

mod backups;
mod jobs;
mod mail;
mod reports;
mod webhooks;
