//! Diagrams, formulas and maps: which formats can be drawn now, is a source sound, draw it.
//!
//! The drawing itself is done by a plugin on a connected machine. Its picture is sanitised before
//! anybody sees it, and kept in a bounded cache under everything that changes it, the plugin's
//! hash included. Nothing is drawn in a plugin's place: a source that fails is an error. Machines
//! that have the same plugin share the work, and one takes it over from another that is busy or
//! has gone.

mod job;
pub mod raster;
pub mod sanitise;

use crate::caches::CacheMeter;
use crate::config::MediaSettings;
use crate::fleet::DeviceId;
use crate::fleet::Sessions;
use crate::plugins::{Choices, Ended, Plugins};
use crate::store::StoreError;
use flyball_protocol::message::{
    Diagnostic, DiagnosticSeverity, Job, JobFailure, PluginKind, PluginState, PluginStatus,
    RenderJob,
};
use moka::future::Cache;
use raster::{RasterError, Rasteriser};
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
/// Of the request and of the plugin's settings together.
const MAX_OPTIONS: usize = 16;
/// Machines that are asked one after another before the caller is told to come back.
const MAX_TRIES: usize = 4;
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";
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
    /// The format's own, each once.
    pub options: Vec<(String, String)>,
    pub output: Output,
}

/// What a picture is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    #[default]
    Svg,
    Png,
}

