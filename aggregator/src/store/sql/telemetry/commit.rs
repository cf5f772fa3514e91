//! The group commit: entries of many agents in one transaction, each exactly once.

use crate::audit::{AuditEntry, Decision};
use crate::fleet::DeviceId;
use crate::operations::Operation;
use crate::store::StoreError;
use crate::store::sql::bulk::{Binding, Bulk};
use crate::store::sql::engine::Engine;
use crate::store::sql::notices::Notice;
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
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// Locked in the order of their keys, so that two replicas wait for each other and no more.
static EPOCHS: Bulk =
    Bulk::new("SELECT key, ranges FROM epochs WHERE key IN (VALUES ", 1, ") ORDER BY key");
static EPOCHS_LOCKED: Bulk = Bulk::new(
    "SELECT key, ranges FROM epochs WHERE key IN (VALUES ",
    1,
    ") ORDER BY key FOR UPDATE",
);
static RANGES: Bulk = Bulk::new(
    "UPDATE epochs SET ranges = v.column2 FROM (VALUES ",
    2,
    ") AS v WHERE epochs.key = v.column1",
);
static ENTRIES: Bulk = Bulk::new("INSERT INTO entries (epoch, seq, checksum) VALUES ", 3, "");
static BLOCKS: Bulk = Bulk::new(
    "INSERT INTO blocks (device, epoch, seq, from_ms, to_ms, arrived_at_ms, data) VALUES ",
    7,
    "",
);

impl Store {
    /// Commits `arrivals` in one transaction; the answers stand in their order. Nothing of it
    /// is stored where this fails.
    pub(crate) async fn commit(
        &self,
        arrivals: &[Arrival],
        now_ms: u64,
    ) -> Result<Vec<Committed>, StoreError> {
        self.make_days(arrivals.iter().filter_map(Arrival::first_tick), now_ms).await;
        // What settles an operation takes its turn with everybody who writes; all else touches
        // nothing but its own epochs.
        let settles = arrivals.iter().any(|a| matches!(a.body, ArrivalBody::Outcome(_)));
        let mut transaction =
            if settles { self.begin().await? } else { self.begin_on_rows().await? };
        let mut ledger = Ledger::lock(&mut transaction, self.engine, arrivals).await?;
        let admissions = ledger.admit(&mut transaction, arrivals).await?;
        let new = || arrivals.iter().zip(&admissions).filter(|(_, a)| **a == Admission::New);
        let keys: Vec<_> = new().map(|(arrival, _)| arrival).collect();
        ENTRIES
            .execute(&mut transaction, &keys, |query, arrival| {
                query
                    .bind(arrival.epoch.0)
                    .bind(ms(arrival.seq.0))
                    .bind(i64::from(arrival.checksum))
            })
            .await?;
        let blocks: Vec<_> = new().filter_map(|(arrival, _)| arrival.block()).collect();
        let bind = |query, block: &BlockToStore<'_>| bind_block(query, block, now_ms);
        BLOCKS.execute(&mut transaction, &blocks, bind).await?;
        let mut answers = Vec::with_capacity(arrivals.len());
        let mut conflicts = Vec::new();
        for (arrival, admission) in arrivals.iter().zip(&admissions) {
            answers.push(match *admission {
                Admission::New => store_body(&mut transaction, arrival, now_ms).await?,
                Admission::Repeated => Committed::Repeated,
                Admission::Conflict { stored } => {
                    let kept = keep_conflict(&mut transaction, arrival, now_ms).await?;
                    if matches!(kept, Committed::Quarantined { .. }) {
                        conflicts.push(conflict_entry(arrival, stored, now_ms));
                    }
                    kept
                }
            });
        }
        ledger.write(&mut transaction).await?;
        for answer in &answers {
            if let Committed::New { operation: Some(operation), .. } = answer {
                self.notify(&mut transaction, Notice::Operation(operation.id)).await?;
            }
        }
        audit::append_all(&mut transaction, &conflicts).await?;
        transaction.commit().await?;
        Ok(answers)
    }
}

/// A block's row.
struct BlockToStore<'a> {
    arrival: &'a Arrival,
    from_ms: u64,
    to_ms: u64,
    data: &'a [u8],
}

impl Arrival {
    fn block(&self) -> Option<BlockToStore<'_>> {
        match &self.body {
            ArrivalBody::Block { from_ms, to_ms, data } => {
                Some(BlockToStore { arrival: self, from_ms: *from_ms, to_ms: *to_ms, data })
            }
            ArrivalBody::Event { .. }
            | ArrivalBody::Outcome(_)
            | ArrivalBody::Gap { .. }
            | ArrivalBody::Unreadable { .. } => None,
        }
    }

    fn first_tick(&self) -> Option<u64> {
        self.block().map(|block| block.from_ms)
    }
}

