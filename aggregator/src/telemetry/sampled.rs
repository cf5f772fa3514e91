//! What one block holds of one series, whoever asks for it: ingest, which publishes it, and a
//! stream that goes on from the stored blocks.

use crate::fleet::DeviceId;
use crate::telemetry::{NoData, SeriesInfo};
use flyball_protocol::block::{Cell, Ticks};
use std::sync::Arc;

/// Samples in the order of their ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// The machine, or the equipment that the series belongs to.
    pub device: DeviceId,
    pub series: Arc<SeriesInfo>,
    pub samples: Vec<(u64, Result<f64, NoData>)>,
}

/// The newest sample of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Newest<'a> {
    pub device: DeviceId,
    pub series: &'a Arc<SeriesInfo>,
    pub at_ms: u64,
    pub value: Result<f64, NoData>,
}

impl Sampled {
    /// Those of `cells` that were taken, at the ticks of their group.
    #[must_use]
    pub fn of(device: DeviceId, series: Arc<SeriesInfo>, ticks: Ticks, cells: &[Cell]) -> Self {
        let samples = cells
            .iter()
            .enumerate()
            .filter_map(|(at, cell)| match cell {
                Cell::Absent => None,
                Cell::NoData(reason) => Some((ticks.at_ms(at), Err(*reason))),
                Cell::Value(value) => Some((ticks.at_ms(at), Ok(*value))),
            })
            .collect();
        Self { device, series, samples }
    }

    #[must_use]
    pub fn newest(&self) -> Option<Newest<'_>> {
        let &(at_ms, value) = self.samples.last()?;
        Some(Newest { device: self.device, series: &self.series, at_ms, value })
    }
}
