//! What is kept to answer faster, and how often that helps.

mod answers;
mod disk;

pub(crate) use answers::Answers;
pub(crate) use disk::{DiskCache, DiskCacheError};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts for one cache.
#[derive(Clone, Debug)]
pub(crate) struct CacheMeter {
    name: &'static str,
    hits: Counter,
    misses: Counter,
}

impl CacheMeter {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, hits: Counter::default(), misses: Counter::default() }
    }

    /// Counts one question and gives back its answer.
    pub(crate) fn asked<T>(&self, found: Option<T>) -> Option<T> {
        if found.is_some() {
            self.hits.inc()
        } else {
            self.misses.inc()
        };
        found
    }
}

/// The meters of all caches, for `/metrics`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caches(Arc<Mutex<Vec<CacheMeter>>>);

impl Caches {
    pub(crate) fn watch(&self, meter: &CacheMeter) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(meter.clone());
    }
}

impl Collector for Caches {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut requests = encoder.encode_descriptor(
            "cache_requests",
            "Questions to a cache, by whether it had the answer",
            None,
            MetricType::Counter,
        )?;
        for meter in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (result, counter) in [("hit", &meter.hits), ("miss", &meter.misses)] {
                let labels = [("cache", meter.name), ("result", result)];
                counter.encode(requests.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
