//! Who asks: a session where the BMC has sessions, else a password with each request.
//!
//! Sessions are scarce, so both threads share one, it is made anew only when it has ended, and
//! it is given back at the end. A password that was refused is not tried again by itself: BMCs
//! lock accounts.

use super::http::{Client, Trouble};
use flyball_driver_messages as messages;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use ureq::http::Method;

/// What a request carries. Never printed.
pub(super) enum Credentials {
    Nobody,
    Basic(String),
    Token(String),
}

impl Credentials {
    pub(super) fn header(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Nobody => None,
            Self::Basic(value) => Some(("authorization", value)),
            Self::Token(token) => Some(("x-auth-token", token)),
        }
    }
}

enum State {
    /// Not tried yet, or the session has ended.
    LoggedOut,
    Session {
        token: String,
        location: Option<String>,
    },
    /// This BMC has no sessions, or none left.
    Basic,
}

pub(super) struct Login {
    login: Option<messages::Login>,
    /// Behind a lock, because both threads need the one session; held while it is being made,
    /// so that not two are.
    state: Mutex<State>,
}

impl Login {
    pub(super) fn new(login: Option<messages::Login>) -> Self {
        Self { login, state: Mutex::new(State::LoggedOut) }
    }

    /// What to send with the next request; makes a session where there is none.
    ///
    /// # Errors
    /// Where the BMC refuses the password or can't be asked.
    pub(super) fn credentials(&self, client: &Client) -> Result<Credentials, Trouble> {
        let Some(login) = &self.login else {
            return Ok(Credentials::Nobody);
        };
        let mut state = self.lock();
        if matches!(*state, State::LoggedOut) {
            *state = log_in(client, login)?;
        }
        Ok(match &*state {
            State::Session { token, .. } => Credentials::Token(token.clone()),
            State::LoggedOut | State::Basic => Credentials::Basic(basic(login)),
        })
    }

    /// The session of `token` has ended.
    pub(super) fn forget(&self, token: &str) {
        let mut state = self.lock();
        if matches!(&*state, State::Session { token: held, .. } if held == token) {
            *state = State::LoggedOut;
        }
    }

    /// The session's token and place, to end it.
    pub(super) fn take_session(&self) -> Option<(String, String)> {
        match std::mem::replace(&mut *self.lock(), State::LoggedOut) {
            State::Session { token, location } => Some((token, location?)),
            State::LoggedOut | State::Basic => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_in(client: &Client, login: &messages::Login) -> Result<State, Trouble> {
    let most = client.timeout();
    let nobody = Credentials::Nobody;
    let root = client.send(Method::GET, "/redfish/v1/", None, None, most, &nobody);
    let place = match &root {
        Ok(answer) => answer.body.pointer("/Links/Sessions/@odata.id").and_then(Value::as_str),
        // Some ask for a password even here, where it can't be a session's yet.
        Err(Trouble::Status { code: 401 | 403, .. }) => None,
        Err(_) => return root.map(|_| State::LoggedOut),
    };
    let body = json!({ "UserName": login.user, "Password": login.secret.expose() });
    let Some(place) = place else {
        return Ok(State::Basic);
    };
    match client.send(Method::POST, place, Some(&body), None, most, &nobody) {
        Ok(answer) => Ok(match answer.token {
            Some(token) => State::Session { token, location: answer.location.and_then(path) },
            None => State::Basic,
        }),
        Err(Trouble::Status { code: 400 | 404 | 405 | 500 | 501 | 503, .. }) => Ok(State::Basic),
        Err(trouble) => Err(trouble),
    }
}

/// The path of a `Location`, which may name the host as well.
fn path(location: String) -> Option<String> {
    match location.split_once("://") {
        None => Some(location),
        Some((_, rest)) => rest.find('/').map(|at| rest[at..].to_owned()),
    }
}

fn basic(login: &messages::Login) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let pair = zeroize::Zeroizing::new(format!("{}:{}", login.user, login.secret.expose()));
    format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes()))
}
