//! What a machine measured over a range.

use super::devices::{Include, Series, find};
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Path, Query};
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::http::time::{parse, parse_span_ms, rfc3339};
use crate::telemetry::readings::{MAX_BLOCKS, MAX_POINTS, MAX_SERIES};
use crate::telemetry::{
    Aggregate, GapSpan, Kind, ReadingsError, ReadingsQuery, SeriesId, SeriesReadings as Read,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct RangeQuery {
    /// Such as `TEMPERATURE`.
    reading_type: Option<String>,
    /// Such as `hw.temperature`.
    metric: Option<String>,
    /// Ids of series, separated by commas.
    series: Option<String>,
    /// RFC 3339 or Unix milliseconds; five minutes before `to` where absent.
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds, exclusive; now where absent.
    to: Option<String>,
    /// Such as `10s`; raw samples where absent.
    step: Option<String>,
    /// `avg`, `min`, `max`, `sum`, `count` or `last`.
    aggregate: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeriesReadings {
    series: Series,
    /// Unix milliseconds and the value; by step, null where the step has no sample.
    points: Vec<(u64, Option<f64>)>,
    gaps: Vec<Gap>,
}

/// Ticks without a value, first to last inclusive.
#[derive(Debug, Serialize, ToSchema)]
struct Gap {
    from_ms: u64,
    to_ms: u64,
    reason: &'static str,
}

impl Resource for SeriesReadings {
    const FLAT: Flat = Flat::named("readings", "readings");
}

impl From<Read> for SeriesReadings {
    fn from(read: Read) -> Self {
        let gap = |gap: &GapSpan| Gap {
            from_ms: gap.from_ms,
            to_ms: gap.to_ms,
            reason: gap.reason.name(),
        };
        Self {
            series: Series::from(&read.series),
            points: read.points,
            gaps: read.gaps.iter().map(gap).collect(),
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(_): Reader,
    Path(id): Path<Uuid>,
    Query(range): Query<RangeQuery>,
    Query(include): Query<Include>,
) -> Answer<Many<SeriesReadings>> {
    let subject = find(&api, id).await?;
    let belonging = include.belonging(&subject)?;
    let query = range.parse(subject.machine().id, belonging)?;
    let readings = api.app.telemetry.readings(&query).await.map_err(problem)?;
    let items = readings.series.into_iter().map(SeriesReadings::from);
    Ok(Many::whole(items.collect())
        .fact("from", rfc3339(readings.from_ms))
        .fact("to", rfc3339(readings.to_ms))
        .fact("step_ms", readings.step_ms)
        .fact("aggregate", readings.step_ms.map(|_| readings.aggregate.name()))
        .fact("truncated", false))
}

impl RangeQuery {
    fn parse(
        &self,
        device: crate::fleet::DeviceId,
        belonging: crate::fleet::Belonging,
    ) -> Result<ReadingsQuery, Problem> {
        let mut faults = Vec::new();
        let kind = read(&mut faults, "reading_type", self.reading_type.as_ref(), |text| {
            Kind::from_name(text)
                .ok_or_else(|| format!("is one of {}", Kind::ALL.map(Kind::name).join(", ")))
        });
        let time = |text: &str| {
            parse(text).ok_or_else(|| "is an RFC 3339 time or Unix milliseconds".to_owned())
        };
        let from_ms = read(&mut faults, "from", self.from.as_ref(), time);
        let to_ms = read(&mut faults, "to", self.to.as_ref(), time);
        let step_ms = read(&mut faults, "step", self.step.as_ref(), |text| {
            parse_span_ms(text).ok_or_else(|| "is a length of time such as 10s".to_owned())
        });
        let aggregate = read(&mut faults, "aggregate", self.aggregate.as_ref(), |text| {
            Aggregate::from_name(text).ok_or_else(|| {
                format!("is one of {}", Aggregate::ALL.map(Aggregate::name).join(", "))
            })
        });
        let series = read(&mut faults, "series", self.series.as_ref(), |text| {
            text.split(',')
                .map(|id| id.trim().parse().map(SeriesId))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| "is a list of series ids, separated by commas".to_owned())
        });
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        Ok(ReadingsQuery {
            device,
            belonging,
            kind,
            metric: self.metric.clone(),
            series: series.unwrap_or_default(),
            from_ms,
            to_ms,
            step_ms,
            aggregate: aggregate.unwrap_or(Aggregate::Avg),
        })
    }
}

/// One parameter, its fault noted under its name.
pub(crate) fn read<T>(
    faults: &mut Vec<FieldError>,
    name: &str,
    text: Option<&String>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    match parse(text?) {
        Ok(value) => Some(value),
        Err(message) => {
            faults.push(FieldError::query(name, "invalid_value", message));
            None
        }
    }
}

pub(super) fn problem(error: ReadingsError) -> Problem {
    let message = error.to_string();
    let fault = |field: &str| {
        Problem::invalid(vec![FieldError::query(field, "out_of_range", message.clone())])
    };
    match &error {
        ReadingsError::UnknownDevice(id) => Problem::not_found("device", id),
        ReadingsError::TooManySeries { .. } => {
            Problem::new(ErrorCode::TooManyPoints, message).detail("max_series", MAX_SERIES)
        }
        ReadingsError::TooManyPoints { .. } => {
            Problem::new(ErrorCode::TooManyPoints, message).detail("max_points", MAX_POINTS)
        }
        ReadingsError::TooManyBlocks => {
            Problem::new(ErrorCode::TooManyPoints, message).detail("max_blocks", MAX_BLOCKS)
        }
        ReadingsError::EmptyRange { .. } => fault("from"),
        ReadingsError::Step { .. } => fault("step"),
        _ => Problem::internal(error),
    }
}
