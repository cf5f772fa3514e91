//! An aggregator's address as an operator writes it: `host:port`, `1.2.3.4:port`, `[::1]:port`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// More addresses of one name than this are not tried.
const MAX_RESOLVED: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerAddress {
    host: String,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerAddressError {
    #[error("`{0}` has no port; write HOST:PORT, for example aggregator.example.org:8767")]
    NoPort(String),
    #[error("`{0}` names no port from 1 to 65535 after its colon")]
    Port(String),
    #[error("`{0}` names no host before its colon")]
    NoHost(String),
    #[error("`{0}` has colons in its host; write an IPv6 address as [::1]:8767")]
    Colons(String),
}

impl ServerAddress {
    /// Host and port, for a client that resolves by itself.
    pub(crate) fn parts(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// The socket addresses behind the name, at most eight.
    ///
    /// # Errors
    /// Where the name does not resolve.
    pub(crate) async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, self.port)]);
        }
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
        Ok(found.take(MAX_RESOLVED).collect())
    }
}

impl FromStr for ServerAddress {
    type Err = ServerAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(ServerAddressError::NoPort(text.to_owned()));
        };
        let port = match port.parse::<u16>() {
            Ok(port) if port != 0 => port,
            Ok(_) | Err(_) => return Err(ServerAddressError::Port(text.to_owned())),
        };
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match (bare, host) {
            (Some(""), _) | (None, "") => Err(ServerAddressError::NoHost(text.to_owned())),
            (Some(inside), _) => Ok(Self { host: inside.to_owned(), port }),
            (None, host) if host.contains(':') => Err(ServerAddressError::Colons(text.to_owned())),
            (None, host) => Ok(Self { host: host.to_owned(), port }),
        }
    }
}

impl TryFrom<String> for ServerAddress {
    type Error = ServerAddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ServerAddress> for String {
    fn from(address: ServerAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_being_read_and_written() {
        for text in ["127.0.0.1:8767", "[::1]:1", "aggregator.example.org:65535"] {
            assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        let fault = |text: &str| text.parse::<ServerAddress>().unwrap_err();
        assert!(matches!(fault("aggregator"), ServerAddressError::NoPort(_)));
        assert!(matches!(fault("aggregator:0"), ServerAddressError::Port(_)));
        assert!(matches!(fault("aggregator:x"), ServerAddressError::Port(_)));
        assert!(matches!(fault(":8767"), ServerAddressError::NoHost(_)));
        assert!(matches!(fault("[]:8767"), ServerAddressError::NoHost(_)));
        assert!(matches!(fault("::1:8767"), ServerAddressError::Colons(_)));
    }
}
