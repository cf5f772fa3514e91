//! What applications have reported, a bounded number of reports.

use crate::applications::{Report, ReportQuery};
use crate::page::Page;
use crate::store::StoreError;
use crate::store::sql::{Row, Store, from_json, ms, to_json, unsigned};
use sqlx::Row as _;

/// The rest of a question stands behind it.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, client_id, client_name, at_ms, memory_mb, cpu_percent,
               network_latency_ms, custom_metrics FROM application_reports ",
            $rest,
            " ORDER BY at_ms DESC, seq DESC LIMIT $1"
        )
    };
}

impl Store {
    /// Keeps a report that the caller has checked, and of all reports the `most` that came last.
    /// Says whether it is a new one: of an id that is here already the first report stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_report(&self, report: &Report, most: u64) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let seq: Option<i64> = sqlx::query_scalar(
            "INSERT INTO application_reports
               (seq, id, client_id, client_name, at_ms, memory_mb, cpu_percent,
                network_latency_ms, custom_metrics)
             VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM application_reports), $1, $2, $3, $4,
               CASE WHEN $5 THEN $6 END, CASE WHEN $7 THEN $8 END, CASE WHEN $9 THEN $10 END, $11)
             ON CONFLICT (id) DO NOTHING RETURNING seq",
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
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(seq) = seq else { return Ok(false) };
        sqlx::query("DELETE FROM application_reports WHERE seq <= $1")
            .bind(seq - ms(most))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Reports by their own time, newest first, and how many there are in all.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reports(&self, query: &ReportQuery) -> Result<Page<Report>, StoreError> {
        let (select, count) = match &query.client_id {
            Some(client_id) => (
                sqlx::query(select!("WHERE client_id = $2"))
                    .bind(i64::from(query.limit))
                    .bind(client_id),
                sqlx::query_scalar("SELECT count(*) FROM application_reports WHERE client_id = $1")
                    .bind(client_id),
            ),
            None => (
                sqlx::query(select!("")).bind(i64::from(query.limit)),
                sqlx::query_scalar("SELECT count(*) FROM application_reports"),
            ),
        };
        let rows = select.fetch_all(self.readers()).await?;
        let total = unsigned(count.fetch_one(self.readers()).await?);
        Ok(Page { items: rows.iter().map(report).collect::<Result<_, _>>()?, total })
    }
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

    fn all(client_id: Option<&str>) -> ReportQuery {
        ReportQuery { client_id: client_id.map(str::to_owned), limit: 10 }
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
        assert!(store.keep_report(&first, 9).await.unwrap());
        assert!(store.keep_report(&second, 9).await.unwrap());
        let page = store.reports(&all(None)).await.unwrap();
        assert_eq!(page, Page { items: vec![second, first], total: 2 });
    }

    #[tokio::test]
    async fn an_id_that_is_here_keeps_its_first_report() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        assert!(store.keep_report(&report("a", "tab", 5), 2).await.unwrap());
        assert!(!store.keep_report(&report("a", "phone", 7), 2).await.unwrap());
        assert_eq!(store.reports(&all(None)).await.unwrap().items, [report("a", "tab", 5)]);
        // A repetition pushes nobody out.
        assert!(store.keep_report(&report("b", "tab", 6), 2).await.unwrap());
        assert!(!store.keep_report(&report("b", "tab", 6), 2).await.unwrap());
        assert_eq!(store.reports(&all(None)).await.unwrap().total, 2);
    }

    #[tokio::test]
    async fn what_came_first_goes_first_whatever_time_it_names() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        for (id, at_ms) in [("a", 900), ("b", 100), ("c", 500), ("d", 300)] {
            assert!(store.keep_report(&report(id, "tab", at_ms), 3).await.unwrap());
        }
        let page = store.reports(&all(None)).await.unwrap();
        let ids: Vec<&str> = page.items.iter().map(|report| report.id.as_str()).collect();
        assert_eq!((ids, page.total), (vec!["c", "d", "b"], 3));
        // An id that has gone is a new one.
        assert!(store.keep_report(&report("a", "tab", 900), 3).await.unwrap());
    }

    #[tokio::test]
    async fn a_clients_reports_are_its_own_and_the_limit_leaves_the_total() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        for (id, client) in [("a", "tab"), ("b", "phone"), ("c", "tab"), ("d", "tab")] {
            assert!(store.keep_report(&report(id, client, 5), 9).await.unwrap());
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
        let (first, second, again) = tokio::join!(
            store.keep_report(&one, 9),
            store.keep_report(&two, 9),
            store.keep_report(&one, 9)
        );
        let new = [first, second, again].into_iter().filter(|kept| *kept.as_ref().unwrap());
        assert_eq!(new.count(), 2);
        assert_eq!(store.reports(&all(None)).await.unwrap().items, [two, one]);
    }
}
