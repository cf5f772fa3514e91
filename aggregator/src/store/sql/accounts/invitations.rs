//! Invitations, and the transaction that turns one into an account.

use super::add;
use crate::access::{Grant, Role, Scope, UserId};
use crate::accounts::NewUser;
use crate::accounts::invitations::Invitation;
use crate::accounts::registration::Added;
use crate::audit::AuditEntry;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::record::Record;
use crate::store::StoreError;
use crate::store::sql::listing::{Clause, Pages};
use crate::store::sql::tenancy::bindings::{NewBinding, bind};
use crate::store::sql::{
    Connection, Row, Statement, Store, audit, id, id_option, ms, unsigned, unsigned_option, word,
};
use sqlx::Row as _;
use uuid::Uuid;

const COLUMNS: &str = "id, email, role, scope_kind, scope, created_at_ms, created_by, \
    expires_at_ms, accepted_at_ms, accepted_by, revoked_at_ms";

impl Store {
    pub(crate) async fn add_invitation(
        &self,
        invitation: &Invitation,
        secret_hash: &[u8; 32],
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO invitations (id, secret_hash, email, role, scope_kind, scope,
               created_at_ms, created_by, expires_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(invitation.id.to_string())
        .bind(secret_hash.as_slice())
        .bind(&invitation.email)
        .bind(invitation.role.name())
        .bind(invitation.scope.map(Scope::kind))
        .bind(invitation.scope.map(|scope| scope.id().to_string()))
        .bind(ms(invitation.created_at_ms))
        .bind(invitation.created_by.to_string())
        .bind(ms(invitation.expires_at_ms))
        .execute(&mut *transaction)
        .await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The newest first where no other order is asked for; those of `by` alone where it is
    /// somebody.
    pub(crate) async fn invitations(
        &self,
        by: Option<UserId>,
        listing: &Listing,
        page: PageRequest,
        now_ms: u64,
    ) -> Result<Page<Invitation>, StoreError> {
        let state = format!(
            "CASE WHEN accepted_at_ms IS NOT NULL THEN 'accepted'
               WHEN revoked_at_ms IS NOT NULL THEN 'revoked'
               WHEN expires_at_ms <= {now_ms} THEN 'expired' ELSE 'open' END"
        );
        let fields = [
            ("id", "id"),
            ("email", "email"),
            ("role", "role"),
            ("state", &state),
            ("created_at", "created_at_ms"),
            ("created_by", "created_by"),
            ("expires_at", "expires_at_ms"),
            ("accepted_at", "accepted_at_ms"),
            ("accepted_by", "accepted_by"),
            ("revoked_at", "revoked_at_ms"),
        ];
        let clause = Clause::new(listing, &fields, 2)?;
        let pages = Pages {
            which: "FROM invitations WHERE ($1 IS NULL OR created_by = $1)",
            columns: COLUMNS,
            order: "created_at_ms DESC, id DESC",
        };
        let by = by.map(|by| by.to_string());
        let bind = |statement: Statement<'static>| statement.bind(by.clone());
        self.page(&pages, &clause, page, bind, invitation).await
    }

    pub(crate) async fn invitation(
        &self,
        id: Uuid,
        by: Option<UserId>,
    ) -> Result<Option<Invitation>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM invitations
             WHERE id = $1 AND ($2 IS NULL OR created_by = $2)"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id.to_string())
            .bind(by.map(|by| by.to_string()))
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| invitation(&row)).transpose()
    }

    pub(crate) async fn invitation_by_secret(
        &self,
        secret_hash: &[u8; 32],
    ) -> Result<Option<Invitation>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM invitations WHERE secret_hash = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(secret_hash.as_slice())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| invitation(&row)).transpose()
    }

    /// False where there is none that is open.
    pub(crate) async fn withdraw_invitation(
        &self,
        id: Uuid,
        by: Option<UserId>,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE invitations SET revoked_at_ms = $1
             WHERE id = $2 AND revoked_at_ms IS NULL AND accepted_at_ms IS NULL
               AND ($3 IS NULL OR created_by = $3)",
        )
        .bind(ms(entry.at_ms))
        .bind(id.to_string())
        .bind(by.map(|by| by.to_string()))
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Makes an account; an invitation is used up with it and gives its role.
    pub(crate) async fn register(
        &self,
        new: &NewUser,
        invitation: Option<&Invitation>,
        entry: &AuditEntry,
    ) -> Result<Added, StoreError> {
        let mut transaction = self.begin().await?;
        let added = enter(&mut transaction, new, invitation, entry).await?;
        if added == Added::Added {
            transaction.commit().await?;
        }
        Ok(added)
    }

    /// The open ones that name this very address, the oldest first.
    #[cfg(feature = "oidc")]
    pub(crate) async fn invitations_for(
        &self,
        email: &str,
        now_ms: u64,
    ) -> Result<Vec<Invitation>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM invitations
             WHERE lower(email) = lower($1) AND accepted_at_ms IS NULL AND revoked_at_ms IS NULL
               AND expires_at_ms > $2
             ORDER BY created_at_ms, id LIMIT 20"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(email)
            .bind(ms(now_ms))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(invitation).collect()
    }
}

/// Makes an account in the transaction of `connection`, which is to be given up where none is made.
pub(super) async fn enter(
    connection: &mut Connection,
    new: &NewUser,
    invitation: Option<&Invitation>,
    entry: &AuditEntry,
) -> Result<Added, StoreError> {
    if let Some(invitation) = invitation {
        let used = sqlx::query(
            "UPDATE invitations SET accepted_at_ms = $1, accepted_by = $2
                 WHERE id = $3 AND accepted_at_ms IS NULL AND revoked_at_ms IS NULL",
        )
        .bind(ms(entry.at_ms))
        .bind(new.user.id.to_string())
        .bind(invitation.id.to_string())
        .execute(&mut *connection)
        .await?;
        if used.rows_affected() == 0 {
            return Ok(Added::InvitationUsed);
        }
    }
    let taken: Option<String> =
        sqlx::query_scalar("SELECT id FROM users WHERE lower(email) = lower($1)")
            .bind(&new.user.email)
            .fetch_optional(&mut *connection)
            .await?;
    if taken.is_some() || !add(&mut *connection, new).await? {
        return Ok(Added::EmailExists);
    }
    if let Some(Invitation { id, role, scope: Some(scope), created_by, .. }) = invitation {
        let given = NewBinding {
            id: *id,
            user: new.user.id,
            grant: Grant { role: *role, scope: *scope },
            record: Record::new(Some(*created_by), entry.at_ms),
        };
        bind(&mut *connection, &given).await?;
    }
    audit::append(connection, entry).await?;
    Ok(Added::Added)
}

fn invitation(row: &Row) -> Result<Invitation, StoreError> {
    let kind: Option<String> = row.try_get("scope_kind")?;
    let scope: Option<String> = row.try_get("scope")?;
    let scope = kind.zip(scope).map(|(kind, text)| {
        word("invitations.scope", &text, |text| Scope::parse(&kind, Uuid::parse_str(text).ok()?))
    });
    Ok(Invitation {
        id: id(row, "id")?,
        email: row.try_get("email")?,
        role: word("invitations.role", row.try_get("role")?, Role::from_name)?,
        scope: scope.transpose()?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        created_by: UserId(id(row, "created_by")?),
        expires_at_ms: unsigned(row.try_get("expires_at_ms")?),
        accepted_at_ms: unsigned_option(row.try_get("accepted_at_ms")?),
        accepted_by: id_option(row, "accepted_by")?.map(UserId),
        revoked_at_ms: unsigned_option(row.try_get("revoked_at_ms")?),
    })
}
