//! Subscriptions, and telling outside what a growing table has brought.

use crate::access::{Grants, OrganizationId, Role, UserId};
use crate::fleet::DeviceId;
use crate::mail::Queued;
use crate::notifications::{Notification, Window};
use crate::store::StoreError;
use crate::store::sql::mail::insert_mail;
use crate::store::sql::record::{Table, record};
use crate::store::sql::telemetry::read_event;
use crate::store::sql::webhooks::insert_deliveries;
use crate::store::sql::{Row, Store, from_json, id, id_option, ms, small, to_json, unsigned, word};
use crate::telemetry::Event;
use crate::telemetry::event::{severity_from_name, severity_name};
use crate::webhooks::Delivery;
use serde_json::Value;
use sqlx::Row as _;
use uuid::Uuid;

/// More than there can be.
const NOTIFICATIONS: u32 = 2_000;
/// Sealed columns: table and column; the key is `id`.
pub(crate) const SEALED: [(&str, &str); 7] = [
    ("users", "totp_secret"),
    ("webhooks", "secret"),
    ("webhooks", "previous_secret"),
    ("mail", "text"),
    ("jobs", "secret"),
    ("schedules", "secret"),
    ("plugin_choices", "settings"),
];

/// A table that only grows, and of which others are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Events,
    Audit,
}

impl Source {
    const fn table(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Audit => "audit",
        }
    }
}

/// What a step of a cursor brings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) mail: Vec<Queued>,
    pub(crate) windows: Vec<(Uuid, Window)>,
}

/// What was asked of a machine and what came of it, as the audit trail has it.
#[derive(Clone, Debug)]
pub(crate) struct OperationStep {
    pub(crate) row: i64,
    pub(crate) at_ms: u64,
    pub(crate) device: Option<DeviceId>,
    pub(crate) details: Value,
}

impl Store {
    pub(crate) async fn count_notifications(&self) -> Result<u64, StoreError> {
        self.count_records(Table::Notifications).await
    }

