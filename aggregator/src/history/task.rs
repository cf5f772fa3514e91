//! The background task, and what it tells of itself.

use super::budget::Usage;
use super::compactor::Pass;
use super::{History, HistoryError};
use crate::app::shutdown::Shutdown;
use crate::caches::CacheMeter;
use crate::metrics::Metrics;
use crate::store::Held;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use std::time::Duration;

/// How often the task looks what is due.
const EVERY: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct HistoryMetrics {
    pub segments: Gauge,
    pub segment_bytes: Gauge,
    pub used_bytes: Gauge,
    pub free_bytes: Gauge,
    /// 0 free, 1 tight, 2 full.
    pub room: Gauge,
    pub compacted_blocks: Counter,
    pub written_bytes: Counter,
    pub passes: Counter,
    pub failures: Counter,
    pub(super) tails: CacheMeter,
}

impl Default for HistoryMetrics {
    fn default() -> Self {
        Self {
            segments: Gauge::default(),
            segment_bytes: Gauge::default(),
            used_bytes: Gauge::default(),
            free_bytes: Gauge::default(),
            room: Gauge::default(),
            compacted_blocks: Counter::default(),
            written_bytes: Counter::default(),
            passes: Counter::default(),
            failures: Counter::default(),
            tails: CacheMeter::new("history_tails"),
        }
    }
}

impl HistoryMetrics {
    pub(super) fn register(&self, metrics: &Metrics) {
        metrics.register(|registry| {
            let mut gauge = |name: &str, help: &str, gauge: &Gauge| {
                registry.register(name, help, gauge.clone());
            };
            gauge("history_segments", "Segments in the object store", &self.segments);
            gauge("history_segment_bytes", "Bytes of the segments", &self.segment_bytes);
            gauge("history_used_bytes", "Bytes of database and local segments", &self.used_bytes);
            gauge("history_free_bytes", "Bytes that telemetry's disk has left", &self.free_bytes);
            gauge("history_room", "0 free, 1 tight, 2 full: blocks are refused", &self.room);
            let mut counter = |name: &str, help: &str, counter: &Counter| {
                registry.register(name, help, counter.clone());
            };
            counter(
                "history_compacted_blocks",
                "Blocks that went into segments",
                &self.compacted_blocks,
            );
            counter("history_written_bytes", "Bytes of segments written", &self.written_bytes);
            counter("history_passes", "Passes of the compactor", &self.passes);
            counter("history_failures", "Segments that could not be made", &self.failures);
        });
    }

    pub(super) fn published(&self, blocks: &[i64], bytes: usize) {
        self.compacted_blocks.inc_by(blocks.len() as u64);
        self.written_bytes.inc_by(bytes as u64);
    }

    pub(super) fn measured(&self, usage: &Usage, room: u8) {
        self.used_bytes.set(signed(usage.used_bytes));
        self.free_bytes.set(signed(usage.free_bytes));
        self.room.set(i64::from(room));
    }

    pub(super) fn held(&self, held: &Held) {
        self.segments.set(signed(held.segments));
        self.segment_bytes.set(signed(held.bytes));
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl History {
    /// Does what is due, again and again, until the shutdown.
    pub async fn run(self, shutdown: Shutdown) {
        let mut stop = shutdown.subscribe();
        // Agents send at once, and would do so for half a minute to a disk that is full.
        if let Err(error) = self.judge_room().await {
            self.failed(&error);
        }
        loop {
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            // A pass that is cut off by the end leaves everything as it was.
            tokio::select! {
                () = stop.wait() => return,
                done = self.pass() => match done {
                    Ok(pass) => self.tell(&pass),
                    Err(error) => self.failed(&error),
                },
            }
        }
    }

    fn failed(&self, error: &HistoryError) {
        self.metrics().failures.inc();
        let error = error as &dyn std::error::Error;
        tracing::warn!(error, "the history could not be kept");
    }

    fn tell(&self, pass: &Pass) {
        self.metrics().passes.inc();
        if *pass != Pass::default() {
            tracing::info!(?pass, "history kept");
        }
    }
}
