//! Curricula that were put away.

use super::{assets, newest_revision, put, standing};
use crate::content::{Archive, KeptAsset, NewArchive, NewCurriculum, PutAway};
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::store::StoreError;
use crate::store::sql::listing::{Clause, Columns, Pages};
use crate::store::sql::{Row, Store, ms, unsigned};
use sqlx::Row as _;

const COLUMNS: &Columns = &[
    ("id", "file_name"),
    ("file_name", "file_name"),
    ("curriculum_id", "curriculum"),
    ("curriculum_title", "title"),
    ("archived_at", "archived_at_ms"),
    ("file_size", "size"),
];
const SHOWN: &str = "file_name, curriculum, title, archived_at_ms, size, sha256";

impl Store {
    /// The newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_archives(
        &self,
        listing: &Listing,
        page: PageRequest,
    ) -> Result<Page<Archive>, StoreError> {
        let clause = Clause::new(listing, COLUMNS, 1)?;
        let pages = Pages {
            which: "FROM curriculum_archives WHERE TRUE",
            columns: SHOWN,
            order: "archived_at_ms DESC, file_name",
        };
        self.page(&pages, &clause, page, |statement| statement, archive).await
    }

    /// An archive with its bytes.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_archive(
        &self,
        file_name: &str,
    ) -> Result<Option<(Archive, Vec<u8>)>, StoreError> {
        let statement =
            format!("SELECT {SHOWN}, bytes FROM curriculum_archives WHERE file_name = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(file_name.to_owned())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| Ok((archive(&row)?, row.try_get("bytes")?))).transpose()
    }

    /// Puts a curriculum away, where it is still what was packed. Its revisions stay, with the
    /// document that it had.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn archive_curriculum(
        &self,
        new: &NewArchive,
        max: u64,
    ) -> Result<PutAway, StoreError> {
        let mut transaction = self.begin().await?;
        let id = &new.archive.curriculum;
        let standing = standing(&mut transaction, id).await?.filter(|standing| standing.is_there);
        let Some(standing) = standing else { return Ok(PutAway::Changed) };
        if standing.revision != new.revision {
            return Ok(PutAway::Changed);
        }
        let row = sqlx::query("SELECT count(*) AS number FROM curriculum_archives")
            .fetch_one(&mut *transaction)
            .await?;
        if unsigned(row.try_get("number")?) >= max {
            return Ok(PutAway::Full);
        }
        let archive = &new.archive;
        let added = sqlx::query(
            "INSERT INTO curriculum_archives
               (file_name, curriculum, title, archived_at_ms, size, sha256, bytes)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (file_name) DO NOTHING",
        )
        .bind(&archive.file_name)
        .bind(id)
        .bind(&archive.title)
        .bind(ms(archive.archived_at_ms))
        .bind(ms(archive.size))
        .bind(&archive.sha256)
        .bind(&new.bytes)
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(PutAway::NameTaken);
        }
        super::retire(&mut transaction, id, &standing, archive.archived_at_ms).await?;
        for table in ["curriculum_assets WHERE curriculum", "curricula WHERE id"] {
            let statement = format!("DELETE FROM {table} = $1");
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .bind(id.clone())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(PutAway::Done)
    }

    /// Puts what an archive held back into its place; false where a curriculum of that id stands
    /// there, or the archive has gone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn unarchive_curriculum(
        &self,
        file_name: &str,
        new: &NewCurriculum,
        kept: &[KeptAsset],
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let standing = standing(&mut transaction, &new.id).await?;
        if standing.as_ref().is_some_and(|standing| standing.is_there) {
            return Ok(false);
        }
        let removed = sqlx::query("DELETE FROM curriculum_archives WHERE file_name = $1")
            .bind(file_name)
            .execute(&mut *transaction)
            .await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        let deleted = standing.map_or(0, |standing| standing.revision);
        let newest = newest_revision(&mut transaction, &new.id).await?;
        put(&mut transaction, new, newest.max(deleted) + 1).await?;
        for asset in kept {
            assets::put(&mut transaction, &new.id, asset).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// False where there was no such archive.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn delete_curriculum_archive(&self, file_name: &str) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM curriculum_archives WHERE file_name = $1")
            .bind(file_name.to_owned());
        Ok(self.write(statement).await? == 1)
    }
}

fn archive(row: &Row) -> Result<Archive, StoreError> {
    Ok(Archive {
        file_name: row.try_get("file_name")?,
        curriculum: row.try_get("curriculum")?,
        title: row.try_get("title")?,
        archived_at_ms: unsigned(row.try_get("archived_at_ms")?),
        size: unsigned(row.try_get("size")?),
        sha256: row.try_get("sha256")?,
    })
}
