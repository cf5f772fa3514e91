//! Diagrams: which formats can be drawn now, is a source sound, draw it.
//!
//! The drawing itself is done by a plugin on a connected machine. Its picture is sanitised before
//! anybody sees it, and kept in a bounded cache under everything that changes it, the plugin's
//! hash included. Nothing is drawn in a plugin's place: a source that fails is an error.

mod job;
pub mod sanitise;

use crate::fleet::DeviceId;
use crate::fleet::Sessions;
use flyball_protocol::message::{
    Diagnostic, DiagnosticSeverity, Job, JobFailure, PluginKind, PluginState, PluginStatus,
    RenderJob,
};
use moka::future::Cache;
use sanitise::SanitiseError;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use thiserror::Error;

/// The longest source.
pub const MAX_SOURCE_BYTES: usize = 256 * 1024;
pub const MIN_SIDE: u32 = 1;
pub const MAX_SIDE: u32 = 8192;
const MAX_OPTION: usize = 64;
/// Pictures of every format together.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
const CACHE_IDLE: Duration = Duration::from_secs(3600);
/// No picture that leaves here is larger.
pub const MAX_PICTURE_BYTES: usize = 16 * 1024 * 1024;
/// The words that clients use for a format beside its own.
const ALIASES: [(&str, &str); 3] = [("dot", "graphviz"), ("gv", "graphviz"), ("puml", "plantuml")];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderRequest {
    pub format: String,
    pub source: String,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub theme: Option<String>,
}

/// A finished picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub mime_type: String,
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
    /// The plugin that drew it.
    pub plugin: String,
}

#[derive(Debug, Error)]
pub enum MediaError {
    #[error("the source is empty")]
    EmptySource,
    #[error("the source has {bytes} bytes, at most {MAX_SOURCE_BYTES} are drawn")]
    LongSource { bytes: usize },
    #[error("{side} has to be {MIN_SIDE} to {MAX_SIDE}, not {value}")]
    Size { side: &'static str, value: u32 },
    #[error("{name} has more than {MAX_OPTION} characters")]
    LongOption { name: &'static str },
    #[error("no connected machine has a ready plugin for {format}{}", hint(.waiting))]
    NoPlugin { format: String, waiting: Vec<String> },
    #[error("every machine that could draw it is busy")]
    Busy,
    #[error("the source has faults")]
    Faulty(Vec<Diagnostic>),
    #[error("the plugin {plugin} failed: {}", .failure.message)]
    Failed { plugin: String, failure: JobFailure },
    #[error("the plugin {plugin} gave no picture")]
    Nothing { plugin: String },
    #[error("the plugin {plugin} gave a picture that is not shown")]
    Unsafe {
        plugin: String,
        #[source]
        source: SanitiseError,
    },
}

fn hint(waiting: &[String]) -> String {
    if waiting.is_empty() { String::new() } else { format!(" ({})", waiting.join("; ")) }
}

/// What can be drawn now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Every format that a connected plugin claims, and whether one is ready.
    pub formats: BTreeMap<String, bool>,
}

#[derive(Clone, Debug)]
pub struct Media {
    sessions: Sessions,
    pictures: Cache<[u8; 32], Arc<Picture>>,
    /// Spreads the work over machines that have the same plugin.
    turn: Arc<AtomicUsize>,
}

/// A plugin on the machine that is to run it.
#[derive(Clone, Debug)]
struct Renderer {
    device: DeviceId,
    plugin: String,
    hash: String,
}

impl Media {
    pub(crate) fn new(sessions: Sessions) -> Self {
        let pictures = Cache::builder()
            .max_capacity(CACHE_BYTES)
            .weigher(|_, picture: &Arc<Picture>| {
                u32::try_from(picture.bytes.len() + 256).unwrap_or(u32::MAX)
            })
            .time_to_idle(CACHE_IDLE)
            .build();
        Self { sessions, pictures, turn: Arc::default() }
    }

    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        let mut formats = BTreeMap::new();
        for (_, plugin) in self.renderers() {
            for format in plugin.handles {
                *formats.entry(canonical(&format)).or_default() |=
                    plugin.state == PluginState::Ready;
            }
        }
        Capabilities { formats }
    }

    /// Everything that the plugin says of the source; without an error in it, it is sound.
    ///
    /// # Errors
    /// Where it is out of bounds, nobody can judge it, or the plugin fails.
    pub async fn validate(
        &self,
        format: &str,
        source: &str,
    ) -> Result<Vec<Diagnostic>, MediaError> {
        check_source(source)?;
        let renderer = self.renderer(format)?;
        let job = Job::Validate { format: canonical(format), source: source.into() };
        let done = job::run(&self.sessions, &renderer.of(job)).await;
        match done {
            Ok(done) => Ok(done.diagnostics),
            Err(MediaError::Faulty(diagnostics)) => Ok(diagnostics),
            Err(error) => Err(error),
        }
    }

    /// Draws the source, or takes the picture from the cache.
    ///
    /// # Errors
    /// Where it is out of bounds or faulty, nobody can draw it, or the plugin fails.
    pub async fn render(&self, request: &RenderRequest) -> Result<Arc<Picture>, MediaError> {
        check(request)?;
        let renderer = self.renderer(&request.format)?;
        let key = cache_key(&renderer, request);
        // One job draws for all who ask the same at once.
        self.pictures
            .try_get_with(key, self.draw(renderer, request))
            .await
            .map_err(|error| Arc::try_unwrap(error).unwrap_or_else(|shared| again(&shared)))
    }

