//! What a report says, reckoned from the readings.

use super::{Cell, Column, Content, ReportKind, ReportQuestion};
use crate::access::{OrganizationId, Scope, SiteId};
use crate::app::App;
use crate::clock::rfc3339;
use crate::fleet::{Belonging, DeviceId, Subject, SubjectQuery};
use crate::jobs::{JobError, Progress};
use crate::listing::Listing;
use crate::page::PageRequest;
use crate::telemetry::event::severity_name;
use crate::telemetry::{
    Aggregate, EventQuery, Kind, Readings, ReadingsError, ReadingsQuery, Selection, SeriesInfo,
};
use crate::tenancy::Sight;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Devices of one report.
const MAX_DEVICES: usize = 1_000;
/// Steps that a range is cut into, at most.
const STEPS: u64 = 1_500;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: f64 = 3_600_000.0;
const JOULES_OF_A_KWH: f64 = 3.6e6;
const MAX_EVENTS: usize = 10_000;
const EVENTS_AT_ONCE: u32 = 500;

pub(super) async fn answer(
    app: &App,
    question: &ReportQuestion,
    (from_ms, to_ms): (u64, u64),
    progress: &Progress,
) -> Result<Content, JobError> {
    let mut devices = devices(app, question).await?;
    let mut sheet = Sheet { from_ms, to_ms, rows: Vec::new(), notes: Vec::new() };
    if devices.len() > MAX_DEVICES {
        devices.truncate(MAX_DEVICES);
        sheet.notes.push(format!("Only the first {MAX_DEVICES} devices are shown."));
    }
    let all = devices.len() as u64;
    for (done, device) in devices.iter().enumerate() {
        progress.tell(device.name(), done as u64, Some(all)).await?;
        match question.kind {
            ReportKind::Energy => sheet.energy(app, device).await?,
            ReportKind::Temperature => {
                sheet.temperature(app, device, question.limit_celsius).await?;
            }
            ReportKind::Availability => sheet.availability(app, device).await?,
            ReportKind::Events => sheet.events(app, device).await?,
        }
    }
    Ok(sheet.content(question))
}

/// The devices that a question means: the one place where a report chooses any.
async fn devices(app: &App, question: &ReportQuestion) -> Result<Vec<Subject>, JobError> {
    if let Some(id) = question.device {
        let subject = app.fleet.subject(DeviceId(id)).await?;
        let gone = || JobError::Refused(format!("there is no device `{id}`"));
        return Ok(vec![subject.ok_or_else(gone)?]);
    }
    let page = PageRequest::first(u32::try_from(MAX_DEVICES).unwrap_or(u32::MAX) + 1);
    let within = match (question.site, question.organization) {
        (Some(site), _) => Some(Scope::Site(SiteId(site))),
        (None, Some(organization)) => Some(Scope::Organization(OrganizationId(organization))),
        (None, None) => None,
    };
    let sight = match within {
        None => Sight::Everything,
        Some(scope) => {
            let map = app.tenancy.map().await?;
            Sight::Only(Arc::new(map.devices_within(std::iter::once(scope))))
        }
    };
    let query = SubjectQuery { gateway: None, listing: Listing::default(), sight, page };
    Ok(app.fleet.subjects(&query).await?.items)
}

struct Sheet {
    from_ms: u64,
    to_ms: u64,
    rows: Vec<Vec<Cell>>,
    notes: Vec<String>,
}

impl Sheet {
    /// A step that is whole minutes.
    fn step_ms(&self) -> u64 {
        let whole = self.to_ms.saturating_sub(self.from_ms).div_ceil(STEPS);
        whole.div_ceil(MINUTE_MS).max(1) * MINUTE_MS
    }

    async fn ask(
        &self,
        app: &App,
        device: &Subject,
        kind: Option<Kind>,
        aggregate: Aggregate,
    ) -> Result<Readings, JobError> {
        let belonging = match device {
            Subject::Machine(_) => Belonging::Own,
            Subject::Equipment { .. } => device.belonging(),
        };
        let selection = Selection {
            device: Some((device.machine().id, belonging)),
            kind,
            ..Selection::default()
        };
        let query = ReadingsQuery {
            selection,
            from_ms: Some(self.from_ms),
            to_ms: Some(self.to_ms),
            step_ms: Some(self.step_ms()),
            aggregate,
        };
        app.telemetry.readings(&query).await.map_err(|error| {
            let why = format!("{}: {}", device.name(), crate::resilience::chain(&error));
            match error {
                ReadingsError::Store(_) | ReadingsError::TooLong | ReadingsError::Stale => {
                    JobError::MayPass(why)
                }
                _ => JobError::Refused(why),
            }
        })
    }

