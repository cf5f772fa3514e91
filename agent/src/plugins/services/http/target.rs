//! Where a request goes: scheme, host, port and path, and nothing else of an address.

use hyper::Uri;

const MAX_BYTES: usize = 8 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) tls: bool,
    /// In lower case, without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// With the query.
    pub(super) path: Uri,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("it is longer than {MAX_BYTES} bytes")]
    Length,
    #[error("it is no address of http or https")]
    Scheme,
    #[error("it holds a login; that goes into a header")]
    Login,
    #[error("it names no host and path")]
    Parts,
}

impl Target {
    pub(super) fn parse(text: &str) -> Result<Self, TargetError> {
        if text.len() > MAX_BYTES {
            return Err(TargetError::Length);
        }
        let text = text.split('#').next().unwrap_or_default();
        let uri: Uri = text.parse().map_err(|_| TargetError::Parts)?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(TargetError::Scheme),
        };
        let authority = uri.authority().ok_or(TargetError::Parts)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::Login);
        }
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
        // A dot at the end would make another name of the same host.
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if host.is_empty() {
            return Err(TargetError::Parts);
        }
        // What stands behind the host is a port, or nothing at all.
        let behind = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        let port = match authority.port() {
            Some(port) => Some(port.as_u16()).filter(|port| *port > 0).ok_or(TargetError::Parts)?,
            None if !behind.is_empty() => return Err(TargetError::Parts),
            None if tls => 443,
            None => 80,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = path.parse().map_err(|_| TargetError::Parts)?;
        Ok(Self { tls, host, port, path })
    }

    /// What stands in the header `Host`.
    pub(super) fn authority(&self) -> String {
        let Self { tls, host, port, .. } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        match (tls, port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// Where a `Location` leads from here (RFC 3986, section 5, without the steps up).
    pub(super) fn join(&self, place: &str) -> Result<Self, TargetError> {
        let scheme = if self.tls { "https" } else { "http" };
        if place.contains("://") {
            Self::parse(place)
        } else if let Some(rest) = place.strip_prefix("//") {
            Self::parse(&format!("{scheme}://{rest}"))
        } else if place.starts_with('/') {
            Self::parse(&format!("{scheme}://{}{place}", self.authority()))
        } else {
            let path = self.path.path();
            let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
            Self::parse(&format!("{scheme}://{}{folder}{place}", self.authority()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_put_together() {
        let target = Target::parse("http://Metrics.Example.:9100/m?x=1#part").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("metrics.example", 9100));
        assert_eq!(target.path.to_string(), "/m?x=1");
        assert_eq!(target.authority(), "metrics.example:9100");
        assert_eq!(Target::parse("https://[::1]").unwrap().authority(), "[::1]");
    }

    #[test]
    fn what_is_no_address_of_the_web_is_refused() {
        for (text, error) in [
            ("/metrics", TargetError::Scheme),
            ("ftp://h/", TargetError::Scheme),
            ("http://me:word@h/", TargetError::Login),
            ("http://h:0/", TargetError::Parts),
            ("http://h:99999/", TargetError::Parts),
            ("http:///x", TargetError::Parts),
            ("http://h/a b", TargetError::Parts),
        ] {
            assert_eq!(Target::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_redirect_leads_to_another_host_a_path_or_a_neighbour() {
        let from = Target::parse("https://h:8443/a/b?x=1").unwrap();
        for (place, to) in [
            ("http://other/c", "http://other/c"),
            ("//other/c", "https://other/c"),
            ("/c?y", "https://h:8443/c?y"),
            ("c", "https://h:8443/a/c"),
        ] {
            assert_eq!(from.join(place), Target::parse(to), "{place}");
        }
    }
}
