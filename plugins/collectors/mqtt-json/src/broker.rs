//! The broker as an operator wrote it, and the address that the agent is given.

const MAX_BYTES: usize = 512;

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Broker {
    tls: bool,
    host: String,
    port: u16,
    login: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrokerFault {
    Scheme,
    Host,
    Port,
    Login,
}

impl core::fmt::Display for BrokerFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Scheme => "a broker is mqtt://host:port, or mqtts://host:port with TLS",
            Self::Host => "the broker's address names no host",
            Self::Port => "the broker's port is none of 1 to 65535",
            Self::Login => "a login goes into `username` and `password`, not into the address",
        })
    }
}

impl Broker {
    /// Without a port, 1883, or 8883 with TLS.
    pub(crate) fn parse(text: &str) -> Result<Self, BrokerFault> {
        let (scheme, rest) = text.split_once("://").ok_or(BrokerFault::Scheme)?;
        let tls = match scheme {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(BrokerFault::Scheme),
        };
        let place = rest.strip_suffix('/').unwrap_or(rest);
        if place.contains('@') {
            return Err(BrokerFault::Login);
        }
        let wrong = |char: char| char.is_whitespace() || char.is_control() || "/?#".contains(char);
        if place.is_empty() || place.len() > MAX_BYTES || place.contains(wrong) {
            return Err(BrokerFault::Host);
        }
        let (host, port) = split(place)?;
        let port = match port {
            None => {
                if tls {
                    8883
                } else {
                    1883
                }
            }
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(BrokerFault::Port)?,
        };
        Ok(Self { tls, host: host.to_owned(), port, login: None })
    }

    pub(crate) fn with_login(self, login: Option<(String, String)>) -> Self {
        Self { login, ..self }
    }

    /// What the agent takes: the login is part of it, with its special characters escaped.
    pub(crate) fn address(&self) -> String {
        let login =
            self.login.as_ref().map(|(name, word)| format!("{}:{}@", escape(name), escape(word)));
        format!("{}://{}{}:{}", self.scheme(), login.unwrap_or_default(), self.host, self.port)
    }

    /// Without the login.
    pub(crate) fn shown(&self) -> String {
        format!("{}://{}:{}", self.scheme(), self.host, self.port)
    }

    const fn scheme(&self) -> &'static str {
        if self.tls { "mqtts" } else { "mqtt" }
    }
}

impl core::fmt::Debug for Broker {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Broker({})", self.shown())
    }
}

/// Host and port; an address of IPv6 stands in brackets.
fn split(place: &str) -> Result<(&str, Option<&str>), BrokerFault> {
    if place.starts_with('[') {
        let end = place.find(']').ok_or(BrokerFault::Host)?;
        let (host, rest) = place.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(BrokerFault::Host),
        };
    }
    match place.split_once(':') {
        Some(("", _)) => Err(BrokerFault::Host),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((place, None)),
    }
}

/// RFC 3986, section 2.1.
fn escape(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
