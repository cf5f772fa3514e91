//! Webhooks and their deliveries.

use crate::access::{OrganizationId, UserId};
use crate::audit::AuditEntry;
use crate::fleet::DeviceId;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::store::StoreError;
use crate::store::sql::listing::{Clause, Pages};
use crate::store::sql::record::{Table, record};
use crate::store::sql::{
    Connection, Row, Statement, Store, audit, from_json, id, id_option, ms, small, to_json,
    unsigned, unsigned_option, word,
};
use crate::webhooks::{Attempted, Delivery, DeliveryState, MAX_WAITING, Webhook, WebhookTopic};
use sqlx::Row as _;
use uuid::Uuid;

/// More than there can be.
const WEBHOOKS: u32 = 500;

impl Store {
    pub(crate) async fn count_webhooks(&self) -> Result<u64, StoreError> {
        self.count_records(Table::Webhooks).await
    }

    pub(crate) async fn add_webhook(&self, webhook: &Webhook) -> Result<(), StoreError> {
        let add = sqlx::query(
            "INSERT INTO webhooks (id, organization, name, url, topics, device, owner, secret,
               enabled, created_at_ms, created_by, updated_at_ms, updated_by, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(webhook.id.to_string())
        .bind(webhook.organization.map(|id| id.to_string()))
        .bind(&webhook.name)
        .bind(&webhook.url)
        .bind(topics(webhook)?)
        .bind(webhook.device.map(|device| device.to_string()))
        .bind(&webhook.owner)
        .bind(webhook.secret.as_slice())
        .bind(i64::from(webhook.enabled))
        .bind(ms(webhook.record.created_at_ms))
        .bind(webhook.record.created_by.map(|user| user.to_string()))
        .bind(ms(webhook.record.updated_at_ms))
        .bind(webhook.record.updated_by.map(|user| user.to_string()))
        .bind(ms(webhook.record.version));
        self.write(add).await.map(drop)
    }

    pub(crate) async fn replace_webhook(
        &self,
        webhook: &Webhook,
        version: u64,
    ) -> Result<bool, StoreError> {
        let replace = sqlx::query(
            "UPDATE webhooks SET organization = $3, name = $4, url = $5, topics = $6, device = $7,
               secret = $8, previous_secret = $9, previous_until_ms = $10, enabled = $11,
               failing_since_ms = $12, disabled_why = $13, updated_at_ms = $14, updated_by = $15,
               version = version + 1
             WHERE id = $1 AND version = $2 AND deleted_at_ms IS NULL",
        )
        .bind(webhook.id.to_string())
        .bind(ms(version))
        .bind(webhook.organization.map(|id| id.to_string()))
        .bind(&webhook.name)
        .bind(&webhook.url)
        .bind(topics(webhook)?)
        .bind(webhook.device.map(|device| device.to_string()))
        .bind(webhook.secret.as_slice())
        .bind(webhook.previous_secret.as_deref())
        .bind(webhook.previous_until_ms.map(ms))
        .bind(i64::from(webhook.enabled))
        .bind(webhook.failing_since_ms.map(ms))
        .bind(&webhook.disabled_why)
        .bind(ms(webhook.record.updated_at_ms))
        .bind(webhook.record.updated_by.map(|user| user.to_string()));
        Ok(self.write(replace).await? == 1)
    }

    pub(crate) async fn remove_webhook(
        &self,
        id: Uuid,
        version: u64,
        by: UserId,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let removed = sqlx::query(
            "UPDATE webhooks SET deleted_at_ms = $3, updated_at_ms = $3, updated_by = $4,
               enabled = 0, version = version + 1
             WHERE id = $1 AND version = $2 AND deleted_at_ms IS NULL",
        )
        .bind(id.to_string())
        .bind(ms(version))
        .bind(ms(now_ms))
        .bind(by.to_string())
        .execute(&mut *transaction)
        .await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "UPDATE webhook_deliveries SET state = 'failed', finished_at_ms = $2,
               last_error = 'the webhook was removed' WHERE webhook = $1 AND state = 'pending'",
        )
        .bind(id.to_string())
        .bind(ms(now_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(crate) async fn webhook(&self, id: Uuid) -> Result<Option<Webhook>, StoreError> {
        self.record_by_id(Table::Webhooks, id, webhook).await
    }

    pub(crate) async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        self.newest_records(Table::Webhooks, WEBHOOKS, webhook).await
    }

    pub(crate) async fn add_deliveries(&self, deliveries: &[Delivery]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        insert_deliveries(&mut transaction, deliveries).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn deliveries(
        &self,
        webhook: Uuid,
        listing: &Listing,
        page: PageRequest,
    ) -> Result<Page<Delivery>, StoreError> {
        const COLUMNS: [(&str, &str); 8] = [
            ("id", "id"),
            ("message_id", "message"),
            ("topic", "topic"),
            ("state", "state"),
            ("attempts", "attempts"),
            ("last_status", "last_status"),
            ("created_at", "created_at_ms"),
            ("finished_at", "finished_at_ms"),
        ];
        let pages = Pages {
            which: "FROM webhook_deliveries WHERE webhook = $1",
            columns: "*",
            order: "created_at_ms DESC, id DESC",
        };
        let clause = Clause::new(listing, &COLUMNS, 2)?;
        let bind = |statement: Statement<'static>| statement.bind(webhook.to_string());
        self.page(&pages, &clause, page, bind, delivery).await
    }

    pub(crate) async fn redeliver(
        &self,
        webhook: Uuid,
        delivery_id: Uuid,
        now_ms: u64,
        give_up_at_ms: u64,
    ) -> Result<Option<Delivery>, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "UPDATE webhook_deliveries SET state = 'pending', attempts = 0, due_at_ms = $3,
               give_up_at_ms = $4, finished_at_ms = NULL, holder = NULL, lease_until_ms = NULL
             WHERE id = $1 AND webhook = $2 AND state <> 'pending' RETURNING *",
        )
        .bind(delivery_id.to_string())
        .bind(webhook.to_string())
        .bind(ms(now_ms))
        .bind(ms(give_up_at_ms))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        row.as_ref().map(delivery).transpose()
    }

    pub(crate) async fn claim_deliveries(
        &self,
        holder: &str,
        now_ms: u64,
        until_ms: u64,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let due: Option<String> = sqlx::query_scalar(
            "SELECT id FROM webhook_deliveries WHERE state = 'pending' AND due_at_ms <= $1
               AND (lease_until_ms IS NULL OR lease_until_ms <= $1) LIMIT 1",
        )
        .bind(ms(now_ms))
        .fetch_optional(self.readers())
        .await?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(
            "UPDATE webhook_deliveries SET holder = $2, lease_until_ms = $3
             WHERE id IN (SELECT id FROM webhook_deliveries
                          WHERE state = 'pending' AND due_at_ms <= $1
                            AND (lease_until_ms IS NULL OR lease_until_ms <= $1)
                          ORDER BY due_at_ms, id LIMIT $4)
             RETURNING *",
        )
        .bind(ms(now_ms))
        .bind(holder)
        .bind(ms(until_ms))
        .bind(i64::from(limit))
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        rows.iter().map(delivery).collect()
    }

    /// Records an attempt, and what it says of the receiver; true where the receiver is disabled
    /// by it.
    pub(crate) async fn settle_delivery(
        &self,
        delivery: &Delivery,
        holder: &str,
        attempted: &Attempted,
        entry: Option<&AuditEntry>,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let finished = (attempted.state != DeliveryState::Pending).then(|| ms(now_ms));
        let settled = sqlx::query(
            "UPDATE webhook_deliveries SET state = $3, attempts = attempts + $4,
               due_at_ms = coalesce($5, due_at_ms), last_status = coalesce($6, last_status),
               last_error = CASE WHEN $3 = 'delivered' THEN NULL ELSE coalesce($7, last_error) END,
               finished_at_ms = $8, holder = NULL, lease_until_ms = NULL
             WHERE id = $1 AND holder = $2 AND state = 'pending'",
        )
        .bind(delivery.id.to_string())
        .bind(holder)
        .bind(attempted.state.name())
        .bind(i64::from(attempted.tried))
        .bind(attempted.due_at_ms.map(ms))
        .bind(attempted.status.map(i64::from))
        .bind(&attempted.why)
        .bind(finished)
        .execute(&mut *transaction)
        .await?;
        if settled.rows_affected() == 0 {
            return Ok(false);
        }
        if attempted.tried {
            let taken = attempted.state == DeliveryState::Delivered;
            sqlx::query(
                "UPDATE webhooks SET failing_since_ms =
                   CASE WHEN $2 = 1 THEN NULL ELSE coalesce(failing_since_ms, $3) END
                 WHERE id = $1",
            )
            .bind(delivery.webhook.to_string())
            .bind(i64::from(taken))
            .bind(ms(now_ms))
            .execute(&mut *transaction)
            .await?;
        }
        let mut disabled = false;
        if let (Some(why), Some(entry)) = (&attempted.disable, entry) {
            let done = sqlx::query(
                "UPDATE webhooks SET enabled = 0, disabled_why = $2, version = version + 1,
                   updated_at_ms = $3, updated_by = NULL WHERE id = $1 AND enabled = 1",
            )
            .bind(delivery.webhook.to_string())
            .bind(why)
            .bind(ms(now_ms))
            .execute(&mut *transaction)
            .await?;
            disabled = done.rows_affected() == 1;
            if disabled {
                audit::append(&mut transaction, entry).await?;
            }
        }
        transaction.commit().await?;
        Ok(disabled)
    }

    pub(crate) async fn prune_deliveries(
        &self,
        before_ms: u64,
        kept: u32,
    ) -> Result<(), StoreError> {
        let prune = sqlx::query(
            "DELETE FROM webhook_deliveries WHERE state <> 'pending' AND (finished_at_ms < $1
               OR id IN (SELECT id FROM (SELECT id, row_number() OVER
                           (PARTITION BY webhook ORDER BY created_at_ms DESC, id DESC) AS place
                         FROM webhook_deliveries WHERE state <> 'pending') AS placed
                         WHERE place > $2))",
        )
        .bind(ms(before_ms))
        .bind(i64::from(kept));
        self.write(prune).await.map(drop)
    }
}

