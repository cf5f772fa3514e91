//! Diagrams, in the words of the flat document; v1 has the same with its own case.

use crate::http::Api;
use crate::http::auth::Member;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::Body;
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::media::{MediaError, RenderRequest, is_error};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flyball_protocol::message::{Diagnostic, DiagnosticSeverity, JobFailureKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The formats that the flat document names; each is true only where a plugin draws it now.
const DIAGRAMS: [&str; 4] = ["mermaid", "graphviz", "plantuml", "d2"];
const FORMULAS: [&str; 2] = ["katex", "latex"];
const MAPS: [&str; 3] = ["cartopy", "folium", "static_tiles"];

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Capabilities {
    diagrams: DiagramCapabilities,
    formulas: FormulaCapabilities,
    maps: MapCapabilities,
}

#[derive(Debug, Serialize, ToSchema)]
struct DiagramCapabilities {
    formats: Vec<String>,
    renderers: BTreeMap<String, bool>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FormulaCapabilities {
    renderers: BTreeMap<String, bool>,
    client_side_supported: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct MapCapabilities {
    styles: Vec<String>,
    renderers: BTreeMap<String, bool>,
    features: Vec<String>,
}

impl Resource for Capabilities {
    const FLAT: Flat = Flat::named("capabilities", "capabilities").camel();
}

pub(crate) async fn capabilities(
    State(api): State<Api>,
    Member(_): Member,
) -> Answer<One<Capabilities>> {
    let found = api.app.media.capabilities().formats;
    let ready = |names: &[&str]| -> BTreeMap<String, bool> {
        let drawn = |name: &&str| ((*name).to_owned(), found.get(*name).copied().unwrap_or(false));
        names.iter().map(drawn).collect()
    };
    let mut diagrams = ready(&DIAGRAMS);
    let elsewhere = |name: &str| FORMULAS.contains(&name) || MAPS.contains(&name);
    diagrams
        .extend(found.iter().filter(|(name, _)| !elsewhere(name)).map(|(n, r)| (n.clone(), *r)));
    Ok(One(Capabilities {
        diagrams: DiagramCapabilities {
            formats: diagrams.keys().cloned().collect(),
            renderers: diagrams,
        },
        formulas: FormulaCapabilities { renderers: ready(&FORMULAS), client_side_supported: true },
        maps: MapCapabilities { styles: Vec::new(), renderers: ready(&MAPS), features: Vec::new() },
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ValidateRequest {
    /// Such as `graphviz`.
    #[schema(value_type = String)]
    format: Option<String>,
    #[schema(value_type = String)]
    code: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Validation {
    valid: bool,
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Resource for Validation {
    const FLAT: Flat = Flat::fields();
}

/// One thing that a plugin says of a source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// From 1; 0 where the plugin does not know.
    line: u32,
    column: u32,
    message: String,
    code: String,
    severity: &'static str,
}

impl From<Diagnostic> for Fault {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            line: diagnostic.line,
            column: diagnostic.column,
            message: diagnostic.message,
            code: diagnostic.code,
            severity: match diagnostic.severity {
                DiagnosticSeverity::Error => "error",
                DiagnosticSeverity::Warning => "warning",
                DiagnosticSeverity::Info => "info",
                DiagnosticSeverity::Hint => "hint",
            },
        }
    }
}

pub(crate) async fn validate(
    State(api): State<Api>,
    Member(_): Member,
    Body(request): Body<ValidateRequest>,
) -> Answer<One<Validation>> {
    let (format, code) = source(request.format, request.code)?;
    let diagnostics = api.app.media.validate(&format, &code).await.map_err(problem)?;
    let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics.into_iter().partition(is_error);
    Ok(One(Validation {
        valid: errors.is_empty(),
        errors: errors.into_iter().map(Fault::from).collect(),
        warnings: warnings.into_iter().map(Fault::from).collect(),
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RenderBody {
    /// Such as `graphviz`.
    #[schema(value_type = String)]
    format: Option<String>,
    #[schema(value_type = String)]
    code: Option<String>,
    /// `svg`; others are not drawn yet.
    #[serde(rename = "outputFormat", alias = "output_format")]
    output_format: Option<String>,
    theme: Option<String>,
    #[schema(minimum = 1, maximum = 8192)]
    width: Option<u32>,
    #[schema(minimum = 1, maximum = 8192)]
    height: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Picture {
    /// Base64.
    data: String,
    mime_type: String,
    width: u32,
    height: u32,
    /// The plugin that drew it.
    render_method: String,
}

impl Resource for Picture {
    const FLAT: Flat = Flat::fields().camel();
}

pub(crate) async fn render(
    State(api): State<Api>,
    Member(_): Member,
    Body(request): Body<RenderBody>,
) -> Answer<One<Picture>> {
    let (format, source) = source(request.format, request.code)?;
    if let Some(output) = request.output_format.filter(|output| !output.eq_ignore_ascii_case("svg"))
    {
        let message = format!("outputFormat {output} is not drawn; svg is");
        return Err(Problem::new(ErrorCode::UnsupportedFormat, message)
            .detail("supported", vec!["svg"])
            .field(FieldError::body("outputFormat", "unsupported_format", "has to be svg")));
    }
    // `default` is the plugin's own look, the same as none.
    let theme = request.theme.filter(|theme| theme != "default" && !theme.is_empty());
    let (width, height) = (request.width, request.height);
    let order = RenderRequest { format, source, width, height, theme };
    let picture = api.app.media.render(&order).await.map_err(problem)?;
    Ok(One(Picture {
        data: STANDARD.encode(&picture.bytes),
        mime_type: picture.mime_type.clone(),
        width: picture.width,
        height: picture.height,
        render_method: picture.plugin.clone(),
    }))
}

fn source(format: Option<String>, code: Option<String>) -> Result<(String, String), Problem> {
    let mut faults = Vec::new();
    for (name, value) in [("format", &format), ("code", &code)] {
        if value.as_ref().is_none_or(String::is_empty) {
            faults.push(FieldError::body(name, "missing_field", "is required"));
        }
    }
    match (format, code) {
        (Some(format), Some(code)) if faults.is_empty() => Ok((format, code)),
        _ => {
            let problem =
                Problem::new(ErrorCode::MissingField, "format and code are both required");
            Err(faults.into_iter().fold(problem, Problem::field))
        }
    }
}

fn problem(error: MediaError) -> Problem {
    let message = error.to_string();
    let fault = |field: &str| {
        Problem::invalid(vec![FieldError::body(field, "out_of_range", message.clone())])
    };
    match error {
        MediaError::EmptySource | MediaError::LongSource { .. } => fault("code"),
        MediaError::Size { side, .. } => fault(side),
        MediaError::LongOption { name } => fault(name),
        MediaError::NoPlugin { format, .. } => {
            Problem::new(ErrorCode::PluginUnavailable, message).detail("missing", format)
        }
        MediaError::Busy => Problem::new(ErrorCode::Unavailable, message).retry_after(1),
        MediaError::Faulty(diagnostics) => faulty(diagnostics),
        MediaError::Failed { plugin, failure } => {
            let code = match failure.kind {
                JobFailureKind::InvalidInput | JobFailureKind::Unsupported => {
                    ErrorCode::ValidationError
                }
                JobFailureKind::Unavailable => ErrorCode::PluginUnavailable,
                JobFailureKind::Denied
                | JobFailureKind::Cancelled
                | JobFailureKind::Limit
                | JobFailureKind::Trapped
                | JobFailureKind::Upstream
                | JobFailureKind::Internal => ErrorCode::PluginFailed,
            };
            let kind = match failure.kind {
                JobFailureKind::InvalidInput => "invalid_input",
                JobFailureKind::Unsupported => "unsupported",
                JobFailureKind::Denied => "denied",
                JobFailureKind::Cancelled => "cancelled",
                JobFailureKind::Limit => "limit",
                JobFailureKind::Trapped => "trapped",
                JobFailureKind::Upstream => "upstream",
                JobFailureKind::Internal => "internal",
                JobFailureKind::Unavailable => "unavailable",
            };
            Problem::new(code, message).detail("plugin", plugin).detail("kind", kind)
        }
        MediaError::Nothing { plugin } => {
            Problem::new(ErrorCode::PluginFailed, message).detail("plugin", plugin)
        }
        MediaError::Unsafe { plugin, source } => Problem::new(ErrorCode::PluginFailed, message)
            .detail("plugin", plugin)
            .detail("reason", source.to_string()),
    }
}

/// A source with faults: 400 in both dialects, with where they are.
fn faulty(diagnostics: Vec<Diagnostic>) -> Problem {
    let first = diagnostics.iter().find(|d| is_error(d)).or(diagnostics.first());
    let message = first.map_or_else(
        || "the source has faults".to_owned(),
        |fault| format!("line {}, column {}: {}", fault.line, fault.column, fault.message),
    );
    let faults: Vec<Fault> = diagnostics.into_iter().map(Fault::from).collect();
    Problem::new(ErrorCode::InvalidSource, message).member("validationErrors", json!(faults))
}
