//! The configuration: defaults, then `STATE/aggregator.toml`, then the environment, then flags.
//! Parsed once; unknown keys of the file are refused.

use crate::accounts::password::Hashing;
use crate::accounts::registration::RegistrationMode;
use crate::history::HistorySettings;
use crate::logs::LogSettings;
use crate::rates::Rate;
use crate::store::Database;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use uuid::Uuid;

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
    pub logs: LogSettings,
    /// Where samples are sent on to.
    #[serde(default)]
    pub export: Vec<Export>,
}

/// One receiver of samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// Tells it from the others, and how far it has come from one run to the next.
    pub name: String,
    pub kind: ExportKind,
    pub url: ExportUrl,
    /// Sent with every request: an `authorization`, a tenant.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportKind {
    /// Prometheus' remote write, version 1.
    RemoteWrite,
    /// OpenTelemetry's metrics over HTTP, as protobuf.
    Otlp,
}

/// An address of HTTP or HTTPS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExportUrl(String);

impl ExportUrl {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ExportUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let uri: Option<ureq::http::Uri> = text.parse().ok();
        match uri
            .filter(|uri| uri.host().is_some())
            .and_then(|uri| uri.scheme_str().map(str::to_owned))
        {
            Some(scheme) if scheme == "http" || scheme == "https" => Ok(Self(text)),
            _ => Err(format!("`{text}` is no address of http or https")),
        }
    }
}

impl From<ExportUrl> for String {
    fn from(url: ExportUrl) -> Self {
        url.0
    }
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

/// What the aggregator itself refuses, and how dangerous commands are confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Safety {
    /// Somebody else than the one who asks has to confirm a dangerous command.
    pub second_person: bool,
    /// Energising commands within a minute, of a rack that says nothing else, and of a machine
    /// that stands in none.
    pub energising_per_minute: u32,
    /// Devices that feed or are the machine that this aggregator runs on, beside the machine that
    /// is recognised by its names.
    pub own_machines: Vec<Uuid>,
    pub racks: Vec<Rack>,
}

/// Machines that draw from one feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rack {
    pub name: String,
    pub devices: Vec<Uuid>,
    pub energising_per_minute: Option<u32>,
    /// What its feed takes; no start may bring it above.
    pub power_watts: Option<f64>,
    /// What its cooling carries away.
    pub cooling_watts: Option<f64>,
    /// What a device is reckoned with that is started, or of which nobody knows what it draws.
    #[serde(default = "start_watts")]
    pub start_watts: f64,
}

fn start_watts() -> f64 {
    500.0
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            second_person: false,
            energising_per_minute: 10,
            own_machines: Vec::new(),
            racks: Vec::new(),
        }
    }
}

/// How people sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Takes e-mail and password with every request (HTTP Basic); over TLS only.
    pub basic: bool,
    /// How new passwords are hashed.
    pub hashing: Hashing,
    /// Where networks are, for the list of one's sessions.
    pub places: Vec<Place>,
}

/// Where a network is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub network: Network,
    pub country: Option<String>,
    pub city: Option<String>,
}

/// Addresses that begin alike: `192.0.2.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    #[must_use]
    pub fn has(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.bits
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(address, bits)| {
            let address: IpAddr = address.parse().ok()?;
            let bits = bits.parse().ok()?;
            (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some(Self { address, bits })
        });
        parsed.ok_or_else(|| format!("`{text}` is no network like 192.0.2.0/24"))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        format!("{}/{}", network.address, network.bits)
    }
}

/// Who may make an account for themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Anybody where every listener is loopback, else who was invited, where absent.
    pub mode: Option<RegistrationMode>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imports {
    /// What the import sources offer; `STATE/imports` where absent.
    pub folder: Option<PathBuf>,
}

/// The API on a Unix socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ipc {
    /// The socket's file, below `STATE` where it is relative; there is none where absent.
    pub path: Option<PathBuf>,
    /// Who may connect besides root and the user that the aggregator runs as.
    pub allow: Vec<IpcPeer>,
}

/// A user of the host and the account whose rights it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IpcPeer {
    pub uid: u32,
    /// The account's e-mail address.
    pub user: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flat {
    /// The role of requests without a token on loopback listeners; nobody's where absent.
    pub anonymous_role: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins whose pages may call the API; none besides its own where empty.
    pub origins: Vec<String>,
}

