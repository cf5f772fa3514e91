//! Where the database is: a file of SQLite's, or a PostgreSQL server.

use crate::store::sql::engine::Engine;
use std::fmt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The schemes of a PostgreSQL address.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// As the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    File(PathBuf),
    Postgres(PostgresUrl),
}

/// An address with a password in it, perhaps: it is never shown whole.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Zeroizing<String>);

impl PostgresUrl {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Host and database, without who signs in and how.
    fn place(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let rest = rest.split_once('?').map_or(rest, |(place, _)| place);
        rest.rsplit_once('@').map_or(rest, |(_, place)| place)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({})", self.place())
    }
}

impl Database {
    /// `postgres://…` is a server, everything else a file; a relative one lies in `state`.
    #[must_use]
    pub fn parse(text: &str, state: &Path) -> Self {
        if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
            Self::Postgres(PostgresUrl(Zeroizing::new(text.to_owned())))
        } else {
            Self::File(state.join(text))
        }
    }

    /// `sqlite` or `postgresql`.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::File(_) => Engine::Sqlite.name(),
            Self::Postgres(_) => Engine::Postgres.name(),
        }
    }
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => write!(f, "postgres://{}", url.place()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_of_the_state_folder_and_an_address_a_server() {
        let state = Path::new("/var/lib/flyball");
        let file = Database::parse("aggregator.db", state);
        assert_eq!(file, Database::File("/var/lib/flyball/aggregator.db".into()));
        assert_eq!(Database::parse("/data/a.db", state), Database::File("/data/a.db".into()));
        let server = Database::parse("postgresql://host/flyball", state);
        assert_eq!(server.engine(), "postgresql");
    }

    #[test]
    fn nobody_reads_the_password_in_a_log() {
        let text = "postgres://operator:s3cret@db.example:5432/flyball?password=s3cret";
        let database = Database::parse(text, Path::new("/"));
        assert_eq!(database.to_string(), "postgres://db.example:5432/flyball");
        assert!(!format!("{database:?}").contains("s3cret"));
    }
}