    /// How long the step that begins at `at_ms` is within the range.
    fn length_ms(&self, at_ms: u64) -> f64 {
        let (begin, end) = (at_ms.max(self.from_ms), (at_ms + self.step_ms()).min(self.to_ms));
        end.saturating_sub(begin) as f64
    }

    async fn energy(&mut self, app: &App, device: &Subject) -> Result<(), JobError> {
        for one in self.ask(app, device, Some(Kind::Power), Aggregate::Avg).await?.series {
            let (mut watt_hours, mut covered_ms) = (0.0, 0.0);
            for (at_ms, watts) in &one.points {
                if let Some(watts) = watts {
                    watt_hours += watts * self.length_ms(*at_ms) / HOUR_MS;
                    covered_ms += self.length_ms(*at_ms);
                }
            }
            if covered_ms > 0.0 {
                let mean = watt_hours * HOUR_MS / covered_ms;
                let covered = self.share(covered_ms);
                self.row(
                    device,
                    &one.series,
                    [
                        Cell::Text("power".into()),
                        rounded(watt_hours / 1_000.0, 4),
                        rounded(mean, 1),
                        covered,
                    ],
                );
            }
        }
        for one in self.ask(app, device, Some(Kind::Energy), Aggregate::Increase).await?.series {
            let gained: Vec<_> =
                one.points.iter().filter_map(|(at_ms, gain)| Some((at_ms, (*gain)?))).collect();
            if gained.is_empty() {
                continue;
            }
            let joules: f64 = gained.iter().map(|(_, gain)| gain).sum();
            let covered_ms: f64 = gained.iter().map(|(at_ms, _)| self.length_ms(**at_ms)).sum();
            let covered = self.share(covered_ms);
            self.row(
                device,
                &one.series,
                [
                    Cell::Text("counter".into()),
                    rounded(joules / JOULES_OF_A_KWH, 4),
                    rounded(joules * 1_000.0 / covered_ms.max(1.0), 1),
                    covered,
                ],
            );
        }
        Ok(())
    }

    async fn temperature(
        &mut self,
        app: &App,
        device: &Subject,
        limit: Option<f64>,
    ) -> Result<(), JobError> {
        let kind = Some(Kind::Temperature);
        let mut all = BTreeMap::new();
        for aggregate in [Aggregate::Min, Aggregate::Avg, Aggregate::Max] {
            for one in self.ask(app, device, kind, aggregate).await?.series {
                all.entry(one.series.id).or_insert_with(Vec::new).push(one);
            }
        }
        for (_, three) in all {
            let [lowest, mean, highest] = three.as_slice() else { continue };
            let values = |of: &[(u64, Option<f64>)]| -> Vec<f64> {
                of.iter().filter_map(|(_, value)| *value).collect()
            };
            let means = values(&mean.points);
            if means.is_empty() {
                continue;
            }
            let least = values(&lowest.points).into_iter().fold(f64::INFINITY, f64::min);
            let most = values(&highest.points).into_iter().fold(f64::NEG_INFINITY, f64::max);
            let average = means.iter().sum::<f64>() / means.len() as f64;
            let over = limit.map(|limit| {
                let over = mean.points.iter().filter(|(_, value)| value.is_some_and(|v| v > limit));
                over.map(|(at_ms, _)| self.length_ms(*at_ms)).sum::<f64>() / MINUTE_MS as f64
            });
            let over = over.map_or(Cell::Nothing, |minutes| rounded(minutes, 1));
            let cells = [rounded(least, 1), rounded(average, 1), rounded(most, 1), over];
            self.row(device, &mean.series, cells);
        }
        Ok(())
    }

    async fn availability(&mut self, app: &App, device: &Subject) -> Result<(), JobError> {
        let mut present: BTreeMap<u64, bool> = BTreeMap::new();
        for one in self.ask(app, device, None, Aggregate::Count).await?.series {
            for (at_ms, count) in one.points {
                *present.entry(at_ms).or_default() |= count.is_some_and(|count| count > 0.0);
            }
        }
        let covered_ms: f64 =
            present.iter().filter(|(_, is)| **is).map(|(at_ms, _)| self.length_ms(*at_ms)).sum();
        let missing_ms = (self.to_ms.saturating_sub(self.from_ms) as f64 - covered_ms).max(0.0);
        let share = self.share(covered_ms);
        self.rows.push(vec![
            Cell::Text(device.name().to_owned()),
            Cell::Text(device.id().to_string()),
            share,
            rounded(covered_ms / HOUR_MS, 2),
            rounded(missing_ms / HOUR_MS, 2),
        ]);
        Ok(())
    }

