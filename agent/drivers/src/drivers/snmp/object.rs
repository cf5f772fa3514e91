//! Object identifiers: where something lies in a device's tree.

use std::fmt;

/// No identifier of a device is longer (RFC 3416, 4.1: 128).
const MAX_PARTS: usize = 128;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectId(Vec<u64>);

impl ObjectId {
    /// `1.3.6.1.2.1.33.1.2.4.0`, with or without a leading dot.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts = text.strip_prefix('.').unwrap_or(text).split('.');
        let parts: Option<Vec<u64>> = parts.map(|part| part.parse().ok()).collect();
        Self::of(parts?)
    }

    fn of(parts: Vec<u64>) -> Option<Self> {
        let whole = (2..=MAX_PARTS).contains(&parts.len()) && parts[0] <= 2 && parts[1] < 40;
        let small = parts.iter().all(|part| *part <= u64::from(u32::MAX));
        (whole && small).then_some(Self(parts))
    }

    pub(super) fn from_wire(oid: &snmp2::Oid<'_>) -> Option<Self> {
        Self::of(oid.iter()?.collect())
    }

    pub(super) fn to_wire(&self) -> Option<snmp2::Oid<'static>> {
        snmp2::Oid::from(&self.0).ok()
    }

    /// This identifier with `parts` behind it.
    pub(super) fn with(&self, parts: &[u64]) -> Self {
        let mut longer = self.0.clone();
        longer.extend(parts);
        Self(longer)
    }

    /// What stands behind `prefix`; `None` where it is not below it.
    pub(super) fn below(&self, prefix: &Self) -> Option<&[u64]> {
        self.0.strip_prefix(prefix.0.as_slice()).filter(|rest| !rest.is_empty())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_survive_the_wire() {
        for text in ["1.3.6.1.2.1.33.1.2.4.0", "1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.24"] {
            let id = ObjectId::parse(text).unwrap();
            assert_eq!(id.to_string(), text);
            assert_eq!(ObjectId::from_wire(&id.to_wire().unwrap()), Some(id));
        }
        for text in ["", "1", "3.1", "1.40", "1.3.x", "1.3.4294967296", "1..3"] {
            assert_eq!(ObjectId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_below_is_told_from_what_is_beside() {
        let table = ObjectId::parse("1.3.6.1").unwrap();
        assert_eq!(ObjectId::parse("1.3.6.1.5.2").unwrap().below(&table), Some(&[5, 2][..]));
        assert_eq!(ObjectId::parse("1.3.6.10").unwrap().below(&table), None);
        assert_eq!(table.below(&table), None);
    }
}
