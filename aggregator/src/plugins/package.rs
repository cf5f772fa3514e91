//! A component that somebody has installed, as far as it is known, and where it shall run.

use super::schema::{self, SchemaError};
use crate::tenancy::Machines;
use flyball_protocol::message::{Component, PluginKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub const MAX_PACKAGES: usize = 500;
const MAX_GRANTS: usize = 32;
const MAX_GRANT: usize = 300;
/// Ids that are words of the API.
const RESERVED: [&str; 4] = ["packages", "publishers", "first-run", "initialize"];

/// How far it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageState {
    /// No machine has said what it is: none with a sandbox has been connected since.
    Waiting,
    Described,
    /// The reason that a machine gave.
    Rejected(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// SHA-256 of the component, hexadecimal.
    pub hash: String,
    pub size: u64,
    pub state: PackageState,
    pub manifest: Option<Manifest>,
    /// Whose signature it carries; nobody's where the configuration takes it so.
    pub publisher: Option<String>,
    pub installed_by: String,
    pub installed_at_ms: u64,
}

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub id: String,
    pub name: String,
    pub version: String,
    pub author: String,
    pub licence: String,
    pub description: String,
    pub kind: Kind,
    pub handles: Vec<String>,
    /// What it would reach: `http:host:443`, `mqtt:host:1883`, a `*` in the host's place for what the
    /// operator names.
    pub wants: Vec<String>,
    pub settings_schema: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Renderer,
    Importer,
    Collector,
}

impl Kind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Renderer => "renderer",
            Self::Importer => "importer",
            Self::Collector => "collector",
        }
    }
}

/// Why a described component can't be used here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("its id `{0}` is a word of the API; choose another")]
    Reserved(String),
    #[error("what it wants can't be understood: {0}")]
    Want(#[from] GrantError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error("its settings' schema is no JSON: {0}")]
    SchemaText(String),
}

impl TryFrom<Component> for Manifest {
    type Error = ManifestError;

    fn try_from(component: Component) -> Result<Self, ManifestError> {
        let Component { id, name, version, author, licence, description, handles, .. } = component;
        if RESERVED.contains(&id.as_str()) {
            return Err(ManifestError::Reserved(id));
        }
        let of = |key: &'static str| {
            let named = component.attributes.iter().filter(move |(name, _)| name == key);
            named.map(|(_, value)| value.clone())
        };
        let wants: Vec<String> = of("wants").take(MAX_GRANTS).collect();
        for want in &wants {
            Grant::parse(want)?;
        }
        let settings_schema = of("settings-schema")
            .next()
            .map(|text| serde_json::from_str::<Value>(&text))
            .transpose()
            .map_err(|error| ManifestError::SchemaText(error.to_string()))?;
        if let Some(schema) = &settings_schema {
            schema::check(schema)?;
        }
        let kind = match component.kind {
            PluginKind::Renderer => Kind::Renderer,
            PluginKind::Importer => Kind::Importer,
            PluginKind::Collector => Kind::Collector,
        };
        Ok(Self {
            id,
            name,
            version,
            author,
            licence,
            description,
            kind,
            handles,
            wants,
            settings_schema,
        })
    }
}

/// One thing that a plugin may reach, or wants to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Mqtt,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not `http:host`, `http:host:port` or `mqtt:host:port`")]
pub struct GrantError(String);

impl Grant {
    /// # Errors
    /// Where `text` is none.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        let fault = || GrantError(text.chars().take(MAX_GRANT).collect());
        let (scheme, rest) = text.split_once(':').ok_or_else(fault)?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "mqtt" => Scheme::Mqtt,
            _ => return Err(fault()),
        };
        // An address of IPv6 stands in brackets, as in a URL.
        let end = rest.find(']').map_or(0, |end| end + 1);
        let (host, port) = match rest[end..].rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(fault)?;
                (&rest[..end + host.len()], Some(port))
            }
            None => (rest, None),
        };
        let letter = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        let named = host == "*" || (!host.is_empty() && host.chars().all(letter));
        let bare = !host.contains(':') || host.starts_with('[');
        if text.len() > MAX_GRANT
            || !named
            || !bare
            || (scheme == Scheme::Mqtt && port.is_none() && host != "*")
        {
            return Err(fault());
        }
        Ok(Self { scheme, host: host.to_ascii_lowercase(), port })
    }

    /// Is this what `want` asks for, or a part of it?
    fn is_within(&self, want: &Self) -> bool {
        let host = want.host == "*" || want.host == self.host;
        let port = want.port.is_none() || want.port == self.port;
        self.scheme == want.scheme && host && port
    }
}

