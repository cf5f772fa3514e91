//! Every series that machines have announced, across all of them.

use super::devices::{Include, Series};
use super::readings::{Which, problem};
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::Query;
use crate::http::paging::limit;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::telemetry::{Found, SeriesId};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
pub(crate) struct Walk {
    /// `meta.next_cursor` of the page before.
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<Which>,
    Query(include): Query<Include>,
    Query(walk): Query<Walk>,
) -> Answer<Many<DeviceSeries>> {
    let limit = limit(walk.limit)?;
    let after = walk.cursor.as_deref().map(from_cursor).transpose()?;
    let selection = which.selection(&api, &caller, &include).await?;
    // One more than is asked for, to see whether there is a next page.
    let page = api.app.telemetry.series(&selection, after, limit as usize + 1).await;
    let mut found = page.map_err(problem)?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| cursor(last.series.id));
    Ok(Many::cursor(found.iter().map(DeviceSeries::from).collect(), limit, next))
}

fn cursor(id: SeriesId) -> String {
    URL_SAFE_NO_PAD.encode(id.0.to_string())
}

fn from_cursor(text: &str) -> Result<SeriesId, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let id = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    id.map(SeriesId).ok_or_else(|| {
        Problem::new(ErrorCode::InvalidCursor, "the cursor is none of this server's")
    })
}
