//! What replicas on one PostgreSQL tell each other: ids alone, in the transaction that makes them
//! true, by NOTIFY. On SQLite nobody else listens. A notice that is lost is made good by the
//! outbox, which is asked every two seconds.

use crate::fleet::DeviceId;
use crate::store::sql::engine::Engine;
use crate::store::sql::{Connection, Store, ms, word};
use crate::store::{Database, StoreError};
use flyball_protocol::command::OperationId;
use sqlx::postgres::PgListener;
use std::sync::Arc;
use uuid::Uuid;

const CHANNEL: &str = "flyball";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Commands wait for this device.
    Commands(DeviceId),
    /// The operation has changed.
    Operation(OperationId),
    /// The device's certificate was taken back.
    Revoked(DeviceId),
}

impl Notice {
    fn text(self, replica: &Replica) -> String {
        match self {
            Self::Commands(device) => format!("{} commands {device}", replica.0),
            Self::Operation(operation) => format!("{} operation {operation}", replica.0),
            Self::Revoked(device) => format!("{} revoked {device}", replica.0),
        }
    }

    /// `None` where this replica said it itself, or a newer one says what this does not know.
    fn parse(text: &str, replica: &Replica) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next()? == &*replica.0 {
            return None;
        }
        let (kind, id) = (words.next()?, words.next()?);
        match kind {
            "commands" => id.parse().ok().map(Self::Commands),
            "operation" => id.parse().ok().map(Self::Operation),
            "revoked" => id.parse().ok().map(Self::Revoked),
            _ => None,
        }
    }
}

/// Tells this process's notices from the others'.
#[derive(Clone, Debug)]
pub(super) struct Replica(Arc<str>);

impl Replica {
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string().into())
    }
}

/// What the other replicas say.
#[derive(Debug)]
pub(crate) struct Notices {
    listener: PgListener,
    replica: Replica,
}

impl Notices {
    /// The next one; `None` where the connection was lost and is there again, so that some may
    /// have gone by.
    pub(crate) async fn next(&mut self) -> Result<Option<Notice>, StoreError> {
        loop {
            let Some(heard) = self.listener.try_recv().await? else { return Ok(None) };
            if let Some(notice) = Notice::parse(heard.payload(), &self.replica) {
                return Ok(Some(notice));
            }
        }
    }
}

impl Store {
    /// Listens to the other replicas; `None` where there can be none.
    pub(crate) async fn notices(&self, database: &Database) -> Result<Option<Notices>, StoreError> {
        let Database::Postgres(url) = database else { return Ok(None) };
        let mut listener = PgListener::connect(url.expose()).await?;
        listener.listen(CHANNEL).await?;
        Ok(Some(Notices { listener, replica: self.replica.clone() }))
    }

    /// Tells the other replicas once this transaction is committed.
    pub(super) async fn notify(
        &self,
        connection: &mut Connection,
        notice: Notice,
    ) -> Result<(), StoreError> {
        if self.engine == Engine::Postgres {
            sqlx::query("SELECT pg_notify($1, $2)")
                .bind(CHANNEL)
                .bind(notice.text(&self.replica))
                .execute(connection)
                .await?;
        }
        Ok(())
    }

    /// Devices for which commands wait that nobody has sent.
    pub(crate) async fn devices_with_commands(
        &self,
        now_ms: u64,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT d.id FROM operations o JOIN devices d ON d.key = o.device
             WHERE o.finished_at_ms IS NULL AND o.state = 'queued' AND o.not_after_ms > $1",
        )
        .bind(ms(now_ms))
        .fetch_all(self.readers())
        .await?;
        ids.iter().map(|id| word("id", id, |id| id.parse().ok())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_hears_the_others_and_not_itself() {
        let (one, two) = (Replica::new(), Replica::new());
        let notice = Notice::Commands("6a0b5c1e-7e0c-4c1f-9a55-0d3f5f6a7b8c".parse().unwrap());
        let text = notice.text(&one);
        assert_eq!(Notice::parse(&text, &two), Some(notice));
        assert_eq!(Notice::parse(&text, &one), None);
        assert_eq!(Notice::parse("x of-a-newer-version 1", &one), None);
    }
}
