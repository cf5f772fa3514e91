//! What a machine's state was by the hour and by the day, from what is kept of its readings. What
//! was not measured is null, never a made-up zero.

use super::devices::{Include, find};
use super::readings::problem;
use super::system::WhichDevice;
use crate::access::{Caller, Right};
use crate::fleet::{Belonging, Subject};
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Path, Query};
use crate::http::reply::{Answer, Flat, Many, One, Resource};
use crate::http::time::rfc3339;
use crate::telemetry::{Aggregate, Group, GroupBy, Question, Selection, SeriesInfo, StepChoice};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const HOUR_MS: u64 = 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Sensors of one kind that one question looks at.
const MAX_SENSORS: usize = 24;
const AGGREGATES: [Aggregate; 3] = [Aggregate::Avg, Aggregate::Min, Aggregate::Max];

/// What a point shows, each of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Cpu,
    Memory,
    Disk,
    Temperature,
    Power,
}

impl Shown {
    /// `None` where the series is none of them.
    fn of(series: &SeriesInfo) -> Option<Self> {
        let root = ("system.filesystem.mountpoint".to_owned(), "/".to_owned());
        match series.metric.as_str() {
            "system.cpu.utilization" if series.attributes.is_empty() => Some(Self::Cpu),
            "system.memory.utilization" if series.attributes.is_empty() => Some(Self::Memory),
            "system.filesystem.utilization" if series.attributes.contains(&root) => {
                Some(Self::Disk)
            }
            "hw.temperature" => Some(Self::Temperature),
            "hw.power" => Some(Self::Power),
            _ => None,
        }
    }

    /// Ratios are shown in percent.
    const fn factor(self) -> f64 {
        match self {
            Self::Cpu | Self::Memory | Self::Disk => 100.0,
            Self::Temperature | Self::Power => 1.0,
        }
    }
}

/// What was measured in one step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Spread {
    avg: f64,
    min: f64,
    max: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct HistoryPoint {
    /// The step's begin.
    timestamp: String,
    cpu_percent: Option<Spread>,
    memory_percent: Option<Spread>,
    /// Of the root file system.
    disk_percent: Option<Spread>,
    /// Degrees Celsius, of the sensor that was hottest on average.
    temperature: Option<Spread>,
    /// Of the supply or part that drew most on average: the others are parts of it.
    power_watts: Option<Spread>,
}

