//! What one block holds of one series, whoever asks for it: ingest, which publishes it, and a
//! stream that goes on from the stored blocks.

use crate::fleet::DeviceId;
use crate::telemetry::{NoData, SeriesInfo};
use flyball_protocol::block::{Cell, Group};
use std::sync::Arc;

/// Samples in the order of their ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// The machine, or the equipment that the series belongs to.
    pub device: DeviceId,
    pub series: Arc<SeriesInfo>,
    pub samples: Vec<(u64, Result<f64, NoData>)>,
}

impl Sampled {
    /// Those of `cells` that were taken, at the ticks of their group.
    #[must_use]
    pub fn of(device: DeviceId, series: Arc<SeriesInfo>, group: &Group, cells: &[Cell]) -> Self {
        let samples = group
            .ticks_ms()
            .zip(cells)
            .filter_map(|(at_ms, cell)| match cell {
                Cell::Absent => None,
                Cell::NoData(reason) => Some((at_ms, Err(*reason))),
                Cell::Value(value) => Some((at_ms, Ok(*value))),
            })
            .collect();
        Self { device, series, samples }
    }
}
