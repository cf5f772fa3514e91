//! Accounts, auth devices, sessions and refresh tokens.

mod api_keys;
mod factors;
#[cfg(feature = "oidc")]
mod identities;
#[cfg(feature = "oidc")]
mod identity_roles;
mod invitations;
mod letters;
mod lockout;
#[cfg(feature = "oidc")]
mod oidc;
mod people;
mod profile;
mod purge;

use super::audit;
use crate::access::{Grants, Role, SessionId, UserId};
use crate::accounts::profile::Ending;
use crate::accounts::{Credentials, NewSession, NewUser, RefreshToken, Rotation, User};
use crate::audit::AuditEntry;
use crate::store::StoreError;
use crate::store::sql::{Connection, Row, Store, flag, id, ms, unsigned, unsigned_option, word};
use sqlx::Row as _;
use uuid::Uuid;

const USER: &str = "u.id, u.email, u.email_verified, u.display_name, u.avatar_url, u.locale, \
    u.timezone, u.role, u.created_at_ms, u.last_login_at_ms, \
    CASE WHEN u.deleted_at_ms IS NULL THEN u.active ELSE 0 END AS active, \
    CASE WHEN u.totp_since_ms IS NULL THEN 0 ELSE 1 END AS mfa_enabled";

impl Store {
    /// The account of an address with what its sign-in is judged by.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        let sql = format!(
            "SELECT {USER}, u.password_hash \
             FROM users u WHERE lower(u.email) = lower($1)"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(email)
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| {
            Ok(Credentials { user: user(&row)?, password_hash: row.try_get("password_hash")? })
        })
        .transpose()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let sql = format!("SELECT {USER} FROM users u WHERE u.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| user(&row)).transpose()
    }

    /// Adds an account; false where its address has one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_user(&self, new: &NewUser, entry: &AuditEntry) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let added = add(&mut transaction, new).await?;
        if added {
            audit::append(&mut transaction, entry).await?;
        }
        transaction.commit().await?;
        Ok(added)
    }

    /// Writes a sign-in: its auth device, its session, its first refresh token. The id of the
    /// auth device comes back, the known one where the fingerprint is.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open_session(
        &self,
        new: &NewSession,
        entry: &AuditEntry,
    ) -> Result<Uuid, StoreError> {
        let mut transaction = self.begin().await?;
        let auth_device = keep_auth_device(&mut transaction, new).await?;
        sqlx::query("UPDATE users SET last_login_at_ms = $1 WHERE id = $2")
            .bind(ms(new.at_ms))
            .bind(new.user.to_string())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO sessions (id, \"user\", auth_device, address, user_agent, created_at_ms,
               last_activity_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.session.to_string())
        .bind(new.user.to_string())
        .bind(auth_device.to_string())
        .bind(new.origin.address.map(|address| address.to_string()))
        .bind(&new.origin.user_agent)
        .bind(ms(new.at_ms))
        .bind(ms(new.at_ms))
        .execute(&mut *transaction)
        .await?;
        add_refresh(&mut transaction, new.session, &new.refresh).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(auth_device)
    }

    /// Uses up the refresh token `presented` and stores `next` in its place. One that was used
    /// before ends its family, in the same transaction.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn rotate_refresh(
        &self,
        presented: &[u8; 32],
        next: &RefreshToken,
        now_ms: u64,
    ) -> Result<Rotation, StoreError> {
        let mut transaction = self.begin().await?;
        let sql = format!(
            "SELECT {USER}, t.session, t.expires_at_ms, t.used_at_ms, s.revoked_at_ms
             FROM refresh_tokens t JOIN sessions s ON s.id = t.session
             JOIN users u ON u.id = s.\"user\" WHERE t.hash = $1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(presented.as_slice())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Rotation::Unknown) };
        let user = user(&row)?;
        let session = SessionId(id(&row, "session")?);
        let used: Option<i64> = row.try_get("used_at_ms")?;
        let revoked: Option<i64> = row.try_get("revoked_at_ms")?;
        let expires_at_ms = unsigned(row.try_get("expires_at_ms")?);
        if used.is_some() {
            revoke(&mut transaction, session, now_ms, "token_reused").await?;
            transaction.commit().await?;
            return Ok(Rotation::Reused { session, email: user.email });
        }
        if revoked.is_some() {
            return Ok(Rotation::Revoked);
        }
        if expires_at_ms <= now_ms {
            return Ok(Rotation::Expired);
        }
        if !user.active {
            return Ok(Rotation::Inactive);
        }
        sqlx::query("UPDATE refresh_tokens SET used_at_ms = $1 WHERE hash = $2")
            .bind(ms(now_ms))
            .bind(presented.as_slice())
            .execute(&mut *transaction)
            .await?;
        add_refresh(&mut transaction, session, next).await?;
        sqlx::query("UPDATE sessions SET last_activity_at_ms = $1 WHERE id = $2")
            .bind(ms(now_ms))
            .bind(session.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Rotation::Rotated { user, session })
    }

    /// Whose session a refresh token belongs to, used or not.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn session_of_refresh(
        &self,
        presented: &[u8; 32],
    ) -> Result<Option<(User, SessionId)>, StoreError> {
        let sql = format!(
            "SELECT {USER}, t.session FROM refresh_tokens t JOIN sessions s ON s.id = t.session
             JOIN users u ON u.id = s.\"user\" WHERE t.hash = $1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(presented.as_slice())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| {
            let session = id(&row, "session")?;
            Ok((user(&row)?, SessionId(session)))
        })
        .transpose()
    }

    /// Ends sessions of the account; those that stood come back.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn end_sessions(
        &self,
        user: UserId,
        which: Ending,
        entry: &AuditEntry,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut transaction = self.begin().await?;
        let ended = end(&mut transaction, user, which, "signed_out", entry.at_ms).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(ended)
    }

    /// What a session may; `None` where it has ended or its account is disabled.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn session_grants(&self, session: SessionId) -> Result<Option<Grants>, StoreError> {
        let row = sqlx::query(
            "SELECT u.id, u.role FROM sessions s JOIN users u ON u.id = s.\"user\"
             WHERE s.id = $1 AND s.revoked_at_ms IS NULL AND u.active = 1
               AND u.deleted_at_ms IS NULL",
        )
        .bind(session.to_string())
        .fetch_optional(self.readers())
        .await?;
        self.grants(row).await
    }

    /// What an account may; `None` where it is disabled or deleted.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn user_grants(&self, user: UserId) -> Result<Option<Grants>, StoreError> {
        let row = sqlx::query(
            "SELECT id, role FROM users WHERE id = $1 AND active = 1 AND deleted_at_ms IS NULL",
        )
        .bind(user.to_string())
        .fetch_optional(self.readers())
        .await?;
        self.grants(row).await
    }

    /// The grants of the account in `row`.
    async fn grants(&self, row: Option<Row>) -> Result<Option<Grants>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        let user = UserId(id(&row, "id")?);
        let role = word("users.role", row.try_get("role")?, Role::from_name)?;
        Ok(Some(Grants { role, bound: self.bound_roles(user).await?.into() }))
    }

    /// The same password under a new hash, unless it was changed meanwhile.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn rehash_password(
        &self,
        user: UserId,
        before: &str,
        hash: &str,
    ) -> Result<u64, StoreError> {
        let statement =
            sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3");
        self.write(statement.bind(hash).bind(user.to_string()).bind(before)).await
    }
}

