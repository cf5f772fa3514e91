//! What applications have logged, a bounded number of entries.

use crate::access::UserId;
use crate::audit::AuditEntry;
use crate::clients::Contact;
use crate::logs::{KeptEntry, Level, LogEntry, LogQuery};
use crate::store::StoreError;
use crate::store::sql::clients::{Sent, count, hear, sender};
use crate::store::sql::listing::Clause;
use crate::store::sql::{
    Row, Statement, Store, audit, from_json, ms, small, to_json, unsigned, word,
};
use sqlx::Row as _;
use std::collections::BTreeMap;

/// Conditions of a question; each is bound whether it is asked or not.
const WHERE: &str = " FROM log_entries WHERE ($1 IS NULL OR sender = $1)
   AND ($2 IS NULL OR client_id = $2) AND ($3 IS NULL OR level = $3)
   AND ($4 IS NULL OR label = $4) AND ($5 IS NULL OR at_ms >= $5)
   AND ($6 IS NULL OR lower(message) LIKE $6 ESCAPE '!')
   AND seq > (SELECT value FROM counters WHERE name = 'logs') - $7";

impl Store {
    /// Keeps entries that the caller has checked, and of all entries the `most` that came last.
    /// Gives those that are new: of an id of a client that is here already the first entry stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_logs(
        &self,
        by: UserId,
        entries: Vec<LogEntry>,
        now_ms: u64,
        most: u32,
    ) -> Result<Vec<KeptEntry>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut kept = Vec::with_capacity(entries.len());
        let mut heard: BTreeMap<String, (Option<String>, u64)> = BTreeMap::new();
        for entry in entries {
            let by_client = heard.entry(entry.client_id.clone()).or_default();
            if entry.client_name.is_some() {
                by_client.0.clone_from(&entry.client_name);
            }
            let seq: Option<i64> = sqlx::query_scalar(
                "INSERT INTO log_entries (seq, sender, client_id, id, client_name, at_ms, level,
                   label, message, file, function, line, metadata)
                 VALUES ((SELECT value + 1 FROM counters WHERE name = 'logs'), $1, $2, $3, $4, $5,
                   $6, $7, $8, $9, $10, $11, $12)
                 ON CONFLICT (sender, client_id, id) DO NOTHING RETURNING seq",
            )
            .bind(by.to_string())
            .bind(&entry.client_id)
            .bind(&entry.id)
            .bind(&entry.client_name)
            .bind(ms(entry.at_ms))
            .bind(entry.level.name())
            .bind(&entry.label)
            .bind(&entry.message)
            .bind(&entry.file)
            .bind(&entry.function)
            .bind(entry.line.map(i64::from))
            .bind(match &entry.metadata {
                Some(metadata) => Some(to_json("log_entries.metadata", metadata)?),
                None => None,
            })
            .fetch_optional(&mut *transaction)
            .await?;
            if let Some(seq) = seq {
                by_client.1 += 1;
                count(&mut transaction, "logs", 1).await?;
                kept.push(KeptEntry { seq: unsigned(seq), sender: by, entry });
            }
        }
        for (client_id, (client_name, logs)) in heard {
            let contact = Contact { sender: by, client_id, client_name, at_ms: now_ms };
            hear(&mut transaction, &contact, Sent { logs, metrics: 0 }).await?;
        }
        if let Some(last) = kept.last() {
            sqlx::query("DELETE FROM log_entries WHERE seq <= $1")
                .bind(ms(last.seq).saturating_sub(i64::from(most)))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(kept)
    }

    /// Entries, those that came last first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn logs(&self, query: &LogQuery) -> Result<Vec<KeptEntry>, StoreError> {
        const COLUMNS: [(&str, &str); 9] = [
            ("id", "id"),
            ("timestamp", "at_ms"),
            ("level", "level"),
            ("label", "label"),
            ("message", "message"),
            ("file", "file"),
            ("function", "function"),
            ("client_id", "client_id"),
            ("client_name", "client_name"),
        ];
        let clause = Clause::new(&query.listing, &COLUMNS, 10)?;
        let text = format!(
            "SELECT seq, sender, client_id, id, client_name, at_ms, level, label, message, file,
               function, line, metadata {WHERE} AND ($8 IS NULL OR seq < $8) {}
             ORDER BY seq DESC LIMIT $9",
            clause.narrowed()
        );
        let statement = asked(sqlx::query(sqlx::AssertSqlSafe(text)), query)
            .bind(query.before.map(ms))
            .bind(i64::from(query.limit));
        let rows = clause.bind(statement).fetch_all(self.readers()).await?;
        rows.iter().map(kept_entry).collect()
    }

    /// How many entries there are of this selection, whatever its page.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn count_logs(&self, query: &LogQuery) -> Result<u64, StoreError> {
        let text = format!("SELECT count(*) AS many {WHERE}");
        let row =
            asked(sqlx::query(sqlx::AssertSqlSafe(text)), query).fetch_one(self.readers()).await?;
        Ok(unsigned(row.try_get("many")?))
    }

    /// Removes all entries; says how many there were. What is counted of clients stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn clear_logs(
        &self,
        audited: impl FnOnce(u64) -> AuditEntry,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query("DELETE FROM log_entries").execute(&mut *transaction).await?;
        audit::append(&mut transaction, &audited(done.rows_affected())).await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }
}

