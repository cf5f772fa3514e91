//! Redfish: a BMC over HTTP and JSON (DSP0266, DSP2046).
//!
//! Discovery walks through systems and chassis once; a look fetches the documents that hold
//! numbers; a deed is one POST or PATCH and the look that proves it. A BMC is a small computer
//! with a bad day now and then: every answer is bounded in time and size, no link leads away
//! from the address, and what doesn't parse is a fault with its name.

mod discovery;
mod eyes;
mod hands;
mod http;
mod log_entries;
mod login;
mod plan;
mod reading;
mod standing;
mod tls;

use crate::clock::Clock;
use crate::driver::{Connection, Driver};
use eyes::RedfishEyes;
use flyball_driver_messages::{Configuration, Fault};
use hands::RedfishHands;
use http::Client;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Redfish {
    client: Arc<Client>,
    clock: Clock,
    system: Option<String>,
    poll: Duration,
}

impl Redfish {
    /// # Errors
    /// Where the configuration can't work.
    pub(super) fn new(configuration: &Configuration, clock: Clock) -> Result<Self, Fault> {
        Ok(Self {
            client: Arc::new(Client::new(configuration)?),
            clock,
            system: configuration.option("system").map(str::to_owned),
            poll: Duration::from_millis(u64::from(configuration.poll_ms)),
        })
    }
}

impl Driver for Redfish {
    fn connect(&mut self) -> Result<Connection, Fault> {
        let plan = discovery::discover(&self.client, self.system.as_deref())?;
        let described = plan.described.clone();
        let hands = RedfishHands::new(
            Arc::clone(&self.client),
            described.actuators.clone(),
            plan.drives.clone(),
        );
        let eyes = RedfishEyes::new(Arc::clone(&self.client), self.clock, plan, self.poll);
        Ok(Connection { described, eyes: Box::new(eyes), hands: Box::new(hands) })
    }
}
