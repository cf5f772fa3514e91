//! One statement for many rows, in a few fixed sizes: so the engines keep each of them prepared.

use crate::store::StoreError;
use crate::store::sql::{Connection, Row, Statement};
use std::fmt::Write as _;
use std::sync::OnceLock;

/// Rows of one statement. More per statement gain little, and SQLite looks for a parameter by its
/// name from the first one on.
const SIZES: [usize; 3] = [32, 8, 1];

pub(super) type Binding = Statement<'static>;

/// `head (…), (…), … tail` with `columns` parameters a row.
#[derive(Debug)]
pub(super) struct Bulk {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    texts: [OnceLock<String>; SIZES.len()],
}

impl Bulk {
    pub(super) const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, columns, tail, texts: [OnceLock::new(), OnceLock::new(), OnceLock::new()] }
    }

    /// Runs it over `rows`, in their order.
    pub(super) async fn execute<T>(
        &'static self,
        connection: &mut Connection,
        rows: &[T],
        bind: impl Fn(Binding, &T) -> Binding,
    ) -> Result<(), StoreError> {
        for (text, part) in self.parts(rows) {
            let query = part.iter().fold(sqlx::query(text), &bind);
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Every row that it gives for `rows`.
    pub(super) async fn fetch<T>(
        &'static self,
        connection: &mut Connection,
        rows: &[T],
        bind: impl Fn(Binding, &T) -> Binding,
    ) -> Result<Vec<Row>, StoreError> {
        let mut fetched = Vec::with_capacity(rows.len());
        for (text, part) in self.parts(rows) {
            let query = part.iter().fold(sqlx::query(text), &bind);
            fetched.extend(query.fetch_all(&mut *connection).await?);
        }
        Ok(fetched)
    }

    fn parts<'r, T>(&'static self, mut rows: &'r [T]) -> Vec<(&'static str, &'r [T])> {
        let mut parts = Vec::new();
        for (text, size) in self.texts.iter().zip(SIZES) {
            while rows.len() >= size {
                let (part, rest) = rows.split_at(size);
                parts.push((text.get_or_init(|| self.text(size)).as_str(), part));
                rows = rest;
            }
        }
        parts
    }

    fn text(&self, rows: usize) -> String {
        let mut text = String::from(self.head);
        for parameter in 0..rows * self.columns {
            let column = parameter % self.columns;
            let before = match (parameter, column) {
                (0, _) => "(",
                (_, 0) => "), (",
                (_, _) => ", ",
            };
            // Writing to a string does not fail.
            let _ = write!(text, "{before}${}", parameter + 1);
        }
        text.push(')');
        text.push_str(self.tail);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_go_in_statements_of_few_sizes() {
        static BULK: Bulk = Bulk::new("INSERT INTO t VALUES ", 2, " RETURNING a");
        let rows: Vec<u32> = (0..43).collect();
        let sizes: Vec<usize> = BULK.parts(&rows).iter().map(|(_, part)| part.len()).collect();
        assert_eq!(sizes, [32, 8, 1, 1, 1]);
        assert_eq!(BULK.text(2), "INSERT INTO t VALUES ($1, $2), ($3, $4) RETURNING a");
    }
}
