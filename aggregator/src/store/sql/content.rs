//! Curricula, the documents that were replaced, and lists of them.

mod archives;
mod assets;
mod placements;

use crate::content::umcf::Document;
use crate::content::{Curriculum, NewCurriculum, Origin, Replaced, Revision, Summary};
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::store::StoreError;
use crate::store::sql::listing::{Clause, Columns, Pages};
use crate::store::sql::timing::Writing;
use crate::store::sql::{Row, Statement, Store, from_json, ms, to_json, unsigned};
use sqlx::Row as _;

const COLUMNS: &Columns = &[
    ("id", "id"),
    ("title", "title"),
    ("description", "description"),
    ("author", "author"),
    ("language", "language"),
    ("status", "status"),
    ("difficulty", "difficulty"),
    ("keywords", "keywords"),
    ("topics_count", "topics"),
    ("created_at", "created_at_ms"),
    ("updated_at", "updated_at_ms"),
];
const SHOWN: &str = "summary, revision, created_at_ms, updated_at_ms";
/// Documents of one curriculum that are kept after they were replaced.
const MAX_REVISIONS: i64 = 20;

impl Store {
    /// Curricula by title, or those that were deleted.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curricula(
        &self,
        listing: &Listing,
        deleted: bool,
        page: PageRequest,
    ) -> Result<Page<Summary>, StoreError> {
        let clause = Clause::new(listing, COLUMNS, 1)?;
        let which = match deleted {
            false => "FROM curricula WHERE deleted_at_ms IS NULL",
            true => "FROM curricula WHERE deleted_at_ms IS NOT NULL",
        };
        let pages = Pages { which, columns: SHOWN, order: "title, id" };
        self.page(&pages, &clause, page, |statement| statement, summary).await
    }

    /// # Errors
    /// Where the database fails.
    pub async fn curriculum(&self, id: &str) -> Result<Option<Curriculum>, StoreError> {
        let row = sqlx::query(
            "SELECT summary, document, source, revision, created_at_ms, updated_at_ms
             FROM curricula WHERE id = $1 AND deleted_at_ms IS NULL",
        )
        .bind(id)
        .fetch_optional(self.readers())
        .await?;
        row.map(|row| {
            let document = from_json("curricula.document", row.try_get("document")?)?;
            Ok(Curriculum { summary: summary(&row)?, source: row.try_get("source")?, document })
        })
        .transpose()
    }

    /// The document as it came, and its revision.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_document(&self, id: &str) -> Result<Option<(String, u64)>, StoreError> {
        let row = sqlx::query(
            "SELECT document, revision FROM curricula WHERE id = $1 AND deleted_at_ms IS NULL",
        )
        .bind(id)
        .fetch_optional(self.readers())
        .await?;
        row.map(|row| Ok((row.try_get("document")?, unsigned(row.try_get("revision")?))))
            .transpose()
    }

    /// Keeps a curriculum with its assets, in place of one of the same id, whose document stays
    /// among the revisions. What people uploaded to it stays as well.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_curriculum(&self, new: &NewCurriculum) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let standing = standing(&mut transaction, &new.id).await?;
        let revision = match &standing {
            Some(standing) => standing.revision + 1,
            None => newest_revision(&mut transaction, &new.id).await? + 1,
        };
        if let Some(old) = standing.filter(|old| old.document != new.document.text()) {
            retire(&mut transaction, &new.id, &old, new.at_ms).await?;
        }
        put(&mut transaction, new, revision).await?;
        sqlx::query("DELETE FROM curriculum_assets WHERE curriculum = $1 AND origin = 'import'")
            .bind(&new.id)
            .execute(&mut *transaction)
            .await?;
        for asset in &new.assets {
            assets::put(&mut transaction, &new.id, &asset.clone().kept(Origin::Import, new.at_ms))
                .await?;
        }
        transaction.commit().await?;
        Ok(revision)
    }

    /// Puts `document` in the place of the one that stands there, where that is `expected`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn replace_curriculum(
        &self,
        id: &str,
        document: &Document,
        expected: Option<u64>,
        at_ms: u64,
    ) -> Result<Replaced, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(old) = standing(&mut transaction, id).await?.filter(|old| old.is_there) else {
            return Ok(Replaced::Missing);
        };
        let revision = old.revision;
        if expected.is_some_and(|expected| expected != revision) {
            return Ok(Replaced::Changed);
        }
        if old.document == document.text() {
            return Ok(Replaced::Done(revision));
        }
        retire(&mut transaction, id, &old, at_ms).await?;
        let summary = Summary::of(id, document);
        described(
            sqlx::query(
                "UPDATE curricula SET title = $2, summary = $3, document = $4, description = $5,
                   author = $6, language = $7, status = $8, difficulty = $9, keywords = $10,
                   topics = $11, revision = $12, updated_at_ms = $13
                 WHERE id = $1",
            ),
            id,
            &summary,
            document,
        )?
        .bind(ms(revision + 1))
        .bind(ms(at_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Replaced::Done(revision + 1))
    }

    /// Takes a curriculum out of the lists, or puts it back there; false where it did not stand
    /// there.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_curriculum_deleted(
        &self,
        id: &str,
        deleted_at_ms: Option<u64>,
    ) -> Result<bool, StoreError> {
        let statement = match deleted_at_ms {
            Some(at_ms) => sqlx::query(
                "UPDATE curricula SET deleted_at_ms = $1 WHERE id = $2 AND deleted_at_ms IS NULL",
            )
            .bind(ms(at_ms)),
            None => sqlx::query(
                "UPDATE curricula SET deleted_at_ms = NULL
                 WHERE id = $1 AND deleted_at_ms IS NOT NULL",
            ),
        };
        Ok(self.write(statement.bind(id.to_owned())).await? == 1)
    }

    /// The documents that were replaced, the newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_revisions(&self, id: &str) -> Result<Vec<Revision>, StoreError> {
        let rows = sqlx::query(
            "SELECT revision, title, size, at_ms FROM curriculum_revisions
             WHERE curriculum = $1 ORDER BY revision DESC LIMIT $2",
        )
        .bind(id)
        .bind(MAX_REVISIONS)
        .fetch_all(self.readers())
        .await?;
        let revision = |row: &Row| {
            Ok(Revision {
                revision: unsigned(row.try_get("revision")?),
                title: row.try_get("title")?,
                replaced_at_ms: unsigned(row.try_get("at_ms")?),
                bytes: unsigned(row.try_get("size")?),
            })
        };
        rows.iter().map(revision).collect()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_revision(
        &self,
        id: &str,
        revision: u64,
    ) -> Result<Option<String>, StoreError> {
        let row = sqlx::query(
            "SELECT document FROM curriculum_revisions WHERE curriculum = $1 AND revision = $2",
        )
        .bind(id)
        .bind(ms(revision))
        .fetch_optional(self.readers())
        .await?;
        Ok(row.map(|row| row.try_get("document")).transpose()?)
    }

    /// The ids after `after`, in their order: what goes through all of them takes them in parts.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn curriculum_ids(&self, after: &str, limit: i64) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT id FROM curricula WHERE id > $1 AND deleted_at_ms IS NULL ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(self.readers())
        .await?;
        Ok(rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?)
    }

    /// Derives what lists show from the document once more. The revision stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn summarise_curriculum(
        &self,
        id: &str,
        document: &Document,
    ) -> Result<(), StoreError> {
        let summary = Summary::of(id, document);
        let statement = described(
            sqlx::query(
                "UPDATE curricula SET title = $2, summary = $3, description = $5, author = $6,
                   language = $7, status = $8, difficulty = $9, keywords = $10, topics = $11
                 WHERE id = $1 AND document = $4",
            ),
            id,
            &summary,
            document,
        )?;
        self.write(statement).await?;
        Ok(())
    }
}

