//! Key material and settings.

use crate::store::StoreError;
use crate::store::sql::{Connection, Store, ms, unsigned, unsigned_option};
use sqlx::Row as _;
use std::fmt;

/// One key by its id. What is retired still verifies.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub kid: String,
    pub secret: Vec<u8>,
    pub created_at_ms: u64,
    pub retired_at_ms: Option<u64>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

impl Store {
    /// The keys of `purpose`, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn signing_keys(&self, purpose: &str) -> Result<Vec<SigningKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT kid, secret, created_at_ms, retired_at_ms FROM signing_keys
             WHERE purpose = $1 ORDER BY created_at_ms DESC, kid DESC",
        )
        .bind(purpose)
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(SigningKey {
                    kid: row.try_get("kid")?,
                    secret: row.try_get("secret")?,
                    created_at_ms: unsigned(row.try_get("created_at_ms")?),
                    retired_at_ms: unsigned_option(row.try_get("retired_at_ms")?),
                })
            })
            .collect()
    }

    /// Adds a key of `purpose`; the newest one signs.
    ///
    /// # Errors
    /// Where the database fails or has that `kid`.
    pub async fn add_signing_key(&self, purpose: &str, key: &SigningKey) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        insert(&mut transaction, purpose, key).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Adds a key of `purpose`, which signs, and retires those before it.
    ///
    /// # Errors
    /// Where the database fails or has that `kid`.
    pub async fn rotate_signing_key(
        &self,
        purpose: &str,
        key: &SigningKey,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE signing_keys SET retired_at_ms = $1
             WHERE purpose = $2 AND retired_at_ms IS NULL",
        )
        .bind(ms(key.created_at_ms))
        .bind(purpose)
        .execute(&mut *transaction)
        .await?;
        insert(&mut transaction, purpose, key).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn insert(
    connection: &mut Connection,
    purpose: &str,
    key: &SigningKey,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO signing_keys (kid, purpose, secret, created_at_ms) VALUES ($1, $2, $3, $4)",
    )
    .bind(&key.kid)
    .bind(purpose)
    .bind(&key.secret)
    .bind(ms(key.created_at_ms))
    .execute(connection)
    .await?;
    Ok(())
}
