//! Equipment: what a machine manages on behalf of others, as a device of its own.
//!
//! A piece of equipment has no agent and no guard: its gateway reads it, and commands for it are
//! signed for the gateway. Its id follows from the gateway's id and its name in the guard's file,
//! so that it is the same over restarts, databases and aggregators.

use crate::fleet::DeviceId;
pub use flyball_protocol::guard::{Equipment as Reported, EquipmentKind, EquipmentState};
use ring::digest;

/// Pieces of equipment that one gateway may have; what it reports beyond is passed over.
pub const MAX_EQUIPMENT: usize = 256;
/// Of a name or any other text of it.
const MAX_TEXT_BYTES: usize = 512;

/// One piece of equipment as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equipment {
    pub id: DeviceId,
    pub gateway: DeviceId,
    /// What the gateway said of it last.
    pub reported: Reported,
    pub created_at_ms: u64,
    pub updated_at_ms: u64,
    /// Its gateway names it no longer since then.
    pub removed_at_ms: Option<u64>,
}

/// The id of the equipment that `gateway` calls `key`: UUID version 5 in the gateway's namespace.
#[must_use]
pub fn equipment_id(gateway: DeviceId, key: &str) -> DeviceId {
    let name = [gateway.0.as_bytes().as_slice(), key.as_bytes()].concat();
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &name);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    DeviceId(uuid::Builder::from_sha1_bytes(bytes).into_uuid())
}

/// The kind of a word of the API.
#[must_use]
pub fn kind_from_name(name: &str) -> Option<EquipmentKind> {
    [
        EquipmentKind::Bmc,
        EquipmentKind::Pdu,
        EquipmentKind::Ups,
        EquipmentKind::Cooling,
        EquipmentKind::Sensor,
        EquipmentKind::Gpu,
    ]
    .into_iter()
    .find(|kind| kind.name() == name)
}

/// What of a report can be kept: each name once, within the bounds.
pub(crate) fn keepable(reported: &[Reported]) -> Vec<&Reported> {
    let mut kept: Vec<&Reported> = Vec::new();
    for one in reported {
        let texts = [&one.vendor, &one.model, &one.serial, &one.firmware];
        let longest = texts.iter().filter_map(|text| text.as_ref().map(String::len)).max();
        let fits = !one.key.is_empty()
            && !one.key.contains('/')
            && [one.key.len(), one.driver.len(), one.address.len(), longest.unwrap_or(0)]
                .into_iter()
                .all(|bytes| bytes <= MAX_TEXT_BYTES);
        if kept.len() < MAX_EQUIPMENT && fits && kept.iter().all(|other| other.key != one.key) {
            kept.push(one);
        }
    }
    kept
}

impl Equipment {
    /// Does it answer, as far as its gateway knows?
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.removed_at_ms.is_none() && self.reported.state == EquipmentState::Connected
    }
}

/// Where an equipment's key stands in the name of a thing: `pdu-1` in `pdu-1/outlet-4`.
#[must_use]
pub fn belongs_to(name: &str, key: &str) -> bool {
    name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A device id of nobody, to compare with.
#[cfg(test)]
pub(crate) const NOBODY: DeviceId = DeviceId(uuid::Uuid::nil());

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(key: &str) -> Reported {
        Reported {
            key: key.into(),
            kind: EquipmentKind::Bmc,
            driver: "redfish".into(),
            vendor: None,
            model: None,
            serial: None,
            firmware: None,
            address: "https://192.0.2.1".into(),
            state: EquipmentState::Connected,
        }
    }

    #[test]
    fn an_id_is_the_version_5_uuid_of_the_name_in_the_gateways_namespace() {
        // RFC 9562, appendix A.4: www.example.com in the namespace of DNS names.
        let dns = DeviceId("6ba7b810-9dad-11d1-80b4-00c04fd430c8".parse().unwrap());
        let id = equipment_id(dns, "www.example.com");
        assert_eq!(id.to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
        assert_ne!(equipment_id(NOBODY, "a"), equipment_id(NOBODY, "b"));
    }

    #[test]
    fn a_report_is_kept_within_its_bounds_and_each_name_once() {
        let long = "k".repeat(MAX_TEXT_BYTES + 1);
        let mut list = vec![reported("a"), reported("a"), reported(""), reported("a/b")];
        list.push(reported(&long));
        assert_eq!(keepable(&list).len(), 1);
        let many: Vec<_> = (0..1000).map(|number| reported(&format!("e-{number}"))).collect();
        assert_eq!(keepable(&many).len(), MAX_EQUIPMENT);
    }

    #[test]
    fn a_name_belongs_to_the_equipment_whose_key_it_begins_with() {
        for (name, belongs) in [
            ("pdu-1", true),
            ("pdu-1/outlet-4", true),
            ("pdu-10/outlet-4", false),
            ("host/power", false),
            ("", false),
        ] {
            assert_eq!(belongs_to(name, "pdu-1"), belongs, "{name}");
        }
    }
}