    async fn events(&mut self, app: &App, device: &Subject) -> Result<(), JobError> {
        // Equipment's events are told by its gateway, among the gateway's.
        let Subject::Machine(machine) = device else { return Ok(()) };
        let mut before = None;
        loop {
            let query = EventQuery {
                device: Some(machine.id),
                from_ms: Some(self.from_ms),
                to_ms: Some(self.to_ms),
                before,
                limit: EVENTS_AT_ONCE,
                ..EventQuery::default()
            };
            let events = app.telemetry.events(&query).await?;
            let Some(last) = events.last() else { return Ok(()) };
            before = Some((last.at_ms, last.id));
            let more = events.len() == EVENTS_AT_ONCE as usize;
            for event in events {
                if self.rows.len() >= MAX_EVENTS {
                    let note = format!("Only {MAX_EVENTS} events are shown.");
                    if !self.notes.contains(&note) {
                        self.notes.push(note);
                    }
                    return Ok(());
                }
                self.rows.push(vec![
                    Cell::Text(rfc3339(event.at_ms)),
                    Cell::Text(device.name().to_owned()),
                    Cell::Text(severity_name(event.severity).into()),
                    Cell::Text(event.kind),
                    Cell::Text(event.subject),
                    Cell::Text(event.message),
                    event.reading.map_or(Cell::Nothing, Cell::Number),
                ]);
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn row(&mut self, device: &Subject, series: &SeriesInfo, cells: [Cell; 4]) {
        let attributes: Vec<String> =
            series.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut row = vec![
            Cell::Text(device.name().to_owned()),
            Cell::Text(series.metric.clone()),
            Cell::Text(attributes.join(" ")),
        ];
        row.extend(cells);
        self.rows.push(row);
    }

    /// Per cent of the range.
    fn share(&self, covered_ms: f64) -> Cell {
        let whole = self.to_ms.saturating_sub(self.from_ms).max(1) as f64;
        rounded((covered_ms / whole * 100.0).min(100.0), 2)
    }

    fn content(self, question: &ReportQuestion) -> Content {
        let step = format!("Reckoned by steps of {} minutes.", self.step_ms() / MINUTE_MS);
        let (title, columns, notes): (_, &[(&str, Option<&str>)], Vec<String>) = match question.kind
        {
            ReportKind::Energy => (
                "Energy",
                &[
                    ("Device", None),
                    ("Series", None),
                    ("Labels", None),
                    ("From", None),
                    ("Energy", Some("kWh")),
                    ("Mean power", Some("W")),
                    ("Covered", Some("%")),
                ],
                vec![
                    step,
                    "Series are not added up: one may contain another. Time without readings \
                     counts as no energy."
                        .into(),
                ],
            ),
            ReportKind::Temperature => (
                "Temperature",
                &[
                    ("Device", None),
                    ("Series", None),
                    ("Labels", None),
                    ("Lowest", Some("°C")),
                    ("Mean", Some("°C")),
                    ("Highest", Some("°C")),
                    ("Over limit", Some("min")),
                ],
                match question.limit_celsius {
                    Some(limit) => {
                        vec![step, format!("A step counts as over {limit} °C where its mean is.")]
                    }
                    None => vec![step],
                },
            ),
            ReportKind::Availability => (
                "Availability",
                &[
                    ("Device", None),
                    ("Id", None),
                    ("Available", Some("%")),
                    ("Available for", Some("h")),
                    ("Missing for", Some("h")),
                ],
                vec![step, "A step counts as available where any reading of it came.".into()],
            ),
            ReportKind::Events => (
                "Events",
                &[
                    ("Time", None),
                    ("Device", None),
                    ("Severity", None),
                    ("Kind", None),
                    ("Subject", None),
                    ("Message", None),
                    ("Reading", None),
                ],
                Vec::new(),
            ),
        };
        let column = |(name, unit): &(&str, Option<&str>)| Column {
            name: (*name).into(),
            unit: unit.map(str::to_owned),
        };
        Content {
            title: title.into(),
            from: rfc3339(self.from_ms),
            to: rfc3339(self.to_ms),
            columns: columns.iter().map(column).collect(),
            rows: self.rows,
            notes: self.notes.into_iter().chain(notes).collect(),
        }
    }
}

fn rounded(value: f64, digits: i32) -> Cell {
    let factor = 10_f64.powi(digits);
    let rounded = (value * factor).round() / factor;
    if rounded.is_finite() { Cell::Number(rounded) } else { Cell::Nothing }
}
