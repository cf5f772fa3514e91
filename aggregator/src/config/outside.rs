//! Receivers outside: of samples, of mail, of webhooks.

use crate::media::raster::drawing::FONTS;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

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
pub struct ContentSettings {
    /// Networks that curricula and their assets may be fetched from besides public addresses.
    pub allow: Vec<IpNet>,
}

/// Plugins that are installed through the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginSettings {
    /// Take components that nobody has signed.
    pub unsigned: bool,
}

/// How drawings become pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaSettings {
    /// Where fonts lie.
    pub fonts: Vec<PathBuf>,
    /// The program that is started for each picture as `PROGRAM rasterise`; this one itself where
    /// absent.
    pub rasteriser: Option<PathBuf>,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self { fonts: FONTS.map(PathBuf::from).to_vec(), rasteriser: None }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Networks that webhooks may reach besides public addresses.
    pub allow: Vec<IpNet>,
}
