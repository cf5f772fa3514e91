//! How requests say which machines they mean, and answers which were meant.

use crate::access::SiteId;
use crate::fleet::DeviceId;
use crate::http::error::{FieldError, Problem};
use crate::telemetry::selector::Selector;
use crate::tenancy::{MAX_NAMED, Machines};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

const MAX_SELECTOR: usize = 1_024;

/// Every machine where nothing is said.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Meant {
    /// Machines of this site.
    site_id: Option<Uuid>,
    /// Machines whose labels are so.
    selector: Option<String>,
    /// These machines.
    device_ids: Option<Vec<Uuid>>,
}

impl From<Machines> for Meant {
    fn from(machines: Machines) -> Self {
        match machines {
            Machines::All => Self::default(),
            Machines::Site(site) => Self { site_id: Some(site.0), ..Self::default() },
            Machines::Selector(text) => Self { selector: Some(text), ..Self::default() },
            Machines::Devices(devices) => {
                let ids = devices.into_iter().map(|device| device.0).collect();
                Self { device_ids: Some(ids), ..Self::default() }
            }
        }
    }
}

fn fault(field: &str, message: impl Into<String>) -> Problem {
    Problem::invalid(vec![FieldError::body(field, "invalid_value", message)])
}

/// The machines that a request means: at most one of these says it.
pub(crate) fn meant(
    site: Option<Uuid>,
    selector: Option<String>,
    devices: Option<Vec<Uuid>>,
) -> Result<Machines, Problem> {
    match (site, selector, devices) {
        (None, None, None) => Ok(Machines::All),
        (Some(site), None, None) => Ok(Machines::Site(SiteId(site))),
        (None, Some(text), None) if text.len() > MAX_SELECTOR => {
            Err(fault("selector", format!("has at most {MAX_SELECTOR} bytes")))
        }
        (None, Some(text), None) => {
            Selector::parse(&text).map_err(|error| fault("selector", error.to_string()))?;
            Ok(Machines::Selector(text))
        }
        (None, None, Some(ids)) if ids.len() > MAX_NAMED => {
            Err(fault("device_ids", format!("names at most {MAX_NAMED}; a selector means more")))
        }
        (None, None, Some(ids)) => Ok(Machines::Devices(ids.into_iter().map(DeviceId).collect())),
        _ => {
            let message = "stands beside another: send one of site_id, selector and device_ids";
            Err(fault("device_ids", message))
        }
    }
}
