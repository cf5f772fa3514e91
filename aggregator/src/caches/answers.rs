//! Answers of the database that hold until something is written.

use super::CacheMeter;
use crate::store::{Store, StoreError};
use moka::future::Cache;
use std::fmt;
use std::hash::Hash;
use std::time::Duration;

/// What other processes on the database have written is seen after this long.
const FRESH: Duration = Duration::from_secs(1);
const MOST: u64 = 1_000;

/// Answers by question. Those who ask the same at the same time share one.
#[derive(Clone)]
pub(crate) struct Answers<K: Hash + Eq, V> {
    /// With what this process had written when it was asked.
    kept: Cache<(u64, K), V>,
    meter: CacheMeter,
}

impl<K: Hash + Eq, V> fmt::Debug for Answers<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answers").field(&self.meter).finish()
    }
}

impl<K, V> Answers<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(name: &'static str) -> Self {
        let kept = Cache::builder().max_capacity(MOST).time_to_live(FRESH).build();
        Self { kept, meter: CacheMeter::new(name) }
    }

    pub(crate) const fn meter(&self) -> &CacheMeter {
        &self.meter
    }

    /// The answer, by `read` where none is kept.
    ///
    /// # Errors
    /// Where `read` fails.
    pub(crate) async fn of<F>(
        &self,
        store: &Store,
        question: K,
        read: impl Fn() -> F,
    ) -> Result<V, StoreError>
    where
        F: Future<Output = Result<V, StoreError>>,
    {
        // Counted before it is read: what is written meanwhile is another question.
        let question = (store.timing().writes(), question);
        if let Some(known) = self.meter.asked(self.kept.get(&question).await) {
            return Ok(known);
        }
        match self.kept.try_get_with(question, read()).await {
            Ok(answer) => Ok(answer),
            // The failure belongs to all who waited; each finds out about its own.
            Err(_) => read().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh::Fresh;
    use std::sync::atomic::{AtomicU32, Ordering};

    async fn ask(answers: &Answers<&'static str, u32>, store: &Store, reads: &AtomicU32) -> u32 {
        let read = || async { Ok(reads.fetch_add(1, Ordering::Relaxed)) };
        answers.of(store, "how many", read).await.unwrap()
    }

    #[tokio::test]
    async fn an_answer_holds_until_something_is_written() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let (answers, reads) = (Answers::new("test"), AtomicU32::new(0));
        assert_eq!(ask(&answers, &store, &reads).await, 0);
        assert_eq!(ask(&answers, &store, &reads).await, 0);
        store.tamper("UPDATE tenancy SET generation = generation + 1".into()).await.unwrap();
        assert_eq!(ask(&answers, &store, &reads).await, 1);
        assert_eq!((answers.meter.hits.get(), answers.meter.misses.get()), (1, 2));
    }

    #[tokio::test]
    async fn a_failure_is_kept_for_nobody() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let answers: Answers<u32, u32> = Answers::new("test");
        let fails = || async { Err(StoreError::Unknown { column: "a", value: "b".into() }) };
        assert!(answers.of(&store, 1, fails).await.is_err());
        assert_eq!(answers.of(&store, 1, || async { Ok(7) }).await.unwrap(), 7);
    }
}
