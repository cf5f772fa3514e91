//! The audit table and the heads of its chains.
//!
//! A row is added at the end of its transaction: the chain's head is then the last row that the
//! transaction locks, so that two which audit into the same chain wait for one another and never
//! in a circle.

use crate::access::{OrganizationId, SessionId};
use crate::audit::chain::{Break, Head, Link, START, Walk};
use crate::audit::{AuditEntry, AuditQuery, AuditRow, Circumstances, Decision, masked};
use crate::store::StoreError;
use crate::store::sql::listing::Clause;
use crate::store::sql::{Connection, Row, Store, from_json, ms, unsigned, unsigned_option, word};
use sqlx::Row as _;
use std::collections::HashMap;
use uuid::Uuid;

/// Rows that are read at once where all are.
const BATCH: i64 = 1_000;

/// Adds `entry` in the transaction of what it records, as the last of its statements.
pub(super) async fn append(
    connection: &mut Connection,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let organization = place(connection, entry).await?;
    append_at(connection, entry, organization).await
}

async fn append_at(
    connection: &mut Connection,
    entry: &AuditEntry,
    organization: Option<String>,
) -> Result<(), StoreError> {
    let here = Circumstances::current();
    let session = entry.session.or(here.session).map(|session| session.to_string());
    let address = entry.address.or(here.address).map(|address| address.to_string());
    let details = masked(&entry.details).to_string();
    let change = entry.change.as_ref().map(ToString::to_string);
    let chain = organization.clone().unwrap_or_default();
    let head = lock_head(connection, &chain).await?;
    let link = Link {
        organization: organization.as_deref(),
        position: head.position,
        at_ms: entry.at_ms,
        actor: &entry.actor,
        action: &entry.action,
        target: &entry.target,
        decision: entry.decision.name(),
        details: &details,
        request_id: entry.request_id.as_deref(),
        session: session.as_deref(),
        address: address.as_deref(),
        change: change.as_deref(),
    };
    let hash = link.hash(&head.hash);
    sqlx::query(
        "INSERT INTO audit (at_ms, actor, action, target, decision, details, request_id,
           organization, session, address, change, position, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(ms(link.at_ms))
    .bind(link.actor)
    .bind(link.action)
    .bind(link.target)
    .bind(link.decision)
    .bind(link.details)
    .bind(link.request_id)
    .bind(link.organization)
    .bind(link.session)
    .bind(link.address)
    .bind(link.change)
    .bind(ms(link.position))
    .bind(hash.as_slice())
    .execute(&mut *connection)
    .await?;
    keep_head(connection, &chain, &hash).await
}

/// Adds entries of several chains: the chains in the order of their names, so that two such
/// transactions don't wait for one another in a circle.
pub(super) async fn append_all(
    connection: &mut Connection,
    entries: &[AuditEntry],
) -> Result<(), StoreError> {
    let mut placed = Vec::with_capacity(entries.len());
    for entry in entries {
        placed.push((place(connection, entry).await?, entry));
    }
    placed.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (organization, entry) in placed {
        append_at(connection, entry, organization).await?;
    }
    Ok(())
}

/// Whose chain an entry belongs to.
async fn place(
    connection: &mut Connection,
    entry: &AuditEntry,
) -> Result<Option<String>, StoreError> {
    match (entry.organization, entry.device()) {
        (Some(organization), _) => Ok(Some(organization.to_string())),
        (None, Some(device)) => organization_of(connection, device).await,
        (None, None) => Ok(None),
    }
}

/// The organization in whose chain a device's rows stand.
async fn organization_of(
    connection: &mut Connection,
    device: &str,
) -> Result<Option<String>, StoreError> {
    let found: Option<Option<String>> =
        sqlx::query_scalar("SELECT organization FROM placements WHERE device = $1")
            .bind(device)
            .fetch_optional(connection)
            .await?;
    Ok(found.flatten())
}

/// Claims the next place of the chain, with the hash before it; nobody else gets on with this
/// chain until the transaction ends.
async fn lock_head(connection: &mut Connection, chain: &str) -> Result<Head, StoreError> {
    let row = sqlx::query(
        "INSERT INTO audit_heads (chain, position, hash) VALUES ($1, 1, $2)
         ON CONFLICT (chain) DO UPDATE SET position = audit_heads.position + 1
         RETURNING position, hash",
    )
    .bind(chain)
    .bind(START.as_slice())
    .fetch_one(connection)
    .await?;
    head(&row)
}

async fn keep_head(
    connection: &mut Connection,
    chain: &str,
    hash: &[u8; 32],
) -> Result<(), StoreError> {
    sqlx::query("UPDATE audit_heads SET hash = $1 WHERE chain = $2")
        .bind(hash.as_slice())
        .bind(chain)
        .execute(connection)
        .await?;
    Ok(())
}

fn head(row: &Row) -> Result<Head, StoreError> {
    let hash: &[u8] = row.try_get("hash")?;
    let hash = hash.try_into().map_err(|_| StoreError::Unknown {
        column: "audit_heads.hash",
        value: format!("{} bytes", hash.len()),
    })?;
    Ok(Head { position: unsigned(row.try_get("position")?), hash })
}

fn link(row: &Row) -> Result<(i64, Link<'_>, Option<&[u8]>), StoreError> {
    let position: Option<i64> = row.try_get("position")?;
    let link = Link {
        organization: row.try_get("organization")?,
        position: unsigned_option(position).unwrap_or(0),
        at_ms: unsigned(row.try_get("at_ms")?),
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        target: row.try_get("target")?,
        decision: row.try_get("decision")?,
        details: row.try_get("details")?,
        request_id: row.try_get("request_id")?,
        session: row.try_get("session")?,
        address: row.try_get("address")?,
        change: row.try_get("change")?,
    };
    Ok((row.try_get("id")?, link, row.try_get("hash")?))
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, at_ms, actor, action, target, decision, details, request_id, organization,
               session, address, change, position, hash FROM audit ",
            $rest
        )
    };
}

