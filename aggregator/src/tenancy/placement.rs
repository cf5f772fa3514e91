//! Where one device belongs and stands.

use crate::access::{LocationId, OrganizationId, SiteId};
use crate::fleet::DeviceId;
use crate::record::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What somebody said of a device's place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    pub organization: Option<OrganizationId>,
    pub site: Option<SiteId>,
    pub location: Option<LocationId>,
    pub body: Body,
}

/// What of a placement nothing else refers to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// The lowest unit that it takes in its rack, from 1.
    pub unit: Option<u32>,
    pub height_units: Option<u32>,
    /// What its plate says that it draws at most.
    pub watts: Option<f64>,
    pub kilograms: Option<f64>,
    /// Chosen by people; selectors and groups go by them.
    pub labels: BTreeMap<String, String>,
}

impl Body {
    /// The units that it takes, the first and the last.
    #[must_use]
    pub fn units(&self) -> Option<(u32, u32)> {
        let first = self.unit?;
        Some((first, first.saturating_add(self.height_units.unwrap_or(1).max(1) - 1)))
    }
}

/// A device's placement as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub device: DeviceId,
    pub placement: Placement,
    pub record: Record,
}

/// Do the two stand in each other's way?
#[must_use]
pub fn overlap(one: &Body, other: &Body) -> bool {
    match (one.units(), other.units()) {
        (Some((from, to)), Some((other_from, other_to))) => from <= other_to && other_from <= to,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(unit: u32, height_units: u32) -> Body {
        Body { unit: Some(unit), height_units: Some(height_units), ..Body::default() }
    }

    #[test]
    fn two_devices_overlap_where_they_share_a_unit() {
        assert!(overlap(&at(1, 4), &at(4, 1)));
        assert!(!overlap(&at(1, 3), &at(4, 1)));
        assert!(!overlap(&at(1, 3), &Body::default()));
        assert_eq!(at(u32::MAX, 9).units(), Some((u32::MAX, u32::MAX)));
    }
}
