//! Operations: the outbox, their states, and the audit rows that go with them.

use crate::access::SessionId;
use crate::audit::{AuditEntry, Decision};
use crate::fleet::DeviceId;
use crate::operations::{
    MAX_OPEN_PER_DEVICE, Operation, OperationQuery, OperationState, Submission, SubmitError,
};
use crate::page::Page;
use crate::store::StoreError;
use crate::store::sql::listing::{Clause, Pages};
use crate::store::sql::notices::Notice;
use crate::store::sql::{
    Connection, Row, Statement, Store, audit, from_blob, from_json, ms, seen, to_blob, to_json,
    unsigned, unsigned_option, word,
};
use flyball_protocol::command::{OperationId, SignatureError, SignedCommand, Verdict};
use flyball_protocol::message::PendingCommand;
use serde_json::json;
use sqlx::Row as _;

/// Operations that one sweep ends.
const SWEEP: i64 = 200;
/// How long a guard asks a switch before it gives up, and a margin.
const SWITCH_PATIENCE_MS: u64 = 330_000;

/// Every column of an [`Operation`], for the queries below.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT o.*, d.id AS device_id FROM operations o JOIN devices d ON d.key = o.device ",
            $rest
        )
    };
}

impl Store {
    /// Takes the device's next counter, signs with it, and stores operation, outbox and audit
    /// row in one transaction.
    pub(crate) async fn create_operation(
        &self,
        id: OperationId,
        submission: &Submission,
        now_ms: u64,
        not_after_ms: u64,
        sign: impl FnOnce(u64) -> Result<SignedCommand, SignatureError>,
    ) -> Result<Operation, SubmitError> {
        let mut transaction = self.begin().await?;
        let device = submission.device;
        let (key, counter) = next_counter(&mut transaction, device)
            .await?
            .ok_or(SubmitError::UnknownDevice(device))?;
        if open(&mut transaction, key).await? >= i64::from(MAX_OPEN_PER_DEVICE) {
            return Err(SubmitError::TooManyOpen(device));
        }
        let command = sign(unsigned(counter))?;
        let operation = Operation {
            id,
            device,
            equipment: submission.equipment,
            action: submission.action.clone(),
            state: OperationState::Queued,
            verdict: None,
            outcome: None,
            requested_by: submission.issuer.clone(),
            session: submission.session,
            confirmed_by: None,
            request_id: submission.request_id.clone(),
            created_at_ms: now_ms,
            started_at_ms: None,
            finished_at_ms: None,
            not_after_ms,
        };
        insert(&mut transaction, key, counter, &operation, &command).await?;
        let entry = entry(&operation, "operation.create", Decision::Allowed, now_ms);
        audit::append(&mut transaction, &entry).await?;
        self.notify(&mut transaction, Notice::Commands(device)).await?;
        transaction.commit().await.map_err(StoreError::Sql)?;
        Ok(operation)
    }

