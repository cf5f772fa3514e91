//! What applications have reported, a bounded number of reports.

use crate::access::UserId;
use crate::applications::{Report, ReportBounds, ReportQuery};
use crate::clients::Contact;
use crate::page::Page;
use crate::store::StoreError;
use crate::store::sql::clients::{Sent, count, hear};
use crate::store::sql::{Connection, Row, Store, from_json, ms, to_json, unsigned};
use sqlx::Row as _;

impl Store {
    /// Keeps a report that the caller has checked, within the bounds. Says whether it is a new
    /// one: of an id of a client that is here already the first report stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_report(
        &self,
        by: UserId,
        report: &Report,
        now_ms: u64,
        bounds: ReportBounds,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let seq: Option<i64> = sqlx::query_scalar(
            "INSERT INTO application_reports
               (seq, id, client_id, client_name, at_ms, memory_mb, cpu_percent,
                network_latency_ms, custom_metrics, sender)
             VALUES ((SELECT value + 1 FROM counters WHERE name = 'reports'), $1, $2, $3, $4,
               CASE WHEN $5 THEN $6 END, CASE WHEN $7 THEN $8 END, CASE WHEN $9 THEN $10 END, $11,
               $12)
             ON CONFLICT (sender, client_id, id) DO NOTHING RETURNING seq",
        )
        .bind(&report.id)
        .bind(&report.client_id)
        .bind(&report.client_name)
        .bind(ms(report.at_ms))
        .bind(report.memory_mb.is_some())
        .bind(report.memory_mb.unwrap_or_default())
        .bind(report.cpu_percent.is_some())
        .bind(report.cpu_percent.unwrap_or_default())
        .bind(report.network_latency_ms.is_some())
        .bind(report.network_latency_ms.unwrap_or_default())
        .bind(to_json("application_reports.custom_metrics", &report.custom_metrics)?)
        .bind(by.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
        let contact = Contact {
            sender: by,
            client_id: report.client_id.clone(),
            client_name: report.client_name.clone(),
            at_ms: now_ms,
        };
        let metrics = u64::from(seq.is_some());
        hear(&mut transaction, &contact, Sent { logs: 0, metrics }).await?;
        if seq.is_some() {
            count(&mut transaction, "reports", 1).await?;
            count(&mut transaction, "metrics", 1).await?;
            hold_bounds(&mut transaction, &contact, bounds).await?;
        }
        transaction.commit().await?;
        Ok(seq.is_some())
    }

    /// Reports by their own time, newest first, and how many there are in all.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reports(&self, query: &ReportQuery) -> Result<Page<Report>, StoreError> {
        let sender = query.sender.map(|sender| sender.to_string());
        let rows = sqlx::query(
            "SELECT id, client_id, client_name, at_ms, memory_mb, cpu_percent,
               network_latency_ms, custom_metrics FROM application_reports
             WHERE ($2 IS NULL OR client_id = $2) AND ($3 IS NULL OR sender = $3)
             ORDER BY at_ms DESC, seq DESC LIMIT $1",
        )
        .bind(i64::from(query.limit))
        .bind(&query.client_id)
        .bind(&sender)
        .fetch_all(self.readers())
        .await?;
        let total = sqlx::query_scalar(
            "SELECT count(*) FROM application_reports
             WHERE ($1 IS NULL OR client_id = $1) AND ($2 IS NULL OR sender = $2)",
        )
        .bind(&query.client_id)
        .bind(&sender)
        .fetch_one(self.readers())
        .await?;
        let items = rows.iter().map(report).collect::<Result<_, _>>()?;
        Ok(Page { items, total: unsigned(total) })
    }
}

/// Counts the client's new report, and lets the first go of whoever has too many.
async fn hold_bounds(
    connection: &mut Connection,
    client: &Contact,
    bounds: ReportBounds,
) -> Result<(), StoreError> {
    let (sender, client) = (client.sender.to_string(), client.client_id.clone());
    let own: i64 = sqlx::query_scalar(
        "UPDATE clients SET reports_kept = reports_kept + 1
         WHERE sender = $1 AND client_id = $2 RETURNING reports_kept",
    )
    .bind(&sender)
    .bind(&client)
    .fetch_one(&mut *connection)
    .await?;
    let all: i64 = sqlx::query_scalar("SELECT CAST(sum(reports_kept) AS BIGINT) FROM clients")
        .fetch_one(&mut *connection)
        .await?;
    let (sender, client) = if own > i64::from(bounds.per_client) {
        (sender, client)
    } else if all > i64::from(bounds.all) {
        let most = sqlx::query(
            "SELECT sender, client_id FROM clients ORDER BY reports_kept DESC, seen_at_ms LIMIT 1",
        )
        .fetch_one(&mut *connection)
        .await?;
        (most.try_get("sender")?, most.try_get("client_id")?)
    } else {
        return Ok(());
    };
    for statement in [
        "DELETE FROM application_reports WHERE seq =
           (SELECT min(seq) FROM application_reports WHERE sender = $1 AND client_id = $2)",
        "UPDATE clients SET reports_kept = reports_kept - 1 WHERE sender = $1 AND client_id = $2",
    ] {
        sqlx::query(statement).bind(&sender).bind(&client).execute(&mut *connection).await?;
    }
    Ok(())
}

