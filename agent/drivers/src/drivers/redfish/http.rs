//! Requests to one BMC: bounded in time and size, to one address, never redirected.

use super::login::{Credentials, Login};
use super::tls::TlsConnector;
use crate::trust::client_config;
use flyball_driver_messages::{Configuration, Fault, FaultKind, Trust, bounded};
use serde_json::Value;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::{Method, Request, Response};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, Body, Error, Timeout};

/// A longer answer is not read to its end.
const MAX_BODY_BYTES: u64 = 2 * 1024 * 1024;
const MAX_HEADER_BYTES: usize = 32 * 1024;
/// No link of a BMC is longer.
const MAX_PATH_BYTES: usize = 512;
/// What is kept of an error's own words.
const MAX_SAID_CHARS: usize = 120;

/// Why a request has no answer that could be used.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It answers, but not with success.
    Status {
        code: u16,
        what: String,
        said: String,
    },
    Broken(Fault),
}

impl Trouble {
    pub(super) const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            Self::Broken(_) => None,
        }
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Broken(fault) => fault,
            Trouble::Status { code: code @ (401 | 403), what, said } => Self::new(
                FaultKind::Denied,
                format!("{what} is answered {code}{said}; set its credential anew"),
            ),
            Trouble::Status { code, what, said } => {
                Self::new(FaultKind::Failing, format!("{what} is answered {code}{said}"))
            }
        }
    }
}

/// A successful answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// `Null` where there is no body.
    pub(super) body: Value,
    pub(super) etag: Option<String>,
    pub(super) token: Option<String>,
    pub(super) location: Option<String>,
}

/// The BMC behind one address, as one user.
pub(super) struct Client {
    agent: Agent,
    base: String,
    timeout: Duration,
    login: Login,
}

impl Client {
    /// # Errors
    /// Where the configuration can't work.
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let base = configuration.address.trim_end_matches('/').to_owned();
        let wrong = |message: String| Fault::new(FaultKind::Misconfigured, message);
        let secure = match base.split_once("://") {
            Some(("https", host)) if is_host(host) => true,
            Some(("http", host)) if is_host(host) => false,
            _ => {
                let message = format!("`{base}` is no address such as https://10.0.0.7");
                return Err(wrong(message));
            }
        };
        if !secure && configuration.login.is_some() && configuration.trust != Trust::Insecure {
            let message = "a password over http can be read by anybody: use https, or say \
                           `insecure = true`";
            return Err(wrong(message.to_owned()));
        }
        let tls = if secure { Some(client_config(&configuration.trust)?) } else { None };
        let timeout = Duration::from_millis(u64::from(configuration.timeout_ms.max(1)));
        let connector = TcpConnector::default().chain(TlsConnector(tls));
        let agent = Agent::with_parts(settings(timeout), connector, DefaultResolver::default());
        let login = Login::new(configuration.login.clone());
        Ok(Self { agent, base, timeout, login })
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// # Errors
    /// Where there is no JSON to be had.
    pub(super) fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.request(Method::GET, path, None, None, self.timeout)
    }

    /// As [`Client::get`], within `most` at the longest.
    pub(super) fn get_within(&self, path: &str, most: Duration) -> Result<Answer, Trouble> {
        self.request(Method::GET, path, None, None, most)
    }

    pub(super) fn post(&self, path: &str, body: &Value, most: Duration) -> Result<Answer, Trouble> {
        self.request(Method::POST, path, Some(body), None, most)
    }

    pub(super) fn patch(
        &self,
        path: &str,
        body: &Value,
        etag: Option<&str>,
        most: Duration,
    ) -> Result<Answer, Trouble> {
        self.request(Method::PATCH, path, Some(body), etag, most)
    }

    /// Gives the session back.
    pub(super) fn leave(&self) {
        if let Some((token, location)) = self.login.take_session() {
            let credentials = Credentials::Token(token);
            let most = self.timeout.min(Duration::from_secs(1));
            // A session that can't be given back ends by its own time-out.
            let _ = self.send(Method::DELETE, &location, None, None, most, &credentials);
        }
    }

    /// A request under the login; one that has ended is made anew, once.
    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
        most: Duration,
    ) -> Result<Answer, Trouble> {
        let credentials = self.login.credentials(self)?;
        let outcome = self.send(method.clone(), path, body, etag, most, &credentials);
        match (outcome, &credentials) {
            (Err(trouble), Credentials::Token(token)) if trouble.status() == Some(401) => {
                self.login.forget(token);
                let credentials = self.login.credentials(self)?;
                self.send(method, path, body, etag, most, &credentials)
            }
            (outcome, _) => outcome,
        }
    }

    /// One request as it is.
    pub(super) fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
        most: Duration,
        credentials: &Credentials,
    ) -> Result<Answer, Trouble> {
        let what = format!("{method} {path}");
        let nonsense = |cause: &str| broken(FaultKind::Nonsense, &what, cause);
        if !is_path(path) {
            return Err(nonsense("is a link to elsewhere, which is not followed"));
        }
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("accept", "application/json")
            .header("odata-version", "4.0");
        if let Some((name, value)) = credentials.header() {
            request = request.header(name, value);
        }
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        let request = request.header("content-type", "application/json");
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(body).map_err(|_| nonsense("can't be asked"))?;
        let request = self.agent.configure_request(request).timeout_global(Some(most)).build();
        let mut response = self.agent.run(request).map_err(|error| why(&error, &what, most))?;
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(nonsense("is redirected, which is not followed"));
        }
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            (value.len() <= MAX_PATH_BYTES).then(|| value.to_owned())
        };
        let (etag, token, location) = (header("etag"), header("x-auth-token"), header("location"));
        let bytes = read(&mut response).map_err(|error| why(&error, &what, most))?;
        if !(200..300).contains(&status) {
            return Err(Trouble::Status { code: status, what, said: said(&bytes) });
        }
        let body = match bytes.as_slice() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes)
                .map_err(|error| nonsense(&format!("is answered with what is no JSON: {error}")))?,
        };
        Ok(Answer { body, etag, token, location })
    }
}