    pub(crate) async fn add_notification(&self, new: &Notification) -> Result<(), StoreError> {
        let add = sqlx::query(
            "INSERT INTO notifications (id, organization, email, kinds, severity, device, per_hour,
               window_from_ms, window_told, window_held, created_at_ms, created_by, updated_at_ms,
               updated_by, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, $8, $9, $10, $11, $12)",
        )
        .bind(new.id.to_string())
        .bind(new.organization.map(|id| id.to_string()))
        .bind(&new.email)
        .bind(to_json("notifications.kinds", &new.kinds)?)
        .bind(severity_name(new.severity))
        .bind(new.device.map(|device| device.to_string()))
        .bind(i64::from(new.window.per_hour))
        .bind(ms(new.record.created_at_ms))
        .bind(new.record.created_by.map(|user| user.to_string()))
        .bind(ms(new.record.updated_at_ms))
        .bind(new.record.updated_by.map(|user| user.to_string()))
        .bind(ms(new.record.version));
        self.write(add).await.map(drop)
    }

    pub(crate) async fn notifications(&self) -> Result<Vec<Notification>, StoreError> {
        self.newest_records(Table::Notifications, NOTIFICATIONS, notification).await
    }

    pub(crate) async fn remove_notification(
        &self,
        id: Uuid,
        by: UserId,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let remove = sqlx::query(
            "UPDATE notifications SET deleted_at_ms = $2, updated_at_ms = $2, updated_by = $3,
               version = version + 1 WHERE id = $1 AND deleted_at_ms IS NULL",
        )
        .bind(id.to_string())
        .bind(ms(now_ms))
        .bind(by.to_string());
        Ok(self.write(remove).await? == 1)
    }

    /// How far the source has come.
    pub(crate) async fn newest_of(&self, source: Source) -> Result<i64, StoreError> {
        let sql = format!("SELECT coalesce(max(id), 0) FROM {}", source.table());
        let newest = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        Ok(newest.fetch_one(self.readers()).await?)
    }

    /// How far it was told outside; begins at what is there now.
    pub(crate) async fn told_up_to(&self, source: Source, newest: i64) -> Result<i64, StoreError> {
        let select = "SELECT place FROM outbound_cursors WHERE name = $1";
        let place: Option<i64> =
            sqlx::query_scalar(select).bind(source.table()).fetch_optional(self.readers()).await?;
        if let Some(place) = place {
            return Ok(place);
        }
        let begin = sqlx::query(
            "INSERT INTO outbound_cursors (name, place) VALUES ($1, $2)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(source.table())
        .bind(newest);
        self.write(begin).await?;
        Ok(newest)
    }

    pub(crate) async fn events_between(
        &self,
        after: i64,
        through: i64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.*, d.id AS device_id FROM events e JOIN devices d ON d.key = e.device
             WHERE e.id > $1 AND e.id <= $2 ORDER BY e.id LIMIT $3",
        )
        .bind(after)
        .bind(through)
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(read_event).collect()
    }

    pub(crate) async fn operation_steps(
        &self,
        after: i64,
        through: i64,
        limit: u32,
    ) -> Result<Vec<OperationStep>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, at_ms, target, details FROM audit WHERE id > $1 AND id <= $2
               AND action IN ('operation.create', 'operation.settle') ORDER BY id LIMIT $3",
        )
        .bind(after)
        .bind(through)
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let target: &str = row.try_get("target")?;
                let device = target.strip_prefix("device:").and_then(|id| id.parse().ok());
                Ok(OperationStep {
                    row: row.try_get("id")?,
                    at_ms: unsigned(row.try_get("at_ms")?),
                    device: device.map(DeviceId),
                    details: from_json("audit.details", row.try_get("details")?)?,
                })
            })
            .collect()
    }

    /// Moves the cursor from `from` to `to` and queues what that brings; false, and nothing is
    /// queued, where another replica has moved it.
    pub(crate) async fn tell(
        &self,
        source: Source,
        from: i64,
        to: i64,
        told: &Told,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let moved =
            sqlx::query("UPDATE outbound_cursors SET place = $3 WHERE name = $1 AND place = $2")
                .bind(source.table())
                .bind(from)
                .bind(to)
                .execute(&mut *transaction)
                .await?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        insert_deliveries(&mut transaction, &told.deliveries).await?;
        insert_mail(&mut transaction, &told.mail).await?;
        for (id, window) in &told.windows {
            sqlx::query(
                "UPDATE notifications SET window_from_ms = $2, window_told = $3, window_held = $4
                 WHERE id = $1",
            )
            .bind(id.to_string())
            .bind(ms(window.from_ms))
            .bind(i64::from(window.told))
            .bind(i64::from(window.held))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Queues a summary and begins its new hour; false where another replica has.
    pub(crate) async fn tell_summary(
        &self,
        id: Uuid,
        before: Window,
        after: Window,
        mail: Queued,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let moved = sqlx::query(
            "UPDATE notifications SET window_from_ms = $4, window_told = $5, window_held = $6
             WHERE id = $1 AND window_from_ms = $2 AND window_held = $3",
        )
        .bind(id.to_string())
        .bind(ms(before.from_ms))
        .bind(i64::from(before.held))
        .bind(ms(after.from_ms))
        .bind(i64::from(after.told))
        .bind(i64::from(after.held))
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        insert_mail(&mut transaction, &[mail]).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// What an account may now; `None` where it is gone or disabled.
    pub(crate) async fn grants_of(&self, user: UserId) -> Result<Option<Grants>, StoreError> {
        let role: Option<String> =
            sqlx::query_scalar("SELECT role FROM users WHERE id = $1 AND active = 1")
                .bind(user.to_string())
                .fetch_optional(self.readers())
                .await?;
        let Some(role) = role else { return Ok(None) };
        let role = word("users.role", &role, Role::from_name)?;
        Ok(Some(Grants { role, bound: self.bound_roles(user).await?.into() }))
    }

    /// Sealed values of one column, by id, after `after`.
    pub(crate) async fn sealed_values(
        &self,
        (table, column): (&'static str, &'static str),
        after: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let sql = format!(
            "SELECT id, {column} AS sealed FROM {table} WHERE id > $1 AND {column} IS NOT NULL
             ORDER BY id LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("sealed")?))).collect()
    }

    /// Puts a value that was sealed anew in the place of the one that was read.
    pub(crate) async fn replace_sealed(
        &self,
        (table, column): (&'static str, &'static str),
        id: &str,
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, StoreError> {
        let sql = format!("UPDATE {table} SET {column} = $3 WHERE id = $1 AND {column} = $2");
        let replace = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).bind(old).bind(new);
        Ok(self.write(replace).await? == 1)
    }
}

fn notification(row: &Row) -> Result<Notification, StoreError> {
    Ok(Notification {
        id: id(row, "id")?,
        organization: id_option(row, "organization")?.map(OrganizationId),
        email: row.try_get("email")?,
        kinds: from_json("notifications.kinds", row.try_get("kinds")?)?,
        severity: word("notifications.severity", row.try_get("severity")?, severity_from_name)?,
        device: id_option(row, "device")?.map(DeviceId),
        window: Window {
            per_hour: small("notifications.per_hour", row.try_get("per_hour")?)?,
            from_ms: unsigned(row.try_get("window_from_ms")?),
            told: small("notifications.window_told", row.try_get("window_told")?)?,
            held: small("notifications.window_held", row.try_get("window_held")?)?,
        },
        record: record(row)?,
    })
}
