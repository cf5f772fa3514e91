//! Where everything stands. The ranks and orders are dugong's; containers get room for their
//! titles, and lines end at the borders of what they join.

use crate::letters;
use crate::model::{Diagram, Direction, Shape, ShapeId};
use crate::shapes;
use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, RankDir};

pub(crate) const FONT_PIXELS: f64 = 16.0;
pub(crate) const LINE_FONT_PIXELS: f64 = 14.0;
pub(crate) const MARGIN: f64 = 12.0;
const CONTAINER_PADDING: f64 = 14.0;
const TITLE_GAP: f64 = 10.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Rect {
    pub(crate) fn middle(self) -> Point {
        Point { x: self.x + self.width / 2.0, y: self.y + self.height / 2.0 }
    }

    fn holds(self, point: Point) -> bool {
        (self.x..=self.x + self.width).contains(&point.x)
            && (self.y..=self.y + self.height).contains(&point.y)
    }

    fn with(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }
}

/// Boxes by the index of their shape, lines by the index of their connection.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) boxes: Vec<Rect>,
    pub(crate) lines: Vec<Line>,
    pub(crate) extent: Rect,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) points: Vec<Point>,
    pub(crate) label_at: Option<Point>,
}

type Dagre = Graph<NodeLabel, EdgeLabel, GraphLabel>;

/// # Errors
/// What the layout says of itself.
pub(crate) fn lay_out(diagram: &Diagram, direction: Direction) -> Result<Layout, String> {
    let mut graph = graph(diagram, direction);
    dugong::layout(&mut graph).map_err(|error| error.to_string())?;
    let mut boxes: Vec<Rect> =
        (0..diagram.shapes.len()).map(|index| leaf_box(&graph, index)).collect();
    // A shape stands behind its container, so that the inner ones are settled first.
    for (index, shape) in diagram.shapes.iter().enumerate().rev() {
        if !shape.children.is_empty()
            && let Some(around) = container_box(shape, &boxes)
            && let Some(own) = boxes.get_mut(index)
        {
            *own = around;
        }
    }
    let lines: Vec<Line> =
        (0..diagram.connections.len()).map(|index| line(diagram, &graph, &boxes, index)).collect();
    let extent = extent(diagram, &boxes, &lines);
    Ok(Layout { boxes, lines, extent })
}

fn graph(diagram: &Diagram, direction: Direction) -> Dagre {
    let options = GraphOptions { multigraph: true, compound: true, ..GraphOptions::default() };
    let mut graph = Dagre::new(options);
    graph.set_graph(GraphLabel {
        rankdir: match direction {
            Direction::Down => RankDir::TB,
            Direction::Up => RankDir::BT,
            Direction::Right => RankDir::LR,
            Direction::Left => RankDir::RL,
        },
        nodesep: 50.0,
        ranksep: 60.0,
        ..GraphLabel::default()
    });
    for (index, shape) in diagram.shapes.iter().enumerate() {
        let (width, height) = size(shape);
        graph.set_node(index.to_string(), NodeLabel { width, height, ..NodeLabel::default() });
    }
    for (index, shape) in diagram.shapes.iter().enumerate() {
        if let Some(parent) = shape.parent {
            graph.set_parent(index.to_string(), parent.0.to_string());
        }
    }
    for (index, connection) in diagram.connections.iter().enumerate() {
        let font = connection.style.font_size.unwrap_or(LINE_FONT_PIXELS);
        let (width, height) = letters::extent(&connection.label, font, false);
        let label = EdgeLabel { width, height, minlen: 1, weight: 1.0, ..EdgeLabel::default() };
        let (from, to) = (leaf(diagram, connection.from), leaf(diagram, connection.to));
        graph.set_edge_named(from, to, Some(index.to_string()), Some(label));
    }
    graph
}

/// Edges join shapes without others in them; for a container its first such shape stands in.
fn leaf(diagram: &Diagram, shape: ShapeId) -> String {
    let mut at = shape;
    while let Some(child) = diagram.shape(at).and_then(|shape| shape.children.first()) {
        at = *child;
    }
    at.0.to_string()
}

fn size(shape: &Shape) -> (f64, f64) {
    let font = shape.style.font_size.unwrap_or(FONT_PIXELS);
    let bold = shape.style.bold.unwrap_or(false);
    let (width, height) = shapes::around(shape.kind, letters::extent(&shape.label, font, bold));
    (shape.width.unwrap_or(width), shape.height.unwrap_or(height))
}

fn leaf_box(graph: &Dagre, index: usize) -> Rect {
    let Some(node) = graph.node(&index.to_string()) else { return Rect::default() };
    let (x, y) = (node.x.unwrap_or(0.0), node.y.unwrap_or(0.0));
    let (width, height) = (node.width, node.height);
    Rect { x: x - width / 2.0, y: y - height / 2.0, width, height }
}

