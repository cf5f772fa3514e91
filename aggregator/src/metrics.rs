//! The process's own counters, for `/metrics` beside the fleet's latest values.

use crate::caches::Caches;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Why a connection or a message was refused, by its metric label.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RefusalLabels {
    pub reason: &'static str,
}

/// A request as OpenTelemetry's conventions tell it from others; the status by its class.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct HttpLabels {
    pub http_request_method: &'static str,
    /// The template of the route.
    pub http_route: String,
    pub http_response_status_class: &'static str,
}

/// The bounds that OpenTelemetry's conventions advise, in seconds.
const DURATIONS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Counters that the tasks bump; the registry is for exposition and further registrations.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    /// Metrics with names of OpenTelemetry's, which have no prefix of ours.
    conventional: Arc<Mutex<Registry>>,
    pub http_requests: Family<HttpLabels, Histogram, fn() -> Histogram>,
    pub connections: Gauge,
    pub refusals: Family<RefusalLabels, Counter>,
    pub entries_committed: Counter,
    pub entries_repeated: Counter,
    pub entries_quarantined: Family<RefusalLabels, Counter>,
    pub commits: Counter,
    pub block_bytes: Counter,
    pub samples: Counter,
    pub(crate) caches: Caches,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let metrics = Self {
            registry: Arc::new(Mutex::new(Registry::with_prefix("flyball"))),
            conventional: Arc::default(),
            http_requests: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            connections: Gauge::default(),
            refusals: Family::default(),
            entries_committed: Counter::default(),
            entries_repeated: Counter::default(),
            entries_quarantined: Family::default(),
            commits: Counter::default(),
            block_bytes: Counter::default(),
            samples: Counter::default(),
            caches: Caches::default(),
        };
        metrics.register(|registry| {
            let m = &metrics;
            registry.register("agents_connected", "Agents connected now", m.connections.clone());
            registry.register(
                "ingest_refusals",
                "Connections and messages refused, by reason",
                m.refusals.clone(),
            );
            registry.register(
                "ingest_entries_committed",
                "Entries committed for the first time",
                m.entries_committed.clone(),
            );
            registry.register(
                "ingest_entries_repeated",
                "Entries that had been committed before",
                m.entries_repeated.clone(),
            );
            registry.register(
                "ingest_entries_quarantined",
                "Entries kept aside because they could not be taken in, by reason",
                m.entries_quarantined.clone(),
            );
            registry.register("ingest_commits", "Transactions of entries", m.commits.clone());
            registry.register(
                "ingest_block_bytes",
                "Bytes of the blocks committed",
                m.block_bytes.clone(),
            );
            registry.register_collector(Box::new(m.caches.clone()));
            registry.register("ingest_samples", "Samples committed", m.samples.clone());
        });
        metrics.register_conventional(|registry| {
            registry.register_with_unit(
                "http_server_request_duration",
                "Duration of requests, by method, route and class of status",
                Unit::Seconds,
                metrics.http_requests.clone(),
            );
        });
        metrics
    }

    /// Adds metrics whose names stand as they are given.
    pub fn register_conventional(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.conventional.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Adds metrics of another module to the exposition.
    pub fn register(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&RefusalLabels { reason }).inc();
    }

    pub(crate) fn quarantined(&self, reason: &'static str) {
        self.entries_quarantined.get_or_create(&RefusalLabels { reason }).inc();
    }

    /// The counters in OpenMetrics' text form, closed by `# EOF`.
    ///
    /// # Errors
    /// Where a metric can't be written.
    pub fn expose(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let conventional = self.conventional.lock().unwrap_or_else(PoisonError::into_inner);
        encode_registry(&mut text, &conventional)?;
        drop(conventional);
        encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(text)
    }
}