fn settings(timeout: Duration) -> Config {
    Config::builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(MAX_HEADER_BYTES)
        .max_idle_connections(2)
        .max_idle_connections_per_host(2)
        .timeout_connect(Some(timeout))
        .timeout_global(Some(timeout))
        .user_agent("flyball-driver")
        .build()
}

fn read(response: &mut Response<Body>) -> Result<Vec<u8>, Error> {
    response.body_mut().with_config().limit(MAX_BODY_BYTES).read_to_vec()
}

/// What follows `https://`: a name or address with or without a port.
fn is_host(host: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '_');
    !host.is_empty() && host.len() <= 255 && host.chars().all(plain)
}

/// A path on the same host: what a BMC links to is only followed there.
pub(super) fn is_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>');
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= MAX_PATH_BYTES
        && path.bytes().all(plain)
}

fn broken(kind: FaultKind, what: &str, cause: &str) -> Trouble {
    Trouble::Broken(Fault::new(kind, format!("{what} {cause}")))
}

fn why(error: &Error, what: &str, most: Duration) -> Trouble {
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            let cause = format!("has no connection within {} ms", most.as_millis());
            broken(FaultKind::Unreachable, what, &cause)
        }
        Error::Timeout(_) => {
            let cause = format!("is not answered within {} ms", most.as_millis());
            broken(FaultKind::TimedOut, what, &cause)
        }
        Error::BodyExceedsLimit(_) => {
            let cause = format!("is answered with more than {MAX_BODY_BYTES} bytes");
            broken(FaultKind::Nonsense, what, &cause)
        }
        Error::Io(error) => match tls_fault(error) {
            Some(rustls::Error::InvalidCertificate(cause)) => {
                let cause = format!("is not sent: its certificate is not trusted ({cause:?})");
                broken(FaultKind::Untrusted, what, &cause)
            }
            Some(cause) => broken(FaultKind::Nonsense, what, &format!("fails in TLS: {cause}")),
            None => broken(FaultKind::Unreachable, what, &format!("fails: {error}")),
        },
        Error::HostNotFound => broken(FaultKind::Unreachable, what, "fails: its name is not known"),
        Error::ConnectionFailed => broken(FaultKind::Unreachable, what, "has no connection"),
        Error::Protocol(cause) => {
            broken(FaultKind::Nonsense, what, &format!("is answered with no HTTP: {cause}"))
        }
        error => broken(FaultKind::Nonsense, what, &format!("fails: {error}")),
    }
}

fn tls_fault(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// The BMC's own words for an error, as far as it has any (DSP0266, error responses).
fn said(bytes: &[u8]) -> String {
    let body: Value = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    let extended = body.pointer("/error/@Message.ExtendedInfo/0/Message");
    let plain = body.pointer("/error/message");
    let text = extended.or(plain).and_then(Value::as_str).unwrap_or_default();
    let text: String = bounded(text).chars().take(MAX_SAID_CHARS).collect();
    if text.is_empty() { text } else { format!(" ({text})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_same_host_are_followed() {
        assert!(is_path("/redfish/v1/Chassis/1U/Sensors?$expand=.($levels=1)"));
        for elsewhere in ["//evil/x", "http://evil/", "", "/a b", "/a\r\nx: y", "redfish"] {
            assert!(!is_path(elsewhere), "{elsewhere:?}");
        }
        assert!(!is_path(&format!("/{}", "a".repeat(MAX_PATH_BYTES))));
    }

    #[test]
    fn an_address_is_a_scheme_and_a_host() {
        for host in ["10.0.0.7", "bmc-1.example.org:8443", "[fe80::1]:443"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "user@host", "host/path", "host?x"] {
            assert!(!is_host(host), "{host}");
        }
    }
}