/// How much one caller may ask: the requirement's table, to be raised or switched off where a load
/// or a contract test wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub enabled: bool,
    /// Do replicas on one database count together?
    pub shared: bool,
    pub login: Rate,
    pub register: Rate,
    pub refresh: Rate,
    pub authenticated: Rate,
    pub unauthenticated: Rate,
    /// Keys of repeated requests that are kept of one user at a time; one more is refused.
    pub idempotency_keys_per_user: u32,
    /// The same of all users; the oldest go then.
    pub idempotency_keys: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let rate = |requests, window_s, burst| Rate { requests, window_s, burst };
        Self {
            enabled: true,
            shared: false,
            login: rate(5, 60, 5),
            register: rate(3, 3600, 3),
            refresh: rate(60, 60, 10),
            authenticated: rate(1000, 60, 100),
            unauthenticated: rate(100, 60, 20),
            idempotency_keys_per_user: 10_000,
            idempotency_keys: 1_000_000,
        }
    }
}

/// Proxies that say whom they speak for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxies {
    /// Networks whose `Forwarded` and `X-Forwarded-For` count; nobody's where empty.
    pub trusted: Vec<IpNet>,
}

impl Proxies {
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

/// The server that takes mail; without `url` mail is kept and not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// `smtps://host`, or `smtp://host` with STARTTLS, which only `?tls=none` does without.
    pub url: Option<String>,
    /// Such as `Flyball <flyball@example.org>`.
    pub from: Option<String>,
    pub user: Option<String>,
    /// A file whose first line is the password.
    pub password_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Networks that webhooks may reach besides public addresses.
    pub allow: Vec<IpNet>,
}

/// What is logged, how, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `info`, or a filter such as `info,flyball_aggregator=debug`.
    pub level: String,
    pub format: LogFormat,
    /// `stderr`, or a file; a relative one lies in the state folder.
    pub destination: String,
    /// A line for every request?
    pub requests: bool,
    /// A file is put aside before it is longer.
    pub rotate_bytes: u64,
    /// And when this much time is over.
    pub rotate: Rotate,
    /// Files that are kept aside.
    pub keep: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotate {
    Hourly,
    Daily,
    Never,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::Text,
            destination: "stderr".into(),
            requests: true,
            rotate_bytes: 64 * 1024 * 1024,
            rotate: Rotate::Daily,
            keep: 7,
        }
    }
}

/// How much and how long the API's listener bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listener {
    /// Connections at a time; the next one waits until one ends.
    pub max_connections: u32,
    /// How long the head of a request may take, and a connection may wait for its next one.
    pub head_patience_ms: u64,
    /// How long a body may pause.
    pub body_patience_ms: u64,
}

impl Default for Listener {
    fn default() -> Self {
        Self { max_connections: 8_192, head_patience_ms: 15_000, body_patience_ms: 10_000 }
    }
}

/// HTTPS for the API; plain where nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The certificate and what stands between it and its authority, as PEM. It is read again
    /// when it changes.
    pub cert: Option<PathBuf>,
    /// Its key, as PEM.
    pub key: Option<PathBuf>,
    /// A certificate of this server's own authority instead, made and renewed by itself.
    pub internal: bool,
    /// A plain listener that sends everybody to HTTPS.
    pub redirect: Option<SocketAddr>,
}

impl Tls {
    /// What the API speaks, in words.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match (&self.cert, self.internal) {
            (Some(_), _) => "https with a certificate of files",
            (None, true) => "https with a certificate of the internal authority",
            (None, false) => "http",
        }
    }

    fn fault(&self) -> Option<&'static str> {
        let given = self.cert.is_some() || self.internal;
        if self.cert.is_some() != self.key.is_some() {
            Some("tls.cert and tls.key belong together: name both or none")
        } else if self.cert.is_some() && self.internal {
            Some(
                "tls.internal makes a certificate of its own: leave it out, or tls.cert and tls.key",
            )
        } else if self.redirect.is_some() && !given {
            Some("tls.redirect leads to HTTPS: name tls.cert and tls.key, or tls.internal")
        } else {
            None
        }
    }
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
        Ok(Self { state: state.to_owned(), ..config })
    }

    /// Who may make an account for themselves.
    #[must_use]
    pub fn registration_mode(&self) -> RegistrationMode {
        let open = self.api.ip().is_loopback();
        let default = if open { RegistrationMode::Open } else { RegistrationMode::Invited };
        self.registration.mode.unwrap_or(default)
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
            history: HistorySettings::default(),
            smtp: Smtp::default(),
            webhooks: Webhooks::default(),
            logs: LogSettings::default(),
        }
    }
}
