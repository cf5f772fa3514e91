//! What applications report of themselves, in the flat dialect's words. It is neither a machine's
//! readings nor the exposition at `/metrics`.

use super::commands::missing;
use crate::access::UserId;
use crate::applications::REPORT_BOUNDS;
use crate::applications::aggregates::{Aggregates, Summary};
use crate::applications::report::{Fault, MAX_TEXT, Report, ReportQuery, is_name};
use crate::clock::Clock;
use crate::http::Api;
use crate::http::auth::Member;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Body, Query, Source};
use crate::http::paging::limit_within;
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::time::{parse_rfc3339, rfc3339};
use crate::live::{Live, Told, What};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// The longest report that is within its bounds takes 25 KiB with every letter escaped.
const MAX_BODY_BYTES: usize = 32 * 1024;
const DEFAULT_LIMIT: u32 = 1_000;
const MAX_LIMIT: u32 = 5_000;

/// One report, as it is sent and as it is shown.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationMetrics {
    /// The same id again is the same report, stored once. One is given where it is absent.
    #[schema(min_length = 1, max_length = 128)]
    id: Option<String>,
    /// As `X-Client-ID` says where absent.
    #[schema(min_length = 1, max_length = 128)]
    client_id: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    client_name: Option<String>,
    /// RFC 3339, at most 5 minutes ahead of the server's clock; now where it is absent.
    timestamp: Option<String>,
    #[schema(minimum = 0)]
    memory_mb: Option<f64>,
    /// More than 100 where it counts several cores.
    #[schema(minimum = 0)]
    cpu_percent: Option<f64>,
    #[schema(minimum = 0)]
    network_latency_ms: Option<f64>,
    /// At most 32, by names of at most 64 characters.
    custom_metrics: Option<BTreeMap<String, f64>>,
}

impl ApplicationMetrics {
    fn checked(self, source: Source, clock: &Clock) -> Result<Report, Problem> {
        let client_id = self
            .client_id
            .or(source.id)
            .ok_or_else(|| missing("client_id", "is required: name who reports"))?;
        let now_ms = clock.now_ms();
        let at_ms = self.timestamp.as_deref().map(parse_rfc3339);
        let report = Report {
            id: self.id.unwrap_or_else(|| clock.new_id().to_string()),
            client_id,
            client_name: self.client_name.or(source.name),
            at_ms: at_ms.flatten().unwrap_or(now_ms),
            memory_mb: self.memory_mb,
            cpu_percent: self.cpu_percent,
            network_latency_ms: self.network_latency_ms,
            custom_metrics: self.custom_metrics.unwrap_or_default(),
        };
        let mut faults: Vec<FieldError> = report.faults(now_ms).iter().map(field_error).collect();
        if at_ms == Some(None) {
            let message =
                "has to be RFC 3339, such as 2024-01-15T12:30:00Z; now where it is absent";
            faults.push(FieldError::body("timestamp", "invalid_value", message));
        }
        if faults.is_empty() { Ok(report) } else { Err(Problem::invalid(faults)) }
    }
}

fn field_error(fault: &Fault) -> FieldError {
    FieldError::body(fault.field(), "out_of_range", fault.to_string())
}

impl From<Report> for ApplicationMetrics {
    fn from(report: Report) -> Self {
        Self {
            id: Some(report.id),
            client_id: Some(report.client_id),
            client_name: report.client_name,
            timestamp: Some(rfc3339(report.at_ms)),
            memory_mb: report.memory_mb,
            cpu_percent: report.cpu_percent,
            network_latency_ms: report.network_latency_ms,
            custom_metrics: Some(report.custom_metrics),
        }
    }
}

/// It is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MetricsKept {}

impl Resource for MetricsKept {
    const FLAT: Flat = Flat::fields();
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MetricsList {
    /// By their own time, newest first.
    metrics: Vec<ApplicationMetrics>,
    /// How many there are of this selection, also past `limit`.
    total: u64,
    aggregates: MetricsAggregates,
}

impl Resource for MetricsList {
    const FLAT: Flat = Flat::fields();
}

/// What the metrics of this very answer come to; null where none of them names one.
#[derive(Debug, Serialize, ToSchema)]
struct MetricsAggregates {
    memory_mb: Option<MetricSummary>,
    cpu_percent: Option<MetricSummary>,
    network_latency_ms: Option<MetricSummary>,
    /// At most 200, those that the most reports name.
    custom_metrics: BTreeMap<String, MetricSummary>,
    /// Custom metrics past the 200.
    custom_metrics_left_out: usize,
}

#[derive(Debug, Serialize, ToSchema)]
struct MetricSummary {
    /// Reports that name it.
    count: usize,
    min: f64,
    max: f64,
    mean: f64,
    /// Exact, on the line between the two nearest.
    p50: f64,
    /// Exact, on the line between the two nearest.
    p95: f64,
    /// That of the newest report which names it.
    latest: f64,
}

impl From<Summary> for MetricSummary {
    fn from(summary: Summary) -> Self {
        let Summary { count, min, max, mean, p50, p95, latest } = summary;
        Self { count, min, max, mean, p50, p95, latest }
    }
}

impl From<Aggregates> for MetricsAggregates {
    fn from(aggregates: Aggregates) -> Self {
        let custom = aggregates.custom_metrics.into_iter();
        Self {
            memory_mb: aggregates.memory_mb.map(Into::into),
            cpu_percent: aggregates.cpu_percent.map(Into::into),
            network_latency_ms: aggregates.network_latency_ms.map(Into::into),
            custom_metrics: custom.map(|(name, summary)| (name, summary.into())).collect(),
            custom_metrics_left_out: aggregates.left_out,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct MetricsFilter {
    #[param(min_length = 1, max_length = 128)]
    client_id: Option<String>,
    /// 1000 where absent.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<u32>,
}

impl MetricsFilter {
    fn parse(self, sender: Option<UserId>) -> Result<ReportQuery, Problem> {
        let limit = limit_within("limit", self.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        if self.client_id.as_deref().is_some_and(|client_id| !is_name(client_id)) {
            let message = format!("has to be 1 to {MAX_TEXT} characters, as it was reported");
            let fault = FieldError::query("client_id", "out_of_range", message);
            return Err(Problem::invalid(vec![fault]));
        }
        Ok(ReportQuery { sender, client_id: self.client_id, limit })
    }
}

/// Whoever is signed in may say how their own application fares.
pub(crate) async fn create(
    State(api): State<Api>,
    Member(caller): Member,
    source: Source,
    Body(sent): Body<ApplicationMetrics, MAX_BODY_BYTES>,
) -> Answer<One<MetricsKept>> {
    let report = sent.checked(source, &api.app.clock)?;
    let now_ms = api.app.clock.now_ms();
    let kept = api.app.store.keep_report(caller.user, &report, now_ms, REPORT_BOUNDS).await;
    if kept.map_err(Problem::internal)? {
        let what = What::Metrics(Box::new(report));
        api.app.live.publish(Live::Platform(Told { sender: Some(caller.user), what }));
    }
    Ok(One(MetricsKept {}))
}

/// Of all applications, or of one's own.
pub(crate) async fn list(
    State(api): State<Api>,
    Member(caller): Member,
    Query(filter): Query<MetricsFilter>,
) -> Answer<One<MetricsList>> {
    let query = filter.parse(caller.only_own())?;
    let page = api.app.store.reports(&query).await.map_err(Problem::internal)?;
    Ok(One(MetricsList {
        aggregates: Aggregates::of(&page.items).into(),
        metrics: page.items.into_iter().map(ApplicationMetrics::from).collect(),
        total: page.total,
    }))
}
