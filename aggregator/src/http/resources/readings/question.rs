//! The words of a question, read once into what telemetry takes. Faults are told all together.

use crate::access::{Caller, Right};
use crate::http::Api;
use crate::http::error::{FieldError, Problem};
use crate::http::resources::devices::sight;
use crate::http::resources::devices::{Include, find};
use crate::http::time::{parse, parse_span_ms};
use crate::telemetry::readings::MAX_SERIES;
use crate::telemetry::{Aggregate, Kind, ReadingsQuery, Selection, Selector, SeriesId};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Which series.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Which {
    /// A machine, or equipment; all of them where absent.
    pub(super) device: Option<Uuid>,
    /// Such as `TEMPERATURE`.
    pub(super) reading_type: Option<String>,
    /// Such as `hw.temperature`.
    pub(super) metric: Option<String>,
    /// Ids of series, separated by commas.
    pub(super) series: Option<String>,
    /// A label selector over the attributes: `hw.id=cpu,rack in (r11,r12),!spare`.
    pub(super) labels: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct RangeQuery {
    /// RFC 3339 or Unix milliseconds; five minutes before `to` where absent.
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds, exclusive; now where absent.
    to: Option<String>,
    /// Such as `10s`; raw samples where absent.
    step: Option<String>,
    /// `avg`, `min`, `max`, `sum`, `count`, `last`, `rate`, `increase`, `p50`, `p90`, `p95` or
    /// `p99`.
    aggregate: Option<String>,
}

impl Which {
    /// Without its device, which an address may name.
    pub(crate) fn filter(&self) -> Result<Selection, Problem> {
        let mut faults = Vec::new();
        let kind = read(&mut faults, "reading_type", self.reading_type.as_ref(), |text| {
            Kind::from_name(text)
                .ok_or_else(|| format!("is one of {}", Kind::ALL.map(Kind::name).join(", ")))
        });
        let series = read(&mut faults, "series", self.series.as_ref(), ids);
        let labels = read(&mut faults, "labels", self.labels.as_ref(), |text| {
            Selector::parse(text).map_err(|error| error.to_string())
        });
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        Ok(Selection {
            kind,
            metric: self.metric.clone(),
            series: series.unwrap_or_default(),
            labels: labels.unwrap_or_default(),
            ..Selection::default()
        })
    }

    /// With the machine or equipment that it names.
    pub(crate) async fn selection(
        &self,
        api: &Api,
        caller: &Caller,
        include: &Include,
    ) -> Result<Selection, Problem> {
        let selection = Selection { sight: sight(api, caller).await?, ..self.filter()? };
        let Some(id) = self.device else { return Ok(selection) };
        let subject = find(api, caller, Right::Read, id).await?;
        let belonging = include.belonging(&subject)?;
        Ok(Selection { device: Some((subject.machine().id, belonging)), ..selection })
    }
}

fn ids(text: &str) -> Result<Vec<SeriesId>, String> {
    let ids: Result<Vec<_>, _> =
        text.split(',').map(|id| id.trim().parse().map(SeriesId)).collect();
    match ids {
        Ok(ids) if ids.len() <= MAX_SERIES => Ok(ids),
        Ok(_) | Err(_) => {
            Err(format!("is a list of at most {MAX_SERIES} series ids, separated by commas"))
        }
    }
}

impl RangeQuery {
    pub(crate) fn query(&self, selection: Selection) -> Result<ReadingsQuery, Problem> {
        let mut faults = Vec::new();
        let from_ms = read(&mut faults, "from", self.from.as_ref(), time);
        let to_ms = read(&mut faults, "to", self.to.as_ref(), time);
        let step_ms = read(&mut faults, "step", self.step.as_ref(), step);
        let aggregate = read(&mut faults, "aggregate", self.aggregate.as_ref(), aggregate);
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let aggregate = aggregate.unwrap_or(Aggregate::Avg);
        Ok(ReadingsQuery { selection, from_ms, to_ms, step_ms, aggregate })
    }
}

pub(super) fn time(text: &str) -> Result<u64, String> {
    parse(text).ok_or_else(|| "is an RFC 3339 time or Unix milliseconds".to_owned())
}

pub(super) fn step(text: &str) -> Result<u64, String> {
    parse_span_ms(text).ok_or_else(|| "is a length of time such as 10s".to_owned())
}

pub(super) fn aggregate(text: &str) -> Result<Aggregate, String> {
    Aggregate::from_name(text.trim())
        .ok_or_else(|| format!("is one of {}", Aggregate::ALL.map(Aggregate::name).join(", ")))
}

pub(super) fn out_of_range(field: &str, message: String) -> Problem {
    Problem::invalid(vec![FieldError::query(field, "out_of_range", message)])
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
