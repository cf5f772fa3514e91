//! What an operator lets a plugin reach.

use flyball_plugin_messages::{Grant, GrantedHost};

/// The grants of one plugin. A word that is none grants nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants(Vec<Grant>);

/// How far a host is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// That very host, wherever it is.
    Named,
    /// Only where it is public.
    Public,
}

impl Grants {
    pub(super) fn parse(words: &[String]) -> Self {
        let parse = |word: &String| {
            word.parse().inspect_err(|error| tracing::warn!("a plugin's grant: {error}")).ok()
        };
        Self(words.iter().filter_map(parse).collect())
    }

    /// How far `host`, in lower case, may be asked over HTTP.
    pub(super) fn http(&self, host: &str, port: u16) -> Option<Reach> {
        let reach = |grant: &Grant| match grant {
            Grant::Http { port: Some(granted), .. } if *granted != port => None,
            Grant::Http { host: GrantedHost::Named(named), .. } if named == host => {
                Some(Reach::Named)
            }
            Grant::Http { host: GrantedHost::Any, .. } => Some(Reach::Public),
            Grant::Http { .. } | Grant::Mqtt { .. } => None,
        };
        let mut found = self.0.iter().filter_map(reach);
        let first = found.next()?;
        Some(if found.any(|reach| reach == Reach::Named) { Reach::Named } else { first })
    }

    pub(super) fn mqtt(&self, host: &str, port: u16) -> bool {
        self.0.contains(&Grant::Mqtt { host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(words: &[&str]) -> Grants {
        Grants::parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_host_is_granted_with_its_port_or_with_any() {
        let grants = grants(&["http:Metrics.Example:9100", "http:10.0.0.9", "http:[::1]:80"]);
        assert_eq!(grants.http("metrics.example", 9100), Some(Reach::Named));
        assert_eq!(grants.http("metrics.example", 9101), None);
        assert_eq!(grants.http("10.0.0.9", 8080), Some(Reach::Named));
        assert_eq!(grants.http("::1", 80), Some(Reach::Named));
        assert_eq!(grants.http("other.example", 9100), None);
        assert!(!grants.mqtt("10.0.0.9", 1883));
    }

    #[test]
    fn a_star_grants_public_hosts_and_the_named_one_more() {
        let grants = grants(&["http:*:443", "http:10.0.0.9:443", "mqtt:*:1883", "mqtt:b:1883"]);
        assert_eq!(grants.http("example.org", 443), Some(Reach::Public));
        assert_eq!(grants.http("10.0.0.9", 443), Some(Reach::Named));
        assert_eq!(grants.http("example.org", 80), None);
        assert!(grants.mqtt("b", 1883));
        assert!(!grants.mqtt("c", 1883));
    }

    #[test]
    fn words_that_are_no_grant_grant_nothing() {
        assert_eq!(grants(&["", "http:", "mqtt:h", "file:/etc"]).0, []);
    }
}
