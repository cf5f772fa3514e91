//! Jobs, their leases, and schedules.

use crate::access::{OrganizationId, UserId};
use crate::jobs::{Job, JobEnd, JobKind, JobState, Schedule, Wish};
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::store::StoreError;
use crate::store::sql::listing::{Clause, Pages};
use crate::store::sql::record::{Table, record};
use crate::store::sql::{
    Connection, Row, Store, from_json, id, id_option, ms, small, to_json, unsigned,
    unsigned_option, word,
};
use sqlx::Row as _;
use uuid::Uuid;

/// Schedules that are made at one look; the others come at the next.
const DUE_AT_ONCE: i64 = 50;
/// More than there can be.
const SCHEDULES: u32 = 1_000;

impl Store {
    pub(crate) async fn waiting_jobs(&self) -> Result<u64, StoreError> {
        let count = sqlx::query_scalar("SELECT count(*) FROM jobs WHERE state = 'queued'");
        Ok(unsigned(count.fetch_one(self.readers()).await?))
    }

    pub(crate) async fn add_job(&self, job: &Job) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        insert_job(&mut transaction, job).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn job(&self, id: Uuid) -> Result<Option<Job>, StoreError> {
        let row = sqlx::query("SELECT * FROM jobs WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(job).transpose()
    }

    pub(crate) async fn jobs(
        &self,
        listing: &Listing,
        of: Option<&[OrganizationId]>,
        page: PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        const COLUMNS: [(&str, &str); 11] = [
            ("id", "id"),
            ("kind", "kind"),
            ("state", "state"),
            ("organization_id", "organization"),
            ("schedule_id", "schedule"),
            ("requested_by", "requested_by"),
            ("attempt", "attempt"),
            ("target", "target"),
            ("created_at", "created_at_ms"),
            ("started_at", "started_at_ms"),
            ("finished_at", "finished_at_ms"),
        ];
        let of = of.map(|of| of.iter().map(ToString::to_string).collect::<Vec<_>>());
        let of = of.map(|of| to_json("organizations", &of)).transpose()?;
        let listed = self.engine.listed("$1");
        let pages = Pages {
            which: &format!("FROM jobs WHERE ($1 IS NULL OR organization IN {listed})"),
            columns: "*",
            order: "created_at_ms DESC, id DESC",
        };
        let clause = Clause::new(listing, &COLUMNS, 2)?;
        self.page(&pages, &clause, page, |statement| statement.bind(of.clone()), job).await
    }

    pub(crate) async fn cancel_job(&self, id: Uuid, now_ms: u64) -> Result<Wish, StoreError> {
        let cancel = sqlx::query(
            "UPDATE jobs SET cancel_asked = 1,
               finished_at_ms = CASE WHEN state = 'queued' THEN $2 ELSE finished_at_ms END,
               current_step = CASE WHEN state = 'queued' THEN 'cancelled' ELSE 'cancelling' END,
               state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END
             WHERE id = $1 AND state IN ('queued', 'running')",
        )
        .bind(id.to_string())
        .bind(ms(now_ms));
        Ok(wish(self.write(cancel).await?))
    }

    pub(crate) async fn retry_job(&self, id: Uuid, now_ms: u64) -> Result<Wish, StoreError> {
        let retry = sqlx::query(
            "UPDATE jobs SET state = 'queued', attempt = 0, due_at_ms = $2, cancel_asked = 0,
               current_step = 'queued', finished_at_ms = NULL, started_at_ms = NULL, error = NULL
             WHERE id = $1 AND state IN ('failed', 'cancelled')",
        )
        .bind(id.to_string())
        .bind(ms(now_ms));
        Ok(wish(self.write(retry).await?))
    }

    /// The next job that is due, or that its holder has left.
    pub(crate) async fn claim_job(
        &self,
        holder: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<Option<Job>, StoreError> {
        let due: Option<String> = sqlx::query_scalar(
            "SELECT id FROM jobs WHERE (state = 'queued' AND due_at_ms <= $1)
                OR (state = 'running' AND lease_until_ms <= $1) LIMIT 1",
        )
        .bind(ms(now_ms))
        .fetch_optional(self.readers())
        .await?;
        if due.is_none() {
            return Ok(None);
        }
        // Writes take turns, so nobody else takes the same one.
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "UPDATE jobs SET state = 'running', holder = $2, lease_until_ms = $3,
               attempt = attempt + 1, started_at_ms = coalesce(started_at_ms, $1),
               current_step = 'running'
             WHERE id = (SELECT id FROM jobs WHERE (state = 'queued' AND due_at_ms <= $1)
                           OR (state = 'running' AND lease_until_ms <= $1)
                         ORDER BY due_at_ms, id LIMIT 1)
             RETURNING *",
        )
        .bind(ms(now_ms))
        .bind(holder)
        .bind(ms(until_ms))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        row.as_ref().map(job).transpose()
    }

    pub(crate) async fn keep_job(
        &self,
        id: Uuid,
        holder: &str,
        until_ms: u64,
    ) -> Result<bool, StoreError> {
        let keep = sqlx::query(
            "UPDATE jobs SET lease_until_ms = $3
             WHERE id = $1 AND holder = $2 AND state = 'running' AND cancel_asked = 0",
        )
        .bind(id.to_string())
        .bind(holder)
        .bind(ms(until_ms));
        Ok(self.write(keep).await? == 1)
    }

    pub(crate) async fn tell_job(
        &self,
        id: Uuid,
        holder: &str,
        step: &str,
        done: u64,
        total: Option<u64>,
    ) -> Result<(), StoreError> {
        let tell = sqlx::query(
            "UPDATE jobs SET current_step = $3, items_processed = $4, items_total = $5
             WHERE id = $1 AND holder = $2 AND state = 'running'",
        )
        .bind(id.to_string())
        .bind(holder)
        .bind(step)
        .bind(ms(done))
        .bind(total.map(ms));
        self.write(tell).await.map(drop)
    }

    pub(crate) async fn settle_job(
        &self,
        id: Uuid,
        holder: &str,
        end: &JobEnd,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let (state, result, error, due_at_ms) = match end {
            JobEnd::Succeeded(result) => (JobState::Succeeded, Some(result), None, None),
            JobEnd::Again { due_at_ms, why } => {
                (JobState::Queued, None, Some(why), Some(ms(*due_at_ms)))
            }
            JobEnd::Failed(why) => (JobState::Failed, None, Some(why), None),
            JobEnd::Cancelled => (JobState::Cancelled, None, None, None),
        };
        let finished = (state != JobState::Queued).then(|| ms(now_ms));
        let settle = sqlx::query(
            "UPDATE jobs SET state = $3, current_step = $3, result = $4, error = $5,
               due_at_ms = coalesce($6, due_at_ms), finished_at_ms = $7, holder = NULL,
               lease_until_ms = NULL, secret = CASE WHEN $3 = 'succeeded' THEN NULL ELSE secret END
             WHERE id = $1 AND holder = $2 AND state = 'running'",
        )
        .bind(id.to_string())
        .bind(holder)
        .bind(state.name())
        .bind(result.map(|result| to_json("jobs.result", result)).transpose()?)
        .bind(error)
        .bind(due_at_ms)
        .bind(finished);
        self.write(settle).await.map(drop)
    }

    pub(crate) async fn prune_jobs(&self, before_ms: u64, kept: u32) -> Result<(), StoreError> {
        let prune = sqlx::query(
            "DELETE FROM jobs WHERE finished_at_ms IS NOT NULL AND (finished_at_ms < $1
               OR id NOT IN (SELECT id FROM jobs WHERE finished_at_ms IS NOT NULL
                             ORDER BY created_at_ms DESC, id DESC LIMIT $2))",
        )
        .bind(ms(before_ms))
        .bind(i64::from(kept));
        self.write(prune).await.map(drop)
    }

