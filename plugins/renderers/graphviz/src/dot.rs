//! DOT to a drawing, in plain values. Knows nothing of the plugin's world.

use crate::svg;
use graphviz_pure::{
    Diagnostic, DiagnosticLevel, GlobalAttrs, GraphvizError, GraphvizErrorKind, LayoutEngine,
    LayoutOptions, OutputFormat,
};

pub(crate) const ENGINES: [&str; 8] =
    ["dot", "neato", "fdp", "sfdp", "twopi", "circo", "osage", "patchwork"];

/// What is wrong with a source, or worth knowing about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Line and column count from 1.
    Syntax {
        line: u32,
        column: u32,
        message: String,
    },
    Engine(String),
    Layout(String),
    /// More memory than any machine has.
    Size,
    Warning(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { message, .. } | Self::Layout(message) | Self::Warning(message) => {
                f.write_str(message)
            }
            Self::Engine(name) => {
                write!(
                    f,
                    "there is no layout engine `{name}`; choose one of {}",
                    ENGINES.join(", ")
                )
            }
            Self::Size => f.write_str("the drawing would need more memory than there is"),
        }
    }
}

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options<'a> {
    pub(crate) engine: &'a str,
    pub(crate) dark: bool,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) svg: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) warnings: Vec<Fault>,
}

/// Everything that can be said of `source` without drawing it.
#[must_use]
pub(crate) fn check(source: &str) -> Vec<Fault> {
    match graphviz_pure::parse_dot_all(source, &GlobalAttrs::default()) {
        Ok(parsed) => {
            let count = parsed.output().len();
            let mut faults: Vec<Fault> = parsed.diagnostics().iter().filter_map(remark).collect();
            faults.extend(count_fault(count, source));
            faults
        }
        Err(error) => vec![fault(&error, source)],
    }
}

/// The first graph of `source` as SVG.
///
/// # Errors
/// Where the source does not parse or can't be laid out.
pub(crate) fn draw(source: &str, options: &Options<'_>) -> Result<Drawing, Fault> {
    let engine = engine(options.engine)?;
    let globals = GlobalAttrs::default();
    let parsed = graphviz_pure::parse_dot_all(source, &globals).map_err(|e| fault(&e, source))?;
    let (graphs, diagnostics) = parsed.into_parts();
    let mut warnings: Vec<Fault> = diagnostics.iter().filter_map(remark).collect();
    match count_fault(graphs.len(), source) {
        Some(fault @ Fault::Warning(_)) => warnings.push(fault),
        Some(fault) => return Err(fault),
        None => {}
    }
    let Some(mut graph) = graphs.into_iter().next() else {
        return Err(Fault::Layout("there is no graph in the source".into()));
    };
    let mut layout = LayoutOptions::default();
    let laid_out = graphviz_pure::layout_graph_in_run(&mut graph, engine, &mut layout)
        .map_err(|e| fault(&e, source))?;
    warnings.extend(laid_out.diagnostics().iter().filter_map(remark));
    let rendered =
        graphviz_pure::render_graph(&graph, OutputFormat::Svg).map_err(|e| fault(&e, source))?;
    warnings.extend(rendered.diagnostics().iter().filter_map(remark));
    let page = svg::Page { width: options.width, height: options.height, dark: options.dark };
    let fitted = page
        .fit(&rendered.into_output())
        .ok_or_else(|| Fault::Layout("the drawing has no size".into()))?;
    Ok(Drawing { svg: fitted.text, width: fitted.width, height: fitted.height, warnings })
}

fn count_fault(graphs: usize, source: &str) -> Option<Fault> {
    match graphs {
        0 => {
            let line = u32::try_from(source.lines().count().max(1)).unwrap_or(u32::MAX);
            let message = "there is no graph in the source".into();
            Some(Fault::Syntax { line, column: 1, message })
        }
        1 => None,
        more => Some(Fault::Warning(format!("the first of {more} graphs is drawn"))),
    }
}

fn engine(name: &str) -> Result<LayoutEngine, Fault> {
    Ok(match name {
        "dot" => LayoutEngine::Dot,
        "neato" => LayoutEngine::Neato,
        "fdp" => LayoutEngine::Fdp,
        "sfdp" => LayoutEngine::Sfdp,
        "twopi" => LayoutEngine::Twopi,
        "circo" => LayoutEngine::Circo,
        "osage" => LayoutEngine::Osage,
        "patchwork" => LayoutEngine::Patchwork,
        other => return Err(Fault::Engine(other.to_owned())),
    })
}

fn fault(error: &GraphvizError, source: &str) -> Fault {
    match error.kind() {
        GraphvizErrorKind::Syntax => {
            let last = u32::try_from(source.lines().count().max(1)).unwrap_or(u32::MAX);
            Fault::Syntax {
                // A `# 1 "file"` directive may name any line; the editor only has these.
                line: error.line().unwrap_or(last).clamp(1, last),
                column: error.column().unwrap_or(0).saturating_add(1),
                message: error.message().trim_end().to_owned(),
            }
        }
        GraphvizErrorKind::Allocation => Fault::Size,
        _ => Fault::Layout(error.to_string()),
    }
}

/// Errors that Graphviz reports and draws on past are warnings here: the picture came.
fn remark(diagnostic: &Diagnostic) -> Option<Fault> {
    let text = diagnostic.message().trim();
    let bare = match diagnostic.level() {
        DiagnosticLevel::Error => text.strip_prefix("Error: "),
        _ => text.strip_prefix("Warning: "),
    };
    let text = bare.unwrap_or(text);
    (!text.is_empty()).then(|| Fault::Warning(text.to_owned()))
}
