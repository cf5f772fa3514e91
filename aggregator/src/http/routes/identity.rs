//! Who one is: signing in, sessions, the account.

use crate::http::resources::sessions;
use crate::http::table::Table;

pub(super) fn v1(table: Table) -> Table {
    table
        .post("/api/v1/auth/login", "Sign in", sessions::login)
        .post("/api/v1/auth/refresh", "Exchange a refresh token", sessions::refresh)
        .post("/api/v1/auth/logout", "Sign out", sessions::logout)
        .get("/api/v1/auth/me", "Who am I?", sessions::me)
}

pub(super) fn flat(table: Table) -> Table {
    table
        .post("/api/auth/login", "Sign in", sessions::login)
        .post("/api/auth/refresh", "Exchange a refresh token", sessions::refresh)
        .post("/api/auth/logout", "Sign out", sessions::logout)
        .get("/api/auth/me", "Who am I?", sessions::me)
}
