//! The suite on PostgreSQL.

#[path = "commit.rs"]
mod commit;
#[path = "equipment.rs"]
mod equipment;
#[path = "guards.rs"]
mod guards;
#[path = "history.rs"]
mod history;
#[path = "identity.rs"]
mod identity;
#[path = "operations.rs"]
mod operations;
#[path = "readings.rs"]
mod readings;
#[path = "refusals.rs"]
mod refusals;
#[path = "replicas.rs"]
mod replicas;
#[path = "schema.rs"]
mod schema;
#[path = "tcp.rs"]
mod tcp;

pub(crate) const ENGINE: rig::Engine = rig::Engine::Postgresql;

mod rig {
    pub(crate) use crate::rig::*;

    pub(crate) type Rig = crate::rig::Rig<Postgresql>;
}
