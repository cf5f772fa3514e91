//! An authority, an aggregator and a guard for this crate's tests: the other ends of the wire,
//! scripted by each test.

mod aggregator;
mod authority;
mod broker;
mod guard;
pub(crate) mod pem;

pub(crate) use aggregator::{Aggregator, Peer, event as job_event};
pub(crate) use authority::Authority;
pub(crate) use broker::{Broker, free_address};
pub(crate) use guard::{Guard, board, event, record, series};

use std::time::Duration;

/// `future`'s value; a test that hangs fails and says where.
#[track_caller]
pub(crate) fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let at = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(Duration::from_secs(20), future).await {
            Ok(value) => value,
            Err(_) => panic!("nothing came at {at}"),
        }
    }
}
