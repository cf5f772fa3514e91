//! The rows of segments.

use super::{device, window};
use crate::fleet::DeviceId;
use crate::history::{Layout, Scattered, SegmentId, SegmentRow, Tier, Window};
use crate::store::StoreError;
use crate::store::sql::{Connection, Row, Statement, Store, ms, small, unsigned, word};
use sqlx::Row as _;

impl Store {
    /// The segments with a tick in `from_ms..to_ms`, by their first tick.
    pub(crate) async fn segments(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<SegmentRow>, StoreError> {
        let select = select(
            "WHERE d.id = $1 AND s.first_ms < $3 AND s.last_ms >= $2 ORDER BY s.first_ms, s.id",
        );
        self.read(select.bind(device.to_string()).bind(ms(from_ms)).bind(ms(to_ms))).await
    }

    /// The segments that were gathered within the window.
    pub(crate) async fn segments_of(&self, window: &Window) -> Result<Vec<SegmentRow>, StoreError> {
        let Window { device, from_ms, to_ms } = *window;
        let select = select(
            "WHERE d.id = $1 AND s.from_ms >= $2 AND s.to_ms <= $3 ORDER BY s.first_ms, s.id",
        );
        self.read(select.bind(device.to_string()).bind(ms(from_ms)).bind(ms(to_ms))).await
    }

    /// The object of the segment that was made last.
    pub(crate) async fn newest_segment(&self) -> Result<Option<String>, StoreError> {
        let newest = sqlx::query_scalar("SELECT object FROM segments ORDER BY id DESC LIMIT 1");
        Ok(newest.fetch_optional(self.readers()).await?)
    }

    /// Segments of a finer tier than `tier` whose last tick lies before `before_ms`, oldest first.
    pub(crate) async fn segments_to_thin(
        &self,
        tier: Tier,
        before_ms: u64,
        limit: u32,
    ) -> Result<Vec<SegmentRow>, StoreError> {
        let select =
            select("WHERE s.tier < $1 AND s.last_ms < $2 ORDER BY s.last_ms, s.id LIMIT $3");
        self.read(select.bind(tier.rank()).bind(ms(before_ms)).bind(i64::from(limit))).await
    }

    async fn read(&self, select: Statement<'_>) -> Result<Vec<SegmentRow>, StoreError> {
        select.fetch_all(self.readers()).await?.iter().map(segment).collect()
    }

    /// Spans of `window_ms` whose samples lie in more than one segment, the oldest first.
    pub(crate) async fn scattered_windows(
        &self,
        window_ms: u64,
        scattered: &Scattered,
        limit: u32,
    ) -> Result<Vec<Window>, StoreError> {
        let rows = sqlx::query(
            "SELECT d.id AS device, s.from_ms / $1 AS number FROM segments s
             JOIN devices d ON d.key = s.device
             WHERE s.to_ms <= $2 AND s.tier = 0
             GROUP BY d.id, s.from_ms / $1
             HAVING count(*) > 1 AND max(s.created_at_ms) <= $3 AND sum(s.bytes) <= $4
             ORDER BY number, d.id LIMIT $5",
        )
        .bind(ms(window_ms))
        .bind(ms(scattered.before_ms))
        .bind(ms(scattered.made_by_ms))
        .bind(ms(scattered.max_bytes))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| window(row, window_ms)).collect()
    }
}

fn select(which: &str) -> Statement<'static> {
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT s.id, d.id AS device, s.from_ms, s.to_ms, s.first_ms, s.last_ms,
           s.tier, s.samples, s.object, s.bytes, s.minutes_at, s.hours_at, s.index_at, s.checksum
         FROM segments s JOIN devices d ON d.key = s.device {which}"
    )))
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

pub(super) async fn insert(
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

/// False where it was gone.
pub(super) async fn remove(
    connection: &mut Connection,
    segment: SegmentId,
) -> Result<bool, StoreError> {
    let gone = sqlx::query("DELETE FROM segments WHERE id = $1")
        .bind(segment.0)
        .execute(connection)
        .await?;
    Ok(gone.rows_affected() == 1)
}
