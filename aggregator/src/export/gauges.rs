//! How each export fares, for `/metrics`.

use crate::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    export: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Gauges {
    lag: Family<Labels, Gauge>,
    samples: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
    failures: Family<Labels, Counter>,
    unreadable: Family<Labels, Counter>,
}

impl Gauges {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let gauges = Self::default();
        metrics.register(|registry| {
            let g = &gauges;
            registry.register(
                "export_lag_blocks",
                "Block numbers between the newest block and the last one received",
                g.lag.clone(),
            );
            registry.register("export_samples", "Samples received", g.samples.clone());
            registry.register(
                "export_refused_samples",
                "Samples that the receiver refused for good",
                g.refused.clone(),
            );
            registry.register(
                "export_failures",
                "Requests that failed and were tried again",
                g.failures.clone(),
            );
            registry.register(
                "export_unreadable",
                "Blocks or columns that could not be read",
                g.unreadable.clone(),
            );
        });
        gauges
    }

    pub(super) fn lag(&self, export: &str, blocks: i64) {
        self.lag.get_or_create(&labels(export)).set(blocks);
    }

    pub(super) fn sent(&self, export: &str, samples: usize) {
        self.samples.get_or_create(&labels(export)).inc_by(samples as u64);
    }

    pub(super) fn refused(&self, export: &str, samples: usize) {
        self.refused.get_or_create(&labels(export)).inc_by(samples as u64);
    }

    pub(super) fn failed(&self, export: &str) {
        self.failures.get_or_create(&labels(export)).inc();
    }

    pub(super) fn unreadable(&self, export: &str, count: usize) {
        self.unreadable.get_or_create(&labels(export)).inc_by(count as u64);
    }
}

fn labels(export: &str) -> Labels {
    Labels { export: export.to_owned() }
}
