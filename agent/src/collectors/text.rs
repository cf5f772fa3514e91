//! Numbers out of the kernel's columns.

use super::Value;
use flyball_units::NoData;

/// A whole number, `Unparsable` where the column is missing or none.
pub(super) fn whole(column: Option<&str>) -> Result<u64, NoData> {
    column.and_then(|text| text.parse().ok()).ok_or(NoData::Unparsable)
}

/// A decimal number.
pub(super) fn decimal(column: Option<&str>) -> Value {
    column.and_then(|text| text.parse().ok()).ok_or(NoData::Unparsable)
}
