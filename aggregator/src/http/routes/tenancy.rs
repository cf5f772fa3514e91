//! Organizations, their places, groups of devices, and roles over a part of it all.

use crate::http::resources::entities::groups::Group;
use crate::http::resources::entities::locations::Location;
use crate::http::resources::entities::organizations::Organization;
use crate::http::resources::entities::sites::Site;
use crate::http::resources::entities::{
    Kind, create, delete, detail, list, patch, replace, restore,
};
use crate::http::resources::{devices, placements, role_bindings};
use crate::http::table::{Deprecated, Table};

pub(super) fn v1(table: Table) -> Table {
    let table = kind::<Organization>(table, "organizations", "an organization");
    let table = kind::<Site>(table, "sites", "a site");
    let table = kind::<Location>(table, "locations", "a building, room or rack");
    let table = kind::<Group>(table, "groups", "a group of devices");
    table
        .get("/api/v1/organizations/{id}/members", "Who has a role over it", role_bindings::members)
        .post(
            "/api/v1/organizations/{id}/members",
            "Give a role over it",
            role_bindings::add_member,
        )
        .delete(
            "/api/v1/organizations/{id}/members/{user}",
            "Take the role over it back",
            role_bindings::remove_member,
        )
        .get("/api/v1/locations/{id}/elevation", "What stands where", placements::elevation)
        .get("/api/v1/devices/{id}/location", "Where a device stands", placements::detail)
        .put("/api/v1/devices/{id}/location", "Place a device, and label it", placements::replace)
        .get("/api/v1/role-bindings", "Roles over one scope", role_bindings::list)
        .post("/api/v1/role-bindings", "Give a role over a scope", role_bindings::create)
        .delete("/api/v1/role-bindings/{id}", "Take a role back", role_bindings::delete)
        .deprecated_get(modules(), "/api/v1/modules", "Devices, by another name", devices::list)
        .deprecated_get(
            modules(),
            "/api/v1/modules/{id}",
            "A device, by another name",
            devices::detail,
        )
}

/// Devices were called modules where nothing but machines was meant.
const fn modules() -> Deprecated {
    Deprecated {
        since_s: 1_795_392_000,
        sunset: "Sat, 01 Jan 2028 00:00:00 GMT",
        successor: "/api/v1/devices",
    }
}

/// The routes that every kind has.
fn kind<K: Kind>(table: Table, plural: &str, one: &str) -> Table {
    let (all, each) = (K::PATH.to_owned(), format!("{}/{{id}}", K::PATH));
    let restored = format!("{each}/restore");
    table
        .get(&all, &format!("List {plural}"), list::<K>)
        .post(&all, &format!("Make {one}"), create::<K>)
        .get(&each, &format!("Look at {one}"), detail::<K>)
        .put(&each, &format!("Replace {one}"), replace::<K>)
        .patch(&each, &format!("Change {one}"), patch::<K>)
        .delete(&each, &format!("Delete {one}"), delete::<K>)
        .post(&restored, &format!("Bring {one} back"), restore::<K>)
}
