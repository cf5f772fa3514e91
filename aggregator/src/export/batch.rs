//! Samples on their way out: what one block holds, series by series.

use crate::telemetry::{NoData, SeriesInfo};
use std::sync::Arc;

/// One machine or piece of equipment as receivers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub device: String,
    pub name: String,
}

/// One series' samples, in the order of their ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub source: Arc<Source>,
    pub series: Arc<SeriesInfo>,
    pub samples: Vec<(u64, Result<f64, NoData>)>,
}

/// As many requests as it takes for none to have more than `max` samples.
#[must_use]
pub fn requests(outgoing: Vec<Outgoing>, max: usize) -> Vec<Vec<Outgoing>> {
    let (mut requests, mut request, mut samples) = (Vec::new(), Vec::new(), 0);
    for one in outgoing {
        if samples + one.samples.len() > max && !request.is_empty() {
            requests.push(std::mem::take(&mut request));
            samples = 0;
        }
        samples += one.samples.len();
        request.push(one);
    }
    if !request.is_empty() {
        requests.push(request);
    }
    requests
}
