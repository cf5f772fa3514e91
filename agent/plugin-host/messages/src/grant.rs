//! What an operator lets a plugin reach, as a word: `http:host`, `http:host:port`, `http:*`,
//! `mqtt:host:port`.

use core::str::FromStr;

/// As DNS bounds a name.
const MAX_HOST_BYTES: usize = 253;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Every port where none is named.
    Http {
        host: GrantedHost,
        port: Option<u16>,
    },
    Mqtt {
        host: String,
        port: u16,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantedHost {
    /// Any that is public.
    Any,
    /// That very host, wherever it is; in lower case, without the brackets of IPv6.
    Named(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no grant: write http:host, http:host:port, http:* or mqtt:host:port")]
pub struct GrantError(String);

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(word: &str) -> Result<Self, GrantError> {
        parse(word).ok_or_else(|| GrantError(word.chars().take(MAX_HOST_BYTES).collect()))
    }
}

fn parse(word: &str) -> Option<Grant> {
    let (service, place) = word.split_once(':')?;
    let place = place.to_ascii_lowercase();
    let (host, port) = match place.strip_prefix('[') {
        Some(inside) => {
            let (host, rest) = inside.split_once(']')?;
            let port = rest.strip_prefix(':');
            if port.is_none() && !rest.is_empty() {
                return None;
            }
            (host, port)
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place.as_str(), None),
        },
    };
    let port: Option<u16> = match port {
        None => None,
        Some(port) => Some(port.parse().ok().filter(|port| *port > 0)?),
    };
    match (service, host, port) {
        ("http", "*", port) => Some(Grant::Http { host: GrantedHost::Any, port }),
        _ if !is_host(host) => None,
        ("http", host, port) => {
            Some(Grant::Http { host: GrantedHost::Named(host.to_owned()), port })
        }
        ("mqtt", host, Some(port)) => Some(Grant::Mqtt { host: host.to_owned(), port }),
        _ => None,
    }
}

/// A name or an address: no address of a page, no pattern.
fn is_host(host: &str) -> bool {
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':');
    (1..=MAX_HOST_BYTES).contains(&host.len()) && host.bytes().all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_a_host_in_lower_case_with_or_without_a_port() {
        let http =
            |host: &str, port| Ok(Grant::Http { host: GrantedHost::Named(host.to_owned()), port });
        assert_eq!("http:Metrics.Example".parse(), http("metrics.example", None));
        assert_eq!("http:10.0.0.9:8080".parse(), http("10.0.0.9", Some(8080)));
        assert_eq!("http:[::1]:80".parse(), http("::1", Some(80)));
        let any = |port| Ok(Grant::Http { host: GrantedHost::Any, port });
        assert_eq!("http:*".parse(), any(None));
        assert_eq!("http:*:443".parse(), any(Some(443)));
        assert_eq!("mqtt:b:1883".parse(), Ok(Grant::Mqtt { host: "b".into(), port: 1883 }));
    }

    #[test]
    fn words_that_are_no_grant_are_named() {
        for word in [
            "",
            "http",
            "http:",
            "http:h:0",
            "http:h:x",
            "http:h:65536",
            "http:*.example.org",
            "http://example.org/",
            "http:a b",
            "mqtt:h",
            "mqtt:*:1883",
            "file:/etc",
            "http:[::1",
            "http:[::1]x",
        ] {
            let error = word.parse::<Grant>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`{word}` is no grant: write http:host")),
                "{error}"
            );
        }
    }
}
