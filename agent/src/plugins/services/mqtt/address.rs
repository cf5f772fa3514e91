//! A broker's address as a plugin gives it: `mqtt://host:port` or `mqtts://host:port`, with a
//! login before the host where it has one.

use std::fmt;

const MAX_BYTES: usize = 8 * 1024;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct BrokerAddress {
    pub(super) tls: bool,
    /// In lower case, without the brackets of IPv6.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(super) login: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("a broker is mqtt://host:port or mqtts://host:port")]
    Scheme,
    #[error("the broker's address names no host")]
    Host,
    #[error("the broker's port is none of 1 to 65535")]
    Port,
    #[error("the broker's login is not escaped with %")]
    Login,
}

impl BrokerAddress {
    /// # Errors
    /// The first thing that is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let tls = match scheme {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(AddressError::Scheme),
        };
        if text.len() > MAX_BYTES {
            return Err(AddressError::Host);
        }
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(parse_login(login).ok_or(AddressError::Login)?), place),
            None => (None, rest),
        };
        let (host, port) = place.rsplit_once(':').ok_or(AddressError::Port)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or(AddressError::Port)?;
        let host = match host.strip_prefix('[').map(|inside| inside.strip_suffix(']')) {
            Some(inside) => {
                inside.filter(|inside| inside.contains(':')).ok_or(AddressError::Host)?
            }
            None => host,
        };
        let wrong =
            |char: char| char.is_whitespace() || char.is_control() || "/?#[]@".contains(char);
        if host.is_empty() || host.contains(wrong) {
            return Err(AddressError::Host);
        }
        Ok(Self { tls, host: host.to_ascii_lowercase(), port, login })
    }
}

/// Without the login.
impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

impl fmt::Debug for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerAddress({self})")
    }
}

fn parse_login(text: &str) -> Option<(String, String)> {
    let (name, password) = text.split_once(':').unwrap_or((text, ""));
    Some((unescape(name)?, unescape(password)?))
}

/// RFC 3986, section 2.1.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_host_and_port_and_shows_no_login() {
        let shown = |text| BrokerAddress::parse(text).map(|address| address.to_string());
        assert_eq!(shown("mqtt://Broker.Example:1883"), Ok("mqtt://broker.example:1883".into()));
        assert_eq!(shown("mqtts://[::1]:8883"), Ok("mqtts://[::1]:8883".into()));
        let secret = BrokerAddress::parse("mqtt://me:p%40ss%3Aw%2Frd@h:1").unwrap();
        assert_eq!(secret.login, Some(("me".into(), "p@ss:w/rd".into())));
        assert_eq!(format!("{secret:?} {secret}"), "BrokerAddress(mqtt://h:1) mqtt://h:1");
    }

    #[test]
    fn what_is_no_broker_is_refused_by_its_part() {
        for (text, error) in [
            ("h:1883", AddressError::Scheme),
            ("http://h:1883", AddressError::Scheme),
            ("mqtt://h", AddressError::Port),
            ("mqtt://h:0", AddressError::Port),
            ("mqtt://h:65536", AddressError::Port),
            ("mqtt://:1883", AddressError::Host),
            ("mqtt://[h]:1883", AddressError::Host),
            ("mqtt://h/x:1883", AddressError::Host),
            ("mqtt://m%e@h:1883", AddressError::Login),
            ("mqtt://m%ff@h:1883", AddressError::Login),
        ] {
            assert_eq!(BrokerAddress::parse(text), Err(error), "{text}");
        }
    }
}
