//! Entries that can't be taken in. They are kept aside with their reason and an event that says
//! so, in the transaction that makes their numbers known: what stands behind them can flow.

use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::telemetry::commit::Arrival;
use crate::store::sql::telemetry::events::insert_event;
use crate::store::sql::{Connection, ms};
use crate::telemetry::Severity;
use crate::telemetry::event::{Event, EventId, QUARANTINED};

/// Bodies that are kept for one device, 64 KiB each at most; of more, the reasons alone.
const MAX_BODIES: i64 = 256;

/// Why an entry is kept aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Malformed,
    UnknownSeries,
    /// The store refuses it and nothing that came with it.
    Unstorable,
    /// Its number was committed with another body.
    Conflict,
}

impl Reason {
    /// The word in the table and the label of the counter.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_entry",
            Self::UnknownSeries => "unknown_series",
            Self::Unstorable => "unstorable",
            Self::Conflict => "checksum",
        }
    }
}

/// Keeps `arrival` aside; `None` where it has been before.
pub(super) async fn keep(
    connection: &mut Connection,
    arrival: &Arrival,
    reason: Reason,
    why: &str,
    now_ms: u64,
) -> Result<Option<Event>, StoreError> {
    let done = sqlx::query(
        "INSERT INTO quarantine (device, epoch, seq, checksum, reason, bytes, body, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6,
           CASE WHEN (SELECT count(*) FROM quarantine
                      WHERE device = $1 AND body IS NOT NULL) < $7 THEN $8 END,
           $9)
         ON CONFLICT DO NOTHING",
    )
    .bind(arrival.device.0)
    .bind(arrival.epoch.0)
    .bind(ms(arrival.seq.0))
    .bind(i64::from(arrival.checksum))
    .bind(format!("{}: {why}", reason.name()))
    .bind(ms(arrival.raw.len() as u64))
    .bind(MAX_BODIES)
    .bind(&arrival.raw)
    .bind(ms(now_ms))
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    let event = event(arrival.id, arrival.seq.0, why, now_ms);
    insert_event(connection, arrival.device, event).await.map(Some)
}

fn event(device: DeviceId, seq: u64, why: &str, at_ms: u64) -> Event {
    Event {
        id: EventId(0),
        device,
        at_ms,
        kind: QUARANTINED.into(),
        severity: Severity::Critical,
        subject: format!("entry {seq}"),
        message: format!("entry {seq} was kept aside and is not in the history: {why}"),
        reading: None,
        threshold: None,
        unit: None,
    }
}
