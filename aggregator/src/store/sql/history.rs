//! Segments, the objects behind them, leases: what the history keeps in the database.
//!
//! A block and a segment that holds its samples never stand beside each other: one transaction
//! makes the segment's row and removes what went into it, or does neither.

use crate::audit::AuditEntry;
use crate::fleet::DeviceId;
use crate::history::{
    Layout, Publication, Retention, SegmentId, SegmentRow, Settled, Tier, Window,
};
use crate::store::StoreError;
use crate::store::sql::telemetry::EpochKey;
use crate::store::sql::{
    Connection, Row, Store, audit, from_json, ms, small, to_json, unsigned, word,
};
use futures_util::TryStreamExt;
use sqlx::Row as _;

/// Rows that one statement of a list names.
const NAMED: usize = 50;

/// One block that is to go into a segment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PastBlock {
    pub(crate) id: i64,
    pub(crate) epoch: EpochKey,
    pub(crate) data: Vec<u8>,
}

/// What became of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    Done,
    /// A block or segment that went into it is gone, or its note was collected: nothing changed.
    Overtaken,
}

/// What the history takes, as far as rows tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) segments: u64,
    pub(crate) bytes: u64,
}

/// The database's own room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DatabaseRoom {
    pub(crate) used_bytes: u64,
    /// Pages that it has and does not use.
    pub(crate) free_bytes: u64,
}

/// The setting of the organization's retention.
const RETENTION: &str = "history.retention";

const SEGMENT: &str = "SELECT s.id, d.id AS device, s.from_ms, s.to_ms, s.first_ms, s.last_ms,
    s.tier, s.samples, s.object, s.bytes, s.minutes_at, s.hours_at, s.index_at, s.checksum
    FROM segments s JOIN devices d ON d.key = s.device ";