/// What a row holds, be it deleted or not.
struct Standing {
    document: String,
    title: String,
    revision: u64,
    is_there: bool,
}

async fn standing(transaction: &mut Writing, id: &str) -> Result<Option<Standing>, StoreError> {
    let row =
        sqlx::query("SELECT document, title, revision, deleted_at_ms FROM curricula WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut **transaction)
            .await?;
    row.map(|row| {
        let deleted: Option<i64> = row.try_get("deleted_at_ms")?;
        Ok(Standing {
            document: row.try_get("document")?,
            title: row.try_get("title")?,
            revision: unsigned(row.try_get("revision")?),
            is_there: deleted.is_none(),
        })
    })
    .transpose()
}

/// Of a curriculum that was archived the revisions stay.
async fn newest_revision(transaction: &mut Writing, id: &str) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT coalesce(max(revision), 0) AS newest FROM curriculum_revisions WHERE curriculum = $1",
    )
    .bind(id)
    .fetch_one(&mut **transaction)
    .await?;
    Ok(unsigned(row.try_get("newest")?))
}

/// Puts a document among the revisions, of which the oldest go.
async fn retire(
    transaction: &mut Writing,
    id: &str,
    old: &Standing,
    at_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO curriculum_revisions (curriculum, revision, title, document, size, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (curriculum, revision) DO NOTHING",
    )
    .bind(id)
    .bind(ms(old.revision))
    .bind(&old.title)
    .bind(&old.document)
    .bind(ms(old.document.len() as u64))
    .bind(ms(at_ms))
    .execute(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM curriculum_revisions WHERE curriculum = $1 AND revision <= $2")
        .bind(id)
        .bind(ms(old.revision) - MAX_REVISIONS)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn put(
    transaction: &mut Writing,
    new: &NewCurriculum,
    revision: u64,
) -> Result<(), StoreError> {
    let summary = Summary::of(&new.id, &new.document);
    described(
        sqlx::query(
            "INSERT INTO curricula (id, title, summary, document, description, author, language,
               status, difficulty, keywords, topics, revision, source, import_job, created_at_ms,
               updated_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             ON CONFLICT (id) DO UPDATE SET title = excluded.title, summary = excluded.summary,
               document = excluded.document, description = excluded.description,
               author = excluded.author, language = excluded.language, status = excluded.status,
               difficulty = excluded.difficulty, keywords = excluded.keywords,
               topics = excluded.topics, revision = excluded.revision, source = excluded.source,
               import_job = excluded.import_job, updated_at_ms = excluded.updated_at_ms,
               deleted_at_ms = NULL",
        ),
        &new.id,
        &summary,
        &new.document,
    )?
    .bind(ms(revision))
    .bind(new.source.clone())
    .bind(new.import_job.clone())
    .bind(ms(new.created_at_ms.unwrap_or(new.at_ms)))
    .bind(ms(new.at_ms))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Binds `$1` to `$11`: the id, the document and what lists show of it.
fn described<'q>(
    statement: Statement<'q>,
    id: &str,
    summary: &Summary,
    document: &Document,
) -> Result<Statement<'q>, StoreError> {
    Ok(statement
        .bind(id.to_owned())
        .bind(summary.title.clone())
        .bind(to_json("curricula.summary", summary)?)
        .bind(document.text().to_owned())
        .bind(summary.description.clone())
        .bind(summary.author.clone())
        .bind(summary.language.clone())
        .bind(summary.status.clone())
        .bind(summary.difficulty.clone())
        .bind(summary.keywords.join(", "))
        .bind(ms(summary.topics as u64)))
}

fn summary(row: &Row) -> Result<Summary, StoreError> {
    let summary: Summary = from_json("curricula.summary", row.try_get("summary")?)?;
    Ok(Summary {
        revision: unsigned(row.try_get("revision")?),
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        updated_at_ms: unsigned(row.try_get("updated_at_ms")?),
        ..summary
    })
}
