//! A bar for every number.

use flyball_plugin::{Diagnostic, Error, Image, Manifest, RenderRequest, Renderer};

struct Bars;
flyball_plugin::renderer!(Bars);

const HIGHEST: u32 = 1000;

/// One number a line; blank lines are skipped.
fn heights(source: &str) -> Result<Vec<u32>, Vec<Diagnostic>> {
    let (mut heights, mut faults) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(source.lines()) {
        let word = text.trim();
        if word.is_empty() {
            continue;
        }
        match word.parse::<u32>() {
            Ok(height) if height <= HIGHEST => heights.push(height),
            _ => {
                let message = format!("`{word}` is not a whole number from 0 to {HIGHEST}");
                let indent = text.chars().take_while(|c| c.is_whitespace()).count();
                faults.push(Diagnostic::error("number", message).at(line, indent as u32 + 1));
            }
        }
    }
    if heights.is_empty() && faults.is_empty() {
        faults.push(Diagnostic::error("empty", "there is no number in it").at(1, 1));
    }
    if faults.is_empty() {
        Ok(heights)
    } else {
        Err(faults)
    }
}

fn svg(heights: &[u32]) -> (u32, u32, String) {
    let width = heights.len() as u32 * 12;
    let height = heights.iter().copied().max().unwrap_or(1).max(1);
    let bars: String = (0_u32..)
        .zip(heights)
        .map(|(n, bar)| {
            let (x, y) = (n * 12, height - bar);
            format!("<rect x='{x}' y='{y}' width='10' height='{bar}'/>")
        })
        .collect();
    let head = format!("viewBox='0 0 {width} {height}' width='{width}' height='{height}'");
    (
        width,
        height,
        format!("<svg xmlns='http://www.w3.org/2000/svg' {head}>{bars}</svg>"),
    )
}

impl Renderer for Bars {
    fn describe() -> Manifest {
        Manifest {
            id: "plugin-name".into(),
            name: "plugin-name".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "You".into(),
            licence: "MIT".into(),
            description: "A bar for every number".into(),
            handles: vec!["plugin-name".into()],
            attributes: Vec::new(),
        }
    }

    fn validate(_format: &str, source: &str) -> Vec<Diagnostic> {
        heights(source).err().unwrap_or_default()
    }

    fn render(request: &RenderRequest) -> Result<Image, Error> {
        let heights = heights(&request.source)
            .map_err(|faults| Error::invalid("the source has faults", faults))?;
        let (width, height, svg) = svg(&heights);
        Ok(Image {
            media_type: "image/svg+xml".into(),
            width,
            height,
            data: svg.into_bytes(),
            warnings: Vec::new(),
        })
    }
}
