//! The shapes by name: how much room a label needs in them, and how they are drawn.

use crate::layout::{Point, Rect};

const NAMES: [&str; 14] = [
    "rectangle",
    "square",
    "circle",
    "oval",
    "diamond",
    "hexagon",
    "parallelogram",
    "cylinder",
    "queue",
    "package",
    "step",
    "document",
    "person",
    "text",
];
/// D2 has them as well.
pub(crate) const NOT_DRAWN: [&str; 11] = [
    "sql_table",
    "class",
    "sequence_diagram",
    "image",
    "code",
    "hierarchy",
    "stored_data",
    "callout",
    "page",
    "cloud",
    "c4-person",
];

#[must_use]
pub(crate) fn names() -> &'static [&'static str] {
    &NAMES
}

#[must_use]
pub(crate) fn find(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|known| **known == name).copied()
}

/// The size of a shape around a label of this size.
#[must_use]
pub(crate) fn around(kind: &str, (width, height): (f64, f64)) -> (f64, f64) {
    let (wide, high) = (width + 40.0, height + 40.0);
    match kind {
        "square" => (wide.max(high), wide.max(high)),
        "circle" => {
            let across = width.hypot(height) + 24.0;
            (across, across)
        }
        "oval" => (width * 1.42 + 24.0, height * 1.42 + 24.0),
        "diamond" => (width * 1.6 + 40.0, height * 1.8 + 40.0),
        "hexagon" | "parallelogram" | "step" | "queue" => (wide + 40.0, high),
        "cylinder" => (wide, high + 36.0),
        "document" => (wide, high + 16.0),
        "person" => (wide.max(70.0), high + 50.0),
        "text" => (width + 8.0, height + 8.0),
        _ => (wide, high),
    }
}

/// Where the middle of the label stands, below the top of the shape.
#[must_use]
pub(crate) fn label_middle(kind: &str, rect: Rect) -> f64 {
    match kind {
        "cylinder" => rect.y + rect.height / 2.0 + 8.0,
        "document" => rect.y + rect.height / 2.0 - 8.0,
        "package" => rect.y + rect.height / 2.0 + 6.0,
        "person" => rect.y + rect.height - 30.0,
        _ => rect.y + rect.height / 2.0,
    }
}

/// The elements of a shape, which get `paint` as attributes.
#[must_use]
pub(crate) fn outline(kind: &str, rect: Rect, radius: f64, paint: &str) -> String {
    let Rect { x, y, width, height } = rect;
    let (right, bottom) = (x + width, y + height);
    let (middle, centre) = (x + width / 2.0, y + height / 2.0);
    let path = |data: String| format!("<path{paint} d=\"{data}\"/>");
    match kind {
        "text" => String::new(),
        "circle" | "oval" => format!(
            "<ellipse{paint} cx=\"{middle:.2}\" cy=\"{centre:.2}\" rx=\"{:.2}\" ry=\"{:.2}\"/>",
            width / 2.0,
            height / 2.0
        ),
        "diamond" => path(format!(
            "M{middle:.2} {y:.2}L{right:.2} {centre:.2}L{middle:.2} {bottom:.2}L{x:.2} {centre:.2}Z"
        )),
        "hexagon" => path(format!(
            "M{:.2} {y:.2}H{:.2}L{right:.2} {centre:.2}L{:.2} {bottom:.2}H{:.2}L{x:.2} {centre:.2}Z",
            x + 20.0,
            right - 20.0,
            right - 20.0,
            x + 20.0
        )),
        "parallelogram" => path(format!(
            "M{:.2} {y:.2}H{right:.2}L{:.2} {bottom:.2}H{x:.2}Z",
            x + 20.0,
            right - 20.0
        )),
        "step" => path(format!(
            "M{x:.2} {y:.2}H{:.2}L{right:.2} {centre:.2}L{:.2} {bottom:.2}H{x:.2}L{:.2} {centre:.2}Z",
            right - 20.0,
            right - 20.0,
            x + 20.0
        )),
        "cylinder" => path(format!(
            "M{x:.2} {:.2}A{r:.2} 12 0 0 1 {right:.2} {:.2}V{:.2}A{r:.2} 12 0 0 1 {x:.2} {:.2}Z\
             M{x:.2} {:.2}A{r:.2} 12 0 0 0 {right:.2} {:.2}",
            y + 12.0,
            y + 12.0,
            bottom - 12.0,
            bottom - 12.0,
            y + 12.0,
            y + 12.0,
            r = width / 2.0
        )),
        "queue" => path(format!(
            "M{:.2} {y:.2}A12 {r:.2} 0 0 0 {:.2} {bottom:.2}H{:.2}A12 {r:.2} 0 0 0 {:.2} {y:.2}Z\
             M{:.2} {y:.2}A12 {r:.2} 0 0 0 {:.2} {bottom:.2}A12 {r:.2} 0 0 0 {:.2} {y:.2}",
            x + 12.0,
            x + 12.0,
            right - 12.0,
            right - 12.0,
            right - 12.0,
            right - 12.0,
            right - 12.0,
            r = height / 2.0
        )),
        "package" => path(format!(
            "M{x:.2} {y:.2}H{:.2}V{:.2}H{right:.2}V{bottom:.2}H{x:.2}Z",
            middle,
            y + 12.0
        )),
        "document" => path(format!(
            "M{x:.2} {y:.2}H{right:.2}V{:.2}Q{:.2} {:.2} {middle:.2} {:.2}T{x:.2} {:.2}Z",
            bottom - 8.0,
            x + width * 0.75,
            bottom - 24.0,
            bottom - 8.0,
            bottom - 8.0
        )),
        "person" => {
            let head = (height - 60.0).clamp(20.0, 44.0) / 2.0;
            let shoulder = y + 2.0 * head;
            format!(
                "<path{paint} d=\"M{x:.2} {bottom:.2}V{:.2}Q{x:.2} {shoulder:.2} {middle:.2} \
                 {shoulder:.2}T{right:.2} {:.2}V{bottom:.2}Z\"/>\
                 <circle{paint} cx=\"{middle:.2}\" cy=\"{:.2}\" r=\"{head:.2}\"/>",
                shoulder + 20.0,
                shoulder + 20.0,
                y + head
            )
        }
        _ => format!(
            "<rect{paint} x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
             rx=\"{radius:.2}\"/>"
        ),
    }
}

/// Where a line from `from` to the middle of the shape meets its border.
#[must_use]
pub(crate) fn border(kind: &str, rect: Rect, from: Point) -> Point {
    let middle = rect.middle();
    let (dx, dy) = (from.x - middle.x, from.y - middle.y);
    let (half_width, half_height) = (rect.width / 2.0, rect.height / 2.0);
    let (across, down) = (dx.abs() / half_width, dy.abs() / half_height);
    let reach = match kind {
        "circle" | "oval" => across.hypot(down),
        "diamond" => across + down,
        _ => across.max(down),
    };
    if reach <= f64::EPSILON {
        return middle;
    }
    Point { x: middle.x + dx / reach, y: middle.y + dy / reach }
}
