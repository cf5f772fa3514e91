//! OpenTelemetry's metrics over HTTP, as protobuf. The messages are declared as
//! `opentelemetry/proto/{collector,metrics,resource,common}/…/v1` number them; only what is sent.

use super::batch::{Outgoing, Source};
use super::naming::is_counter;
use prost::Message;
use std::collections::BTreeMap;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: i32 = 2;
/// `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`.
const NO_RECORDED_VALUE: u32 = 1;
const NANOS_OF_A_MS: u64 = 1_000_000;

#[derive(Clone, PartialEq, Message)]
pub struct ExportMetrics {
    #[prost(message, repeated, tag = "1")]
    pub resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub struct KeyValue {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(message, optional, tag = "2")]
    pub value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub struct AnyValue {
    /// The one kind of the choice that is sent.
    #[prost(string, optional, tag = "1")]
    pub string_value: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ScopeMetrics {
    #[prost(message, optional, tag = "1")]
    pub scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Scope {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub version: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub unit: String,
    #[prost(message, optional, tag = "5")]
    pub gauge: Option<Gauge>,
    #[prost(message, optional, tag = "7")]
    pub sum: Option<Sum>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Gauge {
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<DataPoint>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Sum {
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<DataPoint>,
    #[prost(int32, tag = "2")]
    pub aggregation_temporality: i32,
    #[prost(bool, tag = "3")]
    pub is_monotonic: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct DataPoint {
    #[prost(fixed64, tag = "3")]
    pub time_unix_nano: u64,
    #[prost(double, optional, tag = "4")]
    pub as_double: Option<f64>,
    #[prost(message, repeated, tag = "7")]
    pub attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "8")]
    pub flags: u32,
}

/// The body of one request.
#[must_use]
pub fn encode(outgoing: &[Outgoing]) -> Vec<u8> {
    let mut sources: BTreeMap<&str, (&Source, Vec<&Outgoing>)> = BTreeMap::new();
    for one in outgoing {
        let entry = sources.entry(&one.source.device).or_insert((&one.source, Vec::new()));
        entry.1.push(one);
    }
    let resource_metrics =
        sources.into_values().map(|(source, outgoing)| resource(source, &outgoing));
    ExportMetrics { resource_metrics: resource_metrics.collect() }.encode_to_vec()
}

fn resource(source: &Source, outgoing: &[&Outgoing]) -> ResourceMetrics {
    let attributes = vec![text("device.id", &source.device), text("device.name", &source.name)];
    // One metric of each name and unit, with the points of all its series.
    let mut metrics: BTreeMap<(&str, &str, bool), Vec<DataPoint>> = BTreeMap::new();
    for one in outgoing {
        let series = &one.series;
        let key = (series.metric.as_str(), series.unit.ucum(), is_counter(series));
        let attributes: Vec<KeyValue> =
            series.attributes.iter().map(|(key, value)| text(key, value)).collect();
        let points = one.samples.iter().map(|&(at_ms, value)| DataPoint {
            time_unix_nano: at_ms.saturating_mul(NANOS_OF_A_MS),
            as_double: value.ok(),
            attributes: attributes.clone(),
            flags: if value.is_ok() { 0 } else { NO_RECORDED_VALUE },
        });
        metrics.entry(key).or_default().extend(points);
    }
    let metrics = metrics.into_iter().map(|((name, unit, counter), data_points)| {
        let (name, unit) = (name.to_owned(), unit.to_owned());
        let sum = |data_points| Sum {
            data_points,
            aggregation_temporality: CUMULATIVE,
            is_monotonic: true,
        };
        match counter {
            true => Metric { name, unit, gauge: None, sum: Some(sum(data_points)) },
            false => Metric { name, unit, gauge: Some(Gauge { data_points }), sum: None },
        }
    });
    let scope = Scope { name: "flyball".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    ResourceMetrics {
        resource: Some(Resource { attributes }),
        scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics: metrics.collect() }],
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { string_value: Some(value.to_owned()) });
    KeyValue { key: key.to_owned(), value }
}
