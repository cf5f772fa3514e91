//! The whole tenancy in memory: what lies within what. Everything about rights over a part of the
//! fleet comes down to [`Map::within`].

use crate::access::{GroupId, LocationId, OrganizationId, Scope, SiteId};
use crate::fleet::DeviceId;
use crate::telemetry::selector::Selector;
use crate::tenancy::{Group, Placement};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Locations that stand in one another, far more than buildings, rooms and racks.
const MAX_DEPTH: usize = 16;

/// Made whole from rows; never changed.
#[derive(Clone, Debug, Default)]
pub struct Map {
    organizations: HashSet<OrganizationId>,
    sites: HashMap<SiteId, OrganizationId>,
    /// A site or a location that each stands in.
    locations: HashMap<LocationId, Uuid>,
    groups: HashMap<GroupId, OrganizationId>,
    devices: HashMap<DeviceId, Place>,
}

/// Where one device belongs.
#[derive(Clone, Debug, Default)]
struct Place {
    /// Of equipment: whoever sees the machine that reads it sees it.
    gateway: Option<DeviceId>,
    organization: Option<OrganizationId>,
    site: Option<SiteId>,
    location: Option<LocationId>,
    groups: Vec<GroupId>,
    labels: Vec<(String, String)>,
}

/// What a map is made from.
#[derive(Debug, Default)]
pub struct Rows {
    pub organizations: Vec<OrganizationId>,
    pub sites: Vec<(SiteId, OrganizationId)>,
    pub locations: Vec<(LocationId, Uuid)>,
    pub groups: Vec<(GroupId, OrganizationId, Group)>,
    /// Each device, of equipment with its gateway.
    pub devices: Vec<(DeviceId, Option<DeviceId>)>,
    pub placements: HashMap<DeviceId, Placement>,
}

impl Map {
    #[must_use]
    pub fn of(rows: Rows) -> Self {
        let place = |placement: &Placement, gateway| Place {
            gateway,
            organization: placement.organization,
            site: placement.site,
            location: placement.location,
            groups: Vec::new(),
            labels: placement.body.labels.clone().into_iter().collect(),
        };
        let placed = |(device, gateway): (DeviceId, Option<DeviceId>)| {
            let own = rows.placements.get(&device);
            let bare = Place { gateway, ..Place::default() };
            (device, own.map_or(bare, |own| place(own, gateway)))
        };
        let mut map = Self {
            organizations: rows.organizations.into_iter().collect(),
            sites: rows.sites.into_iter().collect(),
            locations: rows.locations.into_iter().collect(),
            groups: HashMap::new(),
            devices: rows.devices.into_iter().map(placed).collect(),
        };
        for (id, organization, group) in &rows.groups {
            map.put(*id, *organization, group);
        }
        map
    }

    /// A group holds devices of its own organization, whatever it names.
    fn put(&mut self, id: GroupId, organization: OrganizationId, group: &Group) {
        self.groups.insert(id, organization);
        let selector = group.selector.as_deref().and_then(|text| Selector::parse(text).ok());
        let own: Vec<DeviceId> = self
            .devices
            .keys()
            .copied()
            .filter(|device| self.organization_of(Scope::Device(*device)) == Some(organization))
            .collect();
        for device in own {
            let Some(place) = self.devices.get_mut(&device) else { continue };
            let selected = selector.as_ref().is_some_and(|s| s.matches(&place.labels));
            if selected || group.devices.contains(&device) {
                place.groups.push(id);
            }
        }
    }

    /// Everything that `scope` lies within, itself first.
    #[must_use]
    pub fn within(&self, scope: Scope) -> Vec<Scope> {
        let mut found = Vec::new();
        self.climb(scope, &mut found);
        found
    }

    fn climb(&self, scope: Scope, found: &mut Vec<Scope>) {
        if found.len() > MAX_DEPTH || found.contains(&scope) {
            return;
        }
        found.push(scope);
        match scope {
            Scope::Organization(_) => {}
            Scope::Site(site) => {
                if let Some(organization) = self.sites.get(&site) {
                    self.climb(Scope::Organization(*organization), found);
                }
            }
            Scope::Location(location) => {
                if let Some(parent) = self.locations.get(&location) {
                    let parent = if self.sites.contains_key(&SiteId(*parent)) {
                        Scope::Site(SiteId(*parent))
                    } else {
                        Scope::Location(LocationId(*parent))
                    };
                    self.climb(parent, found);
                }
            }
            Scope::Group(group) => {
                if let Some(organization) = self.groups.get(&group) {
                    self.climb(Scope::Organization(*organization), found);
                }
            }
            Scope::Device(device) => {
                let Some(place) = self.devices.get(&device) else { return };
                let above = [
                    place.location.map(Scope::Location),
                    place.site.map(Scope::Site),
                    place.organization.map(Scope::Organization),
                    place.gateway.map(Scope::Device),
                ];
                let groups = place.groups.iter().copied().map(Scope::Group);
                for scope in above.into_iter().flatten().chain(groups) {
                    self.climb(scope, found);
                }
            }
        }
    }

