//! Which machines keep which curricula.

use crate::content::Placement;
use crate::store::StoreError;
use crate::store::sql::{Row, Store, ms, unsigned};
use sqlx::Row as _;

const COLUMN: &str = "curriculum_placements.target";

impl Store {
    /// By curriculum.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_placements(&self) -> Result<Vec<Placement>, StoreError> {
        let rows = sqlx::query(
            "SELECT curriculum, target, placed_by, placed_at_ms FROM curriculum_placements
             ORDER BY curriculum LIMIT 1000",
        )
        .fetch_all(self.readers())
        .await?;
        let placement = |row: &Row| {
            let target: String = row.try_get("target")?;
            let target = serde_json::from_str(&target);
            Ok(Placement {
                curriculum: row.try_get("curriculum")?,
                target: target.map_err(|source| StoreError::Json { column: COLUMN, source })?,
                placed_by: row.try_get("placed_by")?,
                placed_at_ms: unsigned(row.try_get("placed_at_ms")?),
            })
        };
        rows.iter().map(placement).collect()
    }

    /// False where `most` others are there.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_curriculum_placement(
        &self,
        placement: &Placement,
        most: usize,
    ) -> Result<bool, StoreError> {
        let target = serde_json::to_string(&placement.target);
        let target = target.map_err(|source| StoreError::Json { column: COLUMN, source })?;
        let statement = sqlx::query(
            "INSERT INTO curriculum_placements (curriculum, target, placed_by, placed_at_ms)
             SELECT $1, $2, $3, $4
             WHERE (SELECT count(*) FROM curriculum_placements WHERE curriculum <> $1) < $5
             ON CONFLICT (curriculum) DO UPDATE SET target = excluded.target,
               placed_by = excluded.placed_by, placed_at_ms = excluded.placed_at_ms",
        )
        .bind(placement.curriculum.clone())
        .bind(target)
        .bind(placement.placed_by.clone())
        .bind(ms(placement.placed_at_ms))
        .bind(ms(most as u64));
        Ok(self.write(statement).await? > 0)
    }

    /// # Errors
    /// Where the database fails.
    pub async fn remove_curriculum_placement(&self, curriculum: &str) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM curriculum_placements WHERE curriculum = $1")
            .bind(curriculum.to_owned());
        Ok(self.write(statement).await? > 0)
    }

    /// The revision of a curriculum that is not deleted, without its document.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_revision_now(
        &self,
        curriculum: &str,
    ) -> Result<Option<u64>, StoreError> {
        let row =
            sqlx::query("SELECT revision FROM curricula WHERE id = $1 AND deleted_at_ms IS NULL")
                .bind(curriculum.to_owned())
                .fetch_optional(self.readers())
                .await?;
        Ok(row.map(|row| row.try_get("revision").map(unsigned)).transpose()?)
    }
}
