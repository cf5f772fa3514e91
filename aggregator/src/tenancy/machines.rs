//! Which machines somebody means: all, those of a site, by labels, or by name.

use crate::access::{Scope, SiteId};
use crate::fleet::DeviceId;
use crate::telemetry::selector::Selector;
use crate::tenancy::Map;
use serde::{Deserialize, Serialize};

/// Machines that are named one by one; more of them go by a selector.
pub const MAX_NAMED: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Machines {
    All,
    Site(SiteId),
    /// Those whose labels are so.
    Selector(String),
    Devices(Vec<DeviceId>),
}

impl Machines {
    #[must_use]
    pub fn hold(&self, device: DeviceId, map: &Map) -> bool {
        match self {
            Self::All => true,
            Self::Site(site) => map.within(Scope::Device(device)).contains(&Scope::Site(*site)),
            // It was parsed when it was taken; what can't be read means nobody.
            Self::Selector(text) => {
                Selector::parse(text).is_ok_and(|selector| selector.matches(map.labels(device)))
            }
            Self::Devices(devices) => devices.contains(&device),
        }
    }
}
