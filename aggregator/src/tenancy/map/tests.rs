use super::*;
use crate::tenancy::placement::Body;
use std::collections::BTreeMap;

const A: OrganizationId = OrganizationId(Uuid::from_u128(0xa));
const B: OrganizationId = OrganizationId(Uuid::from_u128(0xb));
const HALL: SiteId = SiteId(Uuid::from_u128(0x1a));
const ROOM: LocationId = LocationId(Uuid::from_u128(0x2a));
const RACK: LocationId = LocationId(Uuid::from_u128(0x3a));
const HOT: GroupId = GroupId(Uuid::from_u128(0x4a));
const RACKED: DeviceId = DeviceId(Uuid::from_u128(1));
const FOREIGN: DeviceId = DeviceId(Uuid::from_u128(2));
const PDU: DeviceId = DeviceId(Uuid::from_u128(3));
const NEW: DeviceId = DeviceId(Uuid::from_u128(4));

fn placement(organization: OrganizationId, labels: &[(&str, &str)]) -> Placement {
    let labels: BTreeMap<_, _> =
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Placement {
        organization: Some(organization),
        body: Body { labels, ..Body::default() },
        ..Placement::default()
    }
}

/// A has a hall with a room with a rack, in which a machine stands that has a PDU; B has another
/// machine of the same label; one has just enrolled.
fn map() -> Map {
    let racked =
        Placement { site: Some(HALL), location: Some(RACK), ..placement(A, &[("tier", "hot")]) };
    let group = Group {
        description: String::new(),
        selector: Some("tier=hot".into()),
        devices: vec![FOREIGN],
    };
    Map::of(Rows {
        organizations: vec![A, B],
        sites: vec![(HALL, A)],
        locations: vec![(ROOM, HALL.0), (RACK, ROOM.0)],
        groups: vec![(HOT, A, group)],
        devices: vec![(RACKED, None), (FOREIGN, None), (PDU, Some(RACKED)), (NEW, None)],
        placements: [(RACKED, racked), (FOREIGN, placement(B, &[("tier", "hot")]))].into(),
    })
}

#[test]
fn a_device_lies_in_all_that_stands_around_it() {
    let within = map().within(Scope::Device(RACKED));
    let around = [
        Scope::Location(RACK),
        Scope::Location(ROOM),
        Scope::Site(HALL),
        Scope::Organization(A),
        Scope::Group(HOT),
    ];
    for scope in around {
        assert!(within.contains(&scope), "{scope:?}");
    }
    assert_eq!(within.len(), 6);
}

#[test]
fn equipment_lies_within_its_gateway_and_a_new_machine_nowhere() {
    let map = map();
    let seen = map.devices_within([Scope::Location(ROOM)].into_iter());
    assert_eq!(seen, [RACKED, PDU].into());
    assert_eq!(map.organization_of(Scope::Device(NEW)), None);
    assert_eq!(map.devices_within(std::iter::empty()), HashSet::new());
}

#[test]
fn a_group_holds_no_device_of_another_organization() {
    let seen = map().devices_within([Scope::Group(HOT)].into_iter());
    assert_eq!(seen, [RACKED, PDU].into());
}

#[test]
fn whoever_sees_a_rack_sees_what_is_around_it_and_not_what_is_beside_it() {
    let map = map();
    let rack = [Scope::Location(RACK)].into_iter();
    assert!(map.is_near(Scope::Site(HALL), rack.clone()));
    assert!(!map.is_within(Scope::Site(HALL), rack.clone()));
    assert!(!map.is_near(Scope::Organization(B), rack));
    assert_eq!(map.site_of(RACK), Some(HALL));
}

#[test]
fn locations_that_stand_in_each_other_end() {
    let map = Map::of(Rows { locations: vec![(ROOM, RACK.0), (RACK, ROOM.0)], ..Rows::default() });
    assert_eq!(map.within(Scope::Location(ROOM)).len(), 2);
}
