//! Applications that were heard, and how much each has sent.

use crate::access::UserId;
use crate::clients::{Client, Contact, Heartbeat, MAX_CLIENTS, MAX_PER_SENDER, ONLINE_MS, Totals};
use crate::store::StoreError;
use crate::store::sql::{Connection, Row, Store, ms, unsigned, word};
use sqlx::Row as _;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT sender, client_id, client_name, status, memory_mb, cpu_percent, created_at_ms,
               seen_at_ms, logs_sent, metrics_sent FROM clients ",
            $rest
        )
    };
}

/// What a client has sent just now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) logs: u64,
    pub(super) metrics: u64,
}

/// Takes down that a client was heard, making it where it is new.
pub(super) async fn hear(
    connection: &mut Connection,
    contact: &Contact,
    sent: Sent,
) -> Result<(), StoreError> {
    let known = sqlx::query(
        "UPDATE clients SET client_name = coalesce($3, client_name),
           seen_at_ms = CASE WHEN seen_at_ms > $4 THEN seen_at_ms ELSE $5 END,
           logs_sent = logs_sent + $6, metrics_sent = metrics_sent + $7
         WHERE sender = $1 AND client_id = $2",
    )
    .bind(contact.sender.to_string())
    .bind(&contact.client_id)
    .bind(&contact.client_name)
    .bind(ms(contact.at_ms))
    .bind(ms(contact.at_ms))
    .bind(ms(sent.logs))
    .bind(ms(sent.metrics))
    .execute(&mut *connection)
    .await?;
    if known.rows_affected() > 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO clients (sender, client_id, client_name, created_at_ms, seen_at_ms,
           logs_sent, metrics_sent, reports_kept) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
    )
    .bind(contact.sender.to_string())
    .bind(&contact.client_id)
    .bind(&contact.client_name)
    .bind(ms(contact.at_ms))
    .bind(ms(contact.at_ms))
    .bind(ms(sent.logs))
    .bind(ms(sent.metrics))
    .execute(&mut *connection)
    .await?;
    forget_silent(connection, contact).await
}

