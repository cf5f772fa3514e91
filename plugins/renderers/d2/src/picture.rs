//! A diagram that is laid out, as SVG.

use crate::layout::{FONT_PIXELS, LINE_FONT_PIXELS, Layout, Line, Point, Rect};
use crate::letters::{LINE_HEIGHT, extent};
use crate::model::{Connection, Diagram, Shape, ShapeId, Style};
use crate::shapes;
use drawing::Pixels;
use std::fmt::Write as _;

const FONTS: &str = "Liberation Sans, Arial, Helvetica, sans-serif";
const ARROW_PIXELS: f64 = 10.0;

struct Theme {
    ground: &'static str,
    /// By the depth of a container; the last is for shapes without others in them.
    fills: [&'static str; 3],
    stroke: &'static str,
    text: &'static str,
}

const LIGHT: Theme = Theme {
    ground: "#ffffff",
    fills: ["#e3e9fd", "#edf0fd", "#f7f8fe"],
    stroke: "#0d32b2",
    text: "#0a0f25",
};
const DARK: Theme = Theme {
    ground: "#14171c",
    fills: ["#1f2937", "#263245", "#2d3b52"],
    stroke: "#8ab4f8",
    text: "#c9d1d9",
};

pub(crate) fn svg(diagram: &Diagram, layout: &Layout, pixels: Pixels, dark: bool) -> String {
    let theme = if dark { DARK } else { LIGHT };
    let Rect { x, y, width, height } = layout.extent;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
         viewBox=\"{x:.2} {y:.2} {width:.2} {height:.2}\" font-family=\"{FONTS}\">",
        pixels.width, pixels.height
    );
    if dark {
        let ground = theme.ground;
        push(
            &mut out,
            &format!(
                "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
                 fill=\"{ground}\"/>"
            ),
        );
    }
    let drawn = diagram.shapes.iter().zip(&layout.boxes).enumerate();
    // A container lies below what is in it, which was named after it.
    for (index, (shape, rect)) in drawn {
        push(&mut out, &shape_svg(diagram, ShapeId(index), shape, *rect, &theme));
    }
    for (connection, line) in diagram.connections.iter().zip(&layout.lines) {
        push(&mut out, &line_svg(connection, line, &theme));
    }
    out.push_str("</svg>");
    out
}

fn shape_svg(diagram: &Diagram, id: ShapeId, shape: &Shape, rect: Rect, theme: &Theme) -> String {
    let depth = std::iter::successors(shape.parent, |id| diagram.shape(*id)?.parent).count();
    let is_container = !shape.children.is_empty();
    let level = if is_container { depth.min(1) } else { 2 };
    let fill = shape.style.fill.as_deref().unwrap_or(theme.fills[level]);
    let paint =
        format!(" fill=\"{fill}\"{}{}", stroke(&shape.style, theme, 2.0), opacity(&shape.style));
    let kind = if is_container { "rectangle" } else { shape.kind };
    let radius = shape.style.border_radius.unwrap_or(0.0);
    let middle_x = rect.middle().x;
    let font = shape.style.font_size.unwrap_or(FONT_PIXELS);
    let label_at = if is_container {
        let (_, height) = extent(&shape.label, font, true);
        Point { x: middle_x, y: rect.y + 8.0 + height / 2.0 }
    } else {
        Point { x: middle_x, y: shapes::label_middle(kind, rect) }
    };
    format!(
        "<g data-shape=\"{}\">{}{}</g>",
        id.0,
        shapes::outline(kind, rect, radius, &paint),
        text(&shape.label, label_at, font, &shape.style, theme, is_container)
    )
}

