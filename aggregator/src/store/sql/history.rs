//! What the history keeps in the database.
//!
//! A block and a segment that holds its samples never stand beside each other: one transaction
//! makes the segment's row and removes what went into it, or does neither.

mod erasure;
mod leases;
mod mark;
mod objects;
mod past_blocks;
mod publication;
mod retention;
mod room;
mod segments;

pub(crate) use past_blocks::PastBlock;
pub(crate) use publication::Published;
pub(crate) use room::Held;

use crate::fleet::DeviceId;
use crate::history::Window;
use crate::store::StoreError;
use crate::store::sql::{Row, unsigned, word};
use sqlx::Row as _;

/// The span of `window_ms` that a row names by its device and number.
fn window(row: &Row, window_ms: u64) -> Result<Window, StoreError> {
    let number = unsigned(row.try_get("number")?);
    Ok(Window {
        device: device(row)?,
        from_ms: number.saturating_mul(window_ms),
        to_ms: number.saturating_add(1).saturating_mul(window_ms),
    })
}

fn device(row: &Row) -> Result<DeviceId, StoreError> {
    let device: String = row.try_get("device")?;
    word("device", &device, |id| id.parse().ok())
}
