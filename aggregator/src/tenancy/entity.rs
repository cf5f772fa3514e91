//! Organizations, sites, locations and groups, each with what is its own.

use crate::access::{OrganizationId, Scope};
use crate::fleet::DeviceId;
use crate::record::Record;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One kind of what a role can be bound to.
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The word of the API and of the store.
    const KIND: &'static str;
    /// Where it hangs below another of this tenancy.
    const HAS_PARENT: bool;
}

/// A stored entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<T> {
    pub id: Uuid,
    /// Of an organization: itself.
    pub organization: OrganizationId,
    /// A site's and a group's organization; a location's site or location.
    pub parent: Option<Uuid>,
    pub name: String,
    pub body: T,
    pub record: Record,
}

impl<T: Entity> Kept<T> {
    /// What a role over it is bound to.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        Scope::parse(T::KIND, self.id)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    pub description: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    pub description: String,
    pub address: String,
    /// IANA's name.
    pub timezone: String,
    /// Degrees, WGS 84.
    pub position: Option<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocationKind {
    Building,
    Room,
    Rack,
}

/// A place, and what it can hold; a capacity is absent where nobody said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    pub kind: LocationKind,
    /// Rack units of 44.45 mm, counted from the bottom.
    pub units: Option<u32>,
    pub watts: Option<f64>,
    pub kilograms: Option<f64>,
    pub cooling_watts: Option<f64>,
}

/// Devices by name, and those that a selector over their labels means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub description: String,
    pub selector: Option<String>,
    pub devices: Vec<DeviceId>,
}

impl Entity for Organization {
    const KIND: &'static str = "organization";
    const HAS_PARENT: bool = false;
}

impl Entity for Site {
    const KIND: &'static str = "site";
    const HAS_PARENT: bool = true;
}

impl Entity for Location {
    const KIND: &'static str = "location";
    const HAS_PARENT: bool = true;
}

impl Entity for Group {
    const KIND: &'static str = "group";
    const HAS_PARENT: bool = true;
}
