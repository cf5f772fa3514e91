//! Tokens that were sent by mail.

use super::{USER, end, profile, user};
use crate::access::SessionId;
use crate::accounts::User;
use crate::accounts::letters::Purpose;
use crate::accounts::profile::Ending;
use crate::audit::AuditEntry;
use crate::store::StoreError;
use crate::store::sql::{Connection, Store, audit, ms};

impl Store {
    /// Takes the place of an earlier one for the same purpose.
    pub(crate) async fn add_letter_token(
        &self,
        hash: &[u8; 32],
        to: &User,
        purpose: Purpose,
        expires_at_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM letter_tokens WHERE \"user\" = $1 AND purpose = $2")
            .bind(to.id.to_string())
            .bind(purpose.name())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO letter_tokens (hash, \"user\", purpose, email, expires_at_ms)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(hash.as_slice())
        .bind(to.id.to_string())
        .bind(purpose.name())
        .bind(&to.email)
        .bind(ms(expires_at_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn letter_holds(
        &self,
        hash: &[u8; 32],
        purpose: Purpose,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let found: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM letter_tokens
             WHERE hash = $1 AND purpose = $2 AND expires_at_ms > $3",
        )
        .bind(hash.as_slice())
        .bind(purpose.name())
        .bind(ms(now_ms))
        .fetch_one(self.readers())
        .await?;
        Ok(found == 1)
    }

    /// False where the token does not hold.
    pub(crate) async fn verify_email(
        &self,
        hash: &[u8; 32],
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let used = take(&mut transaction, hash, Purpose::VerifyEmail, entry.at_ms).await?;
        let Some(user) = used else { return Ok(false) };
        let done =
            sqlx::query("UPDATE users SET email_verified = 1, version = version + 1 WHERE id = $1")
                .bind(user.id.to_string())
                .execute(&mut *transaction)
                .await?;
        audit::append(&mut transaction, &of(entry, &user)).await?;
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whose password it was and which sessions have ended; `None` where the token does not hold.
    pub(crate) async fn reset_password(
        &self,
        hash: &[u8; 32],
        password_hash: &str,
        entry: &AuditEntry,
    ) -> Result<Option<(User, Vec<SessionId>)>, StoreError> {
        let mut transaction = self.begin().await?;
        let used = take(&mut transaction, hash, Purpose::ResetPassword, entry.at_ms).await?;
        let Some(user) = used else { return Ok(None) };
        profile::set_password(&mut transaction, user.id, password_hash).await?;
        // Who reads the letter has the address.
        sqlx::query("UPDATE users SET email_verified = 1, version = version + 1 WHERE id = $1")
            .bind(user.id.to_string())
            .execute(&mut *transaction)
            .await?;
        let because = "password_reset";
        let ended = end(&mut transaction, user.id, Ending::All, because, entry.at_ms).await?;
        audit::append(&mut transaction, &of(entry, &user)).await?;
        transaction.commit().await?;
        Ok(Some((user, ended)))
    }
}

fn of(entry: &AuditEntry, user: &User) -> AuditEntry {
    let target = format!("user:{}", user.email);
    AuditEntry { actor: user.email.clone(), target, ..entry.clone() }
}

/// Uses the token up; `None` where it does not hold or its account has another address by now.
async fn take(
    connection: &mut Connection,
    hash: &[u8; 32],
    purpose: Purpose,
    now_ms: u64,
) -> Result<Option<User>, StoreError> {
    let sql = format!(
        "SELECT {USER} FROM letter_tokens t JOIN users u ON u.id = t.\"user\"
         WHERE t.hash = $1 AND t.purpose = $2 AND t.expires_at_ms > $3
           AND lower(t.email) = lower(u.email)"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(hash.as_slice())
        .bind(purpose.name())
        .bind(ms(now_ms))
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let user = user(&row)?;
    sqlx::query("DELETE FROM letter_tokens WHERE hash = $1")
        .bind(hash.as_slice())
        .execute(connection)
        .await?;
    Ok(user.active.then_some(user))
}
