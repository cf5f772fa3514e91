//! The queue of mail.

use crate::listing::Listing;
use crate::mail::{Fate, MailState, Queued};
use crate::page::{Page, PageRequest};
use crate::store::StoreError;
use crate::store::sql::listing::{Clause, Pages};
use crate::store::sql::{Connection, Row, Store, id, ms, small, unsigned, unsigned_option, word};
use sqlx::Row as _;
use uuid::Uuid;

impl Store {
    pub(crate) async fn queue_mail(&self, mail: &[Queued]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        insert_mail(&mut transaction, mail).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn mail(
        &self,
        listing: &Listing,
        page: PageRequest,
    ) -> Result<Page<Queued>, StoreError> {
        const COLUMNS: [(&str, &str); 8] = [
            ("id", "id"),
            ("to", "recipient"),
            ("subject", "subject"),
            ("state", "state"),
            ("attempts", "attempts"),
            ("last_error", "last_error"),
            ("created_at", "created_at_ms"),
            ("finished_at", "finished_at_ms"),
        ];
        let pages = Pages {
            which: "FROM mail WHERE 1 = 1",
            columns: "*",
            order: "created_at_ms DESC, id DESC",
        };
        let clause = Clause::new(listing, &COLUMNS, 1)?;
        self.page(&pages, &clause, page, |statement| statement, queued).await
    }

    pub(crate) async fn claim_mail(
        &self,
        holder: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<Option<Queued>, StoreError> {
        let due: Option<String> = sqlx::query_scalar(
            "SELECT id FROM mail WHERE state = 'queued' AND due_at_ms <= $1
               AND (lease_until_ms IS NULL OR lease_until_ms <= $1) LIMIT 1",
        )
        .bind(ms(now_ms))
        .fetch_optional(self.readers())
        .await?;
        if due.is_none() {
            return Ok(None);
        }
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "UPDATE mail SET holder = $2, lease_until_ms = $3
             WHERE id = (SELECT id FROM mail WHERE state = 'queued' AND due_at_ms <= $1
                           AND (lease_until_ms IS NULL OR lease_until_ms <= $1)
                         ORDER BY due_at_ms, id LIMIT 1)
             RETURNING *",
        )
        .bind(ms(now_ms))
        .bind(holder)
        .bind(ms(until_ms))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        row.as_ref().map(queued).transpose()
    }

    pub(crate) async fn settle_mail(
        &self,
        id: Uuid,
        holder: &str,
        fate: &Fate,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let (state, tried, due_at_ms, why) = match fate {
            Fate::Sent => (MailState::Sent, 1, None, None),
            Fate::Again { due_at_ms, why } => (MailState::Queued, 1, Some(*due_at_ms), Some(why)),
            Fate::Postponed { due_at_ms } => (MailState::Queued, 0, Some(*due_at_ms), None),
            Fate::Dead(why) => (MailState::Dead, 1, None, Some(why)),
        };
        let finished = (state != MailState::Queued).then(|| ms(now_ms));
        let settle = sqlx::query(
            "UPDATE mail SET state = $3, attempts = attempts + $4,
               due_at_ms = coalesce($5, due_at_ms), last_error = coalesce($6, last_error),
               finished_at_ms = $7, holder = NULL, lease_until_ms = NULL
             WHERE id = $1 AND holder = $2 AND state = 'queued'",
        )
        .bind(id.to_string())
        .bind(holder)
        .bind(state.name())
        .bind(i64::from(tried))
        .bind(due_at_ms.map(ms))
        .bind(why)
        .bind(finished);
        self.write(settle).await.map(drop)
    }

    /// Gives up what waited for a server all its time.
    pub(crate) async fn expire_mail(&self, now_ms: u64) -> Result<(), StoreError> {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM mail WHERE state = 'queued' AND give_up_at_ms <= $1",
        )
        .bind(ms(now_ms))
        .fetch_one(self.readers())
        .await?;
        if waiting == 0 {
            return Ok(());
        }
        let expire = sqlx::query(
            "UPDATE mail SET state = 'dead', finished_at_ms = $1,
               last_error = 'no mail server was configured in time'
             WHERE state = 'queued' AND give_up_at_ms <= $1",
        )
        .bind(ms(now_ms));
        self.write(expire).await.map(drop)
    }

    pub(crate) async fn prune_mail(&self, before_ms: u64, kept: u32) -> Result<(), StoreError> {
        let prune = sqlx::query(
            "DELETE FROM mail WHERE (state <> 'queued' AND created_at_ms < $1)
               OR id NOT IN (SELECT id FROM mail ORDER BY created_at_ms DESC, id DESC LIMIT $2)",
        )
        .bind(ms(before_ms))
        .bind(i64::from(kept));
        self.write(prune).await.map(drop)
    }
}

pub(super) async fn insert_mail(
    connection: &mut Connection,
    mail: &[Queued],
) -> Result<(), StoreError> {
    for one in mail {
        sqlx::query(
            "INSERT INTO mail (id, recipient, subject, text, state, attempts, due_at_ms,
               give_up_at_ms, last_error, created_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(one.id.to_string())
        .bind(&one.to)
        .bind(&one.subject)
        .bind(one.text.as_slice())
        .bind(one.state.name())
        .bind(i64::from(one.attempts))
        .bind(ms(one.due_at_ms))
        .bind(ms(one.give_up_at_ms))
        .bind(&one.last_error)
        .bind(ms(one.created_at_ms))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn queued(row: &Row) -> Result<Queued, StoreError> {
    Ok(Queued {
        id: id(row, "id")?,
        to: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        text: row.try_get("text")?,
        state: word("mail.state", row.try_get("state")?, MailState::from_name)?,
        attempts: small("mail.attempts", row.try_get("attempts")?)?,
        due_at_ms: unsigned(row.try_get("due_at_ms")?),
        give_up_at_ms: unsigned(row.try_get("give_up_at_ms")?),
        last_error: row.try_get("last_error")?,
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        finished_at_ms: unsigned_option(row.try_get("finished_at_ms")?),
    })
}