    async fn draw(
        &self,
        renderer: Renderer,
        request: &RenderRequest,
    ) -> Result<Arc<Picture>, MediaError> {
        let job = Job::Render(RenderJob {
            format: canonical(&request.format),
            source: request.source.clone(),
            width: request.width,
            height: request.height,
            theme: request.theme.clone(),
            options: Vec::new(),
        });
        let plugin = renderer.plugin.clone();
        let done = job::run(&self.sessions, &renderer.of(job)).await?;
        let Some(mut picture) = done.picture else {
            return Err(match done.diagnostics.is_empty() {
                true => MediaError::Nothing { plugin },
                false => MediaError::Faulty(done.diagnostics),
            });
        };
        if picture.mime_type == "image/svg+xml" {
            picture.bytes = sanitise::svg(&picture.bytes, MAX_PICTURE_BYTES)
                .map_err(|source| MediaError::Unsafe { plugin, source })?;
        } else if !matches!(picture.mime_type.as_str(), "image/png" | "image/jpeg" | "image/webp") {
            let source = SanitiseError::MediaType(picture.mime_type);
            return Err(MediaError::Unsafe { plugin, source });
        }
        Ok(Arc::new(picture))
    }

    fn renderers(&self) -> impl Iterator<Item = (DeviceId, PluginStatus)> {
        let plugins = self.sessions.plugins().into_iter();
        plugins.filter(|(_, plugin)| plugin.kind == PluginKind::Renderer)
    }

    fn renderer(&self, format: &str) -> Result<Renderer, MediaError> {
        let wanted = canonical(format);
        let (ready, waiting): (Vec<_>, Vec<_>) = self
            .renderers()
            .filter(|(_, plugin)| plugin.handles.iter().any(|own| canonical(own) == wanted))
            .partition(|(_, plugin)| plugin.state == PluginState::Ready);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        match ready.len() {
            0 => Err(MediaError::NoPlugin {
                format: wanted,
                waiting: waiting.iter().map(|(_, plugin)| waits(plugin)).collect(),
            }),
            count => {
                let (device, plugin) = &ready[turn % count];
                let (plugin, hash) = (plugin.id.clone(), plugin.hash.clone());
                Ok(Renderer { device: *device, plugin, hash })
            }
        }
    }
}

impl Renderer {
    fn of(self, job: Job) -> job::Order {
        job::Order { device: self.device, plugin: self.plugin, job }
    }
}

fn waits(plugin: &PluginStatus) -> String {
    match &plugin.state {
        PluginState::Compiling => format!("{} is being compiled", plugin.id),
        PluginState::Rejected(reason) => format!("{} was rejected: {reason}", plugin.id),
        PluginState::Quarantined(reason) => format!("{} is quarantined: {reason}", plugin.id),
        PluginState::Ready => format!("{} is ready", plugin.id),
    }
}

/// A format's own word.
fn canonical(format: &str) -> String {
    let word = format.trim().to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == word);
    alias.map_or(word, |(_, own)| (*own).to_owned())
}

fn check_source(source: &str) -> Result<(), MediaError> {
    if source.trim().is_empty() {
        return Err(MediaError::EmptySource);
    }
    if source.len() > MAX_SOURCE_BYTES {
        return Err(MediaError::LongSource { bytes: source.len() });
    }
    Ok(())
}

fn check(request: &RenderRequest) -> Result<(), MediaError> {
    check_source(&request.source)?;
    for (side, value) in [("width", request.width), ("height", request.height)] {
        if let Some(value) = value.filter(|value| !(MIN_SIDE..=MAX_SIDE).contains(value)) {
            return Err(MediaError::Size { side, value });
        }
    }
    if request.theme.as_ref().is_some_and(|theme| theme.len() > MAX_OPTION) {
        return Err(MediaError::LongOption { name: "theme" });
    }
    Ok(())
}

/// Everything that changes the picture.
fn cache_key(renderer: &Renderer, request: &RenderRequest) -> [u8; 32] {
    let number = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
    let parts = [
        renderer.hash.clone(),
        canonical(&request.format),
        number(request.width),
        number(request.height),
        request.theme.clone().unwrap_or_default(),
        request.source.clone(),
    ];
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}

/// The error that another request met while it drew for this one too.
fn again(shared: &MediaError) -> MediaError {
    match shared {
        MediaError::EmptySource => MediaError::EmptySource,
        MediaError::LongSource { bytes } => MediaError::LongSource { bytes: *bytes },
        MediaError::Size { side, value } => MediaError::Size { side, value: *value },
        MediaError::LongOption { name } => MediaError::LongOption { name },
        MediaError::NoPlugin { format, waiting } => {
            MediaError::NoPlugin { format: format.clone(), waiting: waiting.clone() }
        }
        MediaError::Busy => MediaError::Busy,
        MediaError::Faulty(diagnostics) => MediaError::Faulty(diagnostics.clone()),
        MediaError::Failed { plugin, failure } => {
            MediaError::Failed { plugin: plugin.clone(), failure: failure.clone() }
        }
        MediaError::Nothing { plugin } => MediaError::Nothing { plugin: plugin.clone() },
        MediaError::Unsafe { plugin, source } => {
            MediaError::Unsafe { plugin: plugin.clone(), source: source.clone() }
        }
    }
}

/// Is it a fault that stands against drawing?
#[must_use]
pub fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == DiagnosticSeverity::Error
}

#[cfg(test)]
mod tests;
