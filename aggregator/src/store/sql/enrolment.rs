//! Enrolment tokens, and the transaction that turns one into a device.

use crate::access::{OrganizationId, SiteId};
use crate::audit::AuditEntry;
use crate::enrolment::{EnrolmentToken, Home};
use crate::fleet::Device;
use crate::record::Record;
use crate::store::StoreError;
use crate::store::sql::tenancy::placements;
use crate::store::sql::{Row, Store, audit, fleet, id_option, ms, unsigned, unsigned_option, word};
use crate::tenancy::{Placed, Placement};
use flyball_protocol::message::EnrolRefusal;
use sqlx::Row as _;
use uuid::Uuid;

/// Tokens that are listed at once.
const MAX_TOKENS: i64 = 200;
const SELECT: &str = "SELECT t.id, t.name, t.created_by, t.created_at_ms, t.expires_at_ms,
    t.used_at_ms, d.id AS used_by, t.revoked_at_ms, t.organization, t.site
    FROM enrolment_tokens t LEFT JOIN devices d ON d.key = t.used_by";

impl Store {
    pub(crate) async fn create_token(
        &self,
        token: &EnrolmentToken,
        secret_hash: &[u8; 32],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO enrolment_tokens
               (id, name, secret_hash, created_by, created_at_ms, expires_at_ms, organization, site)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(token.id.to_string())
        .bind(&token.name)
        .bind(secret_hash.as_slice())
        .bind(&token.created_by)
        .bind(ms(token.created_at_ms))
        .bind(ms(token.expires_at_ms))
        .bind(token.home.organization.map(|id| id.to_string()))
        .bind(token.home.site.map(|id| id.to_string()))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn tokens(&self) -> Result<Vec<EnrolmentToken>, StoreError> {
        let sql = format!("{SELECT} ORDER BY t.created_at_ms DESC, t.id DESC LIMIT $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(MAX_TOKENS)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(token).collect()
    }

    pub(crate) async fn token(&self, id: Uuid) -> Result<Option<EnrolmentToken>, StoreError> {
        let sql = format!("{SELECT} WHERE t.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(token).transpose()
    }

    pub(crate) async fn revoke_token(&self, id: Uuid, now_ms: u64) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE enrolment_tokens SET revoked_at_ms = $1
             WHERE id = $2 AND revoked_at_ms IS NULL AND used_at_ms IS NULL",
        )
        .bind(ms(now_ms))
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Uses the token and makes the device, or says why not and changes nothing.
    pub(crate) async fn enrol(
        &self,
        secret_hash: &[u8; 32],
        device: &Device,
        entry: &AuditEntry,
    ) -> Result<Result<(), EnrolRefusal>, StoreError> {
        let now_ms = device.enrolled_at_ms;
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "SELECT id, name, expires_at_ms, used_at_ms, revoked_at_ms, organization, site
             FROM enrolment_tokens
             WHERE secret_hash = $1",
        )
        .bind(secret_hash.as_slice())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else {
            return Ok(Err(EnrolRefusal::UnknownToken));
        };
        if row.try_get::<Option<i64>, _>("used_at_ms")?.is_some() {
            return Ok(Err(EnrolRefusal::UsedToken));
        }
        let revoked = row.try_get::<Option<i64>, _>("revoked_at_ms")?.is_some();
        if revoked || unsigned(row.try_get("expires_at_ms")?) <= now_ms {
            return Ok(Err(EnrolRefusal::ExpiredToken));
        }
        let key = fleet::insert(&mut transaction, device).await?;
        let Home { organization, site } = home(&row)?;
        if organization.is_some() {
            let placement = Placement { organization, site, ..Placement::default() };
            let record = Record::new(None, now_ms);
            placements::put(&mut transaction, &Placed { device: device.id, placement, record })
                .await?;
        }
        sqlx::query("UPDATE enrolment_tokens SET used_at_ms = $1, used_by = $2 WHERE id = $3")
            .bind(ms(now_ms))
            .bind(key)
            .bind(row.try_get::<String, _>("id")?)
            .execute(&mut *transaction)
            .await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Ok(()))
    }
}

fn home(row: &Row) -> Result<Home, StoreError> {
    Ok(Home {
        organization: id_option(row, "organization")?.map(OrganizationId),
        site: id_option(row, "site")?.map(SiteId),
    })
}

fn token(row: &Row) -> Result<EnrolmentToken, StoreError> {
    let used_by: Option<String> = row.try_get("used_by")?;
    let used_by = used_by.map(|id| word("used_by", &id, |id| id.parse().ok())).transpose()?;
    Ok(EnrolmentToken {
        id: word("id", row.try_get("id")?, |id| id.parse().ok())?,
        name: row.try_get("name")?,
        home: home(row)?,
        created_by: row.try_get("created_by")?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        expires_at_ms: unsigned(row.try_get("expires_at_ms")?),
        used_at_ms: unsigned_option(row.try_get("used_at_ms")?),
        used_by,
        revoked_at_ms: unsigned_option(row.try_get("revoked_at_ms")?),
    })
}
