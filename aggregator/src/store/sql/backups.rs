//! Backups that were taken, reports that were made, and the snapshot that a backup begins with.

use crate::access::{OrganizationId, UserId};
use crate::backups::Backup;
use crate::reports::{Content, Report, ReportQuestion};
use crate::store::StoreError;
use crate::store::sql::record::{Table, record};
use crate::store::sql::{Row, Store, engine, from_json, id, id_option, ms, to_json, unsigned};
use sqlx::Row as _;
use std::path::Path;
use uuid::Uuid;

/// More than there can be.
const LISTED: u32 = 1_000;
/// Objects that one page of a snapshot names.
const OBJECTS: i64 = 10_000;

impl Store {
    /// Copies the database into a new file while others write; what was committed before is in it.
    pub(crate) async fn snapshot_into(&self, path: &Path) -> Result<(), StoreError> {
        let path = path.to_string_lossy().into_owned();
        sqlx::query("VACUUM INTO $1").bind(path).execute(self.readers()).await?;
        Ok(())
    }

    /// The history's objects that the snapshot at `path` reads.
    pub(crate) async fn objects_of(path: &Path) -> Result<Vec<String>, StoreError> {
        let snapshot = engine::open_snapshot(path).await?;
        let (mut objects, mut after) = (Vec::new(), String::new());
        loop {
            let page: Vec<String> = sqlx::query_scalar(
                "SELECT object FROM segments WHERE object > $1 ORDER BY object LIMIT $2",
            )
            .bind(&after)
            .bind(OBJECTS)
            .fetch_all(&snapshot)
            .await?;
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            objects.extend(page);
        }
        snapshot.close().await;
        Ok(objects)
    }

    pub(crate) async fn count_backups(&self) -> Result<u64, StoreError> {
        self.count_records(Table::Backups).await
    }

    pub(crate) async fn add_backup(&self, backup: &Backup) -> Result<(), StoreError> {
        let add = sqlx::query(
            "INSERT INTO backups (id, job, bytes, sha256, manifest, created_at_ms, created_by,
               updated_at_ms, updated_by, version)
             VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (id) DO UPDATE SET bytes = $2, sha256 = $3, manifest = $4",
        )
        .bind(backup.id.to_string())
        .bind(ms(backup.bytes))
        .bind(&backup.sha256)
        .bind(to_json("backups.manifest", &backup.manifest)?)
        .bind(ms(backup.record.created_at_ms))
        .bind(backup.record.created_by.map(|user| user.to_string()))
        .bind(ms(backup.record.updated_at_ms))
        .bind(backup.record.updated_by.map(|user| user.to_string()))
        .bind(ms(backup.record.version));
        self.write(add).await.map(drop)
    }

    pub(crate) async fn backup(&self, id: Uuid) -> Result<Option<Backup>, StoreError> {
        self.record_by_id(Table::Backups, id, backup).await
    }

    pub(crate) async fn backups(&self) -> Result<Vec<Backup>, StoreError> {
        self.newest_records(Table::Backups, LISTED, backup).await
    }

    pub(crate) async fn remove_backup(
        &self,
        id: Uuid,
        by: UserId,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let remove = sqlx::query(
            "UPDATE backups SET deleted_at_ms = $2, updated_at_ms = $2, updated_by = $3,
               version = version + 1 WHERE id = $1 AND deleted_at_ms IS NULL",
        )
        .bind(id.to_string())
        .bind(ms(now_ms))
        .bind(by.to_string());
        Ok(self.write(remove).await? == 1)
    }

    /// Keeps a report that was made; the oldest above `kept` go.
    pub(crate) async fn add_report(&self, report: &Report, kept: u32) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO reports (id, organization, question, content, job, created_at_ms,
               created_by, updated_at_ms, updated_by, version)
             VALUES ($1, $2, $3, $4, $1, $5, $6, $7, $8, $9)
             ON CONFLICT (id) DO UPDATE SET content = $4, updated_at_ms = $7",
        )
        .bind(report.id.to_string())
        .bind(report.organization.map(|id| id.to_string()))
        .bind(to_json("reports.question", &report.question)?)
        .bind(to_json("reports.content", &report.content)?)
        .bind(ms(report.record.created_at_ms))
        .bind(report.record.created_by.map(|user| user.to_string()))
        .bind(ms(report.record.updated_at_ms))
        .bind(report.record.updated_by.map(|user| user.to_string()))
        .bind(ms(report.record.version))
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM reports WHERE id NOT IN
               (SELECT id FROM reports ORDER BY created_at_ms DESC, id DESC LIMIT $1)",
        )
        .bind(i64::from(kept))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn report(&self, id: Uuid) -> Result<Option<Report>, StoreError> {
        self.record_by_id(Table::Reports, id, report).await
    }

    /// All of them without what they say, newest first.
    pub(crate) async fn reports_made(&self) -> Result<Vec<Report>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, organization, question, NULL AS content, created_at_ms, created_by,
               updated_at_ms, updated_by, deleted_at_ms, version FROM reports
             WHERE deleted_at_ms IS NULL ORDER BY created_at_ms DESC, id DESC LIMIT $1",
        )
        .bind(i64::from(LISTED))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(report).collect()
    }
}

fn backup(row: &Row) -> Result<Backup, StoreError> {
    Ok(Backup {
        id: id(row, "id")?,
        bytes: unsigned(row.try_get("bytes")?),
        sha256: row.try_get("sha256")?,
        manifest: from_json("backups.manifest", row.try_get("manifest")?)?,
        record: record(row)?,
    })
}

fn report(row: &Row) -> Result<Report, StoreError> {
    let content: Option<&str> = row.try_get("content")?;
    let content: Option<Content> =
        content.map(|text| from_json("reports.content", text)).transpose()?;
    let question: ReportQuestion = from_json("reports.question", row.try_get("question")?)?;
    Ok(Report {
        id: id(row, "id")?,
        organization: id_option(row, "organization")?.map(OrganizationId),
        question,
        content,
        record: record(row)?,
    })
}
