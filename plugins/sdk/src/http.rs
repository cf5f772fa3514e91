//! Requests to the hosts that an operator granted, made by the agent.
//!
//! ```ignore
//! let answer = http::Request::get("https://api.example.org/v1/state")
//!     .header("Accept", "application/json")
//!     .timeout(Duration::from_secs(3))
//!     .send()?
//!     .sound()?;
//! ```

pub use crate::bindings::flyball::plugin::http::{Header, Request, Response, fetch};
use crate::{Error, ErrorKind};
use std::time::Duration;

impl Request {
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url, Vec::new())
    }

    #[must_use]
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", url, body)
    }

    #[must_use]
    pub fn new(
        method: impl Into<String>,
        url: impl Into<String>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: body.into(),
            timeout_ms: None,
        }
    }

    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    /// Without it, what is left of the call's own time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout_ms = Some(u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX));
        self
    }

    /// # Errors
    /// Kind `denied` where the host is not granted, `limit` where the answer is too large, `upstream`
    /// where there is none. An answer with a status such as 500 is an answer.
    pub fn send(&self) -> Result<Response, Error> {
        fetch(self)
    }
}

impl Response {
    /// A header's value, whatever case its name was written in.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|header| header.name.eq_ignore_ascii_case(name)).map(|it| it.value.as_str())
    }

    /// Itself, where its status begins with 2.
    ///
    /// # Errors
    /// Kind `upstream`, with the status.
    pub fn sound(self) -> Result<Self, Error> {
        match self.status {
            200..=299 => Ok(self),
            status => {
                Err(Error::new(ErrorKind::Upstream, format!("the answer's status is {status}")))
            }
        }
    }

    /// The body as text.
    ///
    /// # Errors
    /// Kind `upstream` where it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|why| {
            Error::new(ErrorKind::Upstream, format!("the answer is no text in UTF-8: {why}"))
        })
    }
}
