//! A question as a part of a statement. Texts of a question are bound and never written into it;
//! what stands in it are the columns that each list names here for its fields.

use crate::listing::{Filter, Kind, Listing, Operator, Value};
use crate::page::{Page, PageRequest};
use crate::store::StoreError;
use crate::store::sql::{Row, Statement, Store, ms, unsigned};
use sqlx::Row as _;
use std::fmt::Write as _;

/// The expression of each field. That of `id` makes the order one that never changes.
pub(super) type Columns<'c> = [(&'static str, &'c str)];

/// What of a statement follows from a question.
#[derive(Debug)]
pub(super) struct Clause {
    narrowed: String,
    order: Option<String>,
    values: Vec<Value>,
    /// The number of the first parameter behind these.
    pub(super) next: usize,
}

impl Clause {
    /// For a statement whose own parameters end before `$first`.
    pub(super) fn new(
        listing: &Listing,
        columns: &Columns,
        first: usize,
    ) -> Result<Self, StoreError> {
        let mut clause =
            Self { narrowed: String::new(), order: None, values: Vec::new(), next: first };
        for filter in &listing.filters {
            clause.narrow(filter, column(columns, filter.field.name)?);
        }
        if let Some(text) = &listing.text {
            clause.search(text, columns, &listing.searched)?;
        }
        let mut order = String::new();
        for one in &listing.order {
            let column = column(columns, one.field.name)?;
            let key = match one.field.kind {
                Kind::Text => format!("lower({column})"),
                _ => column.to_owned(),
            };
            let turned = if one.descending { " DESC" } else { "" };
            // Writing to a string does not fail. What is absent comes last on both engines.
            let _ = write!(order, "({column}) IS NULL, {key}{turned}, ");
        }
        if !order.is_empty() {
            clause.order = Some(order + column(columns, "id")?);
        }
        Ok(clause)
    }

    /// Conditions, each with an `AND` before it.
    pub(super) fn narrowed(&self) -> &str {
        &self.narrowed
    }

    /// The order that was asked for, or the list's `own`.
    pub(super) fn order<'c>(&'c self, own: &'c str) -> &'c str {
        self.order.as_deref().unwrap_or(own)
    }

    /// Binds the question's values, behind those of the statement itself.
    pub(super) fn bind<'q>(&self, statement: Statement<'q>) -> Statement<'q> {
        self.values.iter().fold(statement, |statement, value| match value {
            Value::Text(text) => statement.bind(text.clone()),
            Value::Number(number) => statement.bind(*number),
            Value::Time(at_ms) => statement.bind(ms(*at_ms)),
            Value::Boolean(flag) => statement.bind(i64::from(*flag)),
        })
    }

    fn parameter(&mut self, value: Value) -> String {
        self.values.push(value);
        self.next += 1;
        format!("${}", self.next - 1)
    }

    fn narrow(&mut self, filter: &Filter, column: &str) {
        let Some(first) = filter.values.first() else { return };
        let condition = match filter.operator {
            Operator::Equal => format!("{column} = {}", self.parameter(first.clone())),
            Operator::NotEqual => {
                format!("({column} IS NULL OR {column} <> {})", self.parameter(first.clone()))
            }
            Operator::In => {
                let values: Vec<_> =
                    filter.values.iter().map(|value| self.parameter(value.clone())).collect();
                format!("{column} IN ({})", values.join(", "))
            }
            Operator::Less => format!("{column} < {}", self.parameter(first.clone())),
            Operator::LessOrEqual => format!("{column} <= {}", self.parameter(first.clone())),
            Operator::Greater => format!("{column} > {}", self.parameter(first.clone())),
            Operator::GreaterOrEqual => format!("{column} >= {}", self.parameter(first.clone())),
            Operator::Contains => self.like(column, &format!("%{}%", escaped(first))),
            Operator::StartsWith => self.like(column, &format!("{}%", escaped(first))),
            Operator::Exists if *first == Value::Boolean(true) => format!("{column} IS NOT NULL"),
            Operator::Exists => format!("{column} IS NULL"),
        };
        let _ = write!(self.narrowed, " AND {condition}");
    }

    /// Both sides are lowered by the engine: SQLite knows the case of ASCII alone.
    fn like(&mut self, column: &str, pattern: &str) -> String {
        let parameter = self.parameter(Value::Text(pattern.to_owned()));
        format!("lower({column}) LIKE lower({parameter}) ESCAPE '\\'")
    }

    fn search(
        &mut self,
        text: &str,
        columns: &Columns,
        searched: &[&str],
    ) -> Result<(), StoreError> {
        let pattern = format!("%{}%", escaped(&Value::Text(text.to_owned())));
        let mut conditions = Vec::new();
        for field in searched {
            conditions.push(self.like(column(columns, field)?, &pattern));
        }
        let _ = write!(self.narrowed, " AND ({})", conditions.join(" OR "));
        Ok(())
    }
}

