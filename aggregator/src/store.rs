//! The database in domain words. Nothing outside this module writes SQL, and no row leaves it.
//!
//! One connection writes and commits with full sync; a pool of others reads snapshots beside
//! it. The methods stand in `sql`, one file a domain.

mod sql;

pub use sql::Store;
pub use sql::idempotency::{Begun, KeptAnswer};
pub use sql::keys::SigningKey;
pub use sql::telemetry::Counts;
pub(crate) use sql::telemetry::{
    Arrival, ArrivalBody, Committed, DeviceKey, EpochKey, GapRow, Reason, Scope,
};

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
}