/// Holds the bounds on clients after a new one has come: it never goes itself.
async fn forget_silent(connection: &mut Connection, new: &Contact) -> Result<(), StoreError> {
    let sender = new.sender.to_string();
    let own: i64 = sqlx::query_scalar("SELECT count(*) FROM clients WHERE sender = $1")
        .bind(&sender)
        .fetch_one(&mut *connection)
        .await?;
    let all: i64 =
        sqlx::query_scalar("SELECT count(*) FROM clients").fetch_one(&mut *connection).await?;
    let silent = if own > i64::from(MAX_PER_SENDER) {
        sqlx::query(
            "SELECT sender, client_id FROM clients
             WHERE sender = $1 AND client_id <> $2 ORDER BY seen_at_ms LIMIT 1",
        )
    } else if all > i64::from(MAX_CLIENTS) {
        sqlx::query(
            "SELECT sender, client_id FROM clients
             WHERE sender <> $1 OR client_id <> $2 ORDER BY seen_at_ms LIMIT 1",
        )
    } else {
        return Ok(());
    };
    let silent = silent.bind(&sender).bind(&new.client_id).fetch_optional(&mut *connection).await?;
    let Some(row) = silent else { return Ok(()) };
    let (sender, client): (String, String) = (row.try_get("sender")?, row.try_get("client_id")?);
    for statement in [
        "DELETE FROM application_reports WHERE sender = $1 AND client_id = $2",
        "DELETE FROM clients WHERE sender = $1 AND client_id = $2",
    ] {
        sqlx::query(statement).bind(&sender).bind(&client).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Counts `name` up and gives its new value.
pub(super) async fn count(
    connection: &mut Connection,
    name: &str,
    by: u64,
) -> Result<u64, StoreError> {
    let value = sqlx::query_scalar(
        "UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value",
    )
    .bind(ms(by))
    .bind(name)
    .fetch_one(connection)
    .await?;
    Ok(unsigned(value))
}

impl Store {
    /// Takes a heartbeat down that the caller has checked.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        hear(&mut transaction, &heartbeat.contact, Sent::default()).await?;
        sqlx::query(
            "UPDATE clients SET status = $3, memory_mb = CASE WHEN $4 THEN $5 END,
               cpu_percent = CASE WHEN $6 THEN $7 END WHERE sender = $1 AND client_id = $2",
        )
        .bind(heartbeat.contact.sender.to_string())
        .bind(&heartbeat.contact.client_id)
        .bind(&heartbeat.status)
        .bind(heartbeat.memory_mb.is_some())
        .bind(heartbeat.memory_mb.unwrap_or_default())
        .bind(heartbeat.cpu_percent.is_some())
        .bind(heartbeat.cpu_percent.unwrap_or_default())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Clients by their names, of one sender or of all.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn clients(&self, sender: Option<UserId>) -> Result<Vec<Client>, StoreError> {
        let rows = match sender {
            Some(sender) => {
                sqlx::query(select!("WHERE sender = $2 ORDER BY client_id, sender LIMIT $1"))
                    .bind(i64::from(MAX_PER_SENDER))
                    .bind(sender.to_string())
            }
            None => sqlx::query(select!("ORDER BY client_id, sender LIMIT $1"))
                .bind(i64::from(MAX_CLIENTS)),
        };
        rows.fetch_all(self.readers()).await?.iter().map(client).collect()
    }

    /// What one sender, or all, have sent, and how many of the clients are online.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn totals(&self, sender: Option<UserId>, now_ms: u64) -> Result<Totals, StoreError> {
        let clients = self.clients(sender).await?;
        let is_online = |client: &&Client| now_ms.saturating_sub(client.seen_at_ms) <= ONLINE_MS;
        let online = clients.iter().filter(is_online).count() as u64;
        if sender.is_some() {
            let logs = clients.iter().map(|client| client.logs_sent).sum();
            let metrics = clients.iter().map(|client| client.metrics_sent).sum();
            return Ok(Totals { logs, metrics, online });
        }
        let rows =
            sqlx::query("SELECT name, value FROM counters").fetch_all(self.readers()).await?;
        let mut totals = Totals { online, ..Totals::default() };
        for row in rows {
            let value = unsigned(row.try_get("value")?);
            match row.try_get::<&str, _>("name")? {
                "logs" => totals.logs = value,
                "metrics" => totals.metrics = value,
                _ => {}
            }
        }
        Ok(totals)
    }
}

pub(super) fn sender(column: &'static str, row: &Row) -> Result<UserId, StoreError> {
    word(column, row.try_get("sender")?, |text| Uuid::parse_str(text).ok()).map(UserId)
}

fn client(row: &Row) -> Result<Client, StoreError> {
    Ok(Client {
        sender: sender("clients.sender", row)?,
        client_id: row.try_get("client_id")?,
        client_name: row.try_get("client_name")?,
        status: row.try_get("status")?,
        memory_mb: row.try_get("memory_mb")?,
        cpu_percent: row.try_get("cpu_percent")?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        seen_at_ms: unsigned(row.try_get("seen_at_ms")?),
        logs_sent: unsigned(row.try_get("logs_sent")?),
        metrics_sent: unsigned(row.try_get("metrics_sent")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh::Fresh;

    fn contact(sender: u128, client: &str, at_ms: u64) -> Contact {
        let sender = UserId(Uuid::from_u128(sender));
        Contact { sender, client_id: client.into(), client_name: None, at_ms }
    }

    fn beat(contact: Contact) -> Heartbeat {
        Heartbeat {
            contact,
            status: Some("active".into()),
            memory_mb: Some(5.0),
            cpu_percent: None,
        }
    }

    #[tokio::test]
    async fn two_senders_of_one_name_are_two_clients() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        for (sender, at_ms) in [(1, 10), (2, 20), (1, 30)] {
            store.keep_heartbeat(&beat(contact(sender, "tab", at_ms))).await.unwrap();
        }
        let all = store.clients(None).await.unwrap();
        assert_eq!(all.len(), 2);
        let own = store.clients(Some(UserId(Uuid::from_u128(1)))).await.unwrap();
        assert_eq!((own[0].created_at_ms, own[0].seen_at_ms), (10, 30));
        assert_eq!((own[0].memory_mb, own[0].cpu_percent), (Some(5.0), None));
        assert_eq!(store.totals(None, 30).await.unwrap().online, 2);
        assert_eq!(store.totals(None, 60_025).await.unwrap().online, 1);
    }

    #[tokio::test]
    async fn one_account_with_many_clients_forgets_its_own_oldest_only() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        store.keep_heartbeat(&beat(contact(2, "old", 0))).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        for number in 0..=u64::from(MAX_PER_SENDER) {
            let contact = contact(1, &format!("tab-{number}"), 10 + number);
            hear(&mut transaction, &contact, Sent::default()).await.unwrap();
        }
        transaction.commit().await.unwrap();
        let all = store.clients(None).await.unwrap();
        assert_eq!(all.len(), MAX_PER_SENDER as usize + 1);
        assert!(all.iter().any(|client| client.client_id == "old"));
        assert!(all.iter().all(|client| client.client_id != "tab-0"));
    }
}