/// What a page is read from.
pub(super) struct Pages<'p> {
    /// `FROM …` with its conditions, those of the clause behind them.
    pub(super) which: &'p str,
    pub(super) columns: &'p str,
    /// The list's own order.
    pub(super) order: &'p str,
}

impl Store {
    /// One page and the number of all rows. `bind` binds the statement's own parameters.
    pub(super) async fn page<T>(
        &self,
        pages: &Pages<'_>,
        clause: &Clause,
        page: PageRequest,
        bind: impl Fn(Statement<'static>) -> Statement<'static>,
        read: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let which = format!("{} {}", pages.which, clause.narrowed());
        let count = format!("SELECT count(*) AS total {which}");
        let count = clause.bind(bind(sqlx::query(sqlx::AssertSqlSafe(count))));
        let total: i64 = count.fetch_one(self.readers()).await?.try_get("total")?;
        let rows = format!(
            "SELECT {} {which} ORDER BY {} LIMIT ${} OFFSET ${}",
            pages.columns,
            clause.order(pages.order),
            clause.next,
            clause.next + 1
        );
        let rows = clause.bind(bind(sqlx::query(sqlx::AssertSqlSafe(rows))));
        let rows = rows
            .bind(i64::from(page.per_page))
            .bind(ms(page.offset()))
            .fetch_all(self.readers())
            .await?;
        let items = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { items, total: unsigned(total) })
    }
}

fn column<'c>(columns: &'c Columns, field: &str) -> Result<&'c str, StoreError> {
    let found = columns.iter().find(|(name, _)| *name == field);
    found
        .map(|(_, column)| *column)
        .ok_or_else(|| StoreError::Unknown { column: "a list's fields", value: field.to_owned() })
}

/// The wildcards of LIKE stand for themselves.
fn escaped(value: &Value) -> String {
    let Value::Text(text) = value else { return String::new() };
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::{Field, Form, List, parse};

    const THINGS: List = List {
        fields: &[
            Field::new("name", Kind::Text).searched(),
            Field::new("size", Kind::Number),
            Field::new("seen_at", Kind::Time),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
    const COLUMNS: [(&str, &str); 4] =
        [("id", "t.id"), ("name", "t.name"), ("size", "t.size"), ("seen_at", "t.seen_at_ms")];

    fn clause(query: &[(&str, &str)]) -> Clause {
        let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let listing = parse(&THINGS, &[], Default::default, pairs).unwrap();
        Clause::new(&listing, &COLUMNS, 3).unwrap()
    }

    #[test]
    fn a_question_stands_in_the_statement_by_its_columns_and_numbers_alone() {
        let clause = clause(&[
            ("filter[name][in]", "'a,b--"),
            ("filter[size][gte]", "2"),
            ("filter[seen_at][exists]", "false"),
            ("q", "50%_"),
            ("sort", "-seen_at,name"),
        ]);
        assert_eq!(
            clause.narrowed(),
            " AND t.name IN ($3, $4) AND t.size >= $5 AND t.seen_at_ms IS NULL \
             AND (lower(t.name) LIKE lower($6) ESCAPE '\\')"
        );
        assert_eq!(
            clause.order("t.key"),
            "(t.seen_at_ms) IS NULL, t.seen_at_ms DESC, (t.name) IS NULL, lower(t.name), t.id"
        );
        assert_eq!((clause.next, &clause.values[3]), (7, &Value::Text("%50\\%\\_%".into())));
    }

    #[test]
    fn a_list_that_is_asked_nothing_keeps_its_own_order() {
        let clause = clause(&[]);
        assert_eq!((clause.narrowed(), clause.order("t.key"), clause.next), ("", "t.key", 3));
    }
}
