//! Places of an organization that have an address.

use super::{Checked, FIELDS, Kind, MAX_TEXT, check_texts, entities};
use crate::http::error::{FieldError, Problem};
use crate::http::listing::Listable;
use crate::http::record::Recorded;
use crate::http::reply::{Flat, Resource};
use crate::listing::List;
use crate::tenancy::{Kept, Site as Stored};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Site {
    id: Uuid,
    #[serde(flatten)]
    sent: SiteRequest,
    #[serde(flatten)]
    record: Recorded,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SiteRequest {
    organization: Uuid,
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
    #[serde(default)]
    #[schema(max_length = 1024)]
    address: String,
    /// IANA's name of its time zone; `UTC` where absent.
    #[serde(default = "utc")]
    timezone: String,
    /// Degrees north, WGS 84; both or neither.
    #[serde(default)]
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Degrees east.
    #[serde(default)]
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
}

fn utc() -> String {
    "UTC".into()
}

impl Resource for Site {
    const FLAT: Flat = Flat::named("site", "sites");
}

impl Listable for Site {
    const LIST: List = entities(&FIELDS);
}

impl Kind for Site {
    type Entity = Stored;
    type Sent = SiteRequest;
    const PATH: &'static str = "/api/v1/sites";
    const PARENT_FIELD: &'static str = "organization";

    fn draw(kept: Kept<Stored>) -> Self {
        Self { id: kept.id, sent: Self::sent(&kept), record: Recorded::from(&kept.record) }
    }

    fn sent(kept: &Kept<Stored>) -> SiteRequest {
        let body = kept.body.clone();
        SiteRequest {
            organization: kept.organization.0,
            name: kept.name.clone(),
            description: body.description,
            address: body.address,
            timezone: body.timezone,
            latitude: body.position.map(|(latitude, _)| latitude),
            longitude: body.position.map(|(_, longitude)| longitude),
        }
    }

    fn checked(sent: SiteRequest) -> Result<Checked<Stored>, Problem> {
        let mut faults = check_texts(&sent.name, &sent.description);
        if sent.address.chars().count() > MAX_TEXT {
            let message = format!("has at most {MAX_TEXT} characters");
            faults.push(FieldError::body("address", "too_long", message));
        }
        if !is_zone(&sent.timezone) {
            let message = "is no name of a time zone, such as Europe/Berlin or UTC";
            faults.push(FieldError::body("timezone", "invalid_value", message));
        }
        let position = match (sent.latitude, sent.longitude) {
            (None, None) => None,
            (Some(north), Some(east)) if north.abs() <= 90.0 && east.abs() <= 180.0 => {
                Some((north, east))
            }
            (_, _) => {
                let message = "is -90 to 90 with a longitude of -180 to 180, or both are absent";
                faults.push(FieldError::body("latitude", "out_of_range", message));
                None
            }
        };
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let SiteRequest { description, address, timezone, .. } = sent;
        let body = Stored { description, address, timezone, position };
        Ok(Checked { name: sent.name, parent: Some(sent.organization), body })
    }
}

/// The form of a name of the time zone database; which ones there are, each reader's library knows.
fn is_zone(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
    };
    text.len() <= 64 && text.split('/').all(part)
}
