//! One connection to upsd: a line asked, lines answered, everything bounded.

use super::link::Link;
use super::{Target, words};
use flyball_driver_messages::{DeedError, DeedFault, Fault, FaultKind, Login};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// A line is 512 bytes at most by upsd's own bound; twice that is generous.
const MAX_LINE_BYTES: u64 = 1024;
/// A managed PDU of 42 outlets has some 600 variables.
const MAX_LINES: usize = 4096;

/// Why an exchange gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum NutError {
    #[error("{address} cannot be reached: {source}")]
    Connect { address: String, source: io::Error },
    #[error("TLS with upsd at {address} fails: {source}")]
    Tls { address: String, source: io::Error },
    #[error(
        "the password would go to {address} in the clear; name its `ca` or `fingerprint`, or say \
         `insecure = true`"
    )]
    Clear { address: String },
    #[error("`{asked}` was not answered: {source}")]
    Exchange { asked: String, source: io::Error },
    #[error("upsd answers `{asked}` with `{answer}`, which the protocol does not know")]
    Nonsense { asked: String, answer: String },
    #[error("upsd refuses `{asked}`: {code}")]
    Refused { asked: String, code: String },
}

impl NutError {
    /// The word after `ERR`, where it is one.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Clear { .. }
            | Self::Exchange { .. }
            | Self::Nonsense { .. } => None,
        }
    }
}

impl From<NutError> for Fault {
    fn from(error: NutError) -> Self {
        let timed_out = |source: &io::Error| {
            matches!(source.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
        };
        let kind = match &error {
            NutError::Connect { source, .. }
            | NutError::Tls { source, .. }
            | NutError::Exchange { source, .. }
                if timed_out(source) =>
            {
                FaultKind::TimedOut
            }
            NutError::Tls { source, .. } => match source.get_ref().map(|it| it.downcast_ref()) {
                Some(Some(rustls::Error::InvalidCertificate(_))) => FaultKind::Untrusted,
                Some(Some(_)) => FaultKind::Nonsense,
                Some(None) | None => FaultKind::Unreachable,
            },
            NutError::Clear { .. } => FaultKind::Misconfigured,
            NutError::Connect { .. } | NutError::Exchange { .. } => FaultKind::Unreachable,
            NutError::Nonsense { .. } => FaultKind::Nonsense,
            NutError::Refused { code, .. } => match code.as_str() {
                "ACCESS-DENIED" | "USERNAME-REQUIRED" | "PASSWORD-REQUIRED"
                | "INVALID-PASSWORD" | "INVALID-USERNAME" => FaultKind::Denied,
                // Never without TLS where that is configured.
                "UNKNOWN-UPS" | "FEATURE-NOT-CONFIGURED" | "FEATURE-NOT-SUPPORTED" => {
                    FaultKind::Misconfigured
                }
                _ => FaultKind::Failing,
            },
        };
        Self::new(kind, error.to_string())
    }
}

impl From<NutError> for DeedError {
    fn from(error: NutError) -> Self {
        let kind = match error.code() {
            Some("CMD-NOT-SUPPORTED" | "VAR-NOT-SUPPORTED" | "READONLY") => DeedFault::Unsupported,
            Some(_) => DeedFault::Refused,
            None => DeedFault::Failed,
        };
        Self::new(kind, error.to_string())
    }
}

pub(super) struct Client {
    link: BufReader<Link>,
    address: String,
    /// The file says that the password may go in the clear.
    risk_taken: bool,
}

impl Client {
    /// # Errors
    /// Where nobody listens there within `timeout`, or whoever does is not who it has to be.
    pub(super) fn connect(target: &Target, timeout: Duration) -> Result<Self, NutError> {
        let address = target.address.as_str();
        let failed = |source| NutError::Connect { address: address.to_owned(), source };
        let places: Vec<SocketAddr> = address.to_socket_addrs().map_err(failed)?.take(4).collect();
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for place in &places {
            match TcpStream::connect_timeout(place, timeout) {
                Ok(stream) => return Self::over(stream, timeout).map_err(failed)?.begin(target),
                Err(error) => last = error,
            }
        }
        Err(failed(last))
    }

    fn over(stream: TcpStream, timeout: Duration) -> io::Result<Self> {
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        stream.set_nodelay(true)?;
        let link = BufReader::new(Link::Plain(stream));
        Ok(Self { link, address: String::new(), risk_taken: false })
    }

