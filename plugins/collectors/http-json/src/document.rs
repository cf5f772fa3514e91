//! One answer, made into readings.

use crate::settings::Endpoint;
use readings::{Absence, Failure, Reading, Refused};
use serde_json::Value;

/// The readings of a document, and what was left out of them.
pub(crate) fn read(endpoint: &Endpoint, body: &[u8]) -> Result<(Vec<Reading>, Refused), Failure> {
    let document: Value = serde_json::from_slice(body).map_err(|fault| {
        // The words of the fault may quote the document, its place does not.
        let (line, column) = (fault.line(), fault.column());
        let why = format!("its answer is no JSON at line {line}, column {column}");
        Failure::new(Absence::Malformed, why)
    })?;
    let mut refused = Refused::default();
    let read = endpoint.mappings.iter().flat_map(|mapping| mapping.read(&document, &[])).collect();
    let readings = refused.hold(read);
    Ok((readings, refused))
}

/// What can be said to be absent before any answer: a list's elements are not known yet.
pub(crate) fn expected(endpoint: &Endpoint) -> Vec<Reading> {
    let single = endpoint.mappings.iter().filter(|mapping| !mapping.spreads());
    Refused::default().hold(single.map(|mapping| mapping.absent(Absence::NotReady)).collect())
}
