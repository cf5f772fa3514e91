//! How long the database takes: each statement that reads, each turn to write.

use crate::clock::{Clock, Stopwatch};
use crate::metrics::Metrics;
use crate::store::sql::{Connection, Db, Pool};
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, Stream};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;
use sqlx::{Either, Execute, Executor, SqlStr, Transaction};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

/// OpenTelemetry's advice for `db.client.operation.duration`, and one below: most that SQLite
/// answers lies there.
const BOUNDS: [f64; 10] = [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabels {
    db_system_name: &'static str,
    db_operation_name: &'static str,
}

/// The durations of one database's operations, and how many writes it has taken.
#[derive(Clone, Debug)]
pub(crate) struct Timing {
    family: Family<OperationLabels, Histogram, fn() -> Histogram>,
    read: Histogram,
    wait: Histogram,
    write: Histogram,
    writes: Arc<AtomicU64>,
}

impl Timing {
    pub(super) fn new(engine: &'static str) -> Self {
        let family = Family::new_with_constructor((|| Histogram::new(BOUNDS)) as fn() -> Histogram);
        let of = |name| {
            let labels = OperationLabels { db_system_name: engine, db_operation_name: name };
            family.get_or_create_owned(&labels)
        };
        let (read, wait, write) = (of("read"), of("wait"), of("write"));
        Self { family, read, wait, write, writes: Arc::default() }
    }

    pub(crate) fn register(&self, metrics: &Metrics) {
        metrics.register_conventional(|registry| {
            registry.register_with_unit(
                "db_client_operation_duration",
                "Duration of statements that read, of waits for a turn to write, and of the turns",
                Unit::Seconds,
                self.family.clone(),
            );
        });
    }

    /// Counts the writes that may have changed anything but samples and rates.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    pub(super) fn waited(&self, since: Stopwatch) {
        self.wait.observe(since.elapsed().as_secs_f64());
    }
}

/// What a write may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touched {
    Anything,
    /// Rows that nobody reads but whoever writes them, or samples.
    OwnRows,
}

/// A write transaction. What is not committed is as if it had never been.
pub(super) struct Writing {
    transaction: Transaction<'static, Db>,
    touched: Touched,
    began: Stopwatch,
    timing: Timing,
}

impl Writing {
    pub(super) fn new(
        transaction: Transaction<'static, Db>,
        touched: Touched,
        timing: &Timing,
    ) -> Self {
        Self { transaction, touched, began: Clock::System.stopwatch(), timing: timing.clone() }
    }

    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        let Self { transaction, touched, began, timing } = self;
        let committed = transaction.commit().await;
        if touched == Touched::Anything {
            // Also where it failed: it may have been committed all the same.
            timing.writes.fetch_add(1, Ordering::Release);
        }
        timing.write.observe(began.elapsed().as_secs_f64());
        committed
    }
}

impl Deref for Writing {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.transaction
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.transaction
    }
}

/// The pool that reads; each statement sees a committed snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'p> {
    pool: &'p Pool,
    timing: &'p Timing,
}

impl<'p> Reading<'p> {
    pub(super) const fn new(pool: &'p Pool, timing: &'p Timing) -> Self {
        Self { pool, timing }
    }

    fn running(self) -> Running {
        Running { began: Clock::System.stopwatch(), read: self.timing.read.clone() }
    }
}

/// Runs until it is dropped, and takes down how long that was.
struct Running {
    began: Stopwatch,
    read: Histogram,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.read.observe(self.began.elapsed().as_secs_f64());
    }
}

/// Rows on their way; the statement is over with the last one.
struct Timed<'e, T> {
    rows: BoxStream<'e, T>,
    _running: Running,
}

impl<T> Stream for Timed<'_, T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.rows.as_mut().poll_next(context)
    }
}

type Rows<'e> =
    BoxStream<'e, Result<Either<sqlx::any::AnyQueryResult, sqlx::any::AnyRow>, sqlx::Error>>;

impl<'p> Executor<'p> for Reading<'p> {
    type Database = Db;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Rows<'e>
    where
        'p: 'e,
        E: 'q + Execute<'q, Db>,
    {
        let running = self.running();
        Box::pin(Timed { rows: self.pool.fetch_many(query), _running: running })
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<sqlx::any::AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Db>,
    {
        let running = self.running();
        let found = self.pool.fetch_optional(query);
        Box::pin(async move {
            let _running = running;
            found.await
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [sqlx::any::AnyTypeInfo],
    ) -> BoxFuture<'e, Result<<Db as sqlx::Database>::Statement, sqlx::Error>>
    where
        'p: 'e,
    {
        self.pool.prepare_with(sql, parameters)
    }
}