    pub(crate) async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        let row = sqlx::query(select!("WHERE o.id = $1"))
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(operation).transpose()
    }

    pub(crate) async fn operations(
        &self,
        query: &OperationQuery,
    ) -> Result<Page<Operation>, StoreError> {
        const COLUMNS: [(&str, &str); 9] = [
            ("id", "o.id"),
            ("kind", "o.kind"),
            ("state", "o.state"),
            ("requested_by", "o.requested_by"),
            ("confirmed_by", "o.confirmed_by"),
            ("request_id", "o.request_id"),
            ("created_at", "o.created_at_ms"),
            ("started_at", "o.started_at_ms"),
            ("finished_at", "o.finished_at_ms"),
        ];
        let device = query.device.map(|device| device.to_string());
        let seen = seen(&query.sight)?;
        let only = self.engine.listed("$2");
        let which = format!(
            "FROM operations o JOIN devices d ON d.key = o.device
             WHERE ($2 IS NULL OR coalesce(o.equipment, d.id) IN {only})
               AND ($1 IS NULL OR d.id = $1 OR o.equipment = $1)"
        );
        let pages = Pages {
            which: &which,
            columns: "o.*, d.id AS device_id",
            order: "o.created_at_ms DESC, o.id DESC",
        };
        let clause = Clause::new(&query.listing, &COLUMNS, 3)?;
        let bind =
            |statement: Statement<'static>| statement.bind(device.clone()).bind(seen.clone());
        self.page(&pages, &clause, query.page, bind, operation).await
    }

    /// What was asked since then, oldest first.
    pub(crate) async fn operations_since(
        &self,
        since_ms: u64,
    ) -> Result<Vec<Operation>, StoreError> {
        let rows = sqlx::query(select!("WHERE o.created_at_ms > $1 ORDER BY o.created_at_ms"))
            .bind(ms(since_ms))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(operation).collect()
    }

    /// The first `limit` that were asked, started or ended since then, the earliest asked first.
    pub(crate) async fn operations_moved_since(
        &self,
        since_ms: u64,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        let rows = sqlx::query(select!(
            "WHERE o.created_at_ms >= $1 OR o.started_at_ms >= $1 OR o.finished_at_ms >= $1
             ORDER BY o.created_at_ms, o.id LIMIT $2"
        ))
        .bind(ms(since_ms))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(operation).collect()
    }

    /// What has no verdict yet and is still good, by counter, behind the counter `after`. What was sent but not answered is
    /// in it: the guard's counter makes the repetition harmless.
    pub(crate) async fn pending_commands(
        &self,
        device: DeviceId,
        after: u64,
        now_ms: u64,
    ) -> Result<Vec<(u64, PendingCommand)>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.id, o.counter, o.not_after_ms, o.command FROM operations o
             JOIN devices d ON d.key = o.device
             WHERE d.id = $1 AND o.finished_at_ms IS NULL AND o.verdict IS NULL
               AND o.not_after_ms > $2 AND o.counter > $3
             ORDER BY o.counter LIMIT $4",
        )
        .bind(device.to_string())
        .bind(ms(now_ms))
        .bind(ms(after))
        .bind(i64::from(MAX_OPEN_PER_DEVICE))
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let pending = PendingCommand {
                    operation: word("id", row.try_get("id")?, |id| id.parse().ok())?,
                    not_after_ms: unsigned(row.try_get("not_after_ms")?),
                    command: from_blob("command", row.try_get("command")?)?,
                };
                Ok((unsigned(row.try_get("counter")?), pending))
            })
            .collect()
    }

    /// Lets `change` at the operation; stores it, with its audit row where it has ended, and
    /// gives it back where anything changed.
    pub(crate) async fn settle(
        &self,
        id: OperationId,
        change: impl FnOnce(&mut Operation) -> bool,
        now_ms: u64,
    ) -> Result<Option<Operation>, StoreError> {
        let mut transaction = self.begin().await?;
        let settled = settle(&mut transaction, id, change, now_ms).await?;
        if settled.is_some() {
            self.notify(&mut transaction, Notice::Operation(id)).await?;
        }
        transaction.commit().await?;
        Ok(settled)
    }

    /// Ends what is past its `not_after` by more than the outcome's own way may take: for a switch
    /// that the machine has taken on, the guard's own patience with it comes on top, and what is
    /// armed waits for as long as it is.
    pub(crate) async fn expire_operations(
        &self,
        now_ms: u64,
        grace_ms: u64,
    ) -> Result<Vec<Operation>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM operations
             WHERE finished_at_ms IS NULL
               AND CASE
                     WHEN state = 'queued' THEN not_after_ms
                     WHEN state = 'armed'
                       THEN CASE WHEN armed_until_ms > not_after_ms THEN armed_until_ms
                            ELSE not_after_ms END + $2
                     WHEN kind = 'power.reset' AND verdict IS NOT NULL
                       THEN not_after_ms + $4 + $2
                     ELSE not_after_ms + $2
                   END <= $1 LIMIT $3",
        )
        .bind(ms(now_ms))
        .bind(ms(grace_ms))
        .bind(SWEEP)
        .bind(ms(SWITCH_PATIENCE_MS))
        .fetch_all(self.readers())
        .await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin().await?;
        let mut expired = Vec::with_capacity(ids.len());
        for id in ids {
            let id = word("id", &id, |id| id.parse().ok())?;
            let change = |op: &mut Operation| op.handle_expiry(now_ms);
            expired.extend(settle(&mut transaction, id, change, now_ms).await?);
        }
        transaction.commit().await?;
        Ok(expired)
    }
}

pub(super) async fn settle(
    connection: &mut Connection,
    id: OperationId,
    change: impl FnOnce(&mut Operation) -> bool,
    now_ms: u64,
) -> Result<Option<Operation>, StoreError> {
    let row = sqlx::query(select!("WHERE o.id = $1"))
        .bind(id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(mut operation) = row.as_ref().map(operation).transpose()? else {
        return Ok(None);
    };
    if !change(&mut operation) {
        return Ok(None);
    }
    update(connection, &operation).await?;
    if operation.state.is_final() {
        let decision = decision(&operation);
        audit::append(connection, &entry(&operation, "operation.settle", decision, now_ms)).await?;
    }
    Ok(Some(operation))
}

async fn next_counter(
    connection: &mut Connection,
    device: DeviceId,
) -> Result<Option<(i64, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "UPDATE devices SET command_counter = command_counter + 1
         WHERE id = $1 AND revoked_at_ms IS NULL AND deleted_at_ms IS NULL
         RETURNING key, command_counter",
    )
    .bind(device.to_string())
    .fetch_optional(connection)
    .await?)
}

