//! Devices that were put together.

use super::{Checked, FIELDS, Kind, check_texts, entities};
use crate::fleet::DeviceId;
use crate::http::error::{FieldError, Problem};
use crate::http::listing::Listable;
use crate::http::record::Recorded;
use crate::http::reply::{Flat, Resource};
use crate::listing::List;
use crate::telemetry::selector::Selector;
use crate::tenancy::{Group as Stored, Kept};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Devices that a group names; a larger one goes by a selector.
const MAX_DEVICES: usize = 10_000;
const MAX_SELECTOR: usize = 1024;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    id: Uuid,
    #[serde(flatten)]
    sent: GroupRequest,
    #[serde(flatten)]
    record: Recorded,
}

/// It holds devices of its own organization: those that it names, and those that its selector
/// means.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupRequest {
    organization: Uuid,
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
    /// Over the devices' labels, in Kubernetes' form: `tier=hot,rack in (r1,r2)`.
    #[serde(default)]
    #[schema(max_length = 1024)]
    selector: Option<String>,
    #[serde(default)]
    devices: Vec<Uuid>,
}

impl Resource for Group {
    const FLAT: Flat = Flat::named("group", "groups");
}

impl Listable for Group {
    const LIST: List = entities(&FIELDS);
}

impl Kind for Group {
    type Entity = Stored;
    type Sent = GroupRequest;
    const PATH: &'static str = "/api/v1/groups";
    const PARENT_FIELD: &'static str = "organization";

    fn draw(kept: Kept<Stored>) -> Self {
        Self { id: kept.id, sent: Self::sent(&kept), record: Recorded::from(&kept.record) }
    }

    fn sent(kept: &Kept<Stored>) -> GroupRequest {
        let Stored { description, selector, devices } = kept.body.clone();
        GroupRequest {
            organization: kept.organization.0,
            name: kept.name.clone(),
            description,
            selector,
            devices: devices.iter().map(|device| device.0).collect(),
        }
    }

    fn checked(sent: GroupRequest) -> Result<Checked<Stored>, Problem> {
        let mut faults = check_texts(&sent.name, &sent.description);
        if let Some(text) = &sent.selector {
            match Selector::parse(text) {
                Ok(_) if text.len() <= MAX_SELECTOR => {}
                Ok(_) => {
                    let message = format!("has at most {MAX_SELECTOR} characters");
                    faults.push(FieldError::body("selector", "too_long", message));
                }
                Err(error) => {
                    let message = error.to_string();
                    faults.push(FieldError::body("selector", "invalid_value", message));
                }
            }
        }
        if sent.devices.len() > MAX_DEVICES {
            let message = format!("names at most {MAX_DEVICES}; a selector means any number");
            faults.push(FieldError::body("devices", "too_long", message));
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let GroupRequest { organization, name, description, selector, devices } = sent;
        let devices = devices.into_iter().map(DeviceId).collect();
        let body = Stored { description, selector, devices };
        Ok(Checked { name, parent: Some(organization), body })
    }
}