    /// Whose it is; `None` where it is nobody's or not there.
    #[must_use]
    pub fn organization_of(&self, scope: Scope) -> Option<OrganizationId> {
        self.within(scope).into_iter().find_map(|scope| match scope {
            Scope::Organization(id) if self.organizations.contains(&id) => Some(id),
            _ => None,
        })
    }

    /// The site that a location stands in.
    #[must_use]
    pub fn site_of(&self, location: LocationId) -> Option<SiteId> {
        self.within(Scope::Location(location)).into_iter().find_map(|scope| match scope {
            Scope::Site(site) => Some(site),
            _ => None,
        })
    }

    /// Lies `target` within any of `scopes`?
    #[must_use]
    pub fn is_within(&self, target: Scope, mut scopes: impl Iterator<Item = Scope>) -> bool {
        let within = self.within(target);
        scopes.any(|scope| within.contains(&scope))
    }

    /// Lies `target` within any of `scopes`, or one of them within it? Whoever sees a rack sees
    /// what the room around it is called.
    #[must_use]
    pub fn is_near(&self, target: Scope, scopes: impl Iterator<Item = Scope> + Clone) -> bool {
        self.is_within(target, scopes.clone())
            || scopes.into_iter().any(|scope| self.within(scope).contains(&target))
    }

    /// The sites, locations, groups or organizations that are near any of `scopes`, by the word of
    /// their kind.
    #[must_use]
    pub fn near(&self, kind: &str, scopes: &[Scope]) -> HashSet<Uuid> {
        let all: Vec<Scope> = match kind {
            "organization" => self.organizations.iter().copied().map(Scope::Organization).collect(),
            "site" => self.sites.keys().copied().map(Scope::Site).collect(),
            "location" => self.locations.keys().copied().map(Scope::Location).collect(),
            "group" => self.groups.keys().copied().map(Scope::Group).collect(),
            _ => Vec::new(),
        };
        let around: HashSet<Scope> = scopes.iter().flat_map(|scope| self.within(*scope)).collect();
        let near = |scope: &Scope| {
            around.contains(scope) || self.is_within(*scope, scopes.iter().copied())
        };
        all.into_iter().filter(near).map(Scope::id).collect()
    }

    /// Every device within any of `scopes`.
    #[must_use]
    pub fn devices_within(&self, scopes: impl Iterator<Item = Scope>) -> HashSet<DeviceId> {
        let scopes: HashSet<Scope> = scopes.collect();
        if scopes.is_empty() {
            return HashSet::new();
        }
        let held = |device: &DeviceId| {
            self.within(Scope::Device(*device)).iter().any(|scope| scopes.contains(scope))
        };
        self.devices.keys().copied().filter(held).collect()
    }

    /// Every device whose labels are as `selector` says.
    #[must_use]
    pub fn labelled(&self, selector: &Selector) -> HashSet<DeviceId> {
        let meant = self.devices.iter().filter(|(_, place)| selector.matches(&place.labels));
        meant.map(|(device, _)| *device).collect()
    }

    /// What people have called a device.
    #[must_use]
    pub fn labels(&self, device: DeviceId) -> &[(String, String)] {
        self.devices.get(&device).map_or(&[], |place| &place.labels)
    }

    /// Is there such a thing?
    #[must_use]
    pub fn holds(&self, scope: Scope) -> bool {
        match scope {
            Scope::Organization(id) => self.organizations.contains(&id),
            Scope::Site(id) => self.sites.contains_key(&id),
            Scope::Location(id) => self.locations.contains_key(&id),
            Scope::Group(id) => self.groups.contains_key(&id),
            Scope::Device(id) => self.devices.contains_key(&id),
        }
    }
}

#[cfg(test)]
mod tests;