    /// Goes over to TLS where that is configured.
    fn begin(mut self, target: &Target) -> Result<Self, NutError> {
        self.address.clone_from(&target.address);
        self.risk_taken = target.risk_taken;
        let Some(config) = &target.tls else {
            return Ok(self);
        };
        self.order("STARTTLS", "STARTTLS")?;
        let failed = |source| NutError::Tls { address: target.address.clone(), source };
        // What came behind the answer was said before anybody had proved anything.
        if !self.link.buffer().is_empty() {
            return Err(failed(io::Error::other("it says more before the handshake")));
        }
        let Self { link, address, risk_taken } = self;
        let Link::Plain(stream) = link.into_inner() else {
            return Err(failed(io::Error::other("it is secured already")));
        };
        let link = Link::secure(stream, Arc::clone(config), &target.address).map_err(failed)?;
        Ok(Self { link: BufReader::new(link), address, risk_taken })
    }

    /// # Errors
    /// Where a secret could be read along on the way.
    pub(super) fn keeps_secrets(&self) -> Result<(), NutError> {
        if self.risk_taken || self.link.get_ref().is_private() {
            return Ok(());
        }
        Err(NutError::Clear { address: self.address.clone() })
    }

    /// # Errors
    /// Where upsd does not take them, or they would go in the clear.
    pub(super) fn log_in(&mut self, login: &Login) -> Result<(), NutError> {
        self.keeps_secrets()?;
        self.order("USERNAME", &format!("USERNAME {}", words::quote(&login.user)))?;
        self.order("PASSWORD", &format!("PASSWORD {}", words::quote(login.secret.expose())))?;
        Ok(())
    }

    /// Asks something that is answered by `OK …`; `named` stands for it in errors.
    ///
    /// # Errors
    /// Where it is refused or answered by something else.
    pub(super) fn order(&mut self, named: &str, line: &str) -> Result<Vec<String>, NutError> {
        let answer = self.exchange(named, line)?;
        match answer.first().map(String::as_str) {
            Some("OK") => Ok(answer),
            _ => Err(nonsense(named, &answer)),
        }
    }

    /// Asks one line and gives back the words of one line.
    ///
    /// # Errors
    /// Where it is refused or not answered.
    pub(super) fn exchange(&mut self, named: &str, line: &str) -> Result<Vec<String>, NutError> {
        let failed = |source| NutError::Exchange { asked: named.to_owned(), source };
        let link = self.link.get_mut();
        link.write_all(format!("{line}\n").as_bytes()).map_err(failed)?;
        link.flush().map_err(failed)?;
        self.line(named)
    }

    /// `LIST <what>`: the words after the first two of each line.
    ///
    /// # Errors
    /// Where it is refused, or the list never ends.
    pub(super) fn list(&mut self, what: &str) -> Result<Vec<Vec<String>>, NutError> {
        let asked = format!("LIST {what}");
        let first = self.exchange(&asked, &asked)?;
        if first.first().map(String::as_str) != Some("BEGIN") {
            return Err(nonsense(&asked, &first));
        }
        let mut entries = Vec::new();
        loop {
            let line = self.line(&asked)?;
            match line.first().map(String::as_str) {
                Some("END") => return Ok(entries),
                Some(_) if entries.len() < MAX_LINES => entries.push(line),
                Some(_) | None => return Err(nonsense(&asked, &line)),
            }
        }
    }

    fn line(&mut self, asked: &str) -> Result<Vec<String>, NutError> {
        let failed = |source| NutError::Exchange { asked: asked.to_owned(), source };
        let mut bytes = Vec::new();
        let mut bounded = (&mut self.link).take(MAX_LINE_BYTES);
        bounded.read_until(b'\n', &mut bytes).map_err(failed)?;
        if bytes.last() != Some(&b'\n') {
            let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "the answer is cut off");
            return Err(failed(cut));
        }
        let line = words::split(&String::from_utf8_lossy(&bytes));
        match line.first().map(String::as_str) {
            Some("ERR") => {
                let code = line.get(1).cloned().unwrap_or_default();
                Err(NutError::Refused { asked: asked.to_owned(), code })
            }
            _ => Ok(line),
        }
    }
}

fn nonsense(asked: &str, answer: &[String]) -> NutError {
    let answer = flyball_driver_messages::bounded(&answer.join(" "));
    NutError::Nonsense { asked: asked.to_owned(), answer }
}
