//! Diagrams, formulas and maps, in the words of the flat document; v1 has the same with its own
//! case.

use crate::http::Api;
use crate::http::accept::Accept;
use crate::http::auth::Member;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::Body;
use crate::http::reply::{Answer, Flat, Image, One, Pictured, Resource};
use crate::media::raster::RasterError;
use crate::media::{MediaError, Output, Picture as Drawing, RenderRequest, is_error};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flyball_protocol::message::{Diagnostic, DiagnosticSeverity, JobFailureKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

mod formulas;
mod links;
mod maps;

pub(crate) use formulas::{render as render_formula, validate as validate_formula};
pub(crate) use links::linked;
pub(crate) use maps::{render as render_map, styles};

/// The formats that the flat document names; each is true only where a plugin draws it now.
const DIAGRAMS: [&str; 4] = ["mermaid", "graphviz", "plantuml", "d2"];
const FORMULAS: [&str; 2] = ["katex", "latex"];
/// The programs that the flat document names for maps, none of which there is here.
const MAP_PROGRAMS: [&str; 3] = ["cartopy", "folium", "static_tiles"];
const MAP: &str = "map";

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Capabilities {
    diagrams: DiagramCapabilities,
    formulas: FormulaCapabilities,
    maps: MapCapabilities,
    /// What every picture can be had as.
    output_formats: Vec<&'static str>,
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
    let found = api.app.media.capabilities().await.map_err(Problem::internal)?.formats;
    let ready = |names: &[&str]| -> BTreeMap<String, bool> {
        let drawn = |name: &&str| ((*name).to_owned(), found.get(*name).copied().unwrap_or(false));
        names.iter().map(drawn).collect()
    };
    let mut diagrams = ready(&DIAGRAMS);
    let elsewhere = |name: &str| FORMULAS.contains(&name) || name == MAP;
    diagrams
        .extend(found.iter().filter(|(name, _)| !elsewhere(name)).map(|(n, r)| (n.clone(), *r)));
    let maps_are_drawn = found.get(MAP).copied().unwrap_or(false);
    let mut map_renderers: BTreeMap<String, bool> =
        MAP_PROGRAMS.iter().map(|name| ((*name).to_owned(), false)).collect();
    map_renderers.insert(MAP.to_owned(), maps_are_drawn);
    let words = |words: &[&str]| match maps_are_drawn {
        true => words.iter().map(|word| (*word).to_owned()).collect(),
        false => Vec::new(),
    };
    Ok(One(Capabilities {
        diagrams: DiagramCapabilities {
            formats: diagrams.keys().cloned().collect(),
            renderers: diagrams,
        },
        formulas: FormulaCapabilities { renderers: ready(&FORMULAS), client_side_supported: true },
        maps: MapCapabilities {
            styles: words(&maps::STYLES.map(|(id, ..)| id)),
            renderers: map_renderers,
            features: words(&["markers", "routes", "regions"]),
        },
        output_formats: vec!["svg", "png"],
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
    judged(&api, &format, &code).await
}

async fn judged(api: &Api, format: &str, code: &str) -> Answer<One<Validation>> {
    let diagnostics = api.app.media.validate(format, code).await.map_err(problem)?;
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
    /// `svg` or `png`.
    #[serde(rename = "outputFormat", alias = "output_format")]
    output_format: Option<String>,
    theme: Option<String>,
    /// What the format's own plugin offers, such as `engine` of `graphviz`.
    #[serde(default)]
    options: BTreeMap<String, String>,
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

impl From<Arc<Drawing>> for Picture {
    fn from(drawing: Arc<Drawing>) -> Self {
        Self {
            data: STANDARD.encode(&drawing.bytes),
            mime_type: drawing.mime_type.clone(),
            width: drawing.width,
            height: drawing.height,
            render_method: drawing.plugin.clone(),
        }
    }
}

pub(crate) async fn render(
    State(api): State<Api>,
    Member(_): Member,
    accept: Accept,
    Body(request): Body<RenderBody>,
) -> Answer<Pictured<Picture>> {
    let (format, source) = source(request.format, request.code)?;
    let (output, prefers_image) = wanted(&accept, request.output_format.as_deref(), Output::Svg)?;
    // `default` is the plugin's own look, the same as none.
    let theme = request.theme.filter(|theme| theme != "default" && !theme.is_empty());
    let (width, height) = (request.width, request.height);
    let options = request.options.into_iter().collect();
    let order = RenderRequest { format, source, width, height, theme, options, output };
    shown(&api, &order, prefers_image).await
}

/// What the picture is made of, and whether it comes as itself. A word of the body counts more than
/// the header's type.
fn wanted(accept: &Accept, word: Option<&str>, own: Output) -> Result<(Output, bool), Problem> {
    let said = word.filter(|word| !word.is_empty()).map(|word| {
        Output::from_name(word).ok_or_else(|| {
            let message = format!("outputFormat {word} is not drawn; svg and png are");
            Problem::new(ErrorCode::UnsupportedFormat, message)
                .detail("supported", vec!["svg", "png"])
                .field(FieldError::body("outputFormat", "unsupported_format", "is svg or png"))
        })
    });
    let said = said.transpose()?;
    Ok(match (accept.choose(&["application/json", "image/svg+xml", "image/png"])?, said) {
        (0, said) => (said.unwrap_or(own), false),
        (_, Some(said)) => (said, true),
        (1, None) => (Output::Svg, true),
        (_, None) => (Output::Png, true),
    })
}

async fn shown(api: &Api, order: &RenderRequest, prefers_image: bool) -> Answer<Pictured<Picture>> {
    let drawing = api.app.media.render(order).await.map_err(problem)?;
    if !prefers_image {
        return Ok(Pictured::Json(One(drawing.into())));
    }
    Ok(Pictured::Image(Image {
        media_type: drawing.mime_type.clone(),
        tag: format!("\"{}\"", drawing.key),
        known: false,
        bytes: drawing.bytes.clone(),
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
        MediaError::LongOption { name } => fault(&name),
        MediaError::ManyOptions => fault("options"),
        MediaError::Store(error) => Problem::internal(error),
        MediaError::Output(..) => Problem::new(ErrorCode::UnsupportedFormat, message),
        MediaError::Raster(RasterError::Busy) => {
            Problem::new(ErrorCode::Unavailable, message).retry_after(1)
        }
        MediaError::Raster(_) => Problem::new(ErrorCode::PluginFailed, message),
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
