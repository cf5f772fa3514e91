//! The runner's words to the protocol's, and back.

use flyball_plugin_messages as runner;
use flyball_plugin_messages::{Event, FailureKind, LogLevel, PluginId, Request, Severity, World};
use flyball_protocol::message::{
    CatalogEntry, Diagnostic, DiagnosticSeverity, File, Job, JobEvent, JobFailure, JobFailureKind,
    Part, PluginKind, RenderJob,
};

pub(super) fn request(job: Job) -> Request {
    match job {
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
