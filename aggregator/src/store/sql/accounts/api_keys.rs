//! API keys.

use crate::access::{ApiKeyId, Grants, Right, UserId};
use crate::accounts::api_keys::{ApiKey, KeyOwner};
use crate::audit::AuditEntry;
use crate::store::StoreError;
use crate::store::sql::{Row, Store, audit, id, ms, unsigned, unsigned_option, word};
use sqlx::Row as _;

/// How often it is written down that a key is in use.
const SEEN_EVERY_MS: u64 = 60_000;

impl Store {
    /// False where the account has `max` keys already.
    pub(crate) async fn add_api_key(
        &self,
        key: &ApiKey,
        hash: &[u8; 32],
        max: u32,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let standing: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM api_keys WHERE \"user\" = $1 AND revoked_at_ms IS NULL",
        )
        .bind(key.user.to_string())
        .fetch_one(&mut *transaction)
        .await?;
        if standing >= i64::from(max) {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO api_keys (id, \"user\", name, hash, start, scope, created_at_ms,
               expires_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(key.id.to_string())
        .bind(key.user.to_string())
        .bind(&key.name)
        .bind(hash.as_slice())
        .bind(&key.start)
        .bind(key.scope.name())
        .bind(ms(key.created_at_ms))
        .bind(key.expires_at_ms.map(ms))
        .execute(&mut *transaction)
        .await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(crate) async fn api_keys(&self, user: UserId) -> Result<Vec<ApiKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, \"user\", name, start, scope, created_at_ms, expires_at_ms, last_used_at_ms
             FROM api_keys WHERE \"user\" = $1 AND revoked_at_ms IS NULL
             ORDER BY created_at_ms DESC, id DESC",
        )
        .bind(user.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(key).collect()
    }

    /// False where the account has no such key.
    pub(crate) async fn revoke_api_key(
        &self,
        user: UserId,
        key: ApiKeyId,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE api_keys SET revoked_at_ms = $1
             WHERE id = $2 AND \"user\" = $3 AND revoked_at_ms IS NULL",
        )
        .bind(ms(entry.at_ms))
        .bind(key.to_string())
        .bind(user.to_string())
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(crate) async fn api_key_owner(
        &self,
        hash: &[u8; 32],
    ) -> Result<Option<KeyOwner>, StoreError> {
        let row = sqlx::query(
            "SELECT k.id, k.\"user\" AS owner, k.expires_at_ms, u.email
             FROM api_keys k JOIN users u ON u.id = k.\"user\"
             WHERE k.hash = $1 AND k.revoked_at_ms IS NULL",
        )
        .bind(hash.as_slice())
        .fetch_optional(self.readers())
        .await?;
        row.map(|row| {
            Ok(KeyOwner {
                id: ApiKeyId(id(&row, "id")?),
                user: UserId(id(&row, "owner")?),
                email: row.try_get("email")?,
                expires_at_ms: unsigned_option(row.try_get("expires_at_ms")?),
            })
        })
        .transpose()
    }

    /// What a key may: its scope within what its owner may. `None` where either has ended. Notes
    /// that it is in use.
    pub(crate) async fn api_key_grants(
        &self,
        key: ApiKeyId,
        now_ms: u64,
    ) -> Result<Option<Grants>, StoreError> {
        let row = sqlx::query(
            "SELECT \"user\" AS owner, scope, last_used_at_ms FROM api_keys
             WHERE id = $1 AND revoked_at_ms IS NULL
               AND (expires_at_ms IS NULL OR expires_at_ms > $2)",
        )
        .bind(key.to_string())
        .bind(ms(now_ms))
        .fetch_optional(self.readers())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let owner = UserId(id(&row, "owner")?);
        let scope = word("api_keys.scope", row.try_get("scope")?, Right::from_name)?;
        let Some(grants) = self.user_grants(owner).await? else { return Ok(None) };
        let used = unsigned_option(row.try_get("last_used_at_ms")?);
        if used.is_none_or(|used_ms| used_ms + SEEN_EVERY_MS <= now_ms) {
            let statement = sqlx::query("UPDATE api_keys SET last_used_at_ms = $1 WHERE id = $2");
            self.write(statement.bind(ms(now_ms)).bind(key.to_string())).await?;
        }
        Ok(Some(grants.within(scope)))
    }
}

fn key(row: &Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: ApiKeyId(id(row, "id")?),
        user: UserId(id(row, "user")?),
        name: row.try_get("name")?,
        start: row.try_get("start")?,
        scope: word("api_keys.scope", row.try_get("scope")?, Right::from_name)?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        expires_at_ms: unsigned_option(row.try_get("expires_at_ms")?),
        last_used_at_ms: unsigned_option(row.try_get("last_used_at_ms")?),
    })
}
