//! Pictures, sounds and films that belong to a curriculum or to one of its topics.

use crate::content::{AssetChange, AssetInfo, KeptAsset, Origin, Room};
use crate::store::StoreError;
use crate::store::sql::timing::Writing;
use crate::store::sql::{Row, Store, ms, unsigned, word};
use sqlx::Row as _;

const SHOWN: &str = "id, topic, kind, title, description, alt_text, media_type, origin, size, \
                     sha256, created_at_ms, updated_at_ms";

impl Store {
    /// What a curriculum has, by id.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_assets(&self, curriculum: &str) -> Result<Vec<AssetInfo>, StoreError> {
        let statement = format!(
            "SELECT {SHOWN} FROM curriculum_assets WHERE curriculum = $1 ORDER BY id LIMIT 10000"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(curriculum.to_owned())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(asset).collect()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_asset(
        &self,
        curriculum: &str,
        id: &str,
    ) -> Result<Option<AssetInfo>, StoreError> {
        let statement =
            format!("SELECT {SHOWN} FROM curriculum_assets WHERE curriculum = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(curriculum.to_owned())
            .bind(id.to_owned())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(asset).transpose()
    }

    /// Some bytes of an asset; fewer at its end.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_asset_part(
        &self,
        curriculum: &str,
        id: &str,
        offset: u64,
        length: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        // Both engines count from 1, and PostgreSQL takes its numbers as 32 bits here.
        let row = sqlx::query(
            "SELECT substr(bytes, CAST($3 AS INTEGER), CAST($4 AS INTEGER)) AS part
             FROM curriculum_assets WHERE curriculum = $1 AND id = $2",
        )
        .bind(curriculum)
        .bind(id)
        .bind(ms(offset + 1))
        .bind(i64::from(length))
        .fetch_optional(self.readers())
        .await?;
        Ok(row.map(|row| row.try_get("part")).transpose()?)
    }

    /// Keeps an asset of a curriculum that is there, in place of one of the same id.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_curriculum_asset(
        &self,
        curriculum: &str,
        new: &KeptAsset,
        bounds: (usize, usize),
    ) -> Result<Room, StoreError> {
        let mut transaction = self.begin().await?;
        let there = sqlx::query("SELECT 1 FROM curricula WHERE id = $1 AND deleted_at_ms IS NULL")
            .bind(curriculum)
            .fetch_optional(&mut *transaction)
            .await?;
        if there.is_none() {
            return Ok(Room::NoCurriculum);
        }
        let row = sqlx::query(
            "SELECT count(*) AS number, CAST(coalesce(sum(size), 0) AS BIGINT) AS bytes
             FROM curriculum_assets WHERE curriculum = $1 AND id <> $2",
        )
        .bind(curriculum)
        .bind(&new.info.id)
        .fetch_one(&mut *transaction)
        .await?;
        let number = unsigned(row.try_get("number")?);
        let bytes = unsigned(row.try_get("bytes")?) + new.bytes.len() as u64;
        if number >= bounds.0 as u64 || bytes > bounds.1 as u64 {
            return Ok(Room::Full);
        }
        put(&mut transaction, curriculum, new).await?;
        transaction.commit().await?;
        Ok(Room::Kept)
    }

    /// Says otherwise what an asset is about; the asset as it is then.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn change_curriculum_asset(
        &self,
        curriculum: &str,
        id: &str,
        change: &AssetChange,
        at_ms: u64,
    ) -> Result<Option<AssetInfo>, StoreError> {
        let mut transaction = self.begin().await?;
        let statement =
            format!("SELECT {SHOWN} FROM curriculum_assets WHERE curriculum = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(curriculum.to_owned())
            .bind(id.to_owned())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(mut asset) = row.as_ref().map(asset).transpose()? else { return Ok(None) };
        change.apply(&mut asset, at_ms);
        sqlx::query(
            "UPDATE curriculum_assets SET description = $1, alt_text = $2, title = $3, kind = $4,
               updated_at_ms = $5 WHERE curriculum = $6 AND id = $7",
        )
        .bind(&asset.description)
        .bind(&asset.alt_text)
        .bind(&asset.title)
        .bind(&asset.kind)
        .bind(ms(at_ms))
        .bind(curriculum)
        .bind(id)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(asset))
    }

    /// False where there was no such asset.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn delete_curriculum_asset(
        &self,
        curriculum: &str,
        id: &str,
    ) -> Result<bool, StoreError> {
        let statement =
            sqlx::query("DELETE FROM curriculum_assets WHERE curriculum = $1 AND id = $2")
                .bind(curriculum.to_owned())
                .bind(id.to_owned());
        Ok(self.write(statement).await? == 1)
    }
}

pub(super) async fn put(
    transaction: &mut Writing,
    curriculum: &str,
    new: &KeptAsset,
) -> Result<(), StoreError> {
    let info = &new.info;
    sqlx::query(
        "INSERT INTO curriculum_assets (curriculum, id, title, media_type, bytes, topic, kind,
           description, alt_text, origin, size, sha256, created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (curriculum, id) DO UPDATE SET title = excluded.title,
           media_type = excluded.media_type, bytes = excluded.bytes, topic = excluded.topic,
           kind = excluded.kind, description = excluded.description,
           alt_text = excluded.alt_text, origin = excluded.origin, size = excluded.size,
           sha256 = excluded.sha256, updated_at_ms = excluded.updated_at_ms",
    )
    .bind(curriculum.to_owned())
    .bind(info.id.clone())
    .bind(info.title.clone())
    .bind(info.media_type.clone())
    .bind(new.bytes.clone())
    .bind(info.topic.clone())
    .bind(info.kind.clone())
    .bind(info.description.clone())
    .bind(info.alt_text.clone())
    .bind(info.origin.name())
    .bind(ms(info.size))
    .bind(info.sha256.clone())
    .bind(ms(info.created_at_ms))
    .bind(ms(info.updated_at_ms))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn asset(row: &Row) -> Result<AssetInfo, StoreError> {
    Ok(AssetInfo {
        id: row.try_get("id")?,
        topic: row.try_get("topic")?,
        kind: row.try_get("kind")?,
        title: row.try_get("title")?,
        description: row.try_get("description")?,
        alt_text: row.try_get("alt_text")?,
        media_type: row.try_get("media_type")?,
        origin: word("curriculum_assets.origin", row.try_get("origin")?, Origin::from_name)?,
        size: unsigned(row.try_get("size")?),
        sha256: row.try_get("sha256")?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        updated_at_ms: unsigned(row.try_get("updated_at_ms")?),
    })
}
