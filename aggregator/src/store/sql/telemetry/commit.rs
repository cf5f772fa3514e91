//! The group commit: entries of many agents in one transaction, each exactly once.

use crate::audit::{AuditEntry, Decision};
use crate::fleet::DeviceId;
use crate::operations::Operation;
use crate::store::StoreError;
use crate::store::sql::operations::settle;
use crate::store::sql::telemetry::events::insert_event;
use crate::store::sql::telemetry::quarantine::{self, Reason};
use crate::store::sql::telemetry::{DeviceKey, EpochKey};
use crate::store::sql::{Connection, Store, audit, fleet, from_blob, ms, small, to_blob};
use crate::telemetry::event::{Event, EventId};
use crate::telemetry::{NoData, Reader, SeriesId};
use flyball_protocol::command::Outcome;
use flyball_protocol::guard::GuardEvent;
use flyball_protocol::sync::{Ranges, Seq};
use serde_json::json;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// One entry that an agent sent, checked and decoded as far as the store needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arrival {
    pub(crate) id: DeviceId,
    pub(crate) device: DeviceKey,
    pub(crate) epoch: EpochKey,
    pub(crate) seq: Seq,
    /// Tells this body from any other under the same number.
    pub(crate) checksum: u32,
    /// The entry's body as it came.
    pub(crate) raw: Vec<u8>,
    pub(crate) body: ArrivalBody,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ArrivalBody {
    /// First and last tick, inclusive, and the sealed bytes.
    Block {
        from_ms: u64,
        to_ms: u64,
        data: Vec<u8>,
    },
    Event {
        at_ms: u64,
        event: GuardEvent,
    },
    Outcome(Outcome),
    Gap {
        from_ms: u64,
        to_ms: u64,
        scope: Scope,
        reason: NoData,
        note: String,
    },
    /// What can't be read: to be kept aside.
    Unreadable {
        reason: Reason,
        why: String,
    },
}

/// Whose samples are missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scope {
    Reader(Reader),
    Series(Vec<SeriesId>),
}

/// What became of one entry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Committed {
    /// Stored now, with what it has set in motion.
    New { event: Option<Event>, operation: Option<Operation> },
    /// Stored before with the same body; acknowledged again.
    Repeated,
    /// Kept aside now, with the event that says so. What was stored before is unchanged.
    Quarantined { reason: Reason, event: Event },
}

impl Store {
    /// Commits `arrivals` in one transaction; the answers stand in their order. Nothing of it
    /// is stored where this fails.
    pub(crate) async fn commit(
        &self,
        arrivals: &[Arrival],
        now_ms: u64,
    ) -> Result<Vec<Committed>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut ranges: HashMap<EpochKey, Ranges> = HashMap::new();
        let mut answers = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            if let Entry::Vacant(place) = ranges.entry(arrival.epoch) {
                place.insert(committed(&mut transaction, arrival.epoch).await?);
            }
            answers.push(match admit(&mut transaction, arrival, &mut ranges).await? {
                Admission::New => store_body(&mut transaction, arrival, now_ms).await?,
                Admission::Repeated => Committed::Repeated,
                Admission::Conflict { stored } => {
                    keep_conflict(&mut transaction, arrival, stored, now_ms).await?
                }
            });
        }
        for (epoch, ranges) in &ranges {
            sqlx::query("UPDATE epochs SET ranges = $1 WHERE key = $2")
                .bind(to_blob("ranges", ranges)?)
                .bind(epoch.0)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(answers)
    }
}

async fn committed(connection: &mut Connection, epoch: EpochKey) -> Result<Ranges, StoreError> {
    let blob: Vec<u8> = sqlx::query_scalar("SELECT ranges FROM epochs WHERE key = $1")
        .bind(epoch.0)
        .fetch_one(connection)
        .await?;
    from_blob("ranges", &blob)
}

/// What the store knows of an entry's number.
enum Admission {
    New,
    Repeated,
    /// It was committed with the body of this checksum.
    Conflict {
        stored: u32,
    },
}

