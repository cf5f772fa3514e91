//! What one block brings: the newest sample of every series, and every sample for those who
//! follow each. The latter are made after the commit and only where somebody does: of most blocks
//! nobody takes more than the newest.

use crate::fleet::DeviceId;
use crate::ingest::numbers::{Known, Numbers};
use crate::telemetry::{Newest, NoData, Sampled};
use flyball_protocol::block::{BlockError, Cell, Outline};
use flyball_protocol::series::SeriesRef;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    numbers: Arc<Numbers>,
    newest: Vec<(SeriesRef, u64, Result<f64, NoData>)>,
    samples: u64,
}

impl Measured {
    /// Decodes the whole block, and with it verifies it.
    pub(super) fn read(
        numbers: Arc<Numbers>,
        outline: &Outline,
        block: &[u8],
    ) -> Result<Self, BlockError> {
        let (mut newest, mut samples) = (Vec::new(), 0);
        outline.for_each_column(block, |ticks, series, cells| {
            let taken = cells.iter().filter(|cell| !matches!(cell, Cell::Absent)).count();
            samples += taken as u64;
            let readings = cells.iter().enumerate().rev();
            newest.extend(
                readings
                    .filter_map(|(at, cell)| match cell {
                        Cell::Absent => None,
                        Cell::NoData(reason) => Some((series, ticks.at_ms(at), Err(*reason))),
                        Cell::Value(value) => Some((series, ticks.at_ms(at), Ok(*value))),
                    })
                    .next(),
            );
        })?;
        Ok(Self { numbers, newest, samples })
    }

    pub(super) const fn samples(&self) -> u64 {
        self.samples
    }

    pub(super) fn newest(&self) -> impl Iterator<Item = Newest<'_>> {
        self.newest.iter().filter_map(|&(number, at_ms, value)| {
            let Known { device, series } = self.numbers.get(number)?;
            Some(Newest { device: *device, series, at_ms, value })
        })
    }

    /// The machine and the equipment that it read.
    pub(super) fn devices(&self) -> BTreeSet<DeviceId> {
        self.newest().map(|newest| newest.device).collect()
    }

    /// Every sample of `devices`, out of the block that this was read from.
    pub(super) fn sampled(
        &self,
        block: &[u8],
        devices: &BTreeSet<DeviceId>,
    ) -> Result<BTreeMap<DeviceId, Vec<Sampled>>, BlockError> {
        let mut sampled: BTreeMap<DeviceId, Vec<Sampled>> = BTreeMap::new();
        Outline::read(block)?.for_each_column(block, |ticks, number, cells| {
            let Some(Known { device, series }) = self.numbers.get(number) else { return };
            if devices.contains(device) {
                let of_series = Sampled::of(*device, Arc::clone(series), ticks, cells);
                sampled.entry(*device).or_default().push(of_series);
            }
        })?;
        Ok(sampled)
    }
}
