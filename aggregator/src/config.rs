//! The configuration: defaults, then `STATE/aggregator.toml`, then the environment, then flags.
//! Parsed once; unknown keys of the file are refused.

mod auth;
mod limits;
mod listener;
mod log;
pub(crate) mod oidc;
mod outside;
mod safety;

use crate::accounts::registration::RegistrationMode;
use crate::history::HistorySettings;
use crate::logs::LogSettings;
use crate::store::Database;
pub use auth::{Auth, Network, Place, Registration};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
pub use limits::{Cors, Limits, Proxies};
pub use listener::{Ipc, IpcPeer, Listener, Tls};
pub use log::{Log, LogFormat, Rotate};
pub use oidc::OidcProvider;
pub use outside::{
    ContentSettings, Export, ExportKind, ExportUrl, MediaSettings, PluginSettings, Smtp, Webhooks,
};
pub use safety::{Rack, Safety};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The file in the state folder.
const FILE: &str = "aggregator.toml";
/// `FLYBALL_API`, `FLYBALL_IMPORTS__FOLDER` …: the environment's prefix and its only keys.
const PREFIX: &str = "FLYBALL_";
const ENVIRONMENT: [&str; 17] = [
    "api",
    "ingest",
    "database",
    "console_dir",
    "auth__basic",
    "auth__hashing",
    "registration__mode",
    "imports__folder",
    "flat__anonymous_role",
    "public_url",
    "history__store",
    "history__endpoint",
    "history__region",
    "smtp__url",
    "smtp__from",
    "smtp__user",
    "smtp__password_file",
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder that everything durable lies in.
    #[serde(skip)]
    pub state: PathBuf,
    /// Where the API and the console listen.
    pub api: SocketAddr,
    /// Where agents connect, over UDP.
    pub ingest: SocketAddr,
    /// `postgres://…`, or a file; `STATE/aggregator.db` where absent.
    #[serde(skip_serializing)]
    pub database: Option<DatabaseText>,
    /// A built console that is served instead of the embedded one.
    pub console_dir: Option<PathBuf>,
    /// The address that people use, where it is not the listener's.
    pub public_url: Option<String>,
    pub auth: Auth,
    pub registration: Registration,
    pub imports: Imports,
    pub ipc: Ipc,
    pub flat: Flat,
    pub cors: Cors,
    pub limits: Limits,
    pub proxies: Proxies,
    pub tls: Tls,
    pub listener: Listener,
    pub log: Log,
    pub safety: Safety,
    pub history: HistorySettings,
    pub smtp: Smtp,
    pub webhooks: Webhooks,
    pub content: ContentSettings,
    pub media: MediaSettings,
    pub plugins: PluginSettings,
    pub logs: LogSettings,
    /// Where samples are sent on to.
    #[serde(default)]
    pub export: Vec<Export>,
    /// With whom people may sign in.
    #[serde(default)]
    pub oidc: Vec<OidcProvider>,
}

/// The database's address as it was given; nobody sees it whole.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatabaseText(String);

impl From<&str> for DatabaseText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for DatabaseText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Database::parse(&self.0, Path::new("")))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imports {
    /// What the import sources offer; `STATE/imports` where absent.
    pub folder: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flat {
    /// The role of requests without a token on loopback listeners; nobody's where absent.
    pub anonymous_role: Option<String>,
}

/// What the command line says; only what is given overrides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flags {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingest: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseText>,
}

#[derive(Debug, thiserror::Error)]
#[error("the configuration is faulty")]
pub struct ConfigError(#[from] Box<figment::Error>);

impl Config {
    /// # Errors
    /// Where a value has the wrong type or a key of the file is unknown; the source names it.
    pub fn load(state: &Path, flags: &Flags) -> Result<Self, ConfigError> {
        let config: Self = Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file(state.join(FILE)))
            .merge(Env::prefixed(PREFIX).only(&ENVIRONMENT).split("__"))
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(Box::new)?;
        if let Some(fault) = config.tls.fault() {
            return Err(Box::new(figment::Error::from(fault.to_owned())).into());
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = config.export.iter().find(|export| !names.insert(&export.name)) {
            let message = format!("two exports are called `{}`", twice.name);
            return Err(Box::new(figment::Error::from(message)).into());
        }
        if let Some(fault) = oidc::fault(&config) {
            return Err(Box::new(figment::Error::from(fault)).into());
        }
        Ok(Self { state: state.to_owned(), ..config })
    }

    /// Who may make an account for themselves.
    #[must_use]
    pub fn registration_mode(&self) -> RegistrationMode {
        let open = self.api.ip().is_loopback();
        let default = if open { RegistrationMode::Open } else { RegistrationMode::Invited };
        self.registration.mode.unwrap_or(default)
    }

    /// The address that people use, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> String {
        let own = || {
            let tls = self.tls.cert.is_some() || self.tls.internal;
            format!("{}://{}", if tls { "https" } else { "http" }, self.api)
        };
        self.public_url.as_ref().map_or_else(own, |url| url.trim_end_matches('/').to_owned())
    }

    /// Where the database is.
    #[must_use]
    pub fn database(&self) -> Database {
        Database::parse(self.database.as_ref().map_or("aggregator.db", |text| &text.0), &self.state)
    }

    /// The file of the API's socket, where there is to be one.
    #[must_use]
    pub fn ipc_socket(&self) -> Option<PathBuf> {
        self.ipc.path.as_ref().map(|path| self.state.join(path))
    }

    /// The folder of the import sources.
    #[must_use]
    pub fn imports_folder(&self) -> PathBuf {
        self.imports.folder.clone().unwrap_or_else(|| self.state.join("imports"))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state: PathBuf::new(),
            api: (Ipv4Addr::LOCALHOST, 8766).into(),
            ingest: (Ipv4Addr::LOCALHOST, 8767).into(),
            database: None,
            console_dir: None,
            public_url: None,
            auth: Auth::default(),
            registration: Registration::default(),
            imports: Imports::default(),
            ipc: Ipc::default(),
            flat: Flat::default(),
            cors: Cors::default(),
            limits: Limits::default(),
            proxies: Proxies::default(),
            tls: Tls::default(),
            listener: Listener::default(),
            log: Log::default(),
            safety: Safety::default(),
            export: Vec::new(),
            oidc: Vec::new(),
            history: HistorySettings::default(),
            smtp: Smtp::default(),
            webhooks: Webhooks::default(),
            content: ContentSettings::default(),
            media: MediaSettings::default(),
            plugins: PluginSettings::default(),
            logs: LogSettings::default(),
        }
    }
}