fn bind_block(query: Binding, block: &BlockToStore<'_>, now_ms: u64) -> Binding {
    query
        .bind(block.arrival.device.0)
        .bind(block.arrival.epoch.0)
        .bind(ms(block.arrival.seq.0))
        .bind(ms(block.from_ms))
        .bind(ms(block.to_ms))
        .bind(ms(now_ms))
        .bind(block.data.to_vec())
}

/// What the store knows of an entry's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    New,
    Repeated,
    /// It was committed with the body of this checksum.
    Conflict {
        stored: u32,
    },
}

/// What is committed of the epochs that a transaction is about; they are its own until it ends.
struct Ledger {
    ranges: BTreeMap<i64, Ranges>,
    changed: BTreeSet<i64>,
    /// What this very transaction brings.
    fresh: HashMap<(i64, Seq), u32>,
}

impl Ledger {
    async fn lock(
        connection: &mut Connection,
        engine: Engine,
        arrivals: &[Arrival],
    ) -> Result<Self, StoreError> {
        let keys: BTreeSet<i64> = arrivals.iter().map(|arrival| arrival.epoch.0).collect();
        let keys: Vec<i64> = keys.into_iter().collect();
        let select = match engine {
            Engine::Sqlite => &EPOCHS,
            Engine::Postgres => &EPOCHS_LOCKED,
        };
        let rows = select.fetch(connection, &keys, |query, key| query.bind(*key)).await?;
        let mut ranges = BTreeMap::new();
        for row in rows {
            ranges.insert(row.try_get("key")?, from_blob("ranges", row.try_get("ranges")?)?);
        }
        Ok(Self { ranges, changed: BTreeSet::new(), fresh: HashMap::new() })
    }

    /// Takes up what is new. The ranges outlive the entries' rows, so a number without a row is
    /// a repetition.
    async fn admit(
        &mut self,
        connection: &mut Connection,
        arrivals: &[Arrival],
    ) -> Result<Vec<Admission>, StoreError> {
        let mut admissions = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            let Arrival { seq, checksum, .. } = *arrival;
            let epoch = arrival.epoch.0;
            let ranges = self.ranges.get_mut(&epoch).ok_or(sqlx::Error::RowNotFound)?;
            if !ranges.contains(seq) {
                ranges.insert(seq);
                self.changed.insert(epoch);
                self.fresh.insert((epoch, seq), checksum);
                admissions.push(Admission::New);
                continue;
            }
            let stored = match self.fresh.get(&(epoch, seq)) {
                Some(stored) => Some(*stored),
                None => stored_checksum(connection, epoch, seq).await?,
            };
            admissions.push(match stored {
                Some(stored) if stored != checksum => Admission::Conflict { stored },
                Some(_) | None => Admission::Repeated,
            });
        }
        Ok(admissions)
    }

    async fn write(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(self.changed.len());
        for key in &self.changed {
            rows.push((*key, to_blob("ranges", &self.ranges[key])?));
        }
        let bind =
            |query: Binding, (key, ranges): &(i64, Vec<u8>)| query.bind(*key).bind(ranges.clone());
        RANGES.execute(connection, &rows, bind).await
    }
}

async fn stored_checksum(
    connection: &mut Connection,
    epoch: i64,
    seq: Seq,
) -> Result<Option<u32>, StoreError> {
    let stored: Option<i64> =
        sqlx::query_scalar("SELECT checksum FROM entries WHERE epoch = $1 AND seq = $2")
            .bind(epoch)
            .bind(ms(seq.0))
            .fetch_optional(connection)
            .await?;
    stored.map(|stored| small("entries.checksum", stored)).transpose()
}

/// The newcomer is kept aside, once; what is stored stays.
async fn keep_conflict(
    connection: &mut Connection,
    arrival: &Arrival,
    now_ms: u64,
) -> Result<Committed, StoreError> {
    let reason = Reason::Conflict;
    let why = "its number was committed with another body";
    let Some(event) = quarantine::keep(connection, arrival, reason, why, now_ms).await? else {
        return Ok(Committed::Repeated);
    };
    Ok(Committed::Quarantined { reason, event })
}

async fn store_body(
    connection: &mut Connection,
    arrival: &Arrival,
    now_ms: u64,
) -> Result<Committed, StoreError> {
    let (mut event, mut operation) = (None, None);
    match &arrival.body {
        // With all others of the batch.
        ArrivalBody::Block { .. } => {}
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
        ..AuditEntry::default()
    }
}

#[cfg(test)]
mod cost;
