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

/// SQLite's primary result codes for what a statement was given, not for where it ran.
const SQLITE_TOO_BIG: i32 = 18;
const SQLITE_CONSTRAINT: i32 = 19;
const SQLITE_MISMATCH: i32 = 20;

impl StoreError {
    /// Does it lie in what was to be stored? Then it fails again however often it is tried;
    /// a full disk or a held lock may pass.
    pub(crate) fn is_of_content(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => {
                let extended = error.code().and_then(|code| code.parse::<i32>().ok());
                let primary = extended.map(|code| code & 0xff);
                matches!(primary, Some(SQLITE_TOO_BIG | SQLITE_CONSTRAINT | SQLITE_MISMATCH))
            }
            Self::Sql(
                sqlx::Error::Encode(_)
                | sqlx::Error::Decode(_)
                | sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::RowNotFound,
            )
            | Self::Unknown { .. }
            | Self::Json { .. }
            | Self::Postcard { .. } => true,
            Self::Sql(_) | Self::Migrate(_) => false,
        }
    }
}
