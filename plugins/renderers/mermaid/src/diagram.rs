//! Mermaid to a drawing, in plain values. Knows nothing of the plugin's world.

use crate::fault::{Fault, Remark, Weight};
use crate::{text, theme};
use drawing::{Bounds, Pixels, Place, Root};
use merman::analysis::{AnalysisDiagnostic, Analyzer, DiagnosticSeverity};
use merman::svg::SvgPipeline;
use merman::{
    MermaidEngine, OperationControl, RenderError, RenderOutput, RenderRequest, Renderer,
    SourcePresentationConfig, SvgRequest,
};

/// Mermaid itself takes 50,000 characters.
pub(crate) const MAX_SOURCE_BYTES: usize = 200 * 1024;

/// How to draw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options<'a> {
    pub(crate) theme: Option<&'a str>,
    pub(crate) bounds: Bounds,
}

#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) svg: String,
    pub(crate) pixels: Pixels,
}

/// Everything that can be said of `source` without drawing it.
#[must_use]
pub(crate) fn check(source: &str) -> Vec<Remark> {
    if let Some(fault) = length_fault(source) {
        return vec![plain(fault.to_string(), "size", source)];
    }
    let analysis = Analyzer::new().analyze(source);
    let mut remarks: Vec<Remark> =
        analysis.diagnostics.iter().filter(told).map(|found| remark(found, source)).collect();
    if !analysis.valid && !remarks.iter().any(|remark| remark.weight == Weight::Error) {
        remarks.push(plain("the source is no Mermaid diagram".into(), "syntax", source));
    }
    remarks
}

/// # Errors
/// Where the source does not parse or can't be drawn.
pub(crate) fn draw(source: &str, options: &Options<'_>) -> Result<Drawing, Fault> {
    if let Some(name) = options.theme.filter(|name| !theme::is_known(name)) {
        return Err(Fault::Theme(name.chars().take(40).collect()));
    }
    if let Some(fault) = length_fault(source) {
        return Err(fault);
    }
    let svg = svg(source, options)?;
    let Some(root) = Root::find(&svg) else {
        return Err(Fault::Drawing("the drawing has no root".into()));
    };
    let size = root.size().ok_or_else(|| Fault::Drawing("the drawing has no size".into()))?;
    let pixels = options.bounds.fit(size);
    let resized = root
        .resized(pixels, theme::ground(options.theme))
        .ok_or_else(|| Fault::Drawing("the drawing has no size".into()))?;
    Ok(Drawing { svg: resized, pixels })
}

fn svg(source: &str, options: &Options<'_>) -> Result<String, Fault> {
    let config = SourcePresentationConfig::from_value(theme::site_config(options.theme));
    let engine = MermaidEngine::new().with_site_config(config);
    let mut wanted = SvgRequest::default();
    wanted.options.diagram_id = Some("mermaid".into());
    wanted.pipeline = Some(SvgPipeline::resvg_safe());
    let request = RenderRequest::svg(source, OperationControl::new(), wanted);
    let output = Renderer::new().with_presentation_engine(engine).render(request);
    match output {
        Ok(RenderOutput::Svg(Some(drawn))) => {
            Ok(text::with_centred_states(&text::with_spaces(drawn.svg())))
        }
        Ok(_) | Err(RenderError::NoDiagram) => Err(source_fault("no diagram", source)),
        Err(RenderError::ResourceLimitExceeded(limit)) => Err(Fault::Limit(format!(
            "the diagram is too large to draw: {} is {} and may be {}",
            limit.id, limit.actual, limit.maximum
        ))),
        Err(RenderError::UnsupportedTarget(what)) => Err(Fault::Unsupported(what.into())),
        Err(error @ RenderError::Parse(_)) => Err(source_fault(&error.to_string(), source)),
        Err(error) => Err(drawing_fault(&error, source)),
    }
}

/// The analysis says better than the drawing where a source is wrong.
fn source_fault(message: &str, source: &str) -> Fault {
    let mut remarks = check(source);
    remarks.retain(|remark| remark.weight == Weight::Error);
    if remarks.is_empty() {
        remarks.push(plain(text::tidy(message), "syntax", source));
    }
    Fault::Source(remarks)
}

/// Some faults of a source show only when it is laid out.
fn drawing_fault(error: &RenderError, source: &str) -> Fault {
    match source_fault("", source) {
        Fault::Source(remarks) if remarks.iter().any(|remark| !remark.message.is_empty()) => {
            Fault::Source(remarks)
        }
        _ => Fault::Drawing(text::tidy(&error.to_string())),
    }
}

fn length_fault(source: &str) -> Option<Fault> {
    (source.len() > MAX_SOURCE_BYTES).then(|| {
        Fault::Limit(format!(
            "the diagram has {} bytes and at most {MAX_SOURCE_BYTES} are drawn; split it up",
            source.len()
        ))
    })
}

/// That an editor's facts were saved behind a fault helps nobody who reads the fault.
fn told(found: &&AnalysisDiagnostic) -> bool {
    !found.id.contains("recovered")
}

fn plain(message: String, code: &str, source: &str) -> Remark {
    let first = source.len() - source.trim_start().len();
    Remark {
        weight: Weight::Error,
        code: code.into(),
        message,
        start: Some(Place::of_byte(source, first)),
        end: None,
    }
}

fn remark(found: &AnalysisDiagnostic, source: &str) -> Remark {
    let weight = match found.severity {
        DiagnosticSeverity::Error => Weight::Error,
        DiagnosticSeverity::Warning => Weight::Warning,
        DiagnosticSeverity::Info => Weight::Info,
        DiagnosticSeverity::Hint => Weight::Hint,
    };
    let mut message = text::tidy(&found.message);
    if let Some(help) = found.help.as_deref().map(str::trim).filter(|help| !help.is_empty()) {
        message.push_str("; ");
        message.push_str(help);
    }
    let start = found.span.as_ref().map(|span| Place::of_byte(source, span.byte_start));
    let end = found.span.as_ref().map(|span| Place::of_byte(source, span.byte_end));
    Remark { weight, code: text::code(&found.id), message, start, end }
}
