//! What machines measured over a range.

pub(crate) mod aggregate;
mod question;
mod tables;

use super::devices::{Include, Series, find};
use crate::access::Right;
use crate::export::table::Format;
use crate::http::Api;
use crate::http::accept::Accept;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Path, Query};
use crate::http::reply::{Answer, Flat, Many, Negotiated, Resource, Tabled};
use crate::http::resources::devices::sight;
use crate::http::time::rfc3339;
use crate::telemetry::readings::{
    MAX_BLOCKS, MAX_BYTES, MAX_POINTS, MAX_SERIES, MAX_STEPS, MAX_TIME, MAX_VALUES,
};
use crate::telemetry::{GapSpan, Readings, ReadingsError, Selection, SeriesReadings as Read};
use axum::extract::State;
pub(crate) use question::{RangeQuery, Which, read};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeriesReadings {
    /// The machine, or the equipment that the series belongs to.
    device_id: Uuid,
    series: Series,
    /// Unix milliseconds and the value; by step, null where the step has no sample.
    points: Vec<(u64, Option<f64>)>,
    gaps: Vec<Gap>,
}

/// Ticks without a value, first to last inclusive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gap {
    from_ms: u64,
    to_ms: u64,
    reason: &'static str,
}

impl Resource for SeriesReadings {
    const FLAT: Flat = Flat::named("readings", "readings");
}

impl Tabled for SeriesReadings {
    const MEDIA_TYPES: &'static [&'static str] =
        &[Format::Csv.media_type(), Format::Lines.media_type(), Format::Parquet.media_type()];
}

impl From<&GapSpan> for Gap {
    fn from(gap: &GapSpan) -> Self {
        Self { from_ms: gap.from_ms, to_ms: gap.to_ms, reason: gap.reason.name() }
    }
}

impl From<Read> for SeriesReadings {
    fn from(read: Read) -> Self {
        Self {
            device_id: read.device.0,
            series: Series::from(&*read.series),
            points: read.points,
            gaps: read.gaps.iter().map(Gap::from).collect(),
        }
    }
}

/// Of one machine or one piece of equipment.
pub(crate) async fn of_device(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
    Query(which): Query<Which>,
    Query(range): Query<RangeQuery>,
    Query(include): Query<Include>,
    accept: Accept,
) -> Answer<Negotiated<SeriesReadings>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let belonging = include.belonging(&subject)?;
    let device = Some((subject.machine().id, belonging));
    let sight = sight(&api, &caller).await?;
    answer(&api, Selection { device, sight, ..which.filter()? }, &range, &accept).await
}

/// Of all of them.
pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<Which>,
    Query(range): Query<RangeQuery>,
    Query(include): Query<Include>,
    accept: Accept,
) -> Answer<Negotiated<SeriesReadings>> {
    let selection = which.selection(&api, &caller, &include).await?;
    answer(&api, selection, &range, &accept).await
}

async fn answer(
    api: &Api,
    selection: Selection,
    range: &RangeQuery,
    accept: &Accept,
) -> Answer<Negotiated<SeriesReadings>> {
    let query = range.query(selection)?;
    let formats = Format::ALL.map(Format::media_type);
    let offers = [&["application/json"], formats.as_slice()].concat();
    if let Some(format) = accept.choose(&offers)?.checked_sub(1).map(|at| Format::ALL[at]) {
        let rows = api.app.telemetry.rows(&query).await.map_err(problem)?;
        return Ok(Negotiated::Streamed(tables::stream_of(rows, format)));
    }
    let readings = api.app.telemetry.readings(&query).await.map_err(problem)?;
    Ok(Negotiated::Json(many(readings)))
}

fn many(readings: Readings) -> Many<SeriesReadings> {
    let items = readings.series.into_iter().map(SeriesReadings::from);
    Many::whole(items.collect())
        .fact("from", rfc3339(readings.from_ms))
        .fact("to", rfc3339(readings.to_ms))
        .fact("step_ms", readings.step_ms)
        .fact("aggregate", readings.step_ms.map(|_| readings.aggregate.name()))
        .fact("truncated", false)
}

/// Every bound by its name, with what it is.
pub(super) fn problem(error: ReadingsError) -> Problem {
    let message = error.to_string();
    let out_of_range = |field: &str| question::out_of_range(field, message.clone());
    let beyond = |bound: &str, max: usize| {
        Problem::new(ErrorCode::TooManyPoints, message.clone()).detail(bound, max)
    };
    match &error {
        ReadingsError::UnknownDevice(id) => Problem::not_found("device", id),
        ReadingsError::TooManySeries => beyond("max_series", MAX_SERIES),
        ReadingsError::TooManyToSearch => beyond("max_series", MAX_SERIES),
        ReadingsError::TooManyPoints { .. } => beyond("max_points", MAX_POINTS),
        ReadingsError::TooManySteps { .. } => beyond("max_steps", MAX_STEPS),
        ReadingsError::TooManyBlocks => beyond("max_blocks", MAX_BLOCKS),
        ReadingsError::TooManyBytes => beyond("max_bytes", MAX_BYTES),
        ReadingsError::TooManyValues => beyond("max_samples", MAX_VALUES),
        ReadingsError::TooLong => {
            Problem::new(ErrorCode::Timeout, message).detail("max_seconds", MAX_TIME.as_secs())
        }
        ReadingsError::TooManyStreams => {
            Problem::new(ErrorCode::Unavailable, message).retry_after(5)
        }
        ReadingsError::EmptyRange { .. } => out_of_range("from"),
        ReadingsError::Step { .. } => out_of_range("step"),
        ReadingsError::Stale
        | ReadingsError::Block(_)
        | ReadingsError::Store(_)
        | ReadingsError::History(_)
        | ReadingsError::Segment(_)
        | ReadingsError::Thread(_) => Problem::internal(error),
    }
}
