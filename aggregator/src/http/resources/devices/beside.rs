//! What a list of devices can show beside it: where they belong and stand. One question each, for
//! all of them.

use super::Device;
use crate::access::{Caller, Right, Scope};
use crate::fleet::DeviceId;
use crate::http::Api;
use crate::http::error::Problem;
use crate::http::reply::{Many, Schemas};
use crate::http::resources::placements::{DeviceLocation, drawn};
use crate::listing::Listing;
use crate::tenancy::Placed;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const KINDS: [&str; 4] = ["placement", "organization", "site", "location"];

/// Something that has a name, in short.
#[derive(Debug, Serialize, ToSchema)]
struct Named {
    id: Uuid,
    name: String,
}

pub(super) fn schema(schemas: &mut Schemas) -> Map<String, Value> {
    let placements = schemas.reference::<DeviceLocation>();
    let named = schemas.reference::<Named>();
    let mut kinds = Map::new();
    kinds.insert("placements".into(), json!({ "type": "array", "items": placements }));
    for kind in ["organizations", "sites", "locations"] {
        kinds.insert(kind.into(), json!({ "type": "array", "items": named }));
    }
    kinds
}

/// Puts beside `many`, the list of `devices`, what was asked for.
pub(super) async fn include(
    api: &Api,
    caller: &Caller,
    listing: &Listing,
    devices: &[DeviceId],
    mut many: Many<Device>,
) -> Result<Many<Device>, Problem> {
    if listing.include.is_empty() {
        return Ok(many);
    }
    let placed = api.app.store.placements_of(devices).await.map_err(Problem::internal)?;
    let scopes = |of: fn(&Placed) -> Option<Scope>| -> HashSet<Scope> {
        placed.iter().filter_map(of).collect()
    };
    let kinds = [
        (
            "organization",
            "organizations",
            scopes(|one| one.placement.organization.map(Scope::Organization)),
        ),
        ("site", "sites", scopes(|one| one.placement.site.map(Scope::Site))),
        ("location", "locations", scopes(|one| one.placement.location.map(Scope::Location))),
    ];
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    for (kind, plural, scopes) in kinds {
        if !listing.includes(kind) {
            continue;
        }
        let (all, grants) = (caller.grants.everywhere(Right::Read), &caller.grants);
        let seen = scopes
            .into_iter()
            .filter(|scope| all || map.is_near(*scope, grants.scopes(Right::Read)));
        let ids: Vec<Uuid> = seen.map(Scope::id).collect();
        let names = api.app.store.names_of(&ids).await.map_err(Problem::internal)?;
        let names = names.into_iter().map(|(id, name)| json!(Named { id, name }));
        many = many.include(plural, names.collect());
    }
    if listing.includes("placement") {
        let drawn = placed.into_iter().map(|placed| json!(drawn(placed.device.0, Some(placed))));
        many = many.include("placements", drawn.collect());
    }
    Ok(many)
}
