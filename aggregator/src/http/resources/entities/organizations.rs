//! Tenants.

use super::{Checked, FIELDS, Kind, check_texts, entities};
use crate::http::error::Problem;
use crate::http::listing::Listable;
use crate::http::record::Recorded;
use crate::http::reply::{Flat, Resource};
use crate::listing::List;
use crate::tenancy::{Kept, Organization as Stored};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Organization {
    id: Uuid,
    #[serde(flatten)]
    sent: OrganizationRequest,
    #[serde(flatten)]
    record: Recorded,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganizationRequest {
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
}

impl Resource for Organization {
    const FLAT: Flat = Flat::named("organization", "organizations");
}

impl Listable for Organization {
    const LIST: List = entities(&FIELDS);
}

impl Kind for Organization {
    type Entity = Stored;
    type Sent = OrganizationRequest;
    const PATH: &'static str = "/api/v1/organizations";
    const PARENT_FIELD: &'static str = "organization";

    fn draw(kept: Kept<Stored>) -> Self {
        Self { id: kept.id, sent: Self::sent(&kept), record: Recorded::from(&kept.record) }
    }

    fn sent(kept: &Kept<Stored>) -> OrganizationRequest {
        let (name, description) = (kept.name.clone(), kept.body.description.clone());
        OrganizationRequest { name, description }
    }

    fn checked(sent: OrganizationRequest) -> Result<Checked<Stored>, Problem> {
        let OrganizationRequest { name, description } = sent;
        let faults = check_texts(&name, &description);
        if faults.is_empty() {
            Ok(Checked { name, parent: None, body: Stored { description } })
        } else {
            Err(Problem::invalid(faults))
        }
    }
}