fn asked<'q>(statement: Statement<'q>, query: &LogQuery) -> Statement<'q> {
    statement
        .bind(query.sender.map(|sender| sender.to_string()))
        .bind(query.client_id.clone())
        .bind(query.level.map(Level::name))
        .bind(query.label.clone())
        .bind(query.since_ms.map(ms))
        .bind(query.text.as_deref().map(pattern))
        .bind(ms(query.in_view.unwrap_or(u64::MAX >> 2)))
}

/// The words anywhere, and what is special to LIKE as itself.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

fn kept_entry(row: &Row) -> Result<KeptEntry, StoreError> {
    let line: Option<i64> = row.try_get("line")?;
    let metadata: Option<&str> = row.try_get("metadata")?;
    Ok(KeptEntry {
        seq: unsigned(row.try_get("seq")?),
        sender: sender("log_entries.sender", row)?,
        entry: LogEntry {
            id: row.try_get("id")?,
            client_id: row.try_get("client_id")?,
            client_name: row.try_get("client_name")?,
            at_ms: unsigned(row.try_get("at_ms")?),
            level: word("log_entries.level", row.try_get("level")?, Level::from_name)?,
            label: row.try_get("label")?,
            message: row.try_get("message")?,
            file: row.try_get("file")?,
            function: row.try_get("function")?,
            line: line.map(|line| small("log_entries.line", line)).transpose()?,
            metadata: metadata.map(|text| from_json("log_entries.metadata", text)).transpose()?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Decision;
    use crate::store::fresh::Fresh;
    use serde_json::{Map, Value};
    use uuid::Uuid;

    const A: UserId = UserId(Uuid::from_u128(1));
    const B: UserId = UserId(Uuid::from_u128(2));

    fn entry(id: &str, message: &str) -> LogEntry {
        LogEntry {
            id: id.into(),
            client_id: "tab".into(),
            client_name: Some("Chrome".into()),
            at_ms: 7,
            level: Level::Warning,
            label: None,
            message: message.into(),
            file: None,
            function: None,
            line: None,
            metadata: None,
        }
    }

    fn ids(entries: &[KeptEntry]) -> Vec<&str> {
        entries.iter().map(|kept| kept.entry.id.as_str()).collect()
    }

    fn all() -> LogQuery {
        LogQuery { limit: 10, ..LogQuery::default() }
    }

    #[tokio::test]
    async fn an_entry_comes_back_as_it_was_once_for_each_client() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let whole = LogEntry {
            label: Some("Manager".into()),
            file: Some("session.ts".into()),
            function: Some("start".into()),
            line: Some(u32::MAX),
            metadata: Some(Map::from_iter([("a\0".to_owned(), Value::from("é"))])),
            ..entry("a", "whole")
        };
        for by in [A, A, B] {
            store.keep_logs(by, vec![whole.clone(), whole.clone()], 9, 10).await.unwrap();
        }
        let kept = store.logs(&all()).await.unwrap();
        assert_eq!(kept.iter().map(|kept| kept.sender).collect::<Vec<_>>(), [B, A]);
        assert!(kept.iter().all(|kept| kept.entry == whole));
        assert_eq!(store.totals(None, 9).await.unwrap().logs, 2);
        assert_eq!(store.clients(Some(A)).await.unwrap()[0].logs_sent, 1);
        let of_b = LogQuery { sender: Some(B), ..all() };
        assert_eq!(store.count_logs(&of_b).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn what_came_first_goes_first_and_the_count_goes_on_past_a_clearing() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        for id in ["a", "b", "c", "d"] {
            store.keep_logs(A, vec![entry(id, id)], 9, 3).await.unwrap();
        }
        assert_eq!(ids(&store.logs(&all()).await.unwrap()), ["d", "c", "b"]);
        let two = LogQuery { in_view: Some(2), ..all() };
        assert_eq!(ids(&store.logs(&two).await.unwrap()), ["d", "c"]);
        let row = |cleared: u64| AuditEntry {
            at_ms: 9,
            actor: "admin".into(),
            action: "logs.clear".into(),
            target: "logs".into(),
            decision: Decision::Allowed,
            details: cleared.into(),
            ..AuditEntry::default()
        };
        assert_eq!(store.clear_logs(row).await.unwrap(), 3);
        store.keep_logs(A, vec![entry("e", "e")], 9, 3).await.unwrap();
        let kept = store.logs(&all()).await.unwrap();
        assert_eq!((ids(&kept), kept[0].seq), (vec!["e"], 5));
    }

    #[tokio::test]
    async fn a_question_finds_its_words_as_they_stand() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let entries = [("a", "At 50% of it"), ("b", "at 500 of it"), ("c", "a_b!"), ("d", "axb!")];
        let entries = entries.map(|(id, message)| entry(id, message)).to_vec();
        store.keep_logs(A, entries, 9, 10).await.unwrap();
        for (text, found) in
            [("AT 50%", vec!["a"]), ("a_b!", vec!["c"]), ("of IT", vec!["b", "a"]), ("'", vec![])]
        {
            let query = LogQuery { text: Some(text.into()), ..all() };
            assert_eq!(ids(&store.logs(&query).await.unwrap()), found, "{text}");
        }
        let first = store.logs(&LogQuery { limit: 3, ..all() }).await.unwrap();
        let rest = LogQuery { before: first.last().map(|kept| kept.seq), ..all() };
        assert_eq!(ids(&store.logs(&rest).await.unwrap()), ["a"]);
        let info = LogQuery { level: Some(Level::Info), since_ms: Some(7), ..all() };
        assert_eq!(store.count_logs(&info).await.unwrap(), 0);
    }
}
