//! What a collector asks over HTTP and what it gets, in words that no world decides.

use crate::reading::Absence;
use crate::settings::Headers;
use crate::watched::{Failure, check_status};

/// A `GET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub url: String,
    pub headers: Headers,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Response {
    /// The body, where the status says that it is what was asked for.
    ///
    /// # Errors
    /// What the status says instead.
    pub fn document(self) -> Result<Vec<u8>, Failure> {
        check_status(self.status).map(|()| self.body)
    }

    /// A header's value, whatever case its name was written in.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }
}

/// What it means for a reading that the agent fetched nothing.
#[must_use]
pub fn unfetched(denied: bool, why: &str) -> Failure {
    // A grant that is missing is the operator's to give, as a login is.
    let absence = if denied { Absence::Unauthorised } else { Absence::Unreachable };
    Failure::new(absence, why)
}
