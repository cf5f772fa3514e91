//! Series put together by step: the same question as a query string or as a body.

use super::question::{aggregate, read, step, time};
use super::tables::csv_of;
use super::{Gap, Which, problem};
use crate::export::table::Format;
use crate::http::Api;
use crate::http::accept::Accept;
use crate::http::auth::Reader;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Body, Query};
use crate::http::reply::{Answer, Flat, Many, Negotiated, Resource, Tabled};
use crate::http::resources::devices::Include;
use crate::http::time::rfc3339;
use crate::telemetry::{
    Aggregate, Group, GroupBy, GroupKey, Grouped, Question, Selection, StepChoice,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Words of one list.
const MAX_WORDS: usize = 16;

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Gathering {
    /// RFC 3339 or Unix milliseconds; five minutes before `to` where absent.
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds, exclusive; now where absent.
    to: Option<String>,
    /// Such as `1m`, of 1 s to 31 days; as `points` says where absent.
    step: Option<String>,
    /// About so many steps of whole seconds; 300 where absent.
    #[param(minimum = 1, maximum = 10_000)]
    points: Option<u64>,
    /// `avg`, `min`, `max`, `sum`, `count`, `last`, `rate`, `increase`, `p50`, `p90`, `p95`,
    /// `p99`: one or several, separated by commas; `avg` where absent. Percentiles are exact.
    aggregate: Option<String>,
    /// `device`, `metric`, `reading_type` or labels, separated by commas; `all` for one group.
    /// Each series by itself where absent.
    group_by: Option<String>,
}

/// The same as a body, with lists where the query string has commas.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AggregateRequest {
    device: Option<Uuid>,
    reading_type: Option<String>,
    metric: Option<String>,
    series: Vec<String>,
    labels: Option<String>,
    /// `equipment`: the series of the machine's equipment too.
    include: Option<String>,
    from: Option<String>,
    to: Option<String>,
    step: Option<String>,
    points: Option<u64>,
    aggregate: Vec<String>,
    group_by: Vec<String>,
}

/// What one group's series come to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeriesGroup {
    /// What they have in common; null where they lack the label.
    group: BTreeMap<String, Option<String>>,
    /// UCUM code of the samples.
    unit: &'static str,
    series_count: usize,
    /// Where it is one series: whose it is and what it measures.
    device_id: Option<Uuid>,
    metric: Option<String>,
    attributes: Option<BTreeMap<String, String>>,
    results: Vec<AggregateResult>,
    /// Samples in each step.
    counts: Vec<u64>,
    /// The share of the promised samples that is in each step, at most 1.
    coverage: Vec<f64>,
    gaps: Vec<Gap>,
}

#[derive(Debug, Serialize, ToSchema)]
struct AggregateResult {
    aggregate: &'static str,
    /// UCUM code.
    unit: String,
    /// Unix milliseconds of the step's begin and the value; null where nothing is known.
    points: Vec<(u64, Option<f64>)>,
}

impl Resource for SeriesGroup {
    const FLAT: Flat = Flat::named("group", "groups");
}

impl Tabled for SeriesGroup {
    const MEDIA_TYPES: &'static [&'static str] = &[Format::Csv.media_type()];
}

impl From<Group> for SeriesGroup {
    fn from(group: Group) -> Self {
        let single = match group.series.as_slice() {
            [one] => Some(one),
            _ => None,
        };
        let result = |(aggregate, points): (Aggregate, _)| AggregateResult {
            aggregate: aggregate.name(),
            unit: unit_of(aggregate, group.unit.ucum()),
            points,
        };
        Self {
            unit: group.unit.ucum(),
            series_count: group.series.len(),
            device_id: single.map(|found| found.device.0),
            metric: single.map(|found| found.series.metric.clone()),
            attributes: single.map(|found| found.series.attributes.iter().cloned().collect()),
            group: group.keys.into_iter().collect(),
            results: group.results.into_iter().map(result).collect(),
            counts: group.counts,
            coverage: group.coverage,
            gaps: group.gaps.iter().map(Gap::from).collect(),
        }
    }
}

