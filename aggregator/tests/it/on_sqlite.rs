//! The suite on SQLite.

#[path = "commit.rs"]
mod commit;
#[path = "equipment.rs"]
mod equipment;
#[path = "guards.rs"]
mod guards;
// What comes in is bounded before any store sees it.
#[path = "history.rs"]
mod history;
#[path = "hostile.rs"]
mod hostile;
#[path = "identity.rs"]
mod identity;
#[path = "operations.rs"]
mod operations;
#[path = "readings.rs"]
mod readings;
#[path = "refusals.rs"]
mod refusals;
#[path = "schema.rs"]
mod schema;
#[path = "tcp.rs"]
mod tcp;

pub(crate) const ENGINE: rig::Engine = rig::Engine::Sqlite;

mod rig {
    pub(crate) use crate::rig::*;

    pub(crate) type Rig = crate::rig::Rig<Sqlite>;
}
