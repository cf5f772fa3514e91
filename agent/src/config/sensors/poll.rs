//! A sensor that is asked: its address on the network, and how often.

use super::tls::TlsTable;
use super::{Faults, Secret, ServerAddress, Tls};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

const DEFAULT_EVERY_S: u32 = 10;
const LONGEST_EVERY_S: u32 = 3600;
const MAX_URL_BYTES: usize = 1024;

#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) url: Url,
    pub(crate) every: Duration,
    /// Sent as a bearer's.
    pub(crate) token: Option<Secret>,
    /// There for every `https` URL.
    pub(crate) tls: Option<Tls>,
}

/// `http://host[:port]/path?query`, or `https`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) address: ServerAddress,
    /// With its query; begins with a slash.
    pub(crate) path: String,
    pub(crate) secure: bool,
    /// Host and port as they were written, for the request's `Host`.
    pub(crate) authority: String,
}

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        let (secure, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            (None, None) => return Err("write http://HOST[:PORT]/PATH, or https".into()),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if authority.contains('@') {
            return Err("no login stands in a URL; give a token_file".into());
        }
        if text.len() > MAX_URL_BYTES || !text.bytes().all(plain) {
            return Err(format!(
                "a URL has at most {MAX_URL_BYTES} bytes, and no spaces, `#` or others than ASCII"
            ));
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
        let full = match (has_port, secure) {
            (true, _) => authority.to_owned(),
            (false, true) => format!("{authority}:443"),
            (false, false) => format!("{authority}:80"),
        };
        let address = full.parse::<ServerAddress>().map_err(|error| error.to_string())?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { address, path, secure, authority: authority.to_owned() })
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        // A query may carry a key.
        let (path, query) = match self.path.split_once('?') {
            Some((path, _)) => (path, "?.."),
            None => (self.path.as_str(), ""),
        };
        write!(f, "{scheme}://{}{path}{query}", self.authority)
    }
}

/// What says how a sensor is asked.
pub(super) struct Asked {
    pub(super) url: Option<String>,
    pub(super) every_s: Option<u32>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) tls: Option<TlsTable>,
}

impl Asked {
    pub(super) fn check(self, key: &str, faults: &mut Faults) -> Option<Poll> {
        let table = format!("sensor `{key}`");
        let token = self.token_file.as_deref().and_then(|path| faults.secret(&table, path));
        let given = self.tls.is_some();
        let tls = self.tls.and_then(|tls| tls.check(&table, faults));
        match self.url {
            Some(url) => {
                let poll = Poll::check(key, &url, self.every_s, faults)?;
                match (poll.url.secure, given) {
                    (true, false) => faults.say(format!(
                        "sensor `{key}`: https needs a tls.ca_file: who signed the sensor's \
                         certificate"
                    )),
                    (false, true) => faults
                        .say(format!("sensor `{key}`: tls is given, and the URL is not https")),
                    (true, true) | (false, false) => {}
                }
                Some(Poll { token, tls, ..poll })
            }
            None if self.every_s.is_some() || self.token_file.is_some() || given => {
                faults.say(format!("sensor `{key}`: every_s, token_file and tls need a url"));
                None
            }
            None => None,
        }
    }
}

impl Poll {
    fn check(key: &str, url: &str, every_s: Option<u32>, faults: &mut Faults) -> Option<Self> {
        let every_s = every_s.unwrap_or(DEFAULT_EVERY_S);
        if !(1..=LONGEST_EVERY_S).contains(&every_s) {
            faults.say(format!(
                "sensor `{key}`: every_s is {every_s}, and not 1 to {LONGEST_EVERY_S}"
            ));
        }
        match Url::parse(url) {
            Ok(url) => {
                let every = Duration::from_secs(every_s.into());
                Some(Self { url, every, token: None, tls: None })
            }
            Err(fault) => {
                faults.say(format!("sensor `{key}`: `{url}` can't be asked: {fault}"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_as_they_are_written() {
        for (text, address, path) in [
            ("http://10.0.0.7", "10.0.0.7:80", "/"),
            ("http://sensor.example:8080/r?x=1", "sensor.example:8080", "/r?x=1"),
            ("https://[::1]/r", "[::1]:443", "/r"),
            ("https://[::1]:8443?x", "[::1]:8443", "/?x"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.address.to_string().as_str(), url.path.as_str()), (address, path));
            assert_eq!(url.secure, text.starts_with("https"));
        }
        assert_eq!(Url::parse("http://a/b?key=s3cret").unwrap().to_string(), "http://a/b?..");
    }

    #[test]
    fn what_is_no_url_is_said() {
        for (text, word) in [
            ("10.0.0.7/r", "http://HOST"),
            ("ftp://a/", "http://HOST"),
            ("http://u:p@a/", "token_file"),
            ("http://a/x y", "no spaces"),
            ("http://a/#x", "no spaces"),
            ("http:///x", "no host"),
            ("http://a:0/", "no port"),
            ("http://::1/", "colons"),
        ] {
            let fault = Url::parse(text).unwrap_err();
            assert!(fault.contains(word), "{text}: {fault}");
        }
    }
}
