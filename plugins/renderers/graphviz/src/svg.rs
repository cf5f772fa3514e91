//! The drawing on its page: size in pixels, and colours that suit a dark page.

/// How large the page may be and which ground it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) dark: bool,
}

#[derive(Debug)]
pub(crate) struct Fitted {
    pub(crate) text: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Graphviz measures in points; a page of the web has 96 pixels an inch.
const PIXELS_PER_POINT: f64 = 96.0 / 72.0;

/// Black lines and a white ground are Graphviz' defaults; colours that the author chose stay.
const DARK: [(&str, &str); 3] = [
    ("fill=\"white\" stroke=\"none\"", "fill=\"#14171c\" stroke=\"none\""),
    ("stroke=\"black\"", "stroke=\"#c9d1d9\""),
    ("fill=\"black\"", "fill=\"#c9d1d9\""),
];

impl Page {
    /// The drawing scaled into the page with its own proportions. `None` where its root has no
    /// size.
    pub(crate) fn fit(self, drawing: &str) -> Option<Fitted> {
        let start = drawing.find("<svg")?;
        let end = start + drawing[start..].find('>')?;
        let root = &drawing[start..end];
        let (width_span, width_pt) = points(root, "width")?;
        let (height_span, height_pt) = points(root, "height")?;
        let (width, height) =
            self.pixels(width_pt * PIXELS_PER_POINT, height_pt * PIXELS_PER_POINT);
        let mut text = String::with_capacity(drawing.len() + 64);
        text.push_str(&drawing[..start + width_span.start]);
        text.push_str(&format!("{width}px"));
        text.push_str(&drawing[start + width_span.end..start + height_span.start]);
        text.push_str(&format!("{height}px"));
        text.push_str(&self.coloured(&drawing[start + height_span.end..]));
        // A text without a family of its own is drawn in the element's initial colour.
        if self.dark {
            text = text.replacen("<svg ", "<svg fill=\"#c9d1d9\" ", 1);
        }
        Some(Fitted { text, width, height })
    }

    fn pixels(self, width: f64, height: f64) -> (u32, u32) {
        let across = self.width.map(|bound| f64::from(bound) / width);
        let down = self.height.map(|bound| f64::from(bound) / height);
        let scale = match (across, down) {
            (Some(across), Some(down)) => across.min(down),
            (Some(scale), None) | (None, Some(scale)) => scale,
            (None, None) => 1.0,
        };
        (whole(width * scale), whole(height * scale))
    }

    fn coloured(self, drawing: &str) -> String {
        if !self.dark {
            return drawing.to_owned();
        }
        DARK.iter().fold(drawing.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

fn whole(pixels: f64) -> u32 {
    // A drawing has at least one pixel; `as` saturates.
    pixels.round().max(1.0) as u32
}

/// Where in `root` the value of `name` stands, and what it is, in points.
fn points(root: &str, name: &str) -> Option<(std::ops::Range<usize>, f64)> {
    let start = root.find(&format!(" {name}=\""))? + name.len() + 3;
    let end = start + root[start..].find('"')?;
    let value = root[start..end].trim_end_matches("pt").parse::<f64>().ok()?;
    (value.is_finite() && value > 0.0).then_some((start..end, value))
}
