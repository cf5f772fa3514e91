//! Curricula and their assets.

use crate::content::{Curriculum, NewCurriculum, Summary};
use crate::page::{Page, PageRequest};
use crate::store::StoreError;
use crate::store::sql::{Row, Store, from_json, ms, to_json, unsigned};
use sqlx::Row as _;

impl Store {
    /// Curricula by title.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curricula(&self, page: PageRequest) -> Result<Page<Summary>, StoreError> {
        let rows = sqlx::query(
            "SELECT summary, created_at_ms, updated_at_ms FROM curricula
             WHERE deleted_at_ms IS NULL ORDER BY title, id LIMIT $1 OFFSET $2",
        )
        .bind(i64::from(page.per_page))
        .bind(ms(page.offset()))
        .fetch_all(self.readers())
        .await?;
        let count = sqlx::query("SELECT count(*) FROM curricula WHERE deleted_at_ms IS NULL")
            .fetch_one(self.readers())
            .await?;
        let items = rows.iter().map(summary).collect::<Result<_, _>>()?;
        Ok(Page { items, total: unsigned(count.try_get(0)?) })
    }

    /// # Errors
    /// Where the database fails.
    pub async fn curriculum(&self, id: &str) -> Result<Option<Curriculum>, StoreError> {
        let row = sqlx::query(
            "SELECT summary, document, created_at_ms, updated_at_ms FROM curricula
             WHERE id = $1 AND deleted_at_ms IS NULL",
        )
        .bind(id)
        .fetch_optional(self.readers())
        .await?;
        row.map(|row| {
            let document = from_json("curricula.document", row.try_get("document")?)?;
            Ok(Curriculum { summary: summary(&row)?, document })
        })
        .transpose()
    }

    /// The document as it came.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_document(&self, id: &str) -> Result<Option<String>, StoreError> {
        let row =
            sqlx::query("SELECT document FROM curricula WHERE id = $1 AND deleted_at_ms IS NULL")
                .bind(id)
                .fetch_optional(self.readers())
                .await?;
        Ok(row.map(|row| row.try_get("document")).transpose()?)
    }

    /// Keeps a curriculum with its assets, in place of one of the same id.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_curriculum(&self, new: &NewCurriculum) -> Result<(), StoreError> {
        let summary = Summary::of(&new.id, &new.document);
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO curricula (id, title, summary, document, source, import_job,
               created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET title = excluded.title, summary = excluded.summary,
               document = excluded.document, source = excluded.source,
               import_job = excluded.import_job, updated_at_ms = excluded.updated_at_ms,
               deleted_at_ms = NULL",
        )
        .bind(&new.id)
        .bind(&summary.title)
        .bind(to_json("curricula.summary", &summary)?)
        .bind(new.document.text())
        .bind(&new.source)
        .bind(&new.import_job)
        .bind(ms(new.at_ms))
        .bind(ms(new.at_ms))
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM curriculum_assets WHERE curriculum = $1")
            .bind(&new.id)
            .execute(&mut *transaction)
            .await?;
        for asset in &new.assets {
            sqlx::query(
                "INSERT INTO curriculum_assets (curriculum, id, title, media_type, bytes)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (curriculum, id) DO UPDATE SET title = excluded.title,
                   media_type = excluded.media_type, bytes = excluded.bytes",
            )
            .bind(&new.id)
            .bind(&asset.id)
            .bind(&asset.title)
            .bind(&asset.media_type)
            .bind(&asset.bytes)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

fn summary(row: &Row) -> Result<Summary, StoreError> {
    let summary: Summary = from_json("curricula.summary", row.try_get("summary")?)?;
    Ok(Summary {
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        updated_at_ms: unsigned(row.try_get("updated_at_ms")?),
        ..summary
    })
}
