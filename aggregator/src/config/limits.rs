//! How much one caller may ask, and who speaks for whom.

use crate::rates::Rate;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins whose pages may call the API; none besides its own where empty.
    pub origins: Vec<String>,
}

/// How much one caller may ask: the requirement's table, to be raised or switched off where a load
/// or a contract test wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub enabled: bool,
    /// Do replicas on one database count together?
    pub shared: bool,
    pub login: Rate,
    pub register: Rate,
    pub refresh: Rate,
    pub authenticated: Rate,
    pub unauthenticated: Rate,
    /// Keys of repeated requests that are kept of one user at a time; one more is refused.
    pub idempotency_keys_per_user: u32,
    /// The same of all users; the oldest go then.
    pub idempotency_keys: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let rate = |requests, window_s, burst| Rate { requests, window_s, burst };
        Self {
            enabled: true,
            shared: false,
            login: rate(5, 60, 5),
            register: rate(3, 3600, 3),
            refresh: rate(60, 60, 10),
            authenticated: rate(1000, 60, 100),
            unauthenticated: rate(100, 60, 20),
            idempotency_keys_per_user: 10_000,
            idempotency_keys: 1_000_000,
        }
    }
}

/// Proxies that say whom they speak for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxies {
    /// Networks whose `Forwarded` and `X-Forwarded-For` count; nobody's where empty.
    pub trusted: Vec<IpNet>,
}

impl Proxies {
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address.to_canonical()))
    }
}