impl Store {
    /// Adds a row that stands alone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Rows, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        const COLUMNS: [(&str, &str); 9] = [
            ("at", "at_ms"),
            ("actor", "actor"),
            ("action", "action"),
            ("target", "target"),
            ("decision", "decision"),
            ("request_id", "request_id"),
            ("organization", "organization"),
            ("session", "session"),
            ("address", "address"),
        ];
        let clause = Clause::new(&query.listing, &COLUMNS, 10)?;
        let sql = format!(
            select!(
                "WHERE ($1 IS NULL OR actor = $1) AND ($2 IS NULL OR action = $2)
                   AND ($3 IS NULL OR id < $3) AND ($4 IS NULL OR target = $4)
                   AND ($5 IS NULL OR decision = $5) AND ($6 IS NULL OR organization = $6)
                   AND ($7 IS NULL OR at_ms >= $7) AND ($8 IS NULL OR at_ms < $8) {}
                 ORDER BY id DESC LIMIT $9"
            ),
            clause.narrowed()
        );
        let statement = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&query.actor)
            .bind(&query.action)
            .bind(query.before)
            .bind(&query.target)
            .bind(query.decision.map(Decision::name))
            .bind(query.organization.map(|organization| organization.to_string()))
            .bind(query.from_ms.map(ms))
            .bind(query.to_ms.map(ms))
            .bind(i64::from(query.limit));
        let rows = clause.bind(statement).fetch_all(self.readers()).await?;
        rows.iter().map(audit_row).collect()
    }

    /// Walks every chain from its first row to its end; gives the first break, and how many rows
    /// and chains there were up to it. Holds one batch of rows at a time; what is added meanwhile
    /// is walked too.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn verify_audit(&self) -> Result<(u64, usize, Option<Break>), StoreError> {
        let rows = sqlx::query("SELECT chain, position, hash FROM audit_heads")
            .fetch_all(self.readers())
            .await?;
        let mut heads = HashMap::with_capacity(rows.len());
        for row in &rows {
            heads.insert(row.try_get("chain")?, head(row)?);
        }
        let mut walk = Walk::new(heads);
        let mut after = i64::MIN;
        loop {
            let rows = sqlx::query(select!("WHERE id > $1 ORDER BY id LIMIT $2"))
                .bind(after)
                .bind(BATCH)
                .fetch_all(self.readers())
                .await?;
            let Some(last) = rows.last() else { break };
            after = last.try_get("id")?;
            for row in &rows {
                let (id, link, hash) = link(row)?;
                if let Err(fault) = walk.step(id, &link, hash) {
                    return Ok((walk.rows, walk.chains(), Some(fault)));
                }
            }
        }
        Ok((walk.rows, walk.chains(), walk.end().err()))
    }

    /// Chains the rows that were there before the chain was, once, a batch a transaction. Replicas
    /// that start at the same time take turns, and none serves before it is done.
    pub(super) async fn chain_backlog(&self) -> Result<(), StoreError> {
        while self.chain_batch().await? {}
        Ok(())
    }

    async fn chain_batch(&self) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let last: Option<i64> = sqlx::query_scalar("SELECT last FROM audit_backlog")
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(last) = last else { return Ok(false) };
        let rows = sqlx::query(select!("WHERE id <= $1 AND position IS NULL ORDER BY id LIMIT $2"))
            .bind(last)
            .bind(BATCH)
            .fetch_all(&mut *transaction)
            .await?;
        for row in &rows {
            let (id, link, _) = link(row)?;
            let chain = link.organization.unwrap_or_default();
            let head = lock_head(&mut transaction, chain).await?;
            let hash = Link { position: head.position, ..link }.hash(&head.hash);
            sqlx::query("UPDATE audit SET position = $1, hash = $2 WHERE id = $3")
                .bind(ms(head.position))
                .bind(hash.as_slice())
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            keep_head(&mut transaction, chain, &hash).await?;
        }
        if rows.is_empty() {
            sqlx::query("DELETE FROM audit_backlog").execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

fn audit_row(row: &Row) -> Result<AuditRow, StoreError> {
    let (id, link, hash) = link(row)?;
    let uuid = |column: &'static str, text: Option<&str>| {
        text.map(|text| word(column, text, |text| Uuid::parse_str(text).ok())).transpose()
    };
    let owned = str::to_owned;
    let address = link.address.map(|text| word("audit.address", text, |text| text.parse().ok()));
    Ok(AuditRow {
        id,
        entry: AuditEntry {
            at_ms: link.at_ms,
            actor: owned(link.actor),
            action: owned(link.action),
            target: owned(link.target),
            decision: word("audit.decision", link.decision, Decision::from_name)?,
            details: from_json("audit.details", link.details)?,
            request_id: link.request_id.map(owned),
            organization: uuid("audit.organization", link.organization)?.map(OrganizationId),
            session: uuid("audit.session", link.session)?.map(SessionId),
            address: address.transpose()?,
            change: link.change.map(|text| from_json("audit.change", text)).transpose()?,
        },
        position: (link.position > 0).then_some(link.position),
        hash: hash.map(<[u8]>::to_vec),
    })
}
