//! The other side of each kind of equipment: real servers and emulators, one type each.
//!
//! A counterpart starts on a free port of the loopback interface, is ready when its `start`
//! returns, and ends, by its process id, when it is dropped. What it says goes to a file in its
//! own folder, and into the error where it does not get ready. Nothing here is a fake of ours but
//! for DCMI's power limit, which no simulator has: where a program is missing the error names the
//! package, and no test is skipped for it.

mod bmc;
mod broker;
mod bucket;
mod cooling;
mod port;
mod postgres;
mod process;
mod program;
mod redfish;
mod snmp;
mod ups;

pub use bmc::{BmcSensor, IpmiBmc};
pub use broker::Broker;
pub use bucket::Bucket;
pub use cooling::{CoolingUnit, Register};
pub use port::{free_tcp, free_tcp_and_udp, free_udp};
pub use postgres::{Postgres, TestDatabase};
pub use process::Running;
pub use program::{Program, python_programs};
pub use redfish::{RedfishBmc, RedfishOptions};
pub use snmp::{SnmpAgent, Walk};
pub use ups::Ups;

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum CounterpartError {
    #[error("{program} is not installed; {remedy}")]
    Missing { program: &'static str, remedy: String },
    #[error("{} cannot be written", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("no free port can be had")]
    Port(#[source] std::io::Error),
    #[error("{program} cannot be started")]
    Start { program: &'static str, source: std::io::Error },
    #[error("process {pid} ({program}) cannot be signalled")]
    Signal { program: &'static str, pid: u32, source: rustix::io::Errno },
    #[error("{program} {what}; it said:\n{said}")]
    NotReady { program: &'static str, what: String, said: String },
    #[error("{program} answers something else than it should: {what}")]
    Answer { program: &'static str, what: String },
}

pub(crate) fn write(path: PathBuf, text: &str) -> Result<PathBuf, CounterpartError> {
    match std::fs::write(&path, text) {
        Ok(()) => Ok(path),
        Err(source) => Err(CounterpartError::Write { path, source }),
    }
}

/// A folder that goes with its counterpart.
pub(crate) fn folder(name: &str) -> Result<tempfile::TempDir, CounterpartError> {
    tempfile::TempDir::with_prefix(format!("flyball-{name}-"))
        .map_err(|source| CounterpartError::Write { path: std::env::temp_dir(), source })
}