/// Those that are there already, and those of a receiver that has too many waiting, are passed
/// over; the latter stand in the log as failed.
pub(super) async fn insert_deliveries(
    connection: &mut Connection,
    deliveries: &[Delivery],
) -> Result<(), StoreError> {
    for one in deliveries {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM webhook_deliveries WHERE webhook = $1 AND state = 'pending'",
        )
        .bind(one.webhook.to_string())
        .fetch_one(&mut *connection)
        .await?;
        let full = waiting >= MAX_WAITING;
        let state = if full { DeliveryState::Failed } else { one.state };
        let why = full.then_some("too many messages waited for this receiver");
        sqlx::query(
            "INSERT INTO webhook_deliveries (id, webhook, message, topic, body, state, attempts,
               due_at_ms, give_up_at_ms, last_error, created_at_ms, finished_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11)
             ON CONFLICT (webhook, message) DO NOTHING",
        )
        .bind(one.id.to_string())
        .bind(one.webhook.to_string())
        .bind(&one.message)
        .bind(&one.topic)
        .bind(&one.body)
        .bind(state.name())
        .bind(ms(one.due_at_ms))
        .bind(ms(one.give_up_at_ms))
        .bind(why)
        .bind(ms(one.created_at_ms))
        .bind(full.then(|| ms(one.created_at_ms)))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn topics(webhook: &Webhook) -> Result<String, StoreError> {
    let names: Vec<_> = webhook.topics.iter().map(|topic| topic.name()).collect();
    to_json("webhooks.topics", &names)
}

