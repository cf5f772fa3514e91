//! Prometheus' remote write, version 1: protobuf in Snappy's block form. The messages are
//! declared as `prometheus/prompb/{remote,types}.proto` number them.

use super::batch::Outgoing;
use super::naming;
use prost::Message;

/// Prometheus' mark for "from here on there is no value": a NaN of its own.
const STALE: u64 = 0x7ff0_0000_0000_0002;

#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// Sorted by name.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Label {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Sample {
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Unix milliseconds.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// The body of one request.
///
/// # Errors
/// Where Snappy's form can't hold it: beyond 4 GiB.
pub fn encode(outgoing: &[Outgoing]) -> Result<Vec<u8>, snap::Error> {
    let timeseries = outgoing.iter().map(time_series).collect();
    snap::raw::Encoder::new().compress_vec(&WriteRequest { timeseries }.encode_to_vec())
}

fn time_series(outgoing: &Outgoing) -> TimeSeries {
    let source = &outgoing.source;
    let device = [("device_id", source.device.clone()), ("device_name", source.name.clone())];
    let mut labels = naming::labels(&device, &outgoing.series);
    labels.insert("__name__".to_owned(), naming::sample_name(&outgoing.series));
    // The names are ASCII, and a map is sorted: `__name__` stands where it belongs.
    let labels = labels.into_iter().map(|(name, value)| Label { name, value }).collect();
    let mut absent = false;
    let mut samples = Vec::with_capacity(outgoing.samples.len());
    for &(at_ms, value) in &outgoing.samples {
        // A run of ticks without a value needs one mark.
        if value.is_err() && absent {
            continue;
        }
        absent = value.is_err();
        let value = value.unwrap_or(f64::from_bits(STALE));
        samples.push(Sample { value, timestamp: i64::try_from(at_ms).unwrap_or(i64::MAX) });
    }
    TimeSeries { labels, samples }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::batch::Source;
    use crate::telemetry::{Kind, NoData, Reader, SeriesId, SeriesInfo, Unit};
    use std::sync::Arc;

    #[test]
    fn a_series_is_sent_with_sorted_labels_and_one_mark_where_its_values_end() {
        let series = SeriesInfo {
            id: SeriesId(1),
            metric: "hw.energy".into(),
            kind: Kind::Energy,
            unit: Unit::Joule,
            attributes: vec![("hw.id".into(), "psu".into()), ("Zone".into(), "a".into())],
            cadence_ms: 1_000,
            reader: Reader::Guard,
        };
        let outgoing = Outgoing {
            source: Arc::new(Source { device: "d".into(), name: "board".into() }),
            series: Arc::new(series),
            samples: vec![
                (1_000, Ok(2.5)),
                (2_000, Err(NoData::Stale)),
                (3_000, Err(NoData::Busy)),
            ],
        };
        let body = encode(&[outgoing]).unwrap();
        let plain = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
        let request = WriteRequest::decode(plain.as_slice()).unwrap();
        let [one] = request.timeseries.as_slice() else { panic!("{request:?}") };
        let labels: Vec<_> =
            one.labels.iter().map(|l| (l.name.as_str(), l.value.as_str())).collect();
        let expected = [
            ("Zone", "a"),
            ("__name__", "hw_energy_joules_total"),
            ("device_id", "d"),
            ("device_name", "board"),
            ("hw_id", "psu"),
        ];
        assert_eq!(labels, expected);
        let samples: Vec<_> =
            one.samples.iter().map(|s| (s.timestamp, s.value.to_bits())).collect();
        assert_eq!(samples, [(1_000, 2.5_f64.to_bits()), (2_000, STALE)]);
    }
}