async fn open(connection: &mut Connection, device: i64) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM operations WHERE device = $1 AND finished_at_ms IS NULL",
    )
    .bind(device)
    .fetch_one(connection)
    .await?)
}

async fn insert(
    connection: &mut Connection,
    device: i64,
    counter: i64,
    operation: &Operation,
    command: &SignedCommand,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO operations (id, device, kind, action, state, counter, command, requested_by,
           request_id, created_at_ms, not_after_ms, equipment, session)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(operation.id.to_string())
    .bind(device)
    .bind(operation.action.kind())
    .bind(to_json("action", &operation.action)?)
    .bind(operation.state.name())
    .bind(counter)
    .bind(to_blob("command", command)?)
    .bind(&operation.requested_by)
    .bind(&operation.request_id)
    .bind(ms(operation.created_at_ms))
    .bind(ms(operation.not_after_ms))
    .bind(operation.equipment.map(|equipment| equipment.to_string()))
    .bind(operation.session.map(|session| session.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn update(connection: &mut Connection, operation: &Operation) -> Result<(), StoreError> {
    let verdict = operation.verdict.as_ref().map(|v| to_json("verdict", v)).transpose()?;
    let outcome = operation.outcome.as_ref().map(|o| to_json("outcome", o)).transpose()?;
    let armed_until_ms = match &operation.verdict {
        Some(Verdict::Armed(arming)) => Some(arming.until_ms),
        Some(Verdict::Accepted | Verdict::Clamped(_) | Verdict::Refused(_)) | None => None,
    };
    sqlx::query(
        "UPDATE operations SET state = $1, verdict = $2, outcome = $3, started_at_ms = $4,
           finished_at_ms = $5, confirmed_by = $6, armed_until_ms = $7 WHERE id = $8",
    )
    .bind(operation.state.name())
    .bind(verdict)
    .bind(outcome)
    .bind(operation.started_at_ms.map(ms))
    .bind(operation.finished_at_ms.map(ms))
    .bind(&operation.confirmed_by)
    .bind(armed_until_ms.map(ms))
    .bind(operation.id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

fn decision(operation: &Operation) -> Decision {
    match (operation.state, &operation.verdict) {
        (OperationState::Succeeded, Some(Verdict::Clamped(_))) => Decision::Clamped,
        (OperationState::Succeeded, _) => Decision::Allowed,
        (OperationState::Refused, _) => Decision::Refused,
        (
            OperationState::Failed
            | OperationState::Expired
            | OperationState::Queued
            | OperationState::Running
            | OperationState::Armed,
            _,
        ) => Decision::Failed,
    }
}

fn entry(operation: &Operation, action: &str, decision: Decision, now_ms: u64) -> AuditEntry {
    AuditEntry {
        at_ms: now_ms,
        actor: operation.requested_by.clone(),
        action: action.into(),
        target: format!("device:{}", operation.equipment.unwrap_or(operation.device)),
        decision,
        details: json!({
            "operation": operation.id.to_string(),
            "kind": operation.action.kind(),
            "action": operation.action,
            "state": operation.state.name(),
            "verdict": operation.verdict,
            "outcome": operation.outcome,
            "confirmed_by": operation.confirmed_by,
        }),
        request_id: operation.request_id.clone(),
        ..AuditEntry::default()
    }
}

fn operation(row: &Row) -> Result<Operation, StoreError> {
    let verdict: Option<&str> = row.try_get("verdict")?;
    let outcome: Option<&str> = row.try_get("outcome")?;
    let equipment: Option<&str> = row.try_get("equipment")?;
    let session: Option<&str> = row.try_get("session")?;
    Ok(Operation {
        id: word("id", row.try_get("id")?, |id| id.parse().ok())?,
        device: word("device", row.try_get("device_id")?, |id| id.parse().ok())?,
        equipment: equipment.map(|id| word("equipment", id, |id| id.parse().ok())).transpose()?,
        action: from_json("action", row.try_get("action")?)?,
        state: word("state", row.try_get("state")?, OperationState::from_name)?,
        verdict: verdict.map(|text| from_json("verdict", text)).transpose()?,
        outcome: outcome.map(|text| from_json("outcome", text)).transpose()?,
        requested_by: row.try_get("requested_by")?,
        session: session
            .map(|id| word("session", id, |id| id.parse().ok().map(SessionId)))
            .transpose()?,
        confirmed_by: row.try_get("confirmed_by")?,
        request_id: row.try_get("request_id")?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        started_at_ms: unsigned_option(row.try_get("started_at_ms")?),
        finished_at_ms: unsigned_option(row.try_get("finished_at_ms")?),
        not_after_ms: unsigned(row.try_get("not_after_ms")?),
    })
}
