//! Every series that machines have announced, across all of them.

use super::devices::{Include, Series};
use super::readings::{Which, problem};
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::cursor::Walk;
use crate::http::extract::Query;
use crate::http::paging::limit;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::telemetry::{Found, SeriesId};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceSeries {
    /// The machine, or the equipment that it belongs to.
    device_id: Uuid,
    #[serde(flatten)]
    series: Series,
}

impl Resource for DeviceSeries {
    const FLAT: Flat = Flat::named("series", "series");
}

impl From<&Found> for DeviceSeries {
    fn from(found: &Found) -> Self {
        Self { device_id: found.device.0, series: Series::from(&*found.series) }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Stretch {
    /// `meta.next_cursor` of the page before.
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// As `limit`.
    #[param(minimum = 1, maximum = 200)]
    per_page: Option<u32>,
    /// As `limit`.
    #[serde(rename = "pageSize")]
    #[param(rename = "pageSize", minimum = 1, maximum = 200)]
    page_size: Option<u32>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<Which>,
    Query(include): Query<Include>,
    walk: Walk,
    Query(stretch): Query<Stretch>,
) -> Answer<Many<DeviceSeries>> {
    let limit = limit([stretch.limit, stretch.per_page, stretch.page_size])?;
    let after = walk.place(&api, stretch.cursor.as_deref(), place)?;
    let selection = which.selection(&api, &caller, &include).await?;
    // One more than is asked for, to see whether there is a next page.
    let page = api.app.telemetry.series(&selection, after, limit as usize + 1).await;
    let mut found = page.map_err(problem)?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next =
        found.last().filter(|_| more).map(|last| walk.cursor(&api, &last.series.id.0.to_string()));
    Ok(Many::cursor(found.iter().map(DeviceSeries::from).collect(), limit, next))
}

fn place(text: &str) -> Option<SeriesId> {
    text.parse().ok().map(SeriesId)
}