    pub(crate) async fn count_schedules(&self) -> Result<u64, StoreError> {
        self.count_records(Table::Schedules).await
    }

    pub(crate) async fn add_schedule(&self, schedule: &Schedule) -> Result<(), StoreError> {
        let add = sqlx::query(
            "INSERT INTO schedules (id, organization, name, kind, parameters, secret, cadence,
               enabled, next_at_ms, requested_by, created_at_ms, created_by, updated_at_ms,
               updated_by, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind(schedule.id.to_string())
        .bind(schedule.organization.map(|id| id.to_string()))
        .bind(&schedule.name)
        .bind(schedule.kind.name())
        .bind(schedule.parameters.to_string())
        .bind(schedule.secret.as_deref())
        .bind(to_json("schedules.cadence", &schedule.cadence)?)
        .bind(i64::from(schedule.enabled))
        .bind(ms(schedule.next_at_ms))
        .bind(&schedule.requested_by)
        .bind(ms(schedule.record.created_at_ms))
        .bind(schedule.record.created_by.map(|user| user.to_string()))
        .bind(ms(schedule.record.updated_at_ms))
        .bind(schedule.record.updated_by.map(|user| user.to_string()))
        .bind(ms(schedule.record.version));
        self.write(add).await.map(drop)
    }

    pub(crate) async fn replace_schedule(
        &self,
        schedule: &Schedule,
        version: u64,
    ) -> Result<bool, StoreError> {
        let replace = sqlx::query(
            "UPDATE schedules SET organization = $3, name = $4, kind = $5, parameters = $6,
               secret = $7, cadence = $8, enabled = $9, next_at_ms = $10, requested_by = $11,
               updated_at_ms = $12, updated_by = $13, version = version + 1
             WHERE id = $1 AND version = $2 AND deleted_at_ms IS NULL",
        )
        .bind(schedule.id.to_string())
        .bind(ms(version))
        .bind(schedule.organization.map(|id| id.to_string()))
        .bind(&schedule.name)
        .bind(schedule.kind.name())
        .bind(schedule.parameters.to_string())
        .bind(schedule.secret.as_deref())
        .bind(to_json("schedules.cadence", &schedule.cadence)?)
        .bind(i64::from(schedule.enabled))
        .bind(ms(schedule.next_at_ms))
        .bind(&schedule.requested_by)
        .bind(ms(schedule.record.updated_at_ms))
        .bind(schedule.record.updated_by.map(|user| user.to_string()));
        Ok(self.write(replace).await? == 1)
    }

    pub(crate) async fn remove_schedule(
        &self,
        id: Uuid,
        version: u64,
        by: UserId,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let remove = sqlx::query(
            "UPDATE schedules SET deleted_at_ms = $3, updated_at_ms = $3, updated_by = $4,
               version = version + 1, secret = NULL
             WHERE id = $1 AND version = $2 AND deleted_at_ms IS NULL",
        )
        .bind(id.to_string())
        .bind(ms(version))
        .bind(ms(now_ms))
        .bind(by.to_string());
        Ok(self.write(remove).await? == 1)
    }

    pub(crate) async fn schedule(&self, id: Uuid) -> Result<Option<Schedule>, StoreError> {
        self.record_by_id(Table::Schedules, id, schedule).await
    }

    pub(crate) async fn schedules(&self) -> Result<Vec<Schedule>, StoreError> {
        self.newest_records(Table::Schedules, SCHEDULES, schedule).await
    }

    pub(crate) async fn due_schedules(&self, now_ms: u64) -> Result<Vec<Schedule>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM schedules WHERE enabled = 1 AND next_at_ms <= $1
               AND deleted_at_ms IS NULL ORDER BY next_at_ms, id LIMIT $2",
        )
        .bind(ms(now_ms))
        .bind(DUE_AT_ONCE)
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(schedule).collect()
    }

    /// Makes the schedule's job; false where another replica has made it.
    pub(crate) async fn make_scheduled(
        &self,
        schedule: &Schedule,
        job: &Job,
        next_at_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let moved = sqlx::query(
            "UPDATE schedules SET next_at_ms = $3, last_job = $4
             WHERE id = $1 AND next_at_ms = $2 AND enabled = 1 AND deleted_at_ms IS NULL",
        )
        .bind(schedule.id.to_string())
        .bind(ms(schedule.next_at_ms))
        .bind(ms(next_at_ms))
        .bind(job.id.to_string())
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        insert_job(&mut transaction, job).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn insert_job(connection: &mut Connection, job: &Job) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO jobs (id, kind, state, organization, target, parameters, secret, current_step,
           items_processed, attempt, attempts_most, due_at_ms, cancel_asked, schedule,
           requested_by, created_by, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, $15, $16)",
    )
    .bind(job.id.to_string())
    .bind(job.kind.name())
    .bind(job.state.name())
    .bind(job.organization.map(|id| id.to_string()))
    .bind(&job.target)
    .bind(job.parameters.to_string())
    .bind(job.secret.as_deref())
    .bind(&job.current_step)
    .bind(ms(job.items_processed))
    .bind(i64::from(job.attempt))
    .bind(i64::from(job.attempts_most))
    .bind(ms(job.due_at_ms))
    .bind(job.schedule.map(|id| id.to_string()))
    .bind(&job.requested_by)
    .bind(job.created_by.map(|user| user.to_string()))
    .bind(ms(job.created_at_ms))
    .execute(connection)
    .await?;
    Ok(())
}