impl Output {
    /// The word of the API.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }

    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Svg => SVG,
            Self::Png => PNG,
        }
    }
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
    /// Names everything that it was made of.
    pub key: String,
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
    LongOption { name: String },
    #[error("there are more than {MAX_OPTIONS} options")]
    ManyOptions,
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
    #[error("the format is drawn as {0}, which can't become {1}")]
    Output(String, &'static str),
    #[error(transparent)]
    Raster(#[from] RasterError),
    #[error("reading what was decided of plugins")]
    Store(#[source] Arc<StoreError>),
}

impl From<StoreError> for MediaError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
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
    plugins: Plugins,
    pictures: Cache<[u8; 32], Arc<Picture>>,
    meter: CacheMeter,
    rasteriser: Rasteriser,
    /// Spreads the work over machines that have the same plugin.
    turn: Arc<AtomicUsize>,
}

/// A plugin, and the machines that can run it.
#[derive(Clone, Debug)]
struct Able {
    machines: Vec<DeviceId>,
    plugin: String,
    hash: String,
    format: String,
    choices: Arc<Choices>,
}

impl Media {
    pub(crate) fn new(sessions: Sessions, plugins: Plugins, settings: &MediaSettings) -> Self {
        let pictures = Cache::builder()
            .max_capacity(CACHE_BYTES)
            .weigher(|_, picture: &Arc<Picture>| {
                u32::try_from(picture.bytes.len() + 256).unwrap_or(u32::MAX)
            })
            .time_to_idle(CACHE_IDLE)
            .build();
        let rasteriser = Rasteriser::new(settings.rasteriser.clone(), &settings.fonts);
        let meter = CacheMeter::new("pictures");
        Self { sessions, plugins, pictures, meter, rasteriser, turn: Arc::default() }
    }

    pub(crate) const fn meter(&self) -> &CacheMeter {
        &self.meter
    }

    /// # Errors
    /// Where the store fails.
    pub async fn capabilities(&self) -> Result<Capabilities, StoreError> {
        let mut formats = BTreeMap::new();
        let choices = self.plugins.choices().await?;
        for (_, plugin) in self.renderers().filter(|(_, one)| choices.is_enabled(&one.id)) {
            for format in plugin.handles {
                *formats.entry(canonical(&format)).or_default() |=
                    plugin.state == PluginState::Ready;
            }
        }
        Ok(Capabilities { formats })
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
        let job = Job::Validate { format: canonical(format), source: source.into() };
        match self.run(self.able(format).await?, job).await {
            Ok((_, done)) => Ok(done.diagnostics),
            Err(MediaError::Faulty(diagnostics)) => Ok(diagnostics),
            Err(error) => Err(error),
        }
    }

    /// Has this very plugin judge a source, be it enabled or not; how much it says.
    ///
    /// # Errors
    /// Where no machine has it ready, or it fails.
    pub async fn validate_by(
        &self,
        plugin: &str,
        format: &str,
        source: &str,
    ) -> Result<usize, MediaError> {
        let ready = |one: &PluginStatus| one.id == plugin && one.state == PluginState::Ready;
        let found: Vec<_> = self.renderers().filter(|(_, one)| ready(one)).collect();
        let (format, source) = (format.to_owned(), source.to_owned());
        let able = Able {
            machines: found.iter().map(|(device, _)| *device).collect(),
            plugin: plugin.to_owned(),
            hash: String::new(),
            format: format.clone(),
            choices: Arc::default(),
        };
        match self.run(able, Job::Validate { format, source }).await {
            Ok((_, done)) => Ok(done.diagnostics.len()),
            Err(MediaError::Faulty(diagnostics)) => Ok(diagnostics.len()),
            Err(error) => Err(error),
        }
    }

    /// Draws the source, or takes the picture from the cache.
    ///
    /// # Errors
    /// Where it is out of bounds or faulty, nobody can draw it, or the plugin fails.
    pub async fn render(&self, request: &RenderRequest) -> Result<Arc<Picture>, MediaError> {
        check(request)?;
        let able = self.able(&request.format).await?;
        let request = &RenderRequest {
            options: able.choices.complete(&able.plugin, &request.options),
            ..request.clone()
        };
        let key = cache_key(&able, request);
        if let Some(picture) = self.meter.asked(self.pictures.get(&key).await) {
            return Ok(picture);
        }
        // One job draws for all who ask the same at once.
        let drawn = self.pictures.try_get_with(key, self.made(able, request, key));
        drawn.await.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(|shared| again(&shared)))
    }

    async fn made(
        &self,
        able: Able,
        request: &RenderRequest,
        key: [u8; 32],
    ) -> Result<Arc<Picture>, MediaError> {
        if request.output == Output::Svg {
            return self.draw(able, request, key).await;
        }
        let drawing = RenderRequest { output: Output::Svg, ..request.clone() };
        let svg_key = cache_key(&able, &drawing);
        let drawing = self.pictures.try_get_with(svg_key, self.draw(able, &drawing, svg_key));
        let drawing = drawing
            .await
            .map_err(|error| Arc::try_unwrap(error).unwrap_or_else(|shared| again(&shared)))?;
        match drawing.mime_type.as_str() {
            PNG => Ok(drawing),
            SVG => {
                let bytes = self.rasteriser.png(&drawing.bytes, MAX_PICTURE_BYTES).await?;
                let (width, height) =
                    size_of_png(&bytes).unwrap_or((drawing.width, drawing.height));
                let (mime_type, key) = (PNG.to_owned(), hex(&key));
                let plugin = drawing.plugin.clone();
                Ok(Arc::new(Picture { mime_type, width, height, bytes, plugin, key }))
            }
            other => Err(MediaError::Output(other.to_owned(), PNG)),
        }
    }

    async fn draw(
        &self,
        able: Able,
        request: &RenderRequest,
        key: [u8; 32],
    ) -> Result<Arc<Picture>, MediaError> {
        let job = Job::Render(RenderJob {
            format: canonical(&request.format),
            source: request.source.clone(),
            width: request.width,
            height: request.height,
            theme: request.theme.clone(),
            options: request.options.clone(),
        });
        let (plugin, done) = self.run(able, job).await?;
        let Some(mut picture) = done.picture else {
            return Err(match done.diagnostics.is_empty() {
                true => MediaError::Nothing { plugin },
                false => MediaError::Faulty(done.diagnostics),
            });
        };
        picture.key = hex(&key);
        if picture.mime_type == SVG {
            picture.bytes = sanitise::svg(&picture.bytes, MAX_PICTURE_BYTES)
                .map_err(|source| MediaError::Unsafe { plugin, source })?;
        } else if !matches!(picture.mime_type.as_str(), PNG | "image/jpeg" | "image/webp") {
            let source = SanitiseError::MediaType(picture.mime_type);
            return Err(MediaError::Unsafe { plugin, source });
        }
        Ok(Arc::new(picture))
    }

    /// Has one of the machines do it. Another one is asked where it is busy or goes away.
    async fn run(&self, able: Able, job: Job) -> Result<(String, job::Done), MediaError> {
        let Able { machines, plugin, format, .. } = able;
        let mut last = MediaError::NoPlugin { format, waiting: Vec::new() };
        for device in machines.into_iter().take(MAX_TRIES) {
            let order = job::Order { device, plugin: plugin.clone(), job: job.clone() };
            let since = self.plugins.stopwatch();
            let done = job::run(&self.sessions, &order).await;
            self.plugins.usage().count(&plugin, ended(&done), since.elapsed());
            match done {
                Ok(done) => return Ok((plugin, done)),
                Err(error @ (MediaError::Busy | MediaError::NoPlugin { .. })) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    fn renderers(&self) -> impl Iterator<Item = (DeviceId, PluginStatus)> {
        let plugins = self.sessions.plugins().into_iter();
        plugins.filter(|(_, plugin)| plugin.kind == PluginKind::Renderer)
    }

    /// Who can draw it now: the machines that have the newest of the plugins, in turn.
    async fn able(&self, format: &str) -> Result<Able, MediaError> {
        let wanted = canonical(format);
        let choices = self.plugins.choices().await?;
        let (ready, waiting): (Vec<_>, Vec<_>) = self
            .renderers()
            .filter(|(_, plugin)| plugin.handles.iter().any(|own| canonical(own) == wanted))
            .filter(|(_, plugin)| choices.is_enabled(&plugin.id))
            .partition(|(_, plugin)| plugin.state == PluginState::Ready);
        let rank = |plugin: &PluginStatus| {
            (choices.priority(&plugin.id), numbers(&plugin.version), plugin.hash.clone())
        };
        let first = ready.iter().max_by_key(|(_, plugin)| rank(plugin));
        let Some((_, first)) = first else {
            let waiting = waiting.iter().map(|(_, plugin)| waits(plugin)).collect();
            return Err(MediaError::NoPlugin { format: wanted, waiting });
        };
        let same = ready.iter().filter(|(_, plugin)| plugin.hash == first.hash);
        let mut machines: Vec<DeviceId> = same.map(|(device, _)| *device).collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % machines.len().max(1);
        machines.rotate_left(turn);
        let (plugin, hash) = (first.id.clone(), first.hash.clone());
        Ok(Able { machines, plugin, hash, format: wanted, choices })
    }
}

/// The numbers of a version, in their order.
fn numbers(version: &str) -> Vec<u64> {
    let parts = version.split(|letter: char| !letter.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

fn ended(done: &Result<job::Done, MediaError>) -> Ended {
    match done {
        Ok(_) => Ended::Done,
        Err(MediaError::Faulty(_)) => Ended::Refused,
        Err(MediaError::Failed { failure, .. }) => failure.kind.into(),
        Err(_) => Ended::Failed,
    }
}

fn hex(key: &[u8; 32]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What its header says.
fn size_of_png(bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    Some((number(16)?, number(20)?))
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
        return Err(MediaError::LongOption { name: "theme".into() });
    }
    if request.options.len() > MAX_OPTIONS {
        return Err(MediaError::ManyOptions);
    }
    let long = |(name, value): &&(String, String)| name.len().max(value.len()) > MAX_OPTION;
    if let Some((name, _)) = request.options.iter().find(long) {
        return Err(MediaError::LongOption { name: name.chars().take(MAX_OPTION).collect() });
    }
    Ok(())
}

/// Everything that changes the picture.
fn cache_key(able: &Able, request: &RenderRequest) -> [u8; 32] {
    let number = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
    let mut options = request.options.clone();
    options.sort();
    let options = options.into_iter().flat_map(|(name, value)| [name, value]);
    let parts = [
        able.hash.clone(),
        request.output.media_type().to_owned(),
        canonical(&request.format),
        number(request.width),
        number(request.height),
        request.theme.clone().unwrap_or_default(),
        request.source.clone(),
    ]
    .into_iter()
    .chain(options);
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
        MediaError::LongOption { name } => MediaError::LongOption { name: name.clone() },
        MediaError::ManyOptions => MediaError::ManyOptions,
        MediaError::Output(from, to) => MediaError::Output(from.clone(), to),
        MediaError::Raster(error) => MediaError::Raster(error.clone()),
        MediaError::Store(error) => MediaError::Store(Arc::clone(error)),
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