impl Resource for HistoryPoint {
    const FLAT: Flat = Flat::named("point", "history");
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistorySummary {
    device_id: Uuid,
    from: String,
    to: String,
    #[serde(flatten)]
    whole: HistoryPoint,
}

impl Resource for HistorySummary {
    const FLAT: Flat = Flat::named("summary", "summaries");
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Hours {
    /// So many up to now; 24 where absent.
    #[param(minimum = 1, maximum = 744)]
    hours: Option<u32>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Days {
    /// So many up to now; 30 where absent.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct SummaryDays {
    /// So many up to now; 7 where absent.
    #[param(minimum = 1, maximum = 31)]
    days: Option<u32>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Steps {
    /// `hour` or `day`; `hour` where absent.
    step: Option<String>,
    /// So many steps up to now; 24 hours or 30 days where absent.
    #[param(minimum = 1, maximum = 744)]
    count: Option<u32>,
}

pub(crate) async fn hourly(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<WhichDevice>,
    Query(asked): Query<Hours>,
) -> Answer<Many<HistoryPoint>> {
    let count = within("hours", asked.hours, 24, 744)?;
    points(&api, &machine(&api, &caller, &which).await?, HOUR_MS, count).await
}

pub(crate) async fn daily(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<WhichDevice>,
    Query(asked): Query<Days>,
) -> Answer<Many<HistoryPoint>> {
    let count = within("days", asked.days, 30, 366)?;
    points(&api, &machine(&api, &caller, &which).await?, DAY_MS, count).await
}

pub(crate) async fn summary(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<WhichDevice>,
    Query(asked): Query<SummaryDays>,
) -> Answer<One<HistorySummary>> {
    let days = u64::from(within("days", asked.days, 7, 31)?);
    let subject = machine(&api, &caller, &which).await?;
    let to_ms = api.app.clock.now_ms() + 1;
    let range = to_ms.saturating_sub(days * DAY_MS)..to_ms;
    let mut whole = HistoryPoint::at(range.start);
    for (shown, group) in gather(&api, &subject, range.clone(), DAY_MS).await? {
        if let Some(spread) = Spread::of_all(&group, shown.factor()) {
            whole.put(shown, spread);
        }
    }
    Ok(One(HistorySummary {
        device_id: subject.id().0,
        from: rfc3339(range.start),
        to: rfc3339(range.end),
        whole,
    }))
}

pub(crate) async fn of_device(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
    Query(asked): Query<Steps>,
) -> Answer<Many<HistoryPoint>> {
    let (step_ms, default, most) = match asked.step.as_deref() {
        None | Some("hour") => (HOUR_MS, 24, 744),
        Some("day") => (DAY_MS, 30, 366),
        Some(_) => {
            let fault = FieldError::query("step", "invalid_value", "is hour or day");
            return Err(Problem::invalid(vec![fault]));
        }
    };
    let count = within("count", asked.count, default, most)?;
    points(&api, &find(&api, &caller, Right::Read, id).await?, step_ms, count).await
}

async fn machine(api: &Api, caller: &Caller, which: &WhichDevice) -> Result<Subject, Problem> {
    which.find_for(api, caller, Right::Read).await.map(Subject::Machine)
}

fn within(name: &str, asked: Option<u32>, default: u32, most: u32) -> Result<u32, Problem> {
    let count = asked.unwrap_or(default);
    if (1..=most).contains(&count) {
        return Ok(count);
    }
    let message = format!("has to be 1 to {most}");
    Err(Problem::invalid(vec![FieldError::query(name, "out_of_range", message)]))
}

/// `count` steps, the one that runs now the last.
async fn points(
    api: &Api,
    subject: &Subject,
    step_ms: u64,
    count: u32,
) -> Answer<Many<HistoryPoint>> {
    let to_ms = api.app.clock.now_ms() + 1;
    let begun = to_ms / step_ms * step_ms;
    let from_ms = begun.saturating_sub((u64::from(count) - 1) * step_ms);
    let steps = (0..u64::from(count)).map(|index| from_ms + index * step_ms);
    let mut points: Vec<HistoryPoint> = steps.map(HistoryPoint::at).collect();
    for (shown, group) in gather(api, subject, from_ms..to_ms, step_ms).await? {
        for (index, point) in points.iter_mut().enumerate() {
            if let Some(spread) = Spread::of_step(&group, index, shown.factor()) {
                point.put(shown, spread);
            }
        }
    }
    Ok(Many::whole(points).fact("device_id", subject.id().to_string()))
}

/// Each series that is shown, by step.
async fn gather(
    api: &Api,
    subject: &Subject,
    range: Range<u64>,
    step_ms: u64,
) -> Result<Vec<(Shown, Group)>, Problem> {
    let machine = subject.machine().id;
    let belonging = Include::of(None).belonging(subject)?;
    let series = api.app.fleet.series(machine).await.map_err(Problem::internal)?;
    let series = chosen(&series, &belonging);
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let question = Question {
        selection: Selection {
            device: Some((machine, belonging)),
            series: series.iter().map(|series| series.id).collect(),
            ..Selection::default()
        },
        from_ms: Some(range.start),
        to_ms: Some(range.end),
        step: Some(StepChoice::Ms(step_ms)),
        aggregates: AGGREGATES.to_vec(),
        group_by: GroupBy::Series,
    };
    let grouped = api.app.telemetry.grouped(&question).await.map_err(problem)?;
    let shown = |group: &Group| group.series.first().and_then(|found| Shown::of(&found.series));
    Ok(grouped.groups.into_iter().filter_map(|group| Some((shown(&group)?, group))).collect())
}

/// The series that are shown, of each kind a bounded number.
fn chosen<'a>(series: &'a [SeriesInfo], belonging: &Belonging) -> Vec<&'a SeriesInfo> {
    let mut chosen: Vec<(Shown, &SeriesInfo)> = Vec::new();
    for series in series.iter().filter(|series| belonging.holds(series)) {
        let Some(shown) = Shown::of(series) else { continue };
        if chosen.iter().filter(|(other, _)| *other == shown).count() < MAX_SENSORS {
            chosen.push((shown, series));
        }
    }
    chosen.into_iter().map(|(_, series)| series).collect()
}

impl Spread {
    fn of_step(group: &Group, index: usize, factor: f64) -> Option<Self> {
        let value = |wanted: Aggregate| {
            let (_, points) = group.results.iter().find(|(aggregate, _)| *aggregate == wanted)?;
            points.get(index)?.1.map(|number| number * factor)
        };
        Some(Self {
            avg: value(Aggregate::Avg)?,
            min: value(Aggregate::Min)?,
            max: value(Aggregate::Max)?,
        })
    }

    /// All steps as one: each sample counts alike.
    fn of_all(group: &Group, factor: f64) -> Option<Self> {
        let (mut samples, mut whole) = (0, None::<Self>);
        for (index, count) in group.counts.iter().enumerate() {
            let Some(step) = Self::of_step(group, index, factor) else { continue };
            samples += count;
            whole = Some(match whole {
                None => step,
                Some(before) => Self {
                    avg: before.avg + (step.avg - before.avg) * *count as f64 / samples as f64,
                    min: before.min.min(step.min),
                    max: before.max.max(step.max),
                },
            });
        }
        whole
    }
}

impl HistoryPoint {
    fn at(at_ms: u64) -> Self {
        Self {
            timestamp: rfc3339(at_ms),
            cpu_percent: None,
            memory_percent: None,
            disk_percent: None,
            temperature: None,
            power_watts: None,
        }
    }

    /// Of several sensors the one with the greatest mean stands.
    fn put(&mut self, shown: Shown, spread: Spread) {
        let place = match shown {
            Shown::Cpu => &mut self.cpu_percent,
            Shown::Memory => &mut self.memory_percent,
            Shown::Disk => &mut self.disk_percent,
            Shown::Temperature => &mut self.temperature,
            Shown::Power => &mut self.power_watts,
        };
        if place.is_none_or(|before| before.avg < spread.avg) {
            *place = Some(spread);
        }
    }
}
