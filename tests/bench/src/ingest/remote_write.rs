//! Prometheus remote write 1.0: the same samples as a peer takes them, protobuf under snappy.
//!
//! Written by hand from the specification's four messages: `WriteRequest { 1: TimeSeries }`,
//! `TimeSeries { 1: Label, 2: Sample }`, `Label { 1: name, 2: value }`, `Sample { 1: double,
//! 2: int64 }`.

use super::workload::Batch;
use anyhow::Result;

const LENGTH_DELIMITED: u8 = 2;
const FIXED_64: u8 = 1;
const VARINT: u8 = 0;

/// One request's body: a machine's batch.
pub(crate) fn body(batch: &Batch, instance: usize) -> Result<Vec<u8>> {
    let series = batch.rows.first().map_or(0, Vec::len);
    let mut request = Vec::new();
    for number in 0..series {
        let mut one = Vec::new();
        let (number_text, instance) = (number.to_string(), instance.to_string());
        let labels =
            [("__name__", "load_generated"), ("instance", &instance), ("number", &number_text)];
        for (name, value) in labels {
            let mut label = Vec::new();
            bytes(&mut label, 1, name.as_bytes());
            bytes(&mut label, 2, value.as_bytes());
            bytes(&mut one, 1, &label);
        }
        for (tick, row) in (0..).zip(&batch.rows) {
            let mut sample = vec![tag(1, FIXED_64)];
            sample.extend(row.get(number).copied().unwrap_or(f64::NAN).to_le_bytes());
            sample.push(tag(2, VARINT));
            varint(&mut sample, batch.from_ms + tick * 1000);
            bytes(&mut one, 2, &sample);
        }
        bytes(&mut request, 1, &one);
    }
    Ok(snap::raw::Encoder::new().compress_vec(&request)?)
}

const fn tag(field: u8, kind: u8) -> u8 {
    field << 3 | kind
}

fn bytes(into: &mut Vec<u8>, field: u8, value: &[u8]) {
    into.push(tag(field, LENGTH_DELIMITED));
    varint(into, value.len() as u64);
    into.extend(value);
}

fn varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    into.push(value.to_le_bytes()[0]);
}