fn line_svg(connection: &Connection, line: &Line, theme: &Theme) -> String {
    let mut points = line.points.clone();
    let colour = connection.style.stroke.as_deref().unwrap_or(theme.stroke);
    let mut out = String::new();
    let mut heads = String::new();
    if connection.arrow_at_end {
        heads.push_str(&arrow(&mut points, colour));
    }
    if connection.arrow_at_start {
        points.reverse();
        heads.push_str(&arrow(&mut points, colour));
        points.reverse();
    }
    let mut data = String::new();
    for (index, point) in points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        // Writing to a string can't fail.
        let _infallible = write!(data, "{command}{:.2} {:.2}", point.x, point.y);
    }
    push(
        &mut out,
        &format!(
            "<path fill=\"none\" stroke-linejoin=\"round\"{}{} d=\"{data}\"/>{heads}",
            stroke(&connection.style, theme, 2.0),
            opacity(&connection.style)
        ),
    );
    if let Some(at) = line.label_at {
        let font = connection.style.font_size.unwrap_or(LINE_FONT_PIXELS);
        let (width, height) = extent(&connection.label, font, false);
        push(
            &mut out,
            &format!(
                "<rect fill=\"{}\" x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{height:.2}\"/>",
                theme.ground,
                at.x - width / 2.0 - 2.0,
                at.y - height / 2.0,
                width + 4.0
            ),
        );
        push(&mut out, &text(&connection.label, at, font, &connection.style, theme, false));
    }
    out
}

/// The head at the end of the line, which is shortened so that it does not stick through.
fn arrow(points: &mut [Point], colour: &str) -> String {
    let [.., before, tip] = points else { return String::new() };
    let (dx, dy) = (tip.x - before.x, tip.y - before.y);
    let length = dx.hypot(dy);
    if length < f64::EPSILON {
        return String::new();
    }
    let (ux, uy) = (dx / length, dy / length);
    let back = Point { x: tip.x - ux * ARROW_PIXELS, y: tip.y - uy * ARROW_PIXELS };
    let half = ARROW_PIXELS * 0.5;
    let head = format!(
        "<path fill=\"{colour}\" d=\"M{:.2} {:.2}L{:.2} {:.2}L{:.2} {:.2}Z\"/>",
        tip.x,
        tip.y,
        back.x - uy * half,
        back.y + ux * half,
        back.x + uy * half,
        back.y - ux * half
    );
    if length > ARROW_PIXELS {
        *tip = Point { x: tip.x - ux * ARROW_PIXELS * 0.8, y: tip.y - uy * ARROW_PIXELS * 0.8 };
    }
    head
}

fn stroke(style: &Style, theme: &Theme, usual: f64) -> String {
    let colour = style.stroke.as_deref().unwrap_or(theme.stroke);
    let width = style.stroke_width.unwrap_or(usual);
    let mut stroke = format!(" stroke=\"{colour}\" stroke-width=\"{width}\"");
    if let Some(dash) = style.stroke_dash.filter(|dash| *dash > 0.0) {
        // Writing to a string can't fail.
        let _infallible = write!(stroke, " stroke-dasharray=\"{:.2}\"", dash * width.max(1.0));
    }
    stroke
}

fn opacity(style: &Style) -> String {
    style.opacity.map(|opacity| format!(" opacity=\"{opacity}\"")).unwrap_or_default()
}

fn text(label: &str, at: Point, font: f64, style: &Style, theme: &Theme, title: bool) -> String {
    let colour = style.font_color.as_deref().unwrap_or(theme.text);
    let bold = if style.bold.unwrap_or(title) { " font-weight=\"bold\"" } else { "" };
    let italic = if style.italic.unwrap_or(false) { " font-style=\"italic\"" } else { "" };
    let line_height = font * LINE_HEIGHT;
    let above = (label.lines().count() as f64 - 1.0) * line_height / 2.0;
    let mut out = String::new();
    for (index, line) in label.lines().enumerate() {
        // A third of the size below the middle is where letters stand.
        let y = at.y - above + index as f64 * line_height + font * 0.35;
        push(
            &mut out,
            &format!(
                "<text x=\"{:.2}\" y=\"{y:.2}\" text-anchor=\"middle\" font-size=\"{font}\" \
                 fill=\"{colour}\"{bold}{italic}>{}</text>",
                at.x,
                escaped(line)
            ),
        );
    }
    out
}

fn escaped(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .map(|letter| match letter {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            letter => letter.to_string(),
        })
        .collect()
}

fn push(out: &mut String, element: &str) {
    out.push_str(element);
}