/// Around what is in it, with a title above.
fn container_box(shape: &Shape, boxes: &[Rect]) -> Option<Rect> {
    let children = shape.children.iter().filter_map(|child| boxes.get(child.0)).copied();
    let inner = children.reduce(Rect::with)?;
    let font = shape.style.font_size.unwrap_or(FONT_PIXELS);
    let (title_width, title_height) = letters::extent(&shape.label, font, true);
    let width = (inner.width + 2.0 * CONTAINER_PADDING).max(title_width + 2.0 * TITLE_GAP);
    let top = title_height + 2.0 * TITLE_GAP;
    Some(Rect {
        x: inner.x - (width - inner.width) / 2.0,
        y: inner.y - top,
        width,
        height: inner.height + top + CONTAINER_PADDING,
    })
}

fn line(diagram: &Diagram, graph: &Dagre, boxes: &[Rect], index: usize) -> Line {
    let nothing = Line { points: Vec::new(), label_at: None };
    let Some(connection) = diagram.connections.get(index) else { return nothing };
    let (from, to) = (leaf(diagram, connection.from), leaf(diagram, connection.to));
    let Some(edge) = graph.edge(&from, &to, Some(&index.to_string())) else { return nothing };
    let mut points: Vec<Point> =
        edge.points.iter().map(|point| Point { x: point.x, y: point.y }).collect();
    meet(&mut points, diagram, boxes, connection.from);
    points.reverse();
    meet(&mut points, diagram, boxes, connection.to);
    points.reverse();
    let ends = [connection.from, connection.to].map(|end| diagram.shape(end));
    let was_cut = ends.iter().flatten().any(|shape| !shape.children.is_empty());
    let label_at = match (edge.x, edge.y) {
        _ if connection.label.is_empty() => None,
        // The layout's place may lie in a container that the line ends at.
        (Some(x), Some(y)) if !was_cut => Some(Point { x, y }),
        _ => halfway(&points),
    };
    Line { points, label_at }
}

fn halfway(points: &[Point]) -> Option<Point> {
    let length = |pair: &[Point]| match pair {
        [a, b] => (b.x - a.x).hypot(b.y - a.y),
        _ => 0.0,
    };
    let mut left = points.windows(2).map(length).sum::<f64>() / 2.0;
    for pair in points.windows(2) {
        let [a, b] = *pair else { continue };
        let here = length(pair);
        if left <= here && here > 0.0 {
            let along = left / here;
            return Some(Point { x: a.x + (b.x - a.x) * along, y: a.y + (b.y - a.y) * along });
        }
        left -= here;
    }
    points.first().copied()
}

/// Lets the line begin at the border of `shape`.
fn meet(points: &mut Vec<Point>, diagram: &Diagram, boxes: &[Rect], shape: ShapeId) {
    let (Some(rect), Some(shape)) = (boxes.get(shape.0).copied(), diagram.shape(shape)) else {
        return;
    };
    let Some(outside) = points.iter().position(|point| !rect.holds(*point)) else { return };
    let Some(next) = points.get(outside).copied() else { return };
    if shape.children.is_empty() {
        let from = points.get(1).copied().unwrap_or(next);
        if let Some(first) = points.first_mut() {
            *first = shapes::border(shape.kind, rect, from);
        }
        return;
    }
    let last_inside = outside.checked_sub(1).and_then(|at| points.get(at)).copied();
    points.drain(..outside);
    points.insert(0, crossing(rect, last_inside.unwrap_or(rect.middle()), next));
}

/// Where the line from `inside` to `outside` leaves the box.
fn crossing(rect: Rect, inside: Point, outside: Point) -> Point {
    let (dx, dy) = (outside.x - inside.x, outside.y - inside.y);
    let share = |delta: f64, low: f64, high: f64| {
        let room = if delta > 0.0 { high } else { low };
        if delta.abs() < f64::EPSILON { 1.0 } else { (room / delta).clamp(0.0, 1.0) }
    };
    let along = share(dx, rect.x - inside.x, rect.x + rect.width - inside.x).min(share(
        dy,
        rect.y - inside.y,
        rect.y + rect.height - inside.y,
    ));
    Point { x: inside.x + dx * along, y: inside.y + dy * along }
}

fn extent(diagram: &Diagram, boxes: &[Rect], lines: &[Line]) -> Rect {
    let spot = |point: Point, width: f64, height: f64| Rect {
        x: point.x - width / 2.0,
        y: point.y - height / 2.0,
        width,
        height,
    };
    let points = lines.iter().flat_map(|line| &line.points).map(|point| spot(*point, 2.0, 2.0));
    let labels = lines.iter().zip(&diagram.connections).filter_map(|(line, connection)| {
        let font = connection.style.font_size.unwrap_or(LINE_FONT_PIXELS);
        let (width, height) = letters::extent(&connection.label, font, false);
        Some(spot(line.label_at?, width, height))
    });
    let all = boxes.iter().copied().chain(points).chain(labels).reduce(Rect::with);
    let all = all.unwrap_or_default();
    Rect {
        x: all.x - MARGIN,
        y: all.y - MARGIN,
        width: all.width + 2.0 * MARGIN,
        height: all.height + 2.0 * MARGIN,
    }
}