pub(super) fn unit_of(aggregate: Aggregate, unit: &str) -> String {
    match aggregate {
        Aggregate::Count => "{count}".to_owned(),
        Aggregate::Rate => format!("{unit}/s"),
        _ => unit.to_owned(),
    }
}

pub(crate) async fn by_query(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<Which>,
    Query(include): Query<Include>,
    Query(gathering): Query<Gathering>,
    accept: Accept,
) -> Answer<Negotiated<SeriesGroup>> {
    let selection = which.selection(&api, &caller, &include).await?;
    answer(&api, &gathering.question(selection)?, &accept).await
}

pub(crate) async fn by_body(
    State(api): State<Api>,
    Reader(caller): Reader,
    accept: Accept,
    Body(request): Body<AggregateRequest>,
) -> Answer<Negotiated<SeriesGroup>> {
    let list = |words: Vec<String>| Some(words.join(",")).filter(|text| !text.is_empty());
    let which = Which {
        device: request.device,
        reading_type: request.reading_type,
        metric: request.metric,
        series: list(request.series),
        labels: request.labels,
    };
    let selection = which.selection(&api, &caller, &Include::of(request.include)).await?;
    let gathering = Gathering {
        from: request.from,
        to: request.to,
        step: request.step,
        points: request.points,
        aggregate: list(request.aggregate),
        group_by: list(request.group_by),
    };
    answer(&api, &gathering.question(selection)?, &accept).await
}

async fn answer(
    api: &Api,
    question: &Question,
    accept: &Accept,
) -> Answer<Negotiated<SeriesGroup>> {
    let format = accept.choose(&["application/json", Format::Csv.media_type()])?;
    let grouped = api.app.telemetry.grouped(question).await.map_err(problem)?;
    Ok(match format {
        0 => Negotiated::Json(many(grouped)),
        _ => Negotiated::Streamed(csv_of(&grouped)),
    })
}

fn many(grouped: Grouped) -> Many<SeriesGroup> {
    Many::whole(grouped.groups.into_iter().map(SeriesGroup::from).collect())
        .fact("from", rfc3339(grouped.from_ms))
        .fact("to", rfc3339(grouped.to_ms))
        .fact("step_ms", grouped.step_ms)
}

impl Gathering {
    fn question(&self, selection: Selection) -> Result<Question, Problem> {
        let mut faults = Vec::new();
        let from_ms = read(&mut faults, "from", self.from.as_ref(), time);
        let to_ms = read(&mut faults, "to", self.to.as_ref(), time);
        let step_ms = read(&mut faults, "step", self.step.as_ref(), step);
        let aggregates = read(&mut faults, "aggregate", self.aggregate.as_ref(), |text| {
            words(text)?.into_iter().map(aggregate).collect()
        });
        let group_by = read(&mut faults, "group_by", self.group_by.as_ref(), |text| {
            Ok(GroupBy::Keys(match words(text)?.as_slice() {
                ["all"] => Vec::new(),
                keys => keys.iter().copied().map(key).collect(),
            }))
        });
        if self.points.is_some_and(|points| !(1..=10_000).contains(&points)) {
            faults.push(FieldError::query("points", "out_of_range", "is 1 to 10000"));
        }
        if self.points.is_some() && self.step.is_some() {
            let message = "is given beside step, which says the same otherwise";
            faults.push(FieldError::query("points", "invalid_value", message));
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let step = step_ms.map(StepChoice::Ms).or(self.points.map(StepChoice::Points));
        let group_by = group_by.unwrap_or(GroupBy::Series);
        let aggregates = aggregates.unwrap_or_else(|| vec![Aggregate::Avg]);
        Ok(Question { selection, from_ms, to_ms, step, aggregates, group_by })
    }
}

fn words(text: &str) -> Result<Vec<&str>, String> {
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    if words.len() > MAX_WORDS || words.iter().any(|word| word.is_empty()) {
        return Err(format!("is a list of 1 to {MAX_WORDS} words, separated by commas"));
    }
    Ok(words)
}

fn key(word: &str) -> GroupKey {
    match word {
        "device" => GroupKey::Device,
        "metric" => GroupKey::Metric,
        "reading_type" => GroupKey::Kind,
        label => GroupKey::Label(label.to_owned()),
    }
}
