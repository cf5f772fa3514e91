//! Events: storing one, and the newest of those that a question means.

use crate::store::StoreError;
use crate::store::sql::listing::Clause;
use crate::store::sql::telemetry::DeviceKey;
use crate::store::sql::{Connection, Db, Row, Store, ms, seen, unsigned, word};
use crate::telemetry::event::{Event, EventId, EventQuery, Subjects};
use crate::telemetry::{Severity, Unit};
use sqlx::Row as _;

/// What a question's own conditions bind begins behind these.
const FIXED: usize = 8;

impl Store {
    pub(crate) async fn events(&self, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
        let (before_ms, before_id) =
            query.before.map_or((None, None), |(at_ms, id)| (Some(ms(at_ms)), Some(id.0)));
        let mut more = Conditions::default();
        if !query.kinds.is_empty() {
            more.kinds(&query.kinds);
        }
        if let Some(subjects) = &query.subjects {
            more.subjects(subjects);
        }
        const COLUMNS: [(&str, &str); 9] = [
            ("at", "e.at_ms"),
            ("device_id", "d.id"),
            ("kind", "e.kind"),
            (
                "severity",
                "CASE e.severity WHEN 0 THEN 'info' WHEN 1 THEN 'warning' ELSE 'critical' END",
            ),
            ("subject", "e.subject"),
            ("message", "e.message"),
            ("reading", "e.reading"),
            ("threshold", "e.threshold"),
            ("unit", "e.unit"),
        ];
        let clause = Clause::new(&query.listing, &COLUMNS, FIXED + more.texts.len() + 1)?;
        let only = self.engine.listed("$8");
        let sql = format!(
            "SELECT e.*, d.id AS device_id FROM events e JOIN devices d ON d.key = e.device
             WHERE ($1 IS NULL OR d.id = $1) AND ($2 IS NULL OR e.severity >= $2)
               AND ($3 IS NULL OR e.at_ms >= $3) AND ($4 IS NULL OR e.at_ms < $4)
               AND ($5 IS NULL OR (e.at_ms, e.id) < ($5, $6))
               AND ($8 IS NULL OR d.id IN {only}) {} {}
             ORDER BY e.at_ms DESC, e.id DESC LIMIT $7",
            more.sql,
            clause.narrowed()
        );
        let mut select = sqlx::query::<Db>(sqlx::AssertSqlSafe(sql))
            .bind(query.device.map(|device| device.to_string()))
            .bind(query.severity.map(severity_rank))
            .bind(query.from_ms.map(ms))
            .bind(query.to_ms.map(ms))
            .bind(before_ms)
            .bind(before_id)
            .bind(i64::from(query.limit))
            .bind(seen(&query.sight)?);
        for text in more.texts {
            select = select.bind(text);
        }
        let rows = clause.bind(select).fetch_all(self.readers()).await?;
        rows.iter().map(event).collect()
    }
}

/// Conditions whose number the question decides: only bind parameters enter the text.
#[derive(Debug, Default)]
struct Conditions {
    sql: String,
    texts: Vec<String>,
}

impl Conditions {
    /// Any of `kinds`; `limit.*` is every kind that begins so.
    fn kinds(&mut self, kinds: &[String]) {
        let any = kinds
            .iter()
            .map(|kind| match kind.strip_suffix(".*") {
                Some(family) => self.below("e.kind", family, '.'),
                None => self.is("e.kind", kind),
            })
            .collect();
        self.any(any);
    }

    fn subjects(&mut self, subjects: &Subjects) {
        let mut any: Vec<_> =
            subjects.names.iter().map(|name| self.is("e.subject", name)).collect();
        if let Some(equipment) = &subjects.equipment {
            any.push(self.is("e.subject", equipment));
            any.push(self.below("e.subject", equipment, '/'));
        }
        self.any(any);
    }

    fn is(&mut self, column: &str, text: &str) -> String {
        format!("{column} = {}", self.bind(text.to_owned()))
    }

    /// What begins with `family` and `separator`: a range in the order of bytes, which both
    /// engines keep for these columns.
    fn below(&mut self, column: &str, family: &str, separator: char) -> String {
        let end = char::from_u32(u32::from(separator) + 1).unwrap_or(char::MAX);
        let from = self.bind(format!("{family}{separator}"));
        let to = self.bind(format!("{family}{end}"));
        format!("({column} >= {from} AND {column} < {to})")
    }

    fn bind(&mut self, text: String) -> String {
        self.texts.push(text);
        format!("${}", FIXED + self.texts.len())
    }

    fn any(&mut self, any: Vec<String>) {
        let any = if any.is_empty() { "1 = 0".to_owned() } else { any.join(" OR ") };
        self.sql.push_str(&format!("AND ({any}) "));
    }
}

/// Stores `event` and gives it back with its number.
pub(in crate::store::sql) async fn insert_event(
    connection: &mut Connection,
    device: DeviceKey,
    mut event: Event,
) -> Result<Event, StoreError> {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO events
           (device, at_ms, kind, severity, subject, message, reading, threshold, unit)
         VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7 THEN $8 END, CASE WHEN $9 THEN $10 END, $11)
         RETURNING id",
    )
    .bind(device.0)
    .bind(ms(event.at_ms))
    .bind(&event.kind)
    .bind(severity_rank(event.severity))
    .bind(&event.subject)
    .bind(&event.message)
    .bind(event.reading.is_some())
    .bind(event.reading.unwrap_or_default())
    .bind(event.threshold.is_some())
    .bind(event.threshold.unwrap_or_default())
    .bind(event.unit.map(|unit| unit.ucum()))
    .fetch_one(connection)
    .await?;
    event.id = EventId(id);
    Ok(event)
}

/// Its rank in the column, so that "this and worse" is a comparison.
const fn severity_rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

fn severity_from_rank(rank: i64) -> Result<Severity, StoreError> {
    [Severity::Info, Severity::Warning, Severity::Critical]
        .into_iter()
        .find(|severity| severity_rank(*severity) == rank)
        .ok_or_else(|| StoreError::Unknown { column: "severity", value: rank.to_string() })
}

pub(in crate::store::sql) fn event(row: &Row) -> Result<Event, StoreError> {
    let unit: Option<&str> = row.try_get("unit")?;
    Ok(Event {
        id: EventId(row.try_get("id")?),
        device: word("device", row.try_get("device_id")?, |id| id.parse().ok())?,
        at_ms: unsigned(row.try_get("at_ms")?),
        kind: row.try_get("kind")?,
        severity: severity_from_rank(row.try_get("severity")?)?,
        subject: row.try_get("subject")?,
        message: row.try_get("message")?,
        reading: row.try_get("reading")?,
        threshold: row.try_get("threshold")?,
        unit: unit.map(|code| word("unit", code, Unit::from_ucum)).transpose()?,
    })
}
