//! What an event is about: the device's own things, and the series that show how it came.

use crate::fleet::{Belonging, DeviceId, Subject};
use crate::http::Api;
use crate::http::error::Problem;
use crate::http::resources::operations::level;
use crate::http::resources::readings::{SeriesReadings, problem};
use crate::operations::{OperationId, Verdict};
use crate::telemetry::{
    Aggregate, Event, Kind, ReadingsQuery, Selection, SeriesId, SeriesInfo, Subjects,
};
use flyball_protocol::guard::Inventory as Board;

/// Series that one event brings along.
const MAX_SERIES: usize = 8;
/// The attribute by which a sensor's or actuator's series carries its id.
const HARDWARE_ID: &str = "hw.id";

/// What the events of equipment are about; a machine's are all that its guard tells.
pub(super) fn subjects(api: &Api, subject: &Subject) -> Option<Subjects> {
    let key = subject.key()?.to_owned();
    let board = subject.share_of(api.app.fleet.inventory(subject.machine().id).board);
    let limits = board.limits.into_iter().map(|limit| limit.name);
    let interlocks = board.interlocks.into_iter().map(|interlock| interlock.name);
    let locks = board.locks.into_iter().map(|held| held.lock.name);
    let names = limits.chain(interlocks).chain(locks).collect();
    Some(Subjects { equipment: Some(key), names })
}

/// The raw samples of what `event` is about, `window_ms` before and after it.
pub(super) async fn readings(
    api: &Api,
    event: &Event,
    window_ms: u64,
) -> Result<Vec<SeriesReadings>, Problem> {
    let device = event.device;
    let series = series_of(api, device, &event.subject).await?;
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let query = ReadingsQuery {
        selection: Selection {
            device: Some((device, Belonging::All)),
            series,
            ..Selection::default()
        },
        from_ms: Some(event.at_ms.saturating_sub(window_ms)),
        to_ms: Some(event.at_ms.saturating_add(window_ms).saturating_add(1)),
        step_ms: None,
        aggregate: Aggregate::Last,
    };
    let found = api.app.telemetry.readings(&query).await.map_err(problem)?;
    Ok(found.series.into_iter().map(SeriesReadings::from).collect())
}

async fn series_of(api: &Api, device: DeviceId, subject: &str) -> Result<Vec<SeriesId>, Problem> {
    let board = api.app.fleet.inventory(device).board;
    let series = api.app.fleet.series(device).await.map_err(Problem::internal)?;
    let mut found: Vec<SeriesId> = Vec::new();
    for name in meant(api, device, subject).await? {
        for id in named(&board, &series, &name) {
            if found.len() < MAX_SERIES && !found.contains(&id) {
                found.push(id);
            }
        }
    }
    Ok(found)
}

/// What a subject stands for: of a command, what it was for and what stood against it.
async fn meant(api: &Api, device: DeviceId, subject: &str) -> Result<Vec<String>, Problem> {
    let Ok(id) = subject.parse::<OperationId>() else { return Ok(vec![subject.to_owned()]) };
    let operation = api.app.operations.operation(id).await.map_err(Problem::internal)?;
    let Some(operation) = operation.filter(|operation| operation.device == device) else {
        return Ok(Vec::new());
    };
    let against = match &operation.verdict {
        Some(Verdict::Refused(refusal)) => Some(refusal.interlock.clone()),
        Some(Verdict::Clamped(clamp)) => Some(clamp.by.clone()),
        Some(Verdict::Accepted | Verdict::Armed(_)) | None => None,
    };
    Ok(against.into_iter().chain(level(&operation.action).0).collect())
}

/// The series that a subject names: a limit's sensors, what an interlock stands against, or the
/// sensor or actuator itself.
fn named(board: &Board, series: &[SeriesInfo], subject: &str) -> Vec<SeriesId> {
    let limit = board.limits.iter().find(|limit| limit.name == subject);
    let interlock = board.interlocks.iter().find(|interlock| interlock.name == subject);
    let (ids, kind): (Vec<&str>, Option<Kind>) = match (limit, interlock) {
        (Some(limit), _) => (limit.sensors.iter().map(String::as_str).collect(), Some(limit.kind)),
        (None, Some(interlock)) => (interlock.targets.iter().map(String::as_str).collect(), None),
        (None, None) => (vec![subject], None),
    };
    let is_meant = |one: &&SeriesInfo| {
        let id = one.attributes.iter().find(|(name, _)| name == HARDWARE_ID);
        id.is_some_and(|(_, id)| ids.contains(&id.as_str()))
            && kind.is_none_or(|kind| kind == one.kind)
    };
    series.iter().filter(is_meant).map(|one| one.id).take(MAX_SERIES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::limit;
    use crate::telemetry::{Reader, Unit};

    fn series(id: i64, hardware: &str, kind: Kind) -> SeriesInfo {
        SeriesInfo {
            id: SeriesId(id),
            metric: "hw".into(),
            kind,
            unit: Unit::One,
            attributes: vec![(HARDWARE_ID.into(), hardware.into())],
            cadence_ms: 1_000,
            reader: Reader::Guard,
        }
    }

    #[test]
    fn a_subject_names_the_series_of_its_sensors_within_a_bound() {
        let board = Board { limits: vec![limit("cpu", &["a", "b"])], ..Board::default() };
        let mut all = vec![
            series(1, "a", Kind::Temperature),
            series(2, "a", Kind::Power),
            series(3, "b", Kind::Temperature),
            series(4, "c", Kind::Temperature),
        ];
        assert_eq!(named(&board, &all, "cpu"), [SeriesId(1), SeriesId(3)]);
        assert_eq!(named(&board, &all, "a"), [SeriesId(1), SeriesId(2)]);
        assert_eq!(named(&board, &all, "nothing"), []);
        all.extend((10..100).map(|id| series(id, "a", Kind::Temperature)));
        assert_eq!(named(&board, &all, "cpu").len(), MAX_SERIES);
    }
}
