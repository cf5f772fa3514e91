//! Blocks, gaps and events of a range.

use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::telemetry::EpochKey;
use crate::store::sql::{Row, Store, fleet, ms, small, unsigned, word};
use crate::telemetry::{NoData, Reader, SeriesId};
use bytes::Bytes;
use flyball_protocol::block::MAX_INTERVAL_MS;
use flyball_protocol::series::SeriesRef;
use futures_util::TryStreamExt;
use sqlx::Row as _;
use tokio::sync::mpsc;

/// No block spans more: a range's first block begins no further before it.
const MAX_BLOCK_SPAN_MS: u64 = MAX_INTERVAL_MS as u64;

/// Blocks that are handed on together, and their bytes.
const BATCH: usize = 128;
const BATCH_BYTES: usize = 1024 * 1024;

/// One stored block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BlockRow {
    pub(crate) id: i64,
    pub(crate) epoch: EpochKey,
    /// The first and the last tick.
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    pub(crate) data: Bytes,
}

impl BlockRow {
    /// Has it a tick in `from_ms..to_ms`, as the store understands it?
    pub(crate) const fn is_in(&self, from_ms: u64, to_ms: u64) -> bool {
        self.from_ms >= from_ms.saturating_sub(MAX_BLOCK_SPAN_MS)
            && self.from_ms < to_ms
            && self.to_ms >= from_ms
    }
}

/// What tells one set of blocks from another without reading them. A block is never changed and
/// no number is given twice, so equal prints are of equal sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlocksPrint {
    pub(crate) count: u64,
    newest: i64,
    ids: i64,
    starts: i64,
}

impl BlocksPrint {
    pub(crate) fn of<'a>(blocks: impl Iterator<Item = &'a BlockRow>) -> Self {
        blocks.fold(Self::default(), |print, block| Self {
            count: print.count + 1,
            newest: print.newest.max(block.id),
            ids: print.ids.wrapping_add(block.id),
            starts: print.starts.wrapping_add(ms(block.from_ms)),
        })
    }
}

/// A named gap; `reader` where every series of it is meant, else `series`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GapRow {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    pub(crate) reader: Option<Reader>,
    pub(crate) series: Option<SeriesId>,
    pub(crate) reason: NoData,
}

impl Store {
    /// The print of the blocks with a tick in `from_ms..to_ms`; of any `limit` of them where they
    /// are more.
    pub(crate) async fn blocks_print(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
        limit: u32,
    ) -> Result<BlocksPrint, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS blocks, coalesce(max(id), 0) AS newest,
                    CAST(coalesce(sum(id), 0) AS BIGINT) AS ids,
                    CAST(coalesce(sum(from_ms), 0) AS BIGINT) AS starts
             FROM (SELECT b.id, b.from_ms FROM blocks b JOIN devices d ON d.key = b.device
                   WHERE d.id = $1 AND b.from_ms >= $2 AND b.from_ms < $3 AND b.to_ms >= $4
                   LIMIT $5) AS found",
        )
        .bind(device.to_string())
        .bind(ms(from_ms.saturating_sub(MAX_BLOCK_SPAN_MS)))
        .bind(ms(to_ms))
        .bind(ms(from_ms))
        .bind(i64::from(limit))
        .fetch_one(self.readers())
        .await?;
        Ok(BlocksPrint {
            count: unsigned(row.try_get("blocks")?),
            newest: row.try_get("newest")?,
            ids: row.try_get("ids")?,
            starts: row.try_get("starts")?,
        })
    }

    /// Sends every block with a tick in `from_ms..to_ms`, by its first tick and in batches: a long
    /// range never stands in memory. All of them are of one snapshot. Ends early where nobody
    /// takes them any more.
    pub(crate) async fn send_blocks(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
        to: mpsc::Sender<Vec<BlockRow>>,
    ) -> Result<(), StoreError> {
        self.send_blocks_after(0, device, from_ms, to_ms, to).await
    }

    /// The same of those with a greater number than `after`.
    pub(crate) async fn send_blocks_after(
        &self,
        after: i64,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
        to: mpsc::Sender<Vec<BlockRow>>,
    ) -> Result<(), StoreError> {
        let mut rows = sqlx::query(
            "SELECT b.id, b.epoch, b.from_ms, b.to_ms, b.data
             FROM blocks b JOIN devices d ON d.key = b.device
             WHERE d.id = $1 AND b.from_ms >= $2 AND b.from_ms < $3 AND b.to_ms >= $4
               AND b.id > $5
             ORDER BY b.from_ms, b.id",
        )
        .bind(device.to_string())
        .bind(ms(from_ms.saturating_sub(MAX_BLOCK_SPAN_MS)))
        .bind(ms(to_ms))
        .bind(ms(from_ms))
        .bind(after)
        .fetch(self.readers());
        let (mut batch, mut bytes) = (Vec::with_capacity(BATCH), 0);
        while let Some(row) = rows.try_next().await? {
            let block = block(&row)?;
            bytes += block.data.len();
            batch.push(block);
            if batch.len() == BATCH || bytes >= BATCH_BYTES {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                if to.send(full).await.is_err() {
                    return Ok(());
                }
                bytes = 0;
            }
        }
        // Whoever is gone does not want the rest.
        let _ = to.send(batch).await;
        Ok(())
    }

    /// The same, one after another, for tests.
    #[cfg(test)]
    pub(crate) async fn for_each_block<E: From<StoreError>>(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
        each: impl FnMut(BlockRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut blocks = Vec::new();
        let collect = async {
            while let Some(batch) = receiver.recv().await {
                blocks.extend(batch);
            }
        };
        let (sent, ()) = tokio::join!(self.send_blocks(device, from_ms, to_ms, sender), collect);
        sent?;
        blocks.into_iter().try_for_each(each)
    }

    /// First and last ticks of up to `limit` blocks with a tick in `from_ms..to_ms`, in order.
    pub(crate) async fn block_spans(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
        limit: u32,
    ) -> Result<Vec<(u64, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT b.from_ms, b.to_ms FROM blocks b JOIN devices d ON d.key = b.device
             WHERE d.id = $1 AND b.from_ms >= $2 AND b.from_ms < $3 AND b.to_ms >= $4
             ORDER BY b.from_ms, b.id LIMIT $5",
        )
        .bind(device.to_string())
        .bind(ms(from_ms.saturating_sub(MAX_BLOCK_SPAN_MS)))
        .bind(ms(to_ms))
        .bind(ms(from_ms))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| Ok((unsigned(row.try_get("from_ms")?), unsigned(row.try_get("to_ms")?))))
            .collect()
    }

    /// What the series' numbers are in every epoch of the device.
    pub(crate) async fn series_numbers(
        &self,
        device: DeviceId,
    ) -> Result<Vec<(EpochKey, SeriesRef, SeriesId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT n.epoch, n.number, n.series FROM epoch_series n
             JOIN epochs e ON e.key = n.epoch JOIN devices d ON d.key = e.device
             WHERE d.id = $1",
        )
        .bind(device.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let number = super::number(row)?;
                Ok((EpochKey(row.try_get("epoch")?), number, SeriesId(row.try_get("series")?)))
            })
            .collect()
    }

    /// How many of them there are.
    pub(crate) async fn count_series_numbers(&self, device: DeviceId) -> Result<usize, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS numbers FROM epoch_series n
             JOIN epochs e ON e.key = n.epoch JOIN devices d ON d.key = e.device
             WHERE d.id = $1",
        )
        .bind(device.to_string())
        .fetch_one(self.readers())
        .await?;
        small("numbers", row.try_get("numbers")?)
    }

    /// The newest `limit` of the named gaps with a tick in `from_ms..to_ms`, in order.
    pub(crate) async fn gaps(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
        limit: u32,
    ) -> Result<Vec<GapRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT g.from_ms, g.to_ms, g.reader, g.series, g.reason FROM gaps g
             JOIN devices d ON d.key = g.device
             WHERE d.id = $1 AND g.from_ms < $2 AND g.to_ms >= $3
             ORDER BY g.from_ms DESC, g.id DESC LIMIT $4",
        )
        .bind(device.to_string())
        .bind(ms(to_ms))
        .bind(ms(from_ms))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().rev().map(gap).collect()
    }

    /// How many entries are stored, for tests and `stats`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM devices WHERE deleted_at_ms IS NULL) AS devices,
                    (SELECT count(*) FROM series) AS series,
                    (SELECT coalesce(max(id), 0) FROM events) AS events",
        )
        .fetch_one(self.readers())
        .await?;
        let blocks: i64 =
            sqlx::query_scalar(self.engine.blocks_numbered()).fetch_one(self.readers()).await?;
        Ok(Counts {
            devices: unsigned(row.try_get("devices")?),
            series: unsigned(row.try_get("series")?),
            blocks: unsigned(blocks),
            events: unsigned(row.try_get("events")?),
        })
    }
}