fn webhook(row: &Row) -> Result<Webhook, StoreError> {
    let names: Vec<String> = from_json("webhooks.topics", row.try_get("topics")?)?;
    let topics = names.iter().map(|name| word("webhooks.topics", name, WebhookTopic::from_name));
    Ok(Webhook {
        id: id(row, "id")?,
        organization: id_option(row, "organization")?.map(OrganizationId),
        name: row.try_get("name")?,
        url: row.try_get("url")?,
        topics: topics.collect::<Result<_, _>>()?,
        device: id_option(row, "device")?.map(DeviceId),
        owner: row.try_get("owner")?,
        secret: row.try_get("secret")?,
        previous_secret: row.try_get("previous_secret")?,
        previous_until_ms: unsigned_option(row.try_get("previous_until_ms")?),
        enabled: row.try_get::<i64, _>("enabled")? != 0,
        failing_since_ms: unsigned_option(row.try_get("failing_since_ms")?),
        disabled_why: row.try_get("disabled_why")?,
        record: record(row)?,
    })
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    let status: Option<i64> = row.try_get("last_status")?;
    Ok(Delivery {
        id: id(row, "id")?,
        webhook: id(row, "webhook")?,
        message: row.try_get("message")?,
        topic: row.try_get("topic")?,
        body: row.try_get("body")?,
        state: word("webhook_deliveries.state", row.try_get("state")?, DeliveryState::from_name)?,
        attempts: small("webhook_deliveries.attempts", row.try_get("attempts")?)?,
        due_at_ms: unsigned(row.try_get("due_at_ms")?),
        give_up_at_ms: unsigned(row.try_get("give_up_at_ms")?),
        last_status: status.map(|status| small("last_status", status)).transpose()?,
        last_error: row.try_get("last_error")?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        finished_at_ms: unsigned_option(row.try_get("finished_at_ms")?),
    })
}
