//! Formulas in LaTeX.

use super::{Picture, Validation, judged, shown, wanted};
use crate::http::Api;
use crate::http::accept::Accept;
use crate::http::auth::Member;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::Body;
use crate::http::reply::{Answer, One, Pictured};
use crate::media::{Output, RenderRequest};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

const FORMAT: &str = "latex";
const MIN_FONT: f64 = 6.0;
const MAX_FONT: f64 = 200.0;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct FormulaSource {
    #[schema(value_type = String)]
    latex: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct FormulaBody {
    #[schema(value_type = String)]
    latex: Option<String>,
    /// `svg` or `png`.
    #[serde(rename = "outputFormat", alias = "output_format")]
    output_format: Option<String>,
    /// On a line of its own; as within a text where false.
    #[serde(rename = "displayMode", alias = "display_mode")]
    display_mode: Option<bool>,
    /// Pixels.
    #[serde(rename = "fontSize", alias = "font_size")]
    #[schema(minimum = 6, maximum = 200)]
    font_size: Option<f64>,
    /// `#rrggbb`, `#rgb` or a name of CSS.
    #[schema(max_length = 64)]
    color: Option<String>,
    theme: Option<String>,
}

fn source(latex: Option<String>) -> Result<String, Problem> {
    latex.filter(|latex| !latex.is_empty()).ok_or_else(|| {
        Problem::new(ErrorCode::MissingField, "latex is required").field(FieldError::body(
            "latex",
            "missing_field",
            "is required",
        ))
    })
}

pub(crate) async fn validate(
    State(api): State<Api>,
    Member(_): Member,
    Body(request): Body<FormulaSource>,
) -> Answer<One<Validation>> {
    judged(&api, FORMAT, &source(request.latex)?).await
}

pub(crate) async fn render(
    State(api): State<Api>,
    Member(_): Member,
    accept: Accept,
    Body(request): Body<FormulaBody>,
) -> Answer<Pictured<Picture>> {
    let source = source(request.latex)?;
    let (output, prefers_image) = wanted(&accept, request.output_format.as_deref(), Output::Svg)?;
    let mut options = Vec::new();
    if let Some(display) = request.display_mode {
        options.push(("displayMode".to_owned(), display.to_string()));
    }
    if let Some(size) = request.font_size {
        if !(MIN_FONT..=MAX_FONT).contains(&size) {
            let message = format!("has to be {MIN_FONT} to {MAX_FONT} pixels");
            let fault = FieldError::body("fontSize", "out_of_range", message);
            return Err(Problem::invalid(vec![fault]));
        }
        options.push(("fontSize".to_owned(), size.to_string()));
    }
    if let Some(color) = request.color.filter(|color| !color.is_empty()) {
        options.push(("color".to_owned(), color));
    }
    let theme = request.theme.filter(|theme| theme != "default" && !theme.is_empty());
    let (format, width, height) = (FORMAT.to_owned(), None, None);
    let order = RenderRequest { format, source, width, height, theme, options, output };
    shown(&api, &order, prefers_image).await
}