impl Store {
    /// Spans of `window_ms` that have readable blocks which are settled and begin at `from_ms` or
    /// later, the oldest first.
    pub(crate) async fn past_windows(
        &self,
        window_ms: u64,
        from_ms: u64,
        settled: &Settled,
        limit: u32,
    ) -> Result<Vec<Window>, StoreError> {
        // Machine by machine: so SQLite looks up what is past and never at what is not. It keeps
        // the order of a cross join.
        let rows = sqlx::query(
            "SELECT d.id AS device, b.from_ms / $1 AS number FROM devices d CROSS JOIN blocks b
             WHERE b.device = d.key AND b.from_ms >= $6 AND b.from_ms < $2
               AND b.arrived_at_ms <= $3 AND b.id <= $4
               AND NOT EXISTS (SELECT 1 FROM unreadable_blocks u WHERE u.block = b.id)
             GROUP BY d.id, b.from_ms / $1 ORDER BY number, d.id LIMIT $5",
        )
        .bind(ms(window_ms))
        .bind(ms(settled.before_ms))
        .bind(ms(settled.arrived_by_ms))
        .bind(settled.through)
        .bind(i64::from(limit))
        .bind(ms(from_ms))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| window(row, window_ms)).collect()
    }

    /// Spans of `window_ms` before `before_ms` whose samples lie in more than one segment.
    pub(crate) async fn scattered_windows(
        &self,
        window_ms: u64,
        before_ms: u64,
        limit: u32,
    ) -> Result<Vec<Window>, StoreError> {
        let rows = sqlx::query(
            "SELECT d.id AS device, s.from_ms / $1 AS number FROM segments s
             JOIN devices d ON d.key = s.device
             WHERE s.to_ms <= $2 AND s.tier = 0
             GROUP BY d.id, s.from_ms / $1 HAVING count(*) > 1
             ORDER BY number, d.id LIMIT $3",
        )
        .bind(ms(window_ms))
        .bind(ms(before_ms))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| window(row, window_ms)).collect()
    }

    /// Hands every readable and settled block of the window to `each`, by its first tick, one at
    /// a time.
    pub(crate) async fn for_each_past_block<E: From<StoreError>>(
        &self,
        window: &Window,
        settled: &Settled,
        mut each: impl FnMut(PastBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rows = sqlx::query(
            "SELECT b.id, b.epoch, b.data FROM blocks b JOIN devices d ON d.key = b.device
             WHERE d.id = $1 AND b.from_ms >= $2 AND b.from_ms < $3
               AND b.arrived_at_ms <= $4 AND b.id <= $5
               AND NOT EXISTS (SELECT 1 FROM unreadable_blocks u WHERE u.block = b.id)
             ORDER BY b.from_ms, b.id",
        )
        .bind(window.device.to_string())
        .bind(ms(window.from_ms))
        .bind(ms(window.to_ms))
        .bind(ms(settled.arrived_by_ms))
        .bind(settled.through)
        .fetch(self.readers());
        while let Some(row) = rows.try_next().await.map_err(StoreError::Sql)? {
            each(past_block(&row)?)?;
        }
        Ok(())
    }

    /// Sets a block aside for good: no later compaction tries it again.
    pub(crate) async fn set_aside(&self, block: i64, why: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO unreadable_blocks (block, why) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(block)
        .bind(why)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes or prolongs the lease of a device; false where another holds it.
    pub(crate) async fn lease(
        &self,
        device: DeviceId,
        holder: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let taken = sqlx::query(
            "INSERT INTO compaction_leases (device, holder, until_ms)
             SELECT key, $2, $3 FROM devices WHERE id = $1
             ON CONFLICT (device) DO UPDATE SET holder = $2, until_ms = $3
             WHERE compaction_leases.holder = $2 OR compaction_leases.until_ms <= $4
             RETURNING device",
        )
        .bind(device.to_string())
        .bind(holder)
        .bind(ms(until_ms))
        .bind(ms(now_ms))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(taken.is_some())
    }

    pub(crate) async fn release_lease(
        &self,
        device: DeviceId,
        holder: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM compaction_leases WHERE holder = $2
             AND device = (SELECT key FROM devices WHERE id = $1)",
        )
        .bind(device.to_string())
        .bind(holder)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes an object that is about to be written: were it never published, it is removed after
    /// `remove_after_ms`.
    pub(crate) async fn note_object(
        &self,
        object: &str,
        remove_after_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        kill(&mut transaction, object, remove_after_ms).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes the segment's row and removes what went into it, in one transaction. `retire_ms` is
    /// when the objects that it replaces may be removed.
    pub(crate) async fn publish(
        &self,
        publication: &Publication<'_>,
        now_ms: u64,
        retire_ms: u64,
    ) -> Result<Published, StoreError> {
        let mut transaction = self.begin().await?;
        let device: i64 = sqlx::query_scalar("SELECT key FROM devices WHERE id = $1")
            .bind(publication.window.device.to_string())
            .fetch_one(&mut *transaction)
            .await?;
        for object in publication.objects() {
            let noted = sqlx::query("DELETE FROM dead_objects WHERE object = $1")
                .bind(&object.object)
                .execute(&mut *transaction)
                .await?;
            if noted.rows_affected() != 1 {
                return Ok(Published::Overtaken);
            }
            insert(&mut transaction, device, object, now_ms).await?;
        }
        if !take_blocks(&mut transaction, device, publication).await? {
            return Ok(Published::Overtaken);
        }
        for segment in publication.segments {
            let gone = sqlx::query("DELETE FROM segments WHERE id = $1")
                .bind(segment.id.0)
                .execute(&mut *transaction)
                .await?;
            if gone.rows_affected() != 1 {
                return Ok(Published::Overtaken);
            }
            kill(&mut transaction, &segment.object, retire_ms).await?;
        }
        transaction.commit().await?;
        Ok(Published::Done)
    }

    /// The segments with a tick in `from_ms..to_ms`, by their first tick.
    pub(crate) async fn segments(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<SegmentRow>, StoreError> {
        let text = format!(
            "{SEGMENT} WHERE d.id = $1 AND s.first_ms < $3 AND s.last_ms >= $2
             ORDER BY s.first_ms, s.id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(device.to_string())
            .bind(ms(from_ms))
            .bind(ms(to_ms))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(segment).collect()
    }

    /// The segments that were gathered within the window.
    pub(crate) async fn segments_of(&self, window: &Window) -> Result<Vec<SegmentRow>, StoreError> {
        let text = format!(
            "{SEGMENT} WHERE d.id = $1 AND s.from_ms >= $2 AND s.to_ms <= $3
             ORDER BY s.first_ms, s.id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(window.device.to_string())
            .bind(ms(window.from_ms))
            .bind(ms(window.to_ms))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(segment).collect()
    }

    /// Segments of a finer tier than `tier` whose last tick lies before `before_ms`, oldest first.
    pub(crate) async fn segments_to_thin(
        &self,
        tier: Tier,
        before_ms: u64,
        limit: u32,
    ) -> Result<Vec<SegmentRow>, StoreError> {
        let text = format!(
            "{SEGMENT} WHERE s.tier < $1 AND s.last_ms < $2 ORDER BY s.last_ms, s.id LIMIT $3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(tier.rank())
            .bind(ms(before_ms))
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(segment).collect()
    }

    /// Removes the rows of segments whose last tick lies before `before_ms`; says how many.
    pub(crate) async fn expire_segments(
        &self,
        before_ms: u64,
        now_ms: u64,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(
            "SELECT id, object FROM segments WHERE last_ms < $1 ORDER BY last_ms, id LIMIT $2",
        )
        .bind(ms(before_ms))
        .bind(i64::from(limit))
        .fetch_all(&mut *transaction)
        .await?;
        for row in &rows {
            let object: String = row.try_get("object")?;
            kill(&mut transaction, &object, now_ms).await?;
            sqlx::query("DELETE FROM segments WHERE id = $1")
                .bind(row.try_get::<i64, _>("id")?)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(rows.len() as u64)
    }

    /// Removes blocks that were set aside and whose last tick lies before `samples_ms`, and
    /// named gaps that end before `hours_ms`: nothing is left that they could explain.
    pub(crate) async fn expire_rows(
        &self,
        samples_ms: u64,
        hours_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for (statement, before_ms) in [
            (
                "DELETE FROM blocks WHERE id IN (SELECT block FROM unreadable_blocks)
                 AND to_ms < $1",
                Some(samples_ms),
            ),
            (
                "DELETE FROM unreadable_blocks
                 WHERE NOT EXISTS (SELECT 1 FROM blocks b WHERE b.id = unreadable_blocks.block)",
                None,
            ),
            ("DELETE FROM gaps WHERE to_ms < $1", Some(hours_ms)),
        ] {
            let query = sqlx::query(statement);
            let query = match before_ms {
                Some(before_ms) => query.bind(ms(before_ms)),
                None => query,
            };
            query.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Objects whose time is over.
    pub(crate) async fn dead_objects(
        &self,
        now_ms: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let objects = sqlx::query_scalar(
            "SELECT object FROM dead_objects WHERE remove_after_ms <= $1
             ORDER BY remove_after_ms LIMIT $2",
        )
        .bind(ms(now_ms))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        Ok(objects)
    }

    /// Forgets a dead object, before it is removed: nobody can publish it any more.
    pub(crate) async fn bury(&self, object: &str, now_ms: u64) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let buried =
            sqlx::query("DELETE FROM dead_objects WHERE object = $1 AND remove_after_ms <= $2")
                .bind(object)
                .bind(ms(now_ms))
                .execute(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(buried.rows_affected() == 1)
    }

    /// Removes everything that was measured by the device, with the audit row that says so.
    /// What has been committed stays known, so a late repetition brings nothing back. False where
    /// there is no such device.
    pub(crate) async fn erase_telemetry(
        &self,
        device: DeviceId,
        audit: &AuditEntry,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let key: Option<i64> = sqlx::query_scalar("SELECT key FROM devices WHERE id = $1")
            .bind(device.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(key) = key else { return Ok(false) };
        sqlx::query(
            "INSERT INTO dead_objects (object, remove_after_ms)
             SELECT object, $2 FROM segments WHERE device = $1",
        )
        .bind(key)
        .bind(ms(now_ms))
        .execute(&mut *transaction)
        .await?;
        for statement in [
            "DELETE FROM segments WHERE device = $1",
            "DELETE FROM unreadable_blocks
             WHERE block IN (SELECT id FROM blocks WHERE device = $1)",
            "DELETE FROM entries
             WHERE (epoch, seq) IN (SELECT epoch, seq FROM blocks WHERE device = $1)",
            "DELETE FROM blocks WHERE device = $1",
            "DELETE FROM gaps WHERE device = $1",
            "DELETE FROM quarantine WHERE device = $1",
        ] {
            sqlx::query(statement).bind(key).execute(&mut *transaction).await?;
        }
        audit::append(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The organization's own retention, where it has set one.
    pub(crate) async fn retention(&self) -> Result<Option<Retention>, StoreError> {
        let stored: Option<String> =
            sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
                .bind(RETENTION)
                .fetch_optional(self.readers())
                .await?;
        stored.map(|text| from_json("settings.value", &text)).transpose()
    }

    pub(crate) async fn set_retention(
        &self,
        retention: Option<&Retention>,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM settings WHERE name = $1")
            .bind(RETENTION)
            .execute(&mut *transaction)
            .await?;
        if let Some(retention) = retention {
            sqlx::query("INSERT INTO settings (name, value, updated_at_ms) VALUES ($1, $2, $3)")
                .bind(RETENTION)
                .bind(to_json("settings.value", retention)?)
                .bind(ms(now_ms))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What the database takes, and what of it is free pages.
    pub(crate) async fn room(&self) -> Result<DatabaseRoom, StoreError> {
        let row = sqlx::query(self.engine.room()).fetch_one(self.readers()).await?;
        let (all, free) = (unsigned(row.try_get("bytes")?), unsigned(row.try_get("free")?));
        Ok(DatabaseRoom { used_bytes: all.saturating_sub(free), free_bytes: free })
    }

    /// What the segments take.
    pub(crate) async fn history_held(&self) -> Result<Held, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS segments, CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
             FROM segments",
        )
        .fetch_one(self.readers())
        .await?;
        Ok(Held {
            segments: unsigned(row.try_get("segments")?),
            bytes: unsigned(row.try_get("bytes")?),
        })
    }
}

async fn kill(
    connection: &mut Connection,
    object: &str,
    remove_after_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO dead_objects (object, remove_after_ms) VALUES ($1, $2)
         ON CONFLICT (object) DO UPDATE SET remove_after_ms = $2",
    )
    .bind(object)
    .bind(ms(remove_after_ms))
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert(
    connection: &mut Connection,
    device: i64,
    row: &SegmentRow,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO segments (device, from_ms, to_ms, first_ms, last_ms, tier, samples, object,
           bytes, minutes_at, hours_at, index_at, checksum, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(device)
    .bind(ms(row.window.from_ms))
    .bind(ms(row.window.to_ms))
    .bind(ms(row.first_ms))
    .bind(ms(row.last_ms))
    .bind(row.tier.rank())
    .bind(ms(row.samples))
    .bind(&row.object)
    .bind(ms(row.layout.bytes as u64))
    .bind(ms(row.layout.minutes_at as u64))
    .bind(ms(row.layout.hours_at as u64))
    .bind(ms(row.layout.index_at as u64))
    .bind(i64::from(row.layout.check))
    .bind(ms(now_ms))
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the blocks that went into a segment, and their numbers' rows: the ranges know them.
/// False where one was gone.
async fn take_blocks(
    connection: &mut Connection,
    device: i64,
    publication: &Publication<'_>,
) -> Result<bool, StoreError> {
    let window = publication.window;
    let numbers: Vec<String> = (4..4 + NAMED).map(|number| format!("${number}")).collect();
    let list = numbers.join(", ");
    let of = format!("device = $1 AND from_ms >= $2 AND from_ms < $3 AND id IN ({list})");
    let entries = format!(
        "DELETE FROM entries WHERE (epoch, seq) IN (SELECT epoch, seq FROM blocks WHERE {of})"
    );
    let blocks = format!("DELETE FROM blocks WHERE {of}");
    for ids in publication.blocks.chunks(NAMED) {
        let padded = ids.iter().chain(std::iter::repeat_n(&ids[0], NAMED - ids.len()));
        let padded: Vec<i64> = padded.copied().collect();
        for (statement, counts) in [(&entries, false), (&blocks, true)] {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(statement.clone()))
                .bind(device)
                .bind(ms(window.from_ms))
                .bind(ms(window.to_ms));
            for id in &padded {
                query = query.bind(*id);
            }
            let gone = query.execute(&mut *connection).await?.rows_affected();
            if counts && gone != ids.len() as u64 {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn window(row: &Row, window_ms: u64) -> Result<Window, StoreError> {
    let number = unsigned(row.try_get("number")?);
    Ok(Window {
        device: device(row)?,
        from_ms: number.saturating_mul(window_ms),
        to_ms: number.saturating_add(1).saturating_mul(window_ms),
    })
}

fn past_block(row: &Row) -> Result<PastBlock, StoreError> {
    Ok(PastBlock {
        id: row.try_get("id")?,
        epoch: EpochKey(row.try_get("epoch")?),
        data: row.try_get("data")?,
    })
}

fn device(row: &Row) -> Result<DeviceId, StoreError> {
    let device: String = row.try_get("device")?;
    word("device", &device, |id| id.parse().ok())
}

fn segment(row: &Row) -> Result<SegmentRow, StoreError> {
    let tier: i64 = row.try_get("tier")?;
    let number = |column| Ok::<u64, StoreError>(unsigned(row.try_get(column)?));
    let place = |column| small::<usize>(column, row.try_get(column)?);
    Ok(SegmentRow {
        id: SegmentId(row.try_get("id")?),
        window: Window {
            device: device(row)?,
            from_ms: number("from_ms")?,
            to_ms: number("to_ms")?,
        },
        first_ms: number("first_ms")?,
        last_ms: number("last_ms")?,
        tier: word("tier", &tier.to_string(), |_| Tier::from_rank(tier))?,
        samples: number("samples")?,
        object: row.try_get("object")?,
        layout: Layout {
            bytes: place("bytes")?,
            minutes_at: place("minutes_at")?,
            hours_at: place("hours_at")?,
            index_at: place("index_at")?,
            check: small("checksum", row.try_get("checksum")?)?,
        },
    })
}
