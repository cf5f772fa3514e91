//! The database in domain words. Nothing outside this module writes SQL, and no row leaves it.
//!
//! The methods stand in `sql`, one file a domain, the same for both engines; what the engines do
//! differently is `sql::engine`'s alone.

mod database;
#[cfg(test)]
pub(crate) mod fresh;
mod sql;

pub use database::{Database, PostgresUrl};
pub use sql::Store;
use sql::engine;
pub(crate) use sql::history::{Held, PastBlock, Published};
pub use sql::idempotency::{Begun, KeptAnswer, KeyBounds};
pub use sql::keys::SigningKey;
pub use sql::migrations::SchemaStep;
pub(crate) use sql::notices::{Notice, Notices};
pub(crate) use sql::notifications::{SEALED, Source, Told};
pub(crate) use sql::telemetry::{
    Arrival, ArrivalBody, BlockRow, BlocksPrint, Committed, CommittedBlock, DeviceKey, EpochKey,
    GapRow, OutgoingBlock, Reason, Scope, SeriesFilter,
};
pub use sql::telemetry::{Counts, EntryKey, Watermark};
pub use sql::tenancy::{Binding, Change, DeviceChange, EntityQuery, NewBinding, NewEntity};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
    #[error("bringing the database to this version")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the database's {column} holds {value}, which this version does not know")]
    Unknown { column: &'static str, value: String },
    #[error("the database's {column} cannot be read")]
    Json {
        column: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("the database's {column} cannot be decoded")]
    Postcard {
        column: &'static str,
        #[source]
        source: postcard::Error,
    },
    #[error("sealing what is to be stored")]
    Sealing(#[from] crate::sealing::SealingError),
}

impl StoreError {
    /// Does it lie in what was to be stored? Then it fails again however often it is tried;
    /// a full disk or a held lock may pass.
    pub(crate) fn is_of_content(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => engine::is_of_content(error.as_ref()),
            Self::Sql(
                sqlx::Error::Encode(_)
                | sqlx::Error::Decode(_)
                | sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::RowNotFound,
            )
            | Self::Unknown { .. }
            | Self::Json { .. }
            | Self::Postcard { .. } => true,
            Self::Sql(_) | Self::Migrate(_) | Self::Sealing(_) => false,
        }
    }

    /// May the same succeed a little later? So it is while a server restarts.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Sql(error) if engine::may_pass(error))
    }
}