/// Adds the account; false where its address has one.
async fn add(connection: &mut Connection, new: &NewUser) -> Result<bool, StoreError> {
    let user = &new.user;
    let by = new.created_by.map(|by| by.to_string());
    let added = sqlx::query(
        "INSERT INTO users (id, email, email_verified, display_name, avatar_url, locale,
           timezone, role, active, password_hash, created_at_ms, created_by, updated_at_ms,
           updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $11, $12)
         ON CONFLICT DO NOTHING",
    )
    .bind(user.id.to_string())
    .bind(&user.email)
    .bind(i64::from(user.email_verified))
    .bind(&user.display_name)
    .bind(&user.avatar_url)
    .bind(&user.locale)
    .bind(&user.timezone)
    .bind(user.role.name())
    .bind(i64::from(user.active))
    .bind(&new.password_hash)
    .bind(ms(user.created_at_ms))
    .bind(by)
    .execute(connection)
    .await?
    .rows_affected();
    Ok(added == 1)
}

/// Ends sessions; those that stood come back.
async fn end(
    connection: &mut Connection,
    user: UserId,
    which: Ending,
    because: &str,
    now_ms: u64,
) -> Result<Vec<SessionId>, StoreError> {
    let (clause, of) = match which {
        Ending::All => ("$4 = $4", String::new()),
        Ending::One(session) => ("id = $4", session.to_string()),
        Ending::OtherDevices(session) => (
            "auth_device <> (SELECT own.auth_device FROM sessions own WHERE own.id = $4)",
            session.to_string(),
        ),
        Ending::Device(device) => ("auth_device = $4", device.to_string()),
    };
    let sql = format!(
        "UPDATE sessions SET revoked_at_ms = $1, revoked_because = $2
         WHERE \"user\" = $3 AND revoked_at_ms IS NULL AND {clause} RETURNING id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(ms(now_ms))
        .bind(because)
        .bind(user.to_string())
        .bind(of)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(SessionId(id(row, "id")?))).collect()
}