fn report(row: &Row) -> Result<Report, StoreError> {
    let custom_metrics = row.try_get("custom_metrics")?;
    Ok(Report {
        id: row.try_get("id")?,
        client_id: row.try_get("client_id")?,
        client_name: row.try_get("client_name")?,
        at_ms: unsigned(row.try_get("at_ms")?),
        memory_mb: row.try_get("memory_mb")?,
        cpu_percent: row.try_get("cpu_percent")?,
        network_latency_ms: row.try_get("network_latency_ms")?,
        custom_metrics: from_json("application_reports.custom_metrics", custom_metrics)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh::Fresh;
    use std::collections::BTreeMap;

    fn report(id: &str, client_id: &str, at_ms: u64) -> Report {
        Report {
            id: id.into(),
            client_id: client_id.into(),
            client_name: None,
            at_ms,
            memory_mb: Some(0.1 + 0.2),
            cpu_percent: None,
            network_latency_ms: Some(25.0),
            custom_metrics: BTreeMap::from([("stt latency é".into(), -1e300)]),
        }
    }

    async fn keep(store: &Store, report: &Report, most: u32) -> Result<bool, StoreError> {
        let bounds = ReportBounds { per_client: most, all: 9 };
        store.keep_report(UserId(uuid::Uuid::nil()), report, 9, bounds).await
    }

    fn all(client_id: Option<&str>) -> ReportQuery {
        ReportQuery { sender: None, client_id: client_id.map(str::to_owned), limit: 10 }
    }

    #[tokio::test]
    async fn a_report_comes_back_as_it_was_with_what_it_lacks() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let first = report("a", "tab", 5);
        // The kinds of what is absent change from one call of the statement to the next.
        let second = Report {
            client_name: Some("Chrome".into()),
            memory_mb: None,
            cpu_percent: Some(12.5),
            network_latency_ms: None,
            custom_metrics: BTreeMap::new(),
            ..report("b", "tab", 6)
        };
        assert!(keep(&store, &first, 9).await.unwrap());
        assert!(keep(&store, &second, 9).await.unwrap());
        let page = store.reports(&all(None)).await.unwrap();
        assert_eq!(page, Page { items: vec![second, first], total: 2 });
    }

    #[tokio::test]
    async fn an_id_that_is_here_keeps_its_first_report() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        assert!(keep(&store, &report("a", "tab", 5), 2).await.unwrap());
        assert!(!keep(&store, &report("a", "tab", 7), 2).await.unwrap());
        assert_eq!(store.reports(&all(None)).await.unwrap().items, [report("a", "tab", 5)]);
        // Another client's id is another report.
        assert!(keep(&store, &report("a", "phone", 4), 2).await.unwrap());
        // A repetition pushes nobody out.
        assert!(keep(&store, &report("b", "tab", 6), 2).await.unwrap());
        assert!(!keep(&store, &report("b", "tab", 6), 2).await.unwrap());
        assert_eq!(store.reports(&all(None)).await.unwrap().total, 3);
    }

    #[tokio::test]
    async fn one_that_talks_much_pushes_nobody_else_out() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let by = UserId(uuid::Uuid::nil());
        let bounds = ReportBounds { per_client: 3, all: 5 };
        for (client, many) in [("quiet", 1), ("loud", 9), ("louder", 9)] {
            for number in 0..many {
                let report = report(&number.to_string(), client, number);
                assert!(store.keep_report(by, &report, 9, bounds).await.unwrap());
            }
        }
        let mut kept = Vec::new();
        for client in ["quiet", "loud", "louder"] {
            kept.push(store.reports(&all(Some(client))).await.unwrap().total);
        }
        assert_eq!(kept, [1, 2, 2]);
        assert_eq!(store.totals(None, 9).await.unwrap().metrics, 19);
    }

    #[tokio::test]
    async fn what_came_first_goes_first_whatever_time_it_names() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        for (id, at_ms) in [("a", 900), ("b", 100), ("c", 500), ("d", 300)] {
            assert!(keep(&store, &report(id, "tab", at_ms), 3).await.unwrap());
        }
        let page = store.reports(&all(None)).await.unwrap();
        let ids: Vec<&str> = page.items.iter().map(|report| report.id.as_str()).collect();
        assert_eq!((ids, page.total), (vec!["c", "d", "b"], 3));
        // An id that has gone is a new one.
        assert!(keep(&store, &report("a", "tab", 900), 3).await.unwrap());
    }

    #[tokio::test]
    async fn a_clients_reports_are_its_own_and_the_limit_leaves_the_total() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        for (id, client) in [("a", "tab"), ("b", "phone"), ("c", "tab"), ("d", "tab")] {
            assert!(keep(&store, &report(id, client, 5), 9).await.unwrap());
        }
        let two = ReportQuery { limit: 2, ..all(Some("tab")) };
        let page = store.reports(&two).await.unwrap();
        // Of one time, what came last is first.
        assert_eq!(page.items, [report("d", "tab", 5), report("c", "tab", 5)]);
        assert_eq!(page.total, 3);
        assert_eq!(store.reports(&all(Some("none"))).await.unwrap().total, 0);
    }

    #[tokio::test]
    async fn reports_at_once_are_all_kept_and_one_id_once() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let (one, two) = (report("a", "tab", 1), report("b", "tab", 2));
        let (first, second, again) =
            tokio::join!(keep(&store, &one, 9), keep(&store, &two, 9), keep(&store, &one, 9));
        let new = [first, second, again].into_iter().filter(|kept| *kept.as_ref().unwrap());
        assert_eq!(new.count(), 2);
        assert_eq!(store.reports(&all(None)).await.unwrap().items, [two, one]);
    }
}