/// What the store holds, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub devices: u64,
    pub series: u64,
    /// Blocks and events ever stored.
    pub blocks: u64,
    pub events: u64,
}

fn block(row: &Row) -> Result<BlockRow, StoreError> {
    Ok(BlockRow {
        id: row.try_get("id")?,
        epoch: EpochKey(row.try_get("epoch")?),
        from_ms: unsigned(row.try_get("from_ms")?),
        to_ms: unsigned(row.try_get("to_ms")?),
        data: row.try_get::<Vec<u8>, _>("data")?.into(),
    })
}

fn gap(row: &Row) -> Result<GapRow, StoreError> {
    let reader: Option<&str> = row.try_get("reader")?;
    let code: u8 = small("reason", row.try_get("reason")?)?;
    Ok(GapRow {
        from_ms: unsigned(row.try_get("from_ms")?),
        to_ms: unsigned(row.try_get("to_ms")?),
        reader: reader.map(|name| word("reader", name, fleet::reader_from_name)).transpose()?,
        series: row.try_get::<Option<i64>, _>("series")?.map(SeriesId),
        reason: NoData::from_code(code)
            .ok_or_else(|| StoreError::Unknown { column: "reason", value: code.to_string() })?,
    })
}

#[cfg(test)]
mod tests {

    use crate::fleet::tests::device;
    use crate::store::StoreError;
    use crate::store::fresh::Fresh;
    use uuid::Uuid;

    #[tokio::test]
    async fn of_too_many_gaps_the_newest_are_answered_in_order() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let device = device(Uuid::from_u128(1));
        store.add_device(&device).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        for from_ms in [30, 10, 40, 20] {
            sqlx::query(
                "INSERT INTO gaps (device, from_ms, to_ms, reader, reason, note)
                 VALUES (1, $1, $1, 'guard', 0, '')",
            )
            .bind(from_ms)
            .execute(&mut *transaction)
            .await
            .unwrap();
        }
        transaction.commit().await.unwrap();
        store.for_each_block::<StoreError>(device.id, 0, 100, |_| panic!()).await.unwrap();
        let gaps = store.gaps(device.id, 0, 100, 3).await.unwrap();
        assert_eq!(gaps.iter().map(|gap| gap.from_ms).collect::<Vec<_>>(), [20, 30, 40]);
    }
}