fn user(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        id: UserId(id(row, "id")?),
        email: row.try_get("email")?,
        email_verified: flag(row, "email_verified")?,
        display_name: row.try_get("display_name")?,
        avatar_url: row.try_get("avatar_url")?,
        locale: row.try_get("locale")?,
        timezone: row.try_get("timezone")?,
        role: word("users.role", row.try_get("role")?, Role::from_name)?,
        active: flag(row, "active")?,
        mfa_enabled: flag(row, "mfa_enabled")?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        last_login_at_ms: unsigned_option(row.try_get("last_login_at_ms")?),
    })
}

async fn keep_auth_device(
    connection: &mut Connection,
    new: &NewSession,
) -> Result<Uuid, StoreError> {
    let device = &new.device;
    let row = sqlx::query(
        "INSERT INTO auth_devices (id, \"user\", fingerprint, name, kind, model, os_version,
           app_version, created_at_ms, last_seen_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (\"user\", fingerprint) DO UPDATE SET
           name = excluded.name, kind = excluded.kind, model = excluded.model,
           os_version = excluded.os_version, app_version = excluded.app_version,
           last_seen_at_ms = excluded.last_seen_at_ms, removed_at_ms = NULL
         RETURNING id",
    )
    .bind(new.auth_device.to_string())
    .bind(new.user.to_string())
    .bind(&device.fingerprint)
    .bind(&device.name)
    .bind(&device.kind)
    .bind(&device.model)
    .bind(&device.os_version)
    .bind(&device.app_version)
    .bind(ms(new.at_ms))
    .bind(ms(new.at_ms))
    .fetch_one(connection)
    .await?;
    id(&row, "id")
}

async fn add_refresh(
    connection: &mut Connection,
    session: SessionId,
    token: &RefreshToken,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO refresh_tokens (hash, session, issued_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4)",
    )
    .bind(token.hash.as_slice())
    .bind(session.to_string())
    .bind(ms(token.issued_at_ms))
    .bind(ms(token.expires_at_ms))
    .execute(connection)
    .await?;
    Ok(())
}

async fn revoke(
    connection: &mut Connection,
    session: SessionId,
    now_ms: u64,
    because: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE sessions SET revoked_at_ms = $1, revoked_because = $2
         WHERE id = $3 AND revoked_at_ms IS NULL",
    )
    .bind(ms(now_ms))
    .bind(because)
    .bind(session.to_string())
    .execute(connection)
    .await?;
    Ok(())
}
