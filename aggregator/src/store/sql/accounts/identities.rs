//! Identities that are linked with accounts.

use super::invitations::enter;
use super::{USER, user};
use crate::access::UserId;
use crate::accounts::identities::{ForeignIdentity, Identity, Linked};
use crate::accounts::invitations::Invitation;
use crate::accounts::registration::Added;
use crate::accounts::{NewUser, User};
use crate::audit::AuditEntry;
use crate::store::StoreError;
use crate::store::sql::{Connection, Row, Store, audit, id, ms, unsigned, unsigned_option};
use sqlx::Row as _;
use uuid::Uuid;

impl Store {
    pub(crate) async fn user_of_identity(
        &self,
        identity: &ForeignIdentity,
    ) -> Result<Option<User>, StoreError> {
        let sql = format!(
            "SELECT {USER} FROM identities i JOIN users u ON u.id = i.\"user\"
             WHERE i.issuer = $1 AND i.subject = $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&identity.issuer)
            .bind(&identity.subject)
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| user(&row)).transpose()
    }

    pub(crate) async fn use_identity(
        &self,
        identity: &ForeignIdentity,
        now_ms: u64,
    ) -> Result<u64, StoreError> {
        let statement = sqlx::query(
            "UPDATE identities SET last_used_at_ms = $1, email = $2, provider = $3
             WHERE issuer = $4 AND subject = $5",
        );
        let statement = statement.bind(ms(now_ms)).bind(&identity.email).bind(&identity.provider);
        self.write(statement.bind(&identity.issuer).bind(&identity.subject)).await
    }

    /// The oldest first.
    pub(crate) async fn identities(&self, user: UserId) -> Result<Vec<Identity>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM identities WHERE \"user\" = $1 ORDER BY created_at_ms, id LIMIT 200",
        )
        .bind(user.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(identity).collect()
    }

    pub(crate) async fn link_identity(
        &self,
        new: &Identity,
        entry: &AuditEntry,
    ) -> Result<Linked, StoreError> {
        let mut transaction = self.begin().await?;
        let owner: Option<String> = sqlx::query_scalar(
            "SELECT \"user\" FROM identities WHERE issuer = $1 AND subject = $2",
        )
        .bind(&new.issuer)
        .bind(&new.subject)
        .fetch_optional(&mut *transaction)
        .await?;
        match owner {
            Some(owner) if owner == new.user.to_string() => return Ok(Linked::Already),
            Some(_) => return Ok(Linked::Taken),
            None => {}
        }
        insert(&mut transaction, new).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Linked::Linked)
    }

    /// False where it was not there.
    pub(crate) async fn unlink_identity(
        &self,
        user: UserId,
        id: Uuid,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query("DELETE FROM identities WHERE id = $1 AND \"user\" = $2")
            .bind(id.to_string())
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

    /// Makes an account with the identity that opens it; an invitation is used up with it.
    pub(crate) async fn register_linked(
        &self,
        new: &NewUser,
        invitation: Option<&Invitation>,
        identity: &Identity,
        entry: &AuditEntry,
    ) -> Result<Added, StoreError> {
        let mut transaction = self.begin().await?;
        let added = enter(&mut transaction, new, invitation, entry).await?;
        if added == Added::Added {
            insert(&mut transaction, identity).await?;
            transaction.commit().await?;
        }
        Ok(added)
    }
}

async fn insert(connection: &mut Connection, new: &Identity) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO identities (id, \"user\", provider, issuer, subject, email, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new.id.to_string())
    .bind(new.user.to_string())
    .bind(&new.provider)
    .bind(&new.issuer)
    .bind(&new.subject)
    .bind(&new.email)
    .bind(ms(new.created_at_ms))
    .execute(connection)
    .await?;
    Ok(())
}

fn identity(row: &Row) -> Result<Identity, StoreError> {
    Ok(Identity {
        id: id(row, "id")?,
        user: UserId(id(row, "user")?),
        provider: row.try_get("provider")?,
        issuer: row.try_get("issuer")?,
        subject: row.try_get("subject")?,
        email: row.try_get("email")?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        last_used_at_ms: unsigned_option(row.try_get("last_used_at_ms")?),
    })
}
