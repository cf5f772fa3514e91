//! The moment from which a segment counts and what went into it counts no more.

use super::{objects, segments};
use crate::history::Publication;
use crate::store::StoreError;
use crate::store::sql::{Connection, Store, ms};

/// Blocks that one statement names.
const NAMED: usize = 50;

/// What became of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    Done,
    /// A block or segment that went into it is gone, or its note was collected: nothing changed.
    Overtaken,
}

impl Store {
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
        if let Some(object) = publication.object {
            let noted = sqlx::query("DELETE FROM dead_objects WHERE object = $1")
                .bind(&object.object)
                .execute(&mut *transaction)
                .await?;
            if noted.rows_affected() != 1 {
                return Ok(Published::Overtaken);
            }
            segments::insert(&mut transaction, device, object, now_ms).await?;
        }
        if !take_blocks(&mut transaction, device, publication).await? {
            return Ok(Published::Overtaken);
        }
        for segment in publication.segments {
            if !segments::remove(&mut transaction, segment.id).await? {
                return Ok(Published::Overtaken);
            }
            objects::note(&segment.object, retire_ms).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(Published::Done)
    }
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