/// Why grants can't be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantsError {
    #[error(transparent)]
    Word(#[from] GrantError),
    #[error("`{0}` names no host: grant the hosts that it may reach one by one")]
    Any(String),
    #[error("`{0}` is not among what it wants")]
    Unwanted(String),
    #[error("at most {MAX_GRANTS} can be given")]
    TooMany,
}

impl Manifest {
    /// # Errors
    /// Where something is granted that it does not want.
    pub fn check_grants(&self, grants: &[String]) -> Result<(), GrantsError> {
        if grants.len() > MAX_GRANTS {
            return Err(GrantsError::TooMany);
        }
        let wants: Vec<Grant> = self.wants.iter().filter_map(|w| Grant::parse(w).ok()).collect();
        for text in grants {
            let grant = Grant::parse(text)?;
            if grant.host == "*" {
                return Err(GrantsError::Any(text.clone()));
            }
            if !wants.iter().any(|want| grant.is_within(want)) {
                return Err(GrantsError::Unwanted(text.clone()));
            }
        }
        Ok(())
    }

    /// What it wants and nobody has granted any part of.
    #[must_use]
    pub fn ungranted(&self, grants: &[String]) -> Vec<String> {
        let given: Vec<Grant> = grants.iter().filter_map(|text| Grant::parse(text).ok()).collect();
        let open = |want: &&String| {
            Grant::parse(want).is_ok_and(|want| !given.iter().any(|grant| grant.is_within(&want)))
        };
        self.wants.iter().filter(open).cloned().collect()
    }
}

/// Which version of a plugin runs where, and what it may reach there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    pub plugin: String,
    pub hash: String,
    /// What `rollback` goes back to.
    pub previous: Option<Earlier>,
    pub grants: Vec<String>,
    pub target: Machines,
    pub revision: u64,
    pub updated_by: String,
    pub updated_at_ms: u64,
}

/// A version that ran before, with what it was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    pub hash: String,
    pub grants: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanting(wants: &[&str]) -> Manifest {
        Manifest {
            id: "x".into(),
            name: String::new(),
            version: "1".into(),
            author: String::new(),
            licence: String::new(),
            description: String::new(),
            kind: Kind::Importer,
            handles: Vec::new(),
            wants: wants.iter().map(|want| (*want).to_owned()).collect(),
            settings_schema: None,
        }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn grants_are_hosts_with_ports() {
        for good in [
            "http:example.org",
            "http:example.org:8080",
            "mqtt:10.0.0.1:1883",
            "http:*",
            "mqtt:*",
            "http:[::1]:80",
            "http:[::1]",
        ] {
            assert!(Grant::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "http",
            "http:",
            "ftp:x",
            "http:a b",
            "http:x:0",
            "http:x:99999",
            "mqtt:x",
            "http:x/path",
            "http:::1",
            "http:*.org",
        ] {
            assert!(Grant::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_what_is_wanted_can_be_granted_and_never_everything() {
        let manifest = wanting(&["http:example.org", "mqtt:*"]);
        assert_eq!(manifest.check_grants(&words(&["http:example.org:80", "mqtt:b:1883"])), Ok(()));
        let other = manifest.check_grants(&words(&["http:example.com"]));
        assert_eq!(other, Err(GrantsError::Unwanted("http:example.com".into())));
        let any = manifest.check_grants(&words(&["mqtt:*"]));
        assert_eq!(any, Err(GrantsError::Any("mqtt:*".into())));
        assert_eq!(manifest.ungranted(&words(&["mqtt:b:1883"])), ["http:example.org"]);
        assert!(manifest.ungranted(&words(&["HTTP:x", "http:Example.org", "mqtt:b:1"])).is_empty());
    }

    #[test]
    fn a_component_may_not_take_a_word_of_the_api_as_its_id() {
        let component = |id: &str, attributes| Component {
            hash: String::new(),
            id: id.into(),
            name: String::new(),
            version: String::new(),
            author: String::new(),
            licence: String::new(),
            description: String::new(),
            kind: PluginKind::Renderer,
            handles: Vec::new(),
            attributes,
        };
        let refused = Manifest::try_from(component("publishers", Vec::new()));
        assert_eq!(refused, Err(ManifestError::Reserved("publishers".into())));
        let schema = ("settings-schema".to_owned(), "[]".to_owned());
        let refused = Manifest::try_from(component("x", vec![schema]));
        assert!(matches!(refused, Err(ManifestError::Schema(_))));
        let want = ("wants".to_owned(), "everything".to_owned());
        assert!(matches!(
            Manifest::try_from(component("x", vec![want])),
            Err(ManifestError::Want(_))
        ));
    }
}
