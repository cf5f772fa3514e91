//! Import jobs.

use crate::imports::{Job, JobId, JobStatus};
use crate::page::{Page, PageRequest};
use crate::store::StoreError;
use crate::store::sql::{Row, Store, from_json, ms, to_json, unsigned, unsigned_option, word};
use sqlx::Row as _;
use uuid::Uuid;

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn add_import(&self, job: &Job) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO import_jobs (id, source, course, request, status, progress, requested_by,
               created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(job.id.to_string())
        .bind(&job.request.source)
        .bind(&job.request.course)
        .bind(to_json("import_jobs.request", &job.request)?)
        .bind(job.status.name())
        .bind(to_json("import_jobs.progress", &job.state)?)
        .bind(&job.requested_by)
        .bind(ms(job.created_at_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes where the job stands; false where it had ended before, which holds.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn save_import(&self, job: &Job) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let saved = sqlx::query(
            "UPDATE import_jobs SET status = $1, progress = $2, started_at_ms = $3, finished_at_ms = $4
             WHERE id = $5 AND finished_at_ms IS NULL",
        )
        .bind(job.status.name())
        .bind(to_json("import_jobs.progress", &job.state)?)
        .bind(job.started_at_ms.map(ms))
        .bind(job.finished_at_ms.map(ms))
        .bind(job.id.to_string())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        transaction.commit().await?;
        Ok(saved == 1)
    }

    /// The oldest job that has not ended.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn next_import(&self) -> Result<Option<Job>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM import_jobs WHERE finished_at_ms IS NULL ORDER BY created_at_ms, id LIMIT 1",
        )
        .fetch_optional(self.readers())
        .await?;
        row.map(|row| job(&row)).transpose()
    }

    /// How many have not ended.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open_imports(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT count(*) FROM import_jobs WHERE finished_at_ms IS NULL")
            .fetch_one(self.readers())
            .await?;
        Ok(unsigned(row.try_get(0)?))
    }

    /// # Errors
    /// Where the database fails.
    pub async fn import(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let row = sqlx::query("SELECT * FROM import_jobs WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| job(&row)).transpose()
    }

    /// Jobs, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn imports(
        &self,
        status: Option<JobStatus>,
        page: PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        let status = status.map(JobStatus::name);
        let rows = sqlx::query(
            "SELECT * FROM import_jobs WHERE ($1 IS NULL OR status = $1)
             ORDER BY created_at_ms DESC, id DESC LIMIT $2 OFFSET $3",
        )
        .bind(status)
        .bind(i64::from(page.per_page))
        .bind(ms(page.offset()))
        .fetch_all(self.readers())
        .await?;
        let count =
            sqlx::query("SELECT count(*) FROM import_jobs WHERE ($1 IS NULL OR status = $1)")
                .bind(status)
                .fetch_one(self.readers())
                .await?;
        let items = rows.iter().map(job).collect::<Result<_, _>>()?;
        Ok(Page { items, total: unsigned(count.try_get(0)?) })
    }
}

fn job(row: &Row) -> Result<Job, StoreError> {
    let id = word("import_jobs.id", row.try_get("id")?, |text| Uuid::parse_str(text).ok())?;
    Ok(Job {
        id: JobId(id),
        request: from_json("import_jobs.request", row.try_get("request")?)?,
        status: word("import_jobs.status", row.try_get("status")?, JobStatus::from_name)?,
        state: from_json("import_jobs.progress", row.try_get("progress")?)?,
        requested_by: row.try_get("requested_by")?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        started_at_ms: unsigned_option(row.try_get("started_at_ms")?),
        finished_at_ms: unsigned_option(row.try_get("finished_at_ms")?),
    })
}