fn wish(rows: u64) -> Wish {
    if rows == 1 { Wish::Granted } else { Wish::Late }
}

fn job(row: &Row) -> Result<Job, StoreError> {
    let result: Option<&str> = row.try_get("result")?;
    Ok(Job {
        id: id(row, "id")?,
        kind: word("jobs.kind", row.try_get("kind")?, JobKind::from_name)?,
        state: word("jobs.state", row.try_get("state")?, JobState::from_name)?,
        organization: id_option(row, "organization")?.map(OrganizationId),
        target: row.try_get("target")?,
        parameters: from_json("jobs.parameters", row.try_get("parameters")?)?,
        secret: row.try_get("secret")?,
        result: result.map(|text| from_json("jobs.result", text)).transpose()?,
        error: row.try_get("error")?,
        current_step: row.try_get("current_step")?,
        items_processed: unsigned(row.try_get("items_processed")?),
        items_total: unsigned_option(row.try_get("items_total")?),
        attempt: small("jobs.attempt", row.try_get("attempt")?)?,
        attempts_most: small("jobs.attempts_most", row.try_get("attempts_most")?)?,
        due_at_ms: unsigned(row.try_get("due_at_ms")?),
        schedule: id_option(row, "schedule")?,
        requested_by: row.try_get("requested_by")?,
        created_by: id_option(row, "created_by")?.map(UserId),
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        started_at_ms: unsigned_option(row.try_get("started_at_ms")?),
        finished_at_ms: unsigned_option(row.try_get("finished_at_ms")?),
    })
}

fn schedule(row: &Row) -> Result<Schedule, StoreError> {
    Ok(Schedule {
        id: id(row, "id")?,
        organization: id_option(row, "organization")?.map(OrganizationId),
        name: row.try_get("name")?,
        kind: word("schedules.kind", row.try_get("kind")?, JobKind::from_name)?,
        parameters: from_json("schedules.parameters", row.try_get("parameters")?)?,
        secret: row.try_get("secret")?,
        cadence: from_json("schedules.cadence", row.try_get("cadence")?)?,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
        next_at_ms: unsigned(row.try_get("next_at_ms")?),
        last_job: id_option(row, "last_job")?,
        requested_by: row.try_get("requested_by")?,
        record: record(row)?,
    })
}
