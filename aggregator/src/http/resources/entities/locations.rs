//! Buildings, rooms and racks.

use super::{Checked, FIELDS, Kind, check_texts, entities};
use crate::http::error::{FieldError, Problem};
use crate::http::listing::Listable;
use crate::http::record::Recorded;
use crate::http::reply::{Flat, Resource};
use crate::listing::{Field, Kind as Word, List};
use crate::tenancy::{Kept, Location as Stored, LocationKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Rack units of the tallest rack.
const MAX_UNITS: u32 = 100;
const MAX_CAPACITY: f64 = 1e9;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Location {
    id: Uuid,
    organization: Uuid,
    #[serde(flatten)]
    sent: LocationRequest,
    #[serde(flatten)]
    record: Recorded,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocationRequest {
    /// The site or the location that it stands in.
    parent: Uuid,
    kind: KindWord,
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// Of a rack: its units of 44.45 mm.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    units: Option<u32>,
    /// What its feed takes.
    #[serde(default)]
    #[schema(minimum = 0)]
    watts: Option<f64>,
    /// What it bears.
    #[serde(default)]
    #[schema(minimum = 0)]
    kilograms: Option<f64>,
    /// What its cooling carries away.
    #[serde(default)]
    #[schema(minimum = 0)]
    cooling_watts: Option<f64>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum KindWord {
    Building,
    Room,
    Rack,
}

impl Resource for Location {
    const FLAT: Flat = Flat::named("location", "locations");
}

const LOCATIONS: [Field; 10] = {
    let [name, organization, parent, created, by, updated, updater, id, deleted] = FIELDS;
    let kind = Field::new("kind", Word::OneOf(&["building", "room", "rack"]));
    [name, kind, organization, parent, created, by, updated, updater, id, deleted]
};

impl Listable for Location {
    const LIST: List = entities(&LOCATIONS);
}

impl Kind for Location {
    type Entity = Stored;
    type Sent = LocationRequest;
    const PATH: &'static str = "/api/v1/locations";
    const PARENT_FIELD: &'static str = "parent";

    fn draw(kept: Kept<Stored>) -> Self {
        Self {
            id: kept.id,
            organization: kept.organization.0,
            sent: Self::sent(&kept),
            record: Recorded::from(&kept.record),
        }
    }

    fn sent(kept: &Kept<Stored>) -> LocationRequest {
        let Stored { kind, units, watts, kilograms, cooling_watts } = kept.body;
        LocationRequest {
            // Every location has one.
            parent: kept.parent.unwrap_or_default(),
            kind: match kind {
                LocationKind::Building => KindWord::Building,
                LocationKind::Room => KindWord::Room,
                LocationKind::Rack => KindWord::Rack,
            },
            name: kept.name.clone(),
            units,
            watts,
            kilograms,
            cooling_watts,
        }
    }

    fn checked(sent: LocationRequest) -> Result<Checked<Stored>, Problem> {
        let mut faults = check_texts(&sent.name, "");
        let kind = match sent.kind {
            KindWord::Building => LocationKind::Building,
            KindWord::Room => LocationKind::Room,
            KindWord::Rack => LocationKind::Rack,
        };
        if sent
            .units
            .is_some_and(|units| kind != LocationKind::Rack || !(1..=MAX_UNITS).contains(&units))
        {
            let message = format!("is 1 to {MAX_UNITS}, of a rack alone");
            faults.push(FieldError::body("units", "out_of_range", message));
        }
        let capacities = [
            ("watts", sent.watts),
            ("kilograms", sent.kilograms),
            ("cooling_watts", sent.cooling_watts),
        ];
        for (field, capacity) in capacities {
            if capacity.is_some_and(|capacity| !(0.0..=MAX_CAPACITY).contains(&capacity)) {
                faults.push(FieldError::body(field, "out_of_range", "is 0 or more"));
            }
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let LocationRequest { units, watts, kilograms, cooling_watts, .. } = sent;
        let body = Stored { kind, units, watts, kilograms, cooling_watts };
        Ok(Checked { name: sent.name, parent: Some(sent.parent), body })
    }
}

impl Location {
    pub(crate) const fn units(&self) -> Option<u32> {
        self.sent.units
    }

    pub(crate) const fn watts(&self) -> Option<f64> {
        self.sent.watts
    }

    pub(crate) const fn kilograms(&self) -> Option<f64> {
        self.sent.kilograms
    }

    pub(crate) const fn cooling_watts(&self) -> Option<f64> {
        self.sent.cooling_watts
    }
}
