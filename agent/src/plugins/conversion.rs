//! The runner's words to the protocol's, and back.

use flyball_plugin_messages as runner;
use flyball_plugin_messages::{
    Event, FailureKind, LogLevel, Manifest, PluginId, Request, Severity, World,
};
use flyball_protocol::message::{
    CatalogEntry, Component, Diagnostic, DiagnosticSeverity, File, Job, JobEvent, JobFailure,
    JobFailureKind, Part, PluginKind, PluginOrder, RenderJob,
};

/// What a job is to this machine.
#[derive(Debug)]
pub(super) enum Errand {
    /// A plugin's.
    Call(Request),
    /// The agent's own.
    Keep(Vec<u8>),
    Order(Vec<PluginOrder>),
    /// Of the shelf, which is another room's.
    Elsewhere,
}

pub(super) fn errand(job: Job) -> Errand {
    Errand::Call(match job {
        Job::Keep { bytes } => return Errand::Keep(bytes),
        Job::Order { plugins } => return Errand::Order(plugins),
        Job::Shelve { .. } | Job::Shelf => return Errand::Elsewhere,
        Job::Validate { format, source } => Request::Validate { format, source },
        Job::Render(render) => Request::Render(rendering(render)),
        Job::Catalog { files, query, page } => {
            Request::Catalog { files: files.into_iter().map(file).collect(), query, page }
        }
        Job::Describe { files, item } => {
            Request::DescribeCourse { files: files.into_iter().map(file).collect(), id: item }
        }
        Job::Import { files, item, selection, switches } => Request::Import {
            files: files.into_iter().map(file).collect(),
            id: item,
            selection,
            switches: attributes(switches),
        },
    })
}

/// What a component says of itself, as it is told to the aggregator.
pub(super) fn component(hash: String, manifest: Manifest, world: World) -> Component {
    Component {
        hash,
        id: manifest.id,
        name: manifest.name,
        version: manifest.version,
        author: manifest.author,
        licence: manifest.licence,
        description: manifest.description,
        kind: plugin_kind(world),
        handles: manifest.handles,
        attributes: manifest.attributes.into_iter().map(|a| (a.key, a.value)).collect(),
    }
}

fn part(part: runner::Part) -> Part {
    Part {
        id: part.id,
        title: part.title,
        attributes: part.attributes.into_iter().map(|a| (a.key, a.value)).collect(),
    }
}

fn rendering(job: RenderJob) -> runner::Render {
    let theme = job.theme.map(|theme| ("theme".to_owned(), theme));
    runner::Render {
        format: job.format,
        source: job.source,
        width: job.width,
        height: job.height,
        options: attributes(job.options.into_iter().chain(theme).collect()),
    }
}

fn file(file: File) -> runner::File {
    runner::File { path: file.path, bytes: file.bytes }
}

fn attributes(pairs: Vec<(String, String)>) -> Vec<runner::Attribute> {
    pairs.into_iter().map(|(key, value)| runner::Attribute { key, value }).collect()
}

/// A log line is for [`log`]; the aggregator is told the rest.
pub(super) fn event(event: Event) -> JobEvent {
    match event {
        Event::Log { line, .. } => JobEvent::Progress { done: 0, total: None, note: line },
        Event::Diagnostics(found) => {
            JobEvent::Diagnostics(found.into_iter().map(diagnostic).collect())
        }
        Event::Image(image) => JobEvent::Image {
            mime_type: image.media_type,
            width: image.width,
            height: image.height,
            bytes: image.data,
        },
        Event::Catalog { entries, total } => {
            JobEvent::Entries { entries: entries.into_iter().map(entry).collect(), total }
        }
        Event::Detail { entry: course, parts } => {
            JobEvent::Detail { entry: entry(course), parts: parts.into_iter().map(part).collect() }
        }
        Event::Item(item) => JobEvent::Item {
            id: item.id,
            title: item.title,
            media_type: item.media_type,
            bytes: item.data,
        },
        Event::Progress { done, total, note } => JobEvent::Progress { done, total, note },
        // The agent's own; no job of the aggregator's polls.
        Event::Readings(readings) => {
            JobEvent::Progress { done: readings.len() as u64, total: None, note: "readings".into() }
        }
        Event::Done => JobEvent::Done,
        Event::Failed(failure) => JobEvent::Failed(JobFailure {
            kind: kind(failure.kind),
            message: failure.message,
            diagnostics: failure.diagnostics.into_iter().map(diagnostic).collect(),
        }),
    }
}

pub(super) fn failed(kind: FailureKind, message: &str) -> JobEvent {
    event(Event::Failed(runner::Failure::new(kind, message)))
}

pub(super) fn plugin_kind(world: World) -> PluginKind {
    match world {
        World::Renderer => PluginKind::Renderer,
        World::Importer => PluginKind::Importer,
        World::Collector => PluginKind::Collector,
    }
}

/// A plugin's line, at its own level in the agent's log.
pub(super) fn log(plugin: &PluginId, level: LogLevel, line: &str) {
    match level {
        LogLevel::Debug => tracing::debug!(%plugin, line, "plugin"),
        LogLevel::Info => tracing::info!(%plugin, line, "plugin"),
        LogLevel::Warn => tracing::warn!(%plugin, line, "plugin"),
        LogLevel::Error => tracing::error!(%plugin, line, "plugin"),
    }
}

fn entry(entry: runner::CatalogEntry) -> CatalogEntry {
    CatalogEntry {
        id: entry.id,
        title: entry.title,
        description: entry.description,
        attributes: entry.attributes.into_iter().map(|a| (a.key, a.value)).collect(),
    }
}

fn diagnostic(diagnostic: runner::Diagnostic) -> Diagnostic {
    Diagnostic {
        severity: match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
            Severity::Info => DiagnosticSeverity::Info,
            Severity::Hint => DiagnosticSeverity::Hint,
        },
        code: diagnostic.code,
        message: diagnostic.message,
        line: diagnostic.line,
        column: diagnostic.column,
    }
}

fn kind(kind: FailureKind) -> JobFailureKind {
    match kind {
        FailureKind::InvalidInput => JobFailureKind::InvalidInput,
        FailureKind::Unsupported => JobFailureKind::Unsupported,
        FailureKind::Denied => JobFailureKind::Denied,
        FailureKind::Cancelled => JobFailureKind::Cancelled,
        FailureKind::Limit => JobFailureKind::Limit,
        FailureKind::Trapped => JobFailureKind::Trapped,
        FailureKind::Upstream => JobFailureKind::Upstream,
        FailureKind::Internal => JobFailureKind::Internal,
        FailureKind::Unavailable => JobFailureKind::Unavailable,
    }
}
