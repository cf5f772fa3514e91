//! Second factors and the sign-ins that wait for one.

use super::{USER, user};
use crate::access::UserId;
use crate::accounts::mfa::{Challenge, Factors, StoredTotp};
use crate::audit::AuditEntry;
use crate::store::StoreError;
use crate::store::sql::{
    Connection, Store, audit, from_json, ms, small, to_json, unsigned, unsigned_option,
};
use sqlx::Row as _;

impl Store {
    pub(crate) async fn factors(&self, user: UserId) -> Result<Factors, StoreError> {
        let since: Option<Option<i64>> =
            sqlx::query_scalar("SELECT totp_since_ms FROM users WHERE id = $1")
                .bind(user.to_string())
                .fetch_optional(self.readers())
                .await?;
        let left: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM recovery_codes WHERE \"user\" = $1 AND used_at_ms IS NULL",
        )
        .bind(user.to_string())
        .fetch_one(self.readers())
        .await?;
        Ok(Factors {
            totp_since_ms: unsigned_option(since.flatten()),
            recovery_codes_left: small("recovery_codes", left)?,
        })
    }

    pub(crate) async fn totp(&self, user: UserId) -> Result<Option<StoredTotp>, StoreError> {
        let row = sqlx::query(
            "SELECT totp_secret, totp_since_ms FROM users
             WHERE id = $1 AND totp_secret IS NOT NULL",
        )
        .bind(user.to_string())
        .fetch_optional(self.readers())
        .await?;
        row.map(|row| {
            Ok(StoredTotp {
                sealed: row.try_get("totp_secret")?,
                since_ms: unsigned_option(row.try_get("totp_since_ms")?),
            })
        })
        .transpose()
    }

    /// False where one counts already.
    pub(crate) async fn begin_totp(
        &self,
        user: UserId,
        sealed: &[u8],
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE users SET totp_secret = $1, totp_step = 0
             WHERE id = $2 AND totp_since_ms IS NULL",
        )
        .bind(sealed)
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

    /// False where another one was begun meanwhile.
    pub(crate) async fn confirm_totp(
        &self,
        user: UserId,
        sealed: &[u8],
        step: u64,
        codes: &[[u8; 32]],
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE users SET totp_since_ms = $1, totp_step = $2
             WHERE id = $3 AND totp_since_ms IS NULL AND totp_secret = $4",
        )
        .bind(ms(entry.at_ms))
        .bind(ms(step))
        .bind(user.to_string())
        .bind(sealed)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        replace_codes(&mut transaction, user, codes).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// False where there is none.
    pub(crate) async fn remove_totp(
        &self,
        user: UserId,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE users SET totp_secret = NULL, totp_since_ms = NULL, totp_step = 0
             WHERE id = $1 AND totp_secret IS NOT NULL",
        )
        .bind(user.to_string())
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        replace_codes(&mut transaction, user, &[]).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(crate) async fn replace_recovery_codes(
        &self,
        user: UserId,
        codes: &[[u8; 32]],
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        replace_codes(&mut transaction, user, codes).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// False where the code of this step, or of a later one, was used already.
    pub(crate) async fn use_totp_step(&self, user: UserId, step: u64) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE users SET totp_step = $1
             WHERE id = $2 AND totp_step < $1 AND totp_since_ms IS NOT NULL",
        );
        Ok(self.write(statement.bind(ms(step)).bind(user.to_string())).await? == 1)
    }

    /// False where there is no such code or it was used.
    pub(crate) async fn use_recovery_code(
        &self,
        user: UserId,
        hash: &[u8; 32],
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE recovery_codes SET used_at_ms = $1
             WHERE \"user\" = $2 AND hash = $3 AND used_at_ms IS NULL",
        );
        let statement = statement.bind(ms(now_ms)).bind(user.to_string()).bind(hash.as_slice());
        Ok(self.write(statement).await? == 1)
    }

    pub(crate) async fn add_challenge(
        &self,
        hash: &[u8; 32],
        challenge: &Challenge,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM mfa_challenges WHERE expires_at_ms <= $1")
            .bind(ms(now_ms))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO mfa_challenges (hash, \"user\", device, expires_at_ms)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(hash.as_slice())
        .bind(challenge.user.id.to_string())
        .bind(to_json("mfa_challenges.device", &challenge.device)?)
        .bind(ms(challenge.expires_at_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn challenge(&self, hash: &[u8; 32]) -> Result<Option<Challenge>, StoreError> {
        let sql = format!(
            "SELECT {USER}, c.device, c.expires_at_ms FROM mfa_challenges c
             JOIN users u ON u.id = c.\"user\" WHERE c.hash = $1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(hash.as_slice())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| {
            Ok(Challenge {
                user: user(&row)?,
                device: from_json("mfa_challenges.device", row.try_get("device")?)?,
                expires_at_ms: unsigned(row.try_get("expires_at_ms")?),
            })
        })
        .transpose()
    }

    /// False where somebody else was faster.
    pub(crate) async fn use_challenge(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM mfa_challenges WHERE hash = $1");
        Ok(self.write(statement.bind(hash.as_slice())).await? == 1)
    }
}

async fn replace_codes(
    connection: &mut Connection,
    user: UserId,
    codes: &[[u8; 32]],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM recovery_codes WHERE \"user\" = $1")
        .bind(user.to_string())
        .execute(&mut *connection)
        .await?;
    for code in codes {
        sqlx::query("INSERT INTO recovery_codes (\"user\", hash) VALUES ($1, $2)")
            .bind(user.to_string())
            .bind(code.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
