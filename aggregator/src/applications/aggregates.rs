//! What the reports of one answer come to: a summary of every metric that they name.

use super::report::Report;
use crate::telemetry::aggregate::percentile;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Custom metrics that one answer sums up: those that the most of its reports name.
pub const MAX_SUMMARIES: usize = 200;

/// The numbers of one metric. A report that does not name it does not count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub count: usize,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    /// Exact, on the line between the two nearest.
    pub p50: f64,
    pub p95: f64,
    /// That of the newest report which names it.
    pub latest: f64,
}

/// Of the same shape as a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aggregates {
    pub memory_mb: Option<Summary>,
    pub cpu_percent: Option<Summary>,
    pub network_latency_ms: Option<Summary>,
    pub custom_metrics: BTreeMap<String, Summary>,
    /// Custom metrics that are past the bound.
    pub left_out: usize,
}

impl Aggregates {
    /// Of reports in the order in which they are shown, newest first.
    #[must_use]
    pub fn of(newest_first: &[Report]) -> Self {
        let summary = |number: fn(&Report) -> Option<f64>| {
            Summary::of(newest_first.iter().filter_map(number).collect())
        };
        let mut by_name: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (name, value) in newest_first.iter().flat_map(|report| &report.custom_metrics) {
            by_name.entry(name).or_default().push(*value);
        }
        let mut named: Vec<(&str, Vec<f64>)> = by_name.into_iter().collect();
        named.sort_by_key(|(_, values)| Reverse(values.len()));
        let left_out = named.len().saturating_sub(MAX_SUMMARIES);
        named.truncate(MAX_SUMMARIES);
        let custom = |(name, values): (&str, Vec<f64>)| Some((name.into(), Summary::of(values)?));
        Self {
            memory_mb: summary(|report| report.memory_mb),
            cpu_percent: summary(|report| report.cpu_percent),
            network_latency_ms: summary(|report| report.network_latency_ms),
            custom_metrics: named.into_iter().filter_map(custom).collect(),
            left_out,
        }
    }
}

impl Summary {
    /// `None` of no numbers.
    #[expect(clippy::cast_precision_loss, reason = "an answer holds few thousand reports")]
    fn of(newest_first: Vec<f64>) -> Option<Self> {
        let latest = *newest_first.first()?;
        let count = newest_first.len();
        let mean = newest_first.iter().sum::<f64>() / count as f64;
        let mut sorted = newest_first;
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            count,
            min: *sorted.first()?,
            max: *sorted.last()?,
            mean,
            p50: percentile(&sorted, 0.5)?,
            p95: percentile(&sorted, 0.95)?,
            latest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::report::MAX_MAGNITUDE;

    fn report(memory_mb: Option<f64>, custom: &[(&str, f64)]) -> Report {
        Report {
            id: String::new(),
            client_id: String::new(),
            client_name: None,
            at_ms: 0,
            memory_mb,
            cpu_percent: None,
            network_latency_ms: None,
            custom_metrics: custom.iter().map(|(name, value)| ((*name).into(), *value)).collect(),
        }
    }

    #[test]
    fn each_metric_is_summed_up_over_the_reports_that_name_it() {
        let aggregates = Aggregates::of(&[
            report(None, &[("stt_latency", 150.0)]),
            report(Some(300.0), &[]),
            report(Some(100.0), &[("stt_latency", 50.0)]),
            report(Some(200.0), &[]),
        ]);
        let memory = Summary {
            count: 3,
            min: 100.0,
            max: 300.0,
            mean: 200.0,
            p50: 200.0,
            p95: 290.0,
            latest: 300.0,
        };
        assert_eq!(aggregates.memory_mb, Some(memory));
        assert_eq!(aggregates.cpu_percent, None);
        let stt = aggregates.custom_metrics["stt_latency"];
        assert_eq!((stt.count, stt.mean, stt.latest), (2, 100.0, 150.0));
        assert_eq!(Aggregates::of(&[]), Aggregates::default());
    }

    #[test]
    fn the_names_that_the_most_reports_have_are_kept_and_the_others_counted() {
        let mut reports: Vec<Report> =
            (0..MAX_SUMMARIES + 9).map(|n| report(None, &[(&format!("a{n}"), 1.0)])).collect();
        reports.extend([report(None, &[("usual", 1.0)]), report(None, &[("usual", 2.0)])]);
        let aggregates = Aggregates::of(&reports);
        assert_eq!(aggregates.custom_metrics.len(), MAX_SUMMARIES);
        assert_eq!(aggregates.left_out, 10);
        assert_eq!(aggregates.custom_metrics["usual"].count, 2);
    }

    #[test]
    fn numbers_at_their_bound_have_finite_summaries() {
        let reports: Vec<Report> = (0..5_000)
            .map(|n| {
                let sign = if n % 3 == 0 { -1.0 } else { 1.0 };
                report(Some(MAX_MAGNITUDE), &[("edge", sign * MAX_MAGNITUDE)])
            })
            .collect();
        let Aggregates { memory_mb, custom_metrics, .. } = Aggregates::of(&reports);
        for Summary { mean, p50, p95, .. } in [memory_mb.unwrap(), custom_metrics["edge"]] {
            assert!([mean, p50, p95].iter().all(|number| number.is_finite()));
        }
    }
}