/// Notes the entry's key where it is new; says what is known of it where it is not. The ranges
/// outlive the entries' rows, so a number without a row is a repetition.
async fn admit(
    connection: &mut Connection,
    arrival: &Arrival,
    ranges: &mut HashMap<EpochKey, Ranges>,
) -> Result<Admission, StoreError> {
    let ranges = ranges.entry(arrival.epoch).or_default();
    if ranges.contains(arrival.seq) {
        let stored: Option<i64> =
            sqlx::query_scalar("SELECT checksum FROM entries WHERE epoch = $1 AND seq = $2")
                .bind(arrival.epoch.0)
                .bind(ms(arrival.seq.0))
                .fetch_optional(connection)
                .await?;
        let stored = stored.map(|stored| small("entries.checksum", stored)).transpose()?;
        return Ok(match stored {
            Some(stored) if stored != arrival.checksum => Admission::Conflict { stored },
            Some(_) | None => Admission::Repeated,
        });
    }
    sqlx::query("INSERT INTO entries (epoch, seq, checksum) VALUES ($1, $2, $3)")
        .bind(arrival.epoch.0)
        .bind(ms(arrival.seq.0))
        .bind(i64::from(arrival.checksum))
        .execute(connection)
        .await?;
    ranges.insert(arrival.seq);
    Ok(Admission::New)
}

/// The newcomer is kept aside and audited, once; what is stored stays.
async fn keep_conflict(
    connection: &mut Connection,
    arrival: &Arrival,
    stored: u32,
    now_ms: u64,
) -> Result<Committed, StoreError> {
    let reason = Reason::Conflict;
    let why = "its number was committed with another body";
    let Some(event) = quarantine::keep(connection, arrival, reason, why, now_ms).await? else {
        return Ok(Committed::Repeated);
    };
    audit::append(connection, &conflict_entry(arrival, stored, now_ms)).await?;
    Ok(Committed::Quarantined { reason, event })
}

async fn store_body(
    connection: &mut Connection,
    arrival: &Arrival,
    now_ms: u64,
) -> Result<Committed, StoreError> {
    let (mut event, mut operation) = (None, None);
    match &arrival.body {
        ArrivalBody::Block { from_ms, to_ms, data } => {
            sqlx::query(
                "INSERT INTO blocks (device, epoch, seq, from_ms, to_ms, data)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(arrival.device.0)
            .bind(arrival.epoch.0)
            .bind(ms(arrival.seq.0))
            .bind(ms(*from_ms))
            .bind(ms(*to_ms))
            .bind(data)
            .execute(connection)
            .await?;
        }
        ArrivalBody::Event { at_ms, event: guard } => {
            let heard = Event::from_guard(EventId(0), arrival.id, *at_ms, guard.clone());
            event = Some(insert_event(connection, arrival.device, heard).await?);
        }
        ArrivalBody::Outcome(outcome) => {
            let device = arrival.id;
            let outcome = outcome.clone();
            let id = outcome.operation;
            let change =
                |op: &mut Operation| op.device == device && op.handle_outcome(outcome, now_ms);
            operation = settle(connection, id, change, now_ms).await?;
        }
        ArrivalBody::Gap { scope: Scope::Reader(reader), .. } => {
            insert_gap(connection, arrival, Some(*reader), None).await?;
        }
        ArrivalBody::Gap { scope: Scope::Series(series), .. } => {
            for series in series {
                insert_gap(connection, arrival, None, Some(*series)).await?;
            }
        }
        ArrivalBody::Unreadable { reason, why } => {
            let kept = quarantine::keep(connection, arrival, *reason, why, now_ms).await?;
            let reason = *reason;
            return Ok(
                kept.map_or(Committed::Repeated, |event| Committed::Quarantined { reason, event })
            );
        }
    }
    Ok(Committed::New { event, operation })
}

async fn insert_gap(
    connection: &mut Connection,
    arrival: &Arrival,
    reader: Option<Reader>,
    series: Option<SeriesId>,
) -> Result<(), StoreError> {
    let ArrivalBody::Gap { from_ms, to_ms, reason, note, .. } = &arrival.body else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO gaps (device, from_ms, to_ms, reader, series, reason, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(arrival.device.0)
    .bind(ms(*from_ms))
    .bind(ms(*to_ms))
    .bind(reader.map(fleet::reader_name))
    .bind(series.map(|series| series.0))
    .bind(i64::from(reason.code()))
    .bind(note)
    .execute(connection)
    .await?;
    Ok(())
}

fn conflict_entry(arrival: &Arrival, stored: u32, now_ms: u64) -> AuditEntry {
    let device = format!("device:{}", arrival.id);
    AuditEntry {
        at_ms: now_ms,
        actor: device.clone(),
        action: "telemetry.commit".into(),
        target: device,
        decision: Decision::Refused,
        details: json!({
            "seq": arrival.seq.0,
            "checksum": format!("{:08x}", arrival.checksum),
            "stored_checksum": format!("{stored:08x}"),
        }),
        request_id: None,
    }
}
